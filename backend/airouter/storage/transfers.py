"""Rows of `transfers`: unique by (kind, reference), which makes every money verb idempotent."""

from airouter.domain.ids import TransferId, UserId, WalletId
from airouter.domain.ledger import Transfer, TransferKind
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("transfers")


async def insert_once(
    connection: Connection,
    *,
    transfer_id: TransferId,
    kind: TransferKind,
    reference: str,
    debit_wallet: WalletId,
    credit_wallet: WalletId,
    amount: int,
    debit_balance: int | None,
    credit_balance: int | None,
    memo: str | None,
    made_by: UserId | None,
) -> Transfer | None:
    """The new transfer; None: there is one of this kind and reference."""
    row = await connection.fetchrow(
        QUERIES.insert_once, transfer_id, kind, reference, debit_wallet, credit_wallet, amount, debit_balance,
        credit_balance, memo, made_by,
    )  # fmt: skip
    return None if row is None else row_as(Transfer, row)


async def find(connection: Connection, kind: TransferKind, reference: str) -> Transfer | None:
    row = await connection.fetchrow(QUERIES.find, kind, reference)
    return None if row is None else row_as(Transfer, row)

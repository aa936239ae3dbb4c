"""Accounts, their wallets as people see them, and the statement of what moved."""

from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, TransferId, UserId, WalletId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load
from airouter.storage.sessions import TeamRole

QUERIES = load("accounts")


class WalletRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`held` is what leases reserve of the balance."""

    wallet_id: WalletId
    balance: int
    held: int
    reward_balance: int
    debt: int


class StatementLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One movement from the view of one wallet: `amount` is negative when it left. Or a day of usage in one line."""

    transfer_id: TransferId
    kind: str
    amount: int
    balance_after: int | None
    reference: str
    created_at: datetime


async def insert_account(connection: Connection, account_id: AccountId, name: str, group_name: str) -> None:
    """A personal account with its wallets."""
    await connection.execute(QUERIES.insert_account, account_id, name, group_name)
    await insert_wallets(connection, account_id)


async def insert_wallets(connection: Connection, account_id: AccountId) -> None:
    """What every account has, whoever owns it."""
    await connection.execute(QUERIES.insert_wallets, account_id)


async def insert_member(connection: Connection, account_id: AccountId, user_id: UserId, team_role: TeamRole) -> None:
    await connection.execute(QUERIES.insert_member, account_id, user_id, team_role)


async def wallet_of(connection: Connection, account_id: AccountId) -> WalletRow:
    record = await connection.fetchrow(QUERIES.wallet_of, account_id)
    assert record is not None, "an account without wallets"
    return row_as(WalletRow, record)


async def used_total(connection: Connection, wallet_id: WalletId) -> str:
    """A decimal string: a sum over all time."""
    return value_as(str, await connection.fetchval(QUERIES.used_total, wallet_id))


async def ledger_currency(connection: Connection) -> str:
    return value_as(str, await connection.fetchval(QUERIES.ledger_currency))


async def transfers_of(
    connection: Connection,
    wallet_id: WalletId,
    *,
    kind: str | None,
    after_time: datetime | None,
    after_id: UUID | None,
    limit: int,
) -> list[StatementLine]:
    """Everything but usage."""
    records = await connection.fetch(QUERIES.transfers_of, wallet_id, kind, after_time, after_id, limit)
    return [row_as(StatementLine, record) for record in records]


async def usage_transfers_of(
    connection: Connection, wallet_id: WalletId, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[StatementLine]:
    """Usage, transfer by transfer."""
    records = await connection.fetch(QUERIES.usage_transfers_of, wallet_id, after_time, after_id, limit)
    return [row_as(StatementLine, record) for record in records]


async def usage_days_of(
    connection: Connection, wallet_id: WalletId, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[StatementLine]:
    """Usage, one line a day."""
    records = await connection.fetch(QUERIES.usage_days_of, wallet_id, after_time, after_id, limit)
    return [row_as(StatementLine, record) for record in records]

"""Rows of `wallets`, where money verbs change them."""

from collections.abc import Collection, Sequence

import asyncpg
import msgspec

from airouter.domain.errors import AmountTooLarge
from airouter.domain.ids import AccountId, WalletId
from airouter.domain.ledger import WalletKind
from airouter.domain.quota import WALLET_MAX
from airouter.storage.database import Connection, row_as, said_of, value_as
from airouter.storage.queries import load

QUERIES = load("wallets")


class WalletRow(msgspec.Struct, frozen=True, kw_only=True):
    """A locked wallet of an account."""

    wallet_id: WalletId
    kind: WalletKind
    balance: int
    leased: int

    @property
    def free(self) -> int:
        """What may be taken away without recalling a lease: of a debt wallet, how much more may be owed."""
        return self.balance + WALLET_MAX if self.kind == "debt" else self.balance - self.leased


async def main_wallet_of(connection: Connection, account_id: AccountId) -> WalletId | None:
    return await connection.fetchval(QUERIES.main_wallet_of, account_id)


async def reward_wallet_of(connection: Connection, account_id: AccountId) -> WalletId | None:
    return await connection.fetchval(QUERIES.reward_wallet_of, account_id)


async def debt_wallet_of(connection: Connection, account_id: AccountId) -> WalletId:
    """What the account owes stands here; made when it is first asked for."""
    found = await connection.fetchval(QUERIES.debt_wallet_of, account_id)
    if found is None:
        await connection.execute(QUERIES.make_debt_wallet, account_id)
        found = value_as(int, await connection.fetchval(QUERIES.debt_wallet_of, account_id))
    return WalletId(found)


async def reserved_wallet_of(connection: Connection, account_id: AccountId) -> WalletId:
    """What the account's open background jobs may cost stands here; made when it is first asked for."""
    found = await connection.fetchval(QUERIES.reserved_wallet_of, account_id)
    if found is None:
        await connection.execute(QUERIES.make_reserved_wallet, account_id)
        found = value_as(int, await connection.fetchval(QUERIES.reserved_wallet_of, account_id))
    return WalletId(found)


async def debt_wallet_beside(connection: Connection, wallet_id: WalletId) -> WalletId | None:
    """The debt wallet of the account that this wallet belongs to; None: it never owed anything."""
    return await connection.fetchval(QUERIES.debt_wallet_beside, wallet_id)


async def lock(connection: Connection, wallets: Collection[WalletId]) -> dict[WalletId, WalletRow]:
    """Lock those of accounts; wallets of the house have no balance and are not locked, so that no row is hot."""
    rows = [row_as(WalletRow, row) for row in await connection.fetch(QUERIES.lock, sorted(wallets))]
    return {row.wallet_id: row for row in rows}


async def lock_all_of(connection: Connection, accounts: Sequence[AccountId]) -> int:
    """What all wallets of these accounts hold or owe, which stays so until the transaction ends."""
    return value_as(int, await connection.fetchval(QUERIES.lock_all_of, list(accounts)))


async def any_of_deleted(connection: Connection, wallets: Collection[WalletId]) -> bool:
    """Whether any of these, which the caller has locked, belongs to an account that was deleted."""
    return value_as(bool, await connection.fetchval(QUERIES.any_of_deleted, list(wallets)))


async def money_in(connection: Connection, wallet_id: WalletId, amount: int) -> int:
    """The new balance.

    Raises:
        AmountTooLarge: a wallet cannot hold that much.
    """
    try:
        return value_as(int, await connection.fetchval(QUERIES.money_in, wallet_id, amount))
    except (asyncpg.CheckViolationError, asyncpg.NumericValueOutOfRangeError) as error:
        if said_of(error, "constraint_name") in {"wallet_max", ""}:
            raise AmountTooLarge from error
        raise


async def money_out(connection: Connection, wallet_id: WalletId, amount: int) -> int | None:
    """The new balance; None: that much is not free."""
    return await connection.fetchval(QUERIES.money_out, wallet_id, amount)


async def give_back(connection: Connection, wallet_id: WalletId, amount: int) -> None:
    """Moves what was reserved, to or fro; unlike `money_in` it says nothing about what earlier calls overran."""
    await connection.execute(QUERIES.give_back, wallet_id, amount)

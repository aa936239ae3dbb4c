"""Accounts as their holders see them: what is there, what is held, and what moved."""

from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, UserId, WalletId
from airouter.storage import accounts as rows
from airouter.storage.accounts import StatementLine
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.world import new_id


class Wallet(msgspec.Struct, frozen=True, kw_only=True):
    """`balance` is the settled figure people see; `held` what calls and leases reserve of it; `available` the rest."""

    balance: int
    held: int
    available: int
    reward_balance: int
    debt: int
    """What the account owes; the next top-up pays it first."""
    used_total: str
    """A decimal string: a sum over all time."""
    currency: str


class Accounts:
    """Reads accounts; opens them for people who join."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wallet(self, account_id: AccountId) -> Wallet:
        """As of one moment."""
        async with self._database.transaction(is_read_only=True) as connection:
            row = await rows.wallet_of(connection, account_id)
            return Wallet(
                balance=row.balance,
                held=row.held,
                available=row.balance - row.held,
                reward_balance=row.reward_balance,
                debt=row.debt,
                used_total=await rows.used_total(connection, row.wallet_id),
                currency=await rows.ledger_currency(connection),
            )

    async def statement(
        self,
        wallet_id: WalletId,
        *,
        kind: str | None,
        after_time: datetime | None,
        after_id: UUID | None,
        limit: int,
    ) -> list[StatementLine]:
        """Movements of a wallet, newest first. Usage is one line a day, unless it is what was asked for."""
        async with self._database.transaction(is_read_only=True) as connection:
            if kind == "usage":
                return await rows.usage_transfers_of(
                    connection, wallet_id, after_time=after_time, after_id=after_id, limit=limit
                )
            lines = await rows.transfers_of(
                connection, wallet_id, kind=kind, after_time=after_time, after_id=after_id, limit=limit
            )
            if kind is None:
                lines += await rows.usage_days_of(
                    connection, wallet_id, after_time=after_time, after_id=after_id, limit=limit
                )
        return sorted(lines, key=lambda line: (line.created_at, line.transfer_id), reverse=True)[:limit]


async def open_personal_account(connection: Connection, user_id: UserId, name: str, group_name: str) -> AccountId:
    """Within the transaction that makes the person: a person without an account could do nothing."""
    account_id = AccountId(new_id())
    await rows.insert_account(connection, account_id, name, group_name)
    await rows.insert_member(connection, account_id, user_id, "owner")
    await announce(connection, "accounts", account_id)
    return account_id

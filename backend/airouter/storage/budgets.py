"""Budgets of keys and members, as people set and see them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.budget import Period
from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("budgets")


class KeyBelow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A locked key that a budget counts."""

    key_id: KeyId
    leased: int
    last_used_at: datetime | None


class KeyBudgetRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key's budget in the window of now."""

    key_id: KeyId
    period: Period
    quota_max: int
    spent: int
    leased: int
    resets_at: datetime | None


class MemberBudgetRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's budget in the window of now; `resets_at` None: it is a total."""

    user_id: UserId
    period: Period
    quota_max: int
    spent: int
    leased: int
    resets_at: datetime | None


async def hold_member(connection: Connection, account_id: AccountId, user_id: UserId) -> bool:
    """Whether they belong to the account; until the transaction ends nobody makes or hands them a key."""
    return await connection.fetchval(QUERIES.hold_member, account_id, user_id) is not None


async def lock_below(
    connection: Connection, account_id: AccountId, key_id: KeyId | None, user_id: UserId | None
) -> list[KeyBelow]:
    """Every key that a budget of this key or member counts, locked, and then those budgets."""
    rows = await connection.fetch(QUERIES.lock_keys_below, account_id, key_id, user_id)
    await connection.execute(QUERIES.lock_budgets_of, account_id, key_id, user_id)
    return [row_as(KeyBelow, row) for row in rows]


async def put_budget(
    connection: Connection,
    budget_id: UUID,
    account_id: AccountId,
    key_id: KeyId | None,
    user_id: UserId | None,
    *,
    period: Period,
    quota_max: int,
    leased: int,
    newest: datetime | None,
) -> None:
    """Make it, or change its maximum. `leased` and `newest` are those of the locked keys below."""
    await connection.execute(
        QUERIES.put_budget, budget_id, account_id, key_id, user_id, period, quota_max, leased, newest
    )


async def drop_other_budgets(
    connection: Connection, account_id: AccountId, key_id: KeyId | None, user_id: UserId | None, kept: Sequence[Period]
) -> None:
    await connection.execute(QUERIES.drop_other_budgets, account_id, key_id, user_id, list(kept))


async def mark_budgeted(connection: Connection, keys: Sequence[KeyId]) -> None:
    """Let settlement know which of these locked keys have a budget above them."""
    await connection.execute(QUERIES.mark_budgeted, list(keys))


async def budgets_of_keys(connection: Connection, keys: Sequence[KeyId]) -> list[KeyBudgetRow]:
    return [row_as(KeyBudgetRow, row) for row in await connection.fetch(QUERIES.budgets_of_keys, list(keys))]


async def budgets_of_members(
    connection: Connection, account_id: AccountId, users: Sequence[UserId]
) -> list[MemberBudgetRow]:
    rows = await connection.fetch(QUERIES.budgets_of_members, account_id, list(users))
    return [row_as(MemberBudgetRow, row) for row in rows]


async def is_member(connection: Connection, account_id: AccountId, user_id: UserId) -> bool:
    return value_as(bool, await connection.fetchval(QUERIES.is_member, account_id, user_id))


async def knows_zone(connection: Connection, name: str) -> bool:
    """Whether Postgres knows a time zone of this name."""
    return value_as(bool, await connection.fetchval(QUERIES.knows_zone, name))


async def time_zone_of(connection: Connection, account_id: AccountId) -> str:
    return value_as(str, await connection.fetchval(QUERIES.time_zone_of, account_id))


async def set_time_zone(connection: Connection, account_id: AccountId, name: str) -> None:
    """Days, weeks and months of the account's budgets end at midnight there from now on."""
    await connection.execute(QUERIES.set_time_zone, account_id, name)
    await connection.execute(QUERIES.lock_windows, account_id)
    await connection.execute(QUERIES.move_windows, account_id)

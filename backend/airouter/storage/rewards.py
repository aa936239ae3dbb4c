"""Rewards: what both sides of a referral get, and how much of it has moved."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId
from airouter.domain.referral import Side, State
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("rewards")


class NewReward(msgspec.Struct, frozen=True, kw_only=True):
    """A promise. `due_at` None: what it waits for has not happened."""

    reward_id: UUID
    referral_id: UUID
    account_id: AccountId
    side: Side
    cause: str
    order_id: UUID | None
    amount: int
    wanted: int
    state: State
    note: str | None
    due_at: datetime | None


class RewardRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`wanted` is what the account should have of `amount`, `posted` what transfers have given it."""

    reward_id: UUID
    referral_id: UUID
    account_id: AccountId
    side: Side
    cause: str
    order_id: UUID | None
    amount: int
    wanted: int
    posted: int
    state: State
    note: str | None
    due_at: datetime | None
    created_at: datetime
    released_at: datetime | None


class LockedReward(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reward of a referral, while what its orders tell is worked in."""

    reward_id: UUID
    side: Side
    cause: str
    order_id: UUID | None
    amount: int
    wanted: int
    posted: int
    state: State
    due_at: datetime | None


class DueReward(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reward that nobody else moves now. `is_suspect`: one of the two is banned or paused."""

    reward_id: UUID
    referral_id: UUID
    account_id: AccountId
    side: Side
    amount: int
    wanted: int
    posted: int
    moves: int
    state: State
    is_approved: bool
    is_suspect: bool


class OwnReward(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reward as its account sees it. `other_email` None: that person was deleted."""

    reward_id: UUID
    side: Side
    cause: str
    amount: int
    posted: int
    state: State
    due_at: datetime | None
    created_at: datetime
    released_at: datetime | None
    other_email: str | None


class Totals(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sums over all time are decimal strings."""

    reward_balance: int
    pending_total: str
    rewarded_total: str
    referred_count: int


async def insert_reward(connection: Connection, reward: NewReward) -> bool:
    """False: this side was promised something for this cause before."""
    return await connection.fetchval(QUERIES.insert_reward, *msgspec.structs.astuple(reward)) is not None


async def rewards_of_referral(connection: Connection, referral_id: UUID) -> list[LockedReward]:
    """Held until the transaction ends."""
    return [row_as(LockedReward, row) for row in await connection.fetch(QUERIES.rewards_of_referral, referral_id)]


async def set_due(connection: Connection, reward_id: UUID, due_at: datetime, order_id: UUID) -> None:
    await connection.execute(QUERIES.set_due, reward_id, due_at, order_id)


async def set_wanted(connection: Connection, reward_id: UUID, wanted: int) -> None:
    await connection.execute(QUERIES.set_wanted, reward_id, wanted)


async def due_rewards(connection: Connection, limit: int) -> list[UUID]:
    """Those of which too little or too much has moved."""
    return [row["reward_id"] for row in await connection.fetch(QUERIES.due_rewards, limit)]


async def lock_due_reward(connection: Connection, reward_id: UUID) -> DueReward | None:
    """None: another process is at it, or it is done."""
    row = await connection.fetchrow(QUERIES.lock_due_reward, reward_id)
    return None if row is None else row_as(DueReward, row)


async def reward_moved(connection: Connection, reward_id: UUID, posted: int) -> None:
    await connection.execute(QUERIES.reward_moved, reward_id, posted)


async def withhold_reward(connection: Connection, reward_id: UUID, note: str) -> None:
    """Nothing is given any more, and what was given is taken back."""
    await connection.execute(QUERIES.withhold_reward, reward_id, note)


async def approve_reward(connection: Connection, reward_id: UUID, note: str, wanted: int) -> None:
    """It is due now, and no rule withholds it."""
    await connection.execute(QUERIES.approve_reward, reward_id, note, wanted)


async def lock_reward(connection: Connection, reward_id: UUID) -> RewardRow | None:
    row = await connection.fetchrow(QUERIES.lock_reward, reward_id)
    return None if row is None else row_as(RewardRow, row)


async def find_reward(connection: Connection, reward_id: UUID) -> RewardRow:
    """One that exists."""
    return row_as(RewardRow, await connection.fetchrow(QUERIES.find_reward, reward_id))


async def totals_of(connection: Connection, account_id: AccountId) -> Totals:
    return row_as(Totals, await connection.fetchrow(QUERIES.totals_of, account_id))


async def rewards_of_account(
    connection: Connection, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[OwnReward]:
    """Newest first."""
    rows = await connection.fetch(QUERIES.rewards_of_account, account_id, after_time, after_id, limit)
    return [row_as(OwnReward, row) for row in rows]


async def rewards_of_referrals(connection: Connection, referral_ids: Sequence[UUID]) -> list[RewardRow]:
    rows = await connection.fetch(QUERIES.rewards_of_referrals, list(referral_ids))
    return [row_as(RewardRow, row) for row in rows]

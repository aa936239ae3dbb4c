"""Budgets: what a key, or a member with all of their keys, may spend in a period.

Changing one locks, in this order, the member (if it is theirs), the keys below by id, and the budgets: settlement locks
keys and then budgets, too. A lowered maximum holds at once and refuses nobody who is being served: what is in use
beyond it is excused, and nothing new is admitted until the window has room again.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from airouter.domain.budget import Period
from airouter.domain.errors import InvalidRequest, NotFound
from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.domain.quota import WALLET_MAX
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.storage import budgets as rows
from airouter.storage.budgets import KeyBudgetRow, MemberBudgetRow
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.world import new_id

Quota = Annotated[int, Meta(ge=0, le=WALLET_MAX, description="Quota", examples=[5_000_000_000])]
PERIODS: Final = 4


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that starts anew each period, at midnight in the account's time zone; weeks begin on Monday."""

    period: Period
    limit: Quota


BudgetList = Annotated[list[Budget], Meta(max_length=PERIODS)]


class Budgets:
    """Of members, and the time zone in which all of an account's budgets begin anew."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_keys(self, keys: Sequence[KeyId]) -> dict[KeyId, list[KeyBudgetRow]]:
        """Shortest period first, for the keys that have any."""
        async with self._database.connection() as connection:
            found: dict[KeyId, list[KeyBudgetRow]] = {}
            for row in await rows.budgets_of_keys(connection, keys) if keys else ():
                found.setdefault(row.key_id, []).append(row)
        return found

    async def of_member(self, account_id: AccountId, user_id: UserId) -> list[MemberBudgetRow]:
        """Raises NotFound: nobody of that id belongs to the account."""
        async with self._database.connection() as connection:
            if not await rows.is_member(connection, account_id, user_id):
                raise NotFound
            return await rows.budgets_of_members(connection, account_id, [user_id])

    async def set_member(
        self, account_id: AccountId, user_id: UserId, budgets: Sequence[Budget], actor: Actor = SYSTEM
    ) -> list[MemberBudgetRow]:
        """These instead of those the member has. A period that stays goes on with what it has spent.

        Raises:
            NotFound: nobody of that id belongs to the account. InvalidRequest: a period stands twice.
        """
        check_periods(budgets)
        async with self._database.transaction() as connection:
            if not await rows.hold_member(connection, account_id, user_id):
                raise NotFound
            before = await rows.budgets_of_members(connection, account_id, [user_id])
            await _replace(connection, account_id, None, user_id, budgets)
            await announce(connection, "accounts", account_id)
            act = Act(
                action="member.budgets_set",
                subject="member",
                subject_id=str(user_id),
                account_id=account_id,
                before={row.period: row.quota_max for row in before},
                after={budget.period: budget.limit for budget in budgets},
            )
            await record(connection, actor, act)
            return await rows.budgets_of_members(connection, account_id, [user_id])

    async def time_zone(self, account_id: AccountId) -> str:
        """The zone whose midnight begins a day of the account's budgets."""
        async with self._database.connection() as connection:
            return await rows.time_zone_of(connection, account_id)

    async def set_time_zone(self, account_id: AccountId, zone: str, actor: Actor = SYSTEM) -> None:
        """Windows that run go on to the next midnight, Monday or first of the month there.

        Raises:
            InvalidRequest: there is no zone of this name.
        """
        async with self._database.transaction() as connection:
            if not await rows.knows_zone(connection, zone):
                raise InvalidRequest(
                    f"time_zone: {zone!r} is no IANA time zone, as Asia/Shanghai is.", field="time_zone"
                )
            before = await rows.time_zone_of(connection, account_id)
            await rows.set_time_zone(connection, account_id, zone)
            act = Act(
                action="account.time_zone_set",
                subject="account",
                subject_id=str(account_id),
                account_id=account_id,
                before={"time_zone": before},
                after={"time_zone": zone},
            )
            await record(connection, actor, act)


async def set_key_budgets(
    connection: Connection, account_id: AccountId, key_id: KeyId, budgets: Sequence[Budget]
) -> None:
    """These instead of those the key has, within the transaction that changes the key."""
    await _replace(connection, account_id, key_id, None, budgets)


def check_periods(budgets: Sequence[Budget]) -> None:
    """Raises InvalidRequest when a period stands twice."""
    periods = [budget.period for budget in budgets]
    for number, period in enumerate(periods):
        if period in periods[:number]:
            raise InvalidRequest(f"budgets: the period {period!r} stands twice.", field=f"budgets[{number}].period")


async def _replace(
    connection: Connection,
    account_id: AccountId,
    key_id: KeyId | None,
    user_id: UserId | None,
    budgets: Sequence[Budget],
) -> None:
    below = await rows.lock_below(connection, account_id, key_id, user_id)
    await rows.drop_other_budgets(connection, account_id, key_id, user_id, [budget.period for budget in budgets])
    for budget in budgets:
        await rows.put_budget(
            connection,
            new_id(),
            account_id,
            key_id,
            user_id,
            period=budget.period,
            quota_max=budget.limit,
            leased=sum(key.leased for key in below),
            newest=max((key.last_used_at for key in below if key.last_used_at), default=None),
        )
    await rows.mark_budgeted(connection, [key.key_id for key in below])

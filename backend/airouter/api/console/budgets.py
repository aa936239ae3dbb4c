"""Budgets of members, and the time zone in which an account's budgets begin anew."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import AccountHolder
from airouter.api.console.key_views import BudgetView, budget_views
from airouter.api.documents import refusals
from airouter.domain.errors import NotFound
from airouter.domain.ids import UserId
from airouter.services.audit_log import Actor
from airouter.services.budgets import BudgetList, Budgets


class MemberBudgets(msgspec.Struct, frozen=True, kw_only=True):
    """What all keys of one member may spend together."""

    items: list[BudgetView]


class MemberBudgetsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Instead of what there is; an empty list takes every budget away."""

    budgets: BudgetList


class TimeZone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An IANA name."""

    time_zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["Asia/Shanghai"])]


class BudgetsController(Controller):
    """Below /accounts/{account_id}."""

    path = "/accounts/{account_id:uuid}"
    tags = ("Budgets",)

    @get(
        "/members/{user_id:uuid}/budgets",
        operation_id="getMemberBudgets",
        permission="keys.read",
        summary="A member's budgets, and what is spent of them",
        responses=refusals(401, 403, 404),
    )
    async def member_budgets(
        self,
        account_id: FromPath[UUID],
        user_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        budgets: NamedDependency[Budgets],
    ) -> MemberBudgets:
        """Members see their own."""
        del account_id  # it made the holder
        if holder.only_user_id not in (None, user_id):
            raise NotFound
        return MemberBudgets(items=budget_views(await budgets.of_member(holder.account_id, UserId(user_id))))

    @put(
        "/members/{user_id:uuid}/budgets",
        operation_id="setMemberBudgets",
        permission="members.write",
        summary="Set what a member's keys may spend together",
        responses=refusals(401, 403, 404, 422),
    )
    async def set_member_budgets(
        self,
        *,
        account_id: FromPath[UUID],
        user_id: FromPath[UUID],
        data: JSONBody[MemberBudgetsChange],
        holder: NamedDependency[AccountHolder],
        budgets: NamedDependency[Budgets],
        actor: NamedDependency[Actor],
    ) -> MemberBudgets:
        """Holds at once, for calls that begin from now on."""
        del account_id  # it made the holder
        rows = await budgets.set_member(holder.account_id, UserId(user_id), data.budgets, actor)
        return MemberBudgets(items=budget_views(rows))

    @get(
        "/time-zone",
        operation_id="getTimeZone",
        permission="wallet.read",
        summary="The time zone in which the account's budgets begin anew",
        responses=refusals(401, 404),
    )
    async def time_zone(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        budgets: NamedDependency[Budgets],
    ) -> TimeZone:
        del account_id  # it made the holder
        return TimeZone(time_zone=await budgets.time_zone(holder.account_id))

    @put(
        "/time-zone",
        operation_id="setTimeZone",
        permission="account.write",
        summary="Choose the time zone in which the account's budgets begin anew",
        responses=refusals(401, 403, 404, 422),
    )
    async def set_time_zone(
        self,
        account_id: FromPath[UUID],
        data: JSONBody[TimeZone],
        holder: NamedDependency[AccountHolder],
        budgets: NamedDependency[Budgets],
        actor: NamedDependency[Actor],
    ) -> TimeZone:
        """Running periods go on to the next midnight, Monday or first of the month there."""
        del account_id  # it made the holder
        await budgets.set_time_zone(holder.account_id, data.time_zone, actor)
        return data

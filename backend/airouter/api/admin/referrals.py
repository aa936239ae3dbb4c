"""Referrals as an operator sees them: who brought whom, from where, and what is given for it."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.domain.policies.referral import Condition
from airouter.domain.referral import JOINING, Side, State
from airouter.services.audit_log import Actor
from airouter.services.rewards import ReferralView, Rewards
from airouter.services.step_up import StepUp
from airouter.storage.referrals import Filters
from airouter.storage.rewards import RewardRow


class AdminRewardView(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted` is what the account should have of `amount`, `posted` what it has; the difference moves in seconds."""

    id: UUID
    account_id: UUID
    side: Side
    is_share: bool
    order_id: UUID | None
    amount: int
    wanted: int
    posted: int
    state: State
    note: str | None
    """Why it is withheld: `bound_in_all`, `bound_per_day`, `bound_of_network`, `suspect`, `wallet_full`,
    `account_deleted`, or words."""
    due_at: datetime | None
    created_at: datetime
    released_at: datetime | None


class AdminReferralView(msgspec.Struct, frozen=True, kw_only=True):
    """`network` is where the invitee joined from, for 30 days."""

    id: UUID
    referrer_account_id: UUID
    referrer_name: str
    invitee_account_id: UUID
    invitee_name: str
    invitee_email: str | None
    network: str | None
    condition: Condition
    share_micros: int
    joined_at: datetime
    rewards: list[AdminRewardView]


class AdminReferralList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[AdminReferralView]
    next_cursor: str | None


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operator's reason, for the audit log."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


@get(
    "/admin/referrals",
    operation_id="listReferrals",
    permission="operator.read",
    summary="Who brought whom, newest first",
    tags=["Admin"],
    responses=refusals(401, 403, 422),
)
async def referrals(
    *,
    operator: NamedDependency[Operator],
    paging: NamedDependency[Paging],
    rewards: NamedDependency[Rewards],
    account_id: Annotated[UUID | None, QueryParameter(description="On either side")] = None,
    reward_state: Annotated[State | None, QueryParameter(name="state", description="Of any of its rewards")] = None,
    network: Annotated[str | None, QueryParameter(max_length=64, description="Where the invitee joined from")] = None,
    q: Annotated[str | None, QueryParameter(max_length=120, description="A piece of an address or a name")] = None,
) -> AdminReferralList:
    del operator
    filters = Filters(account_id=account_id, state=reward_state, network=network or None, text=q or None)
    found = await rewards.page(
        filters, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
    )
    shown, last = paging.split(found)
    return AdminReferralList(
        items=[_referral(view) for view in shown],
        next_cursor=last and cursor_of(last.referral.joined_at, last.referral.referral_id),
    )


@post(
    "/admin/rewards/{reward_id:uuid}/withhold",
    operation_id="withholdReward",
    permission="money.write",
    summary="Withhold a reward, or take it back",
    tags=["Admin"],
    status_code=200,
    responses=refusals(401, 403, 404, 422),
)
async def withhold(
    *,
    reward_id: FromPath[UUID],
    data: JSONBody[Decision],
    operator: NamedDependency[Operator],
    actor: NamedDependency[Actor],
    step_up: NamedDependency[StepUp],
    rewards: NamedDependency[Rewards],
) -> AdminRewardView:
    """It is not given; what was given of it already is taken back within seconds."""
    await step_up.require_above(operator.person, (await rewards.get(reward_id)).amount)
    return _reward(await rewards.withhold(reward_id, data.reason, actor))


@post(
    "/admin/rewards/{reward_id:uuid}/release",
    operation_id="releaseReward",
    permission="money.write",
    summary="Release a reward, whatever withheld it",
    tags=["Admin"],
    status_code=200,
    responses=refusals(401, 403, 404, 409, 422),
)
async def release(
    *,
    reward_id: FromPath[UUID],
    data: JSONBody[Decision],
    operator: NamedDependency[Operator],
    actor: NamedDependency[Actor],
    step_up: NamedDependency[StepUp],
    rewards: NamedDependency[Rewards],
) -> AdminRewardView:
    """It is given within seconds: no condition is waited for, and no rule withholds it any more. When its order was
    given back in part, what is left of it; 409 `order_given_back` when nothing is.
    """
    await step_up.require_above(operator.person, (await rewards.get(reward_id)).amount)
    return _reward(await rewards.release(reward_id, data.reason, actor))


def _referral(view: ReferralView) -> AdminReferralView:
    row = view.referral
    return AdminReferralView(
        id=row.referral_id,
        referrer_account_id=row.referrer_account,
        referrer_name=row.referrer_name,
        invitee_account_id=row.invitee_account,
        invitee_name=row.invitee_name,
        invitee_email=row.invitee_email,
        network=row.network,
        condition=row.condition,
        share_micros=row.share_micros,
        joined_at=row.joined_at,
        rewards=[_reward(reward) for reward in view.rewards],
    )


def _reward(row: RewardRow) -> AdminRewardView:
    return AdminRewardView(
        id=row.reward_id,
        account_id=row.account_id,
        side=row.side,
        is_share=row.cause != JOINING,
        order_id=row.order_id,
        amount=row.amount,
        wanted=row.wanted,
        posted=row.posted,
        state=row.state,
        note=row.note,
        due_at=row.due_at,
        created_at=row.created_at,
        released_at=row.released_at,
    )


REFERRALS: Final[tuple[Any, ...]] = (referrals, withhold, release)
"""Referrals and rewards, for operators."""

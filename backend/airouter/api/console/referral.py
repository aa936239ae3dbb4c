"""What an account sees of its referrals, and moving rewards to the balance."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from airouter.api.callers import AccountHolder, refuse_paused
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.policies.referral import Condition
from airouter.domain.quota import WALLET_MAX
from airouter.domain.referral import JOINING, Side, State, masked
from airouter.services.audit_log import Actor
from airouter.services.referrals import Referrals, TransferredRewards
from airouter.storage.rewards import OwnReward


class ReferralView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_enabled` false: nobody is brought at the moment; what was earned stays. Amounts are quota, totals strings."""

    is_enabled: bool
    code: str | None
    """None: referrals are off, or this is a team's account."""
    link: str | None
    reward_balance: int
    pending_total: str
    rewarded_total: str
    referred_count: int
    reward: int | None
    """For whoever brings somebody; None: nothing."""
    invitee_reward: int | None
    condition: Condition | None
    days: int | None
    """For the condition `after_days`."""
    first_order_minimum: int | None
    """For the condition `first_order`: the least quota bought at once; None: any."""
    share_micros: int | None
    """The part of what the other one buys, in millionths; None: no part."""
    share_days: int | None
    share_orders_max: int | None
    minimum_transfer: int


class RewardView(msgspec.Struct, frozen=True, kw_only=True):
    """`other` is whom one brought or by whom one was brought, masked; `posted` what was credited of `amount`."""

    id: UUID
    side: Side
    is_share: bool
    """A part of an order, and not the reward for joining."""
    other: str | None
    amount: int
    posted: int
    state: State
    due_at: datetime | None
    created_at: datetime
    released_at: datetime | None


class RewardList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[RewardView]
    next_cursor: str | None


class TransferDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Quota of the rewards that becomes balance."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=WALLET_MAX, examples=[5_000_000_000])]


class ReferralController(Controller):
    """Below /referral."""

    path = "/referral"
    tags = ("Money in",)

    @get(
        "/",
        operation_id="getReferral",
        permission="referral.read",
        summary="The account's referral code and what it brought",
        responses=refusals(401, 403, 404),
    )
    async def referral(
        self, holder: NamedDependency[AccountHolder], referrals: NamedDependency[Referrals]
    ) -> ReferralView:
        """The code is made when it is first asked for. Only personal accounts have one."""
        seen = await referrals.overview(holder.account_id, is_personal=_is_personal(holder))
        policy, is_on = seen.policy, seen.policy.is_enabled
        return ReferralView(
            is_enabled=is_on,
            code=seen.code,
            link=seen.link,
            reward_balance=seen.totals.reward_balance,
            pending_total=seen.totals.pending_total,
            rewarded_total=seen.totals.rewarded_total,
            referred_count=seen.totals.referred_count,
            reward=(policy.reward or None) if is_on else None,
            invitee_reward=(policy.invitee_reward or None) if is_on else None,
            condition=policy.condition if is_on else None,
            days=policy.days if is_on and policy.condition == "after_days" else None,
            first_order_minimum=(policy.first_order_minimum or None) if is_on else None,
            share_micros=(policy.share_micros or None) if is_on else None,
            share_days=policy.share_days if is_on else None,
            share_orders_max=policy.share_orders_max if is_on else None,
            minimum_transfer=policy.minimum_transfer,
        )

    @get(
        "/rewards",
        operation_id="listRewards",
        permission="referral.read",
        summary="Rewards of the account, newest first",
        responses=refusals(401, 403, 404, 422),
    )
    async def rewards(
        self,
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        referrals: NamedDependency[Referrals],
    ) -> RewardList:
        found = await referrals.rewards(
            holder.account_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return RewardList(
            items=[_view(row) for row in shown], next_cursor=last and cursor_of(last.created_at, last.reward_id)
        )

    @post(
        "/transfers",
        operation_id="transferRewards",
        permission="referral.write",
        summary="Transfer rewards to the balance",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def transfer(
        self,
        data: JSONBody[TransferDraft],
        new_id: NamedDependency[NewId],
        holder: NamedDependency[AccountHolder],
        actor: NamedDependency[Actor],
        referrals: NamedDependency[Referrals],
    ) -> TransferredRewards:
        """At least the policy's minimum (422 `transfer_too_small`), at most what is there (409)."""
        refuse_paused(holder)
        return await referrals.transfer(holder.account_id, data.amount, new_id.value, actor)


def _is_personal(holder: AccountHolder) -> bool:
    kinds = {membership.account_id: membership.kind for membership in holder.person.memberships}
    return kinds[holder.account_id] == "personal"


def _view(row: OwnReward) -> RewardView:
    return RewardView(
        id=row.reward_id,
        side=row.side,
        is_share=row.cause != JOINING,
        other=row.other_email and masked(row.other_email),
        amount=row.amount,
        posted=row.posted,
        state=row.state,
        due_at=row.due_at,
        created_at=row.created_at,
        released_at=row.released_at,
    )

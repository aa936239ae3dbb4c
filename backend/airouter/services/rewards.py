"""Rewards: a job gives what is due and takes back what its order lost; operators withhold and release.

First what orders told is worked into the rows (no wallet is touched), then each row of which too little or too much has
moved is moved, one row a transaction. Both steps skip what another process holds, and are done once whoever dies
where: a transfer's reference is the row and how many came before it.
"""

import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.errors import AmountTooLarge, DatabaseUnavailable, NotFound
from airouter.domain.ids import AccountId
from airouter.domain.ledger import GRANTS
from airouter.domain.privacy_errors import AccountDeleted
from airouter.domain.referral import JOINING, left_of, share_of
from airouter.domain.reward_errors import OrderGivenBack
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.jobs import Job
from airouter.services.recall import with_recall
from airouter.services.wallets import Movement, credit, move, take_or_owe
from airouter.storage import orders, referrals, wallets
from airouter.storage import rewards as rows
from airouter.storage.database import Connection, Database
from airouter.storage.referrals import Filters, OrderEvent, ReferralRow, Terms
from airouter.storage.rewards import DueReward, LockedReward, NewReward, RewardRow
from airouter.world import new_id, now

logger = logging.getLogger(__name__)

JOB: Final = "referrals"
_AT_ONCE: Final = 100


class ReferralView(msgspec.Struct, frozen=True, kw_only=True):
    """A referral with everything that was promised for it."""

    referral: ReferralRow
    rewards: Sequence[RewardRow]


class Rewards:
    """The job's verb, and the operator's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def job(self) -> Job:
        return Job(name=JOB, run=self.work, pause=timedelta(seconds=3))

    async def work(self) -> None:
        """Everything that is due now. One that fails is tried again next time; the others do not wait for it."""
        async with self._database.connection() as connection:
            told = await referrals.referrals_with_events(connection, _AT_ONCE)
        for referral_id in told:
            await _alone(self._work_in(referral_id), "referral.not_worked_in", referral_id)
        async with self._database.connection() as connection:
            due = await rows.due_rewards(connection, _AT_ONCE)
        for reward_id in due:
            await _alone(self._move(reward_id), "reward.not_moved", reward_id)
        async with self._database.transaction() as connection:
            await referrals.forget_networks(connection)

    async def _work_in(self, referral_id: UUID) -> None:
        """What the orders of one invitee told, in the order of their telling."""
        async with self._database.transaction() as connection:
            terms = await referrals.lock_referral(connection, referral_id)
            if terms is None:
                return
            events = await referrals.events_of(connection, referral_id)
            for event in events:
                held = await rows.rewards_of_referral(connection, referral_id)
                await _release_by_first_order(connection, terms, event, held)
                held = await rows.rewards_of_referral(connection, referral_id)
                await _follow_order(connection, terms, event, held)
                await _share(connection, terms, event, held)
            if events:
                await referrals.drop_events(connection, events)

    async def _move(self, reward_id: UUID) -> None:
        async with self._database.connection() as connection:
            account_id = (await rows.find_reward(connection, reward_id)).account_id
            main = await wallets.main_wallet_of(connection, account_id)
        assert main is not None, "an account without a wallet"
        step = partial(self._step, reward_id=reward_id)
        if await with_recall(self._database, main, step) is None:
            async with self._database.transaction() as connection:
                await self._step(connection, reward_id=reward_id, is_last_try=True)

    async def _step(self, connection: Connection, *, reward_id: UUID, is_last_try: bool = False) -> bool | None:
        """None: what is to be taken back is leased, and it is not the last try."""
        due = await rows.lock_due_reward(connection, reward_id)
        if due is None:
            return True
        if due.wanted > due.posted:
            await _give(connection, due)
        elif not await _take_back(connection, due, is_last_try=is_last_try):
            return None
        return True

    async def page(
        self, filters: Filters, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[ReferralView]:
        """Newest first."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await referrals.referral_page(
                connection, filters, after_time=after_time, after_id=after_id, limit=limit
            )
            promised = await rows.rewards_of_referrals(connection, [row.referral_id for row in found])
        return [
            ReferralView(referral=row, rewards=[one for one in promised if one.referral_id == row.referral_id])
            for row in found
        ]

    async def get(self, reward_id: UUID) -> RewardRow:
        """Raises NotFound."""
        async with self._database.transaction() as connection:
            return await _locked(connection, reward_id)

    async def withhold(self, reward_id: UUID, reason: str, actor: Actor) -> RewardRow:
        """Not given; what was given already is taken back. Raises NotFound."""
        async with self._database.transaction() as connection:
            before = await _locked(connection, reward_id)
            await rows.withhold_reward(connection, reward_id, reason)
            return await _recorded(connection, actor, "reward.withheld", before)

    async def release(self, reward_id: UUID, reason: str, actor: Actor) -> RewardRow:
        """Given now, whatever withheld it or was waited for: what is left of it, if its order was given back in part.

        Raises:
            NotFound
            OrderGivenBack: nothing is left.
        """
        async with self._database.transaction() as connection:
            before = await _locked(connection, reward_id)
            wanted = await _left_now(connection, before)
            if not wanted:
                raise OrderGivenBack
            await rows.approve_reward(connection, reward_id, reason, wanted)
            return await _recorded(connection, actor, "reward.released", before)


async def _alone(work: Awaitable[object], event: str, subject: UUID) -> None:
    try:
        await work
    except DatabaseUnavailable:
        raise
    except AmountTooLarge:  # it owes as much as a wallet can hold
        logger.warning(event, extra={"subject": str(subject)})
    except Exception:
        logger.exception(event, extra={"subject": str(subject)})


async def _release_by_first_order(
    connection: Connection, terms: Terms, event: OrderEvent, held: Sequence[LockedReward]
) -> None:
    is_enough = event.credited - event.taken >= max(1, terms.first_order_minimum)
    if terms.condition != "first_order" or not is_enough:
        return
    for reward in held:
        if reward.cause == JOINING and reward.due_at is None:
            await rows.set_due(connection, reward.reward_id, now(), event.order_id)


async def _follow_order(connection: Connection, terms: Terms, event: OrderEvent, held: Sequence[LockedReward]) -> None:
    for reward in held:
        if reward.order_id != event.order_id or reward.state == "withheld":
            continue
        wanted = left_of(reward.amount, cause=reward.cause, credited=event.credited, taken=event.taken)
        if reward.cause == JOINING and event.credited - event.taken < terms.first_order_minimum:
            wanted = 0
        if wanted != reward.wanted:
            await rows.set_wanted(connection, reward.reward_id, wanted)


async def _share(connection: Connection, terms: Terms, event: OrderEvent, held: Sequence[LockedReward]) -> None:
    """A part of what was bought, but of an order that released the referrer's reward for joining."""
    cause = f"order/{event.order_id}"
    shares = [reward.cause for reward in held if reward.cause != JOINING]
    is_spent = any(reward.side == "referrer" and reward.order_id == event.order_id for reward in held)
    is_over = terms.share_until is not None and event.created_at >= terms.share_until
    is_enough = terms.share_orders_max is not None and len(shares) >= terms.share_orders_max
    amount = share_of(event.credited, terms.share_micros)
    wanted = left_of(amount, cause=cause, credited=event.credited, taken=event.taken)
    if is_spent or is_over or is_enough or not wanted:
        return
    await rows.insert_reward(
        connection,
        NewReward(
            reward_id=new_id(),
            referral_id=terms.referral_id,
            account_id=terms.referrer_account,
            side="referrer",
            cause=cause,
            order_id=event.order_id,
            amount=amount,
            wanted=wanted,
            state="pending",
            note=None,
            due_at=now(),
        ),
    )


async def _give(connection: Connection, due: DueReward) -> None:
    if due.is_suspect and not due.is_approved:
        await _withhold(connection, due, "suspect")
        return
    wallet = await wallets.reward_wallet_of(connection, due.account_id)
    assert wallet is not None, "an account without a reward wallet"
    held = (await wallets.lock(connection, {wallet}))[wallet]
    amount = due.wanted - due.posted
    try:
        async with connection.transaction():
            await credit(connection, kind="reward", reference=_reference(due), wallet_id=held.wallet_id, amount=amount)
    except (AmountTooLarge, AccountDeleted) as refusal:
        await _withhold(connection, due, "wallet_full" if isinstance(refusal, AmountTooLarge) else refusal.code)
        return
    await rows.reward_moved(connection, due.reward_id, due.wanted)


async def _withhold(connection: Connection, due: DueReward, note: str) -> None:
    before = await _locked(connection, due.reward_id)
    await rows.withhold_reward(connection, due.reward_id, note)
    await _recorded(connection, SYSTEM, "reward.withheld", before)


async def _take_back(connection: Connection, due: DueReward, *, is_last_try: bool) -> bool:
    """From the rewards, else from the balance, else it becomes the account's debt."""
    amount = due.posted - due.wanted
    reward = await wallets.reward_wallet_of(connection, due.account_id)
    main = await wallets.main_wallet_of(connection, due.account_id)
    assert reward is not None, "an account without a reward wallet"
    assert main is not None, "an account without a wallet"
    held = await wallets.lock(connection, {reward, main})
    part = min(amount, held[reward].free)
    rest = amount - part
    if rest > held[main].free and held[main].leased and not is_last_try:
        return False
    movement = Movement(
        kind="clawback", reference=f"{_reference(due)}/reward", debit_wallet=reward, credit_wallet=GRANTS, amount=part
    )
    if part:
        await move(connection, movement)
    if rest:
        from_main = msgspec.structs.replace(
            movement, reference=f"{_reference(due)}/balance", debit_wallet=main, amount=rest
        )
        await take_or_owe(connection, due.account_id, from_main)
    await rows.reward_moved(connection, due.reward_id, due.wanted)
    return True


def _reference(due: DueReward) -> str:
    return f"{due.reward_id}/{due.moves + 1}"


async def _locked(connection: Connection, reward_id: UUID) -> RewardRow:
    found = await rows.lock_reward(connection, reward_id)
    if found is None:
        raise NotFound("There is no such reward.")
    return found


async def _left_now(connection: Connection, reward: RewardRow) -> int:
    """Of a withheld reward, which does not follow its order; what is told of the order from now on is followed."""
    order = None if reward.order_id is None else await orders.find_order(connection, reward.order_id)
    if order is None:
        return reward.amount
    return left_of(reward.amount, cause=reward.cause, credited=order.credited_quota, taken=order.taken_quota)


async def _recorded(connection: Connection, actor: Actor, action: str, before: RewardRow) -> RewardRow:
    after = await rows.find_reward(connection, before.reward_id)
    act = Act(
        action=action,
        subject="reward",
        subject_id=str(before.reward_id),
        account_id=AccountId(before.account_id),
        before=before,
        after=after,
    )
    await record(connection, actor, act)
    return after

"""Referrals: who brought whom, and what both get for it. Off until an operator says what is given for what.

Three facts come from elsewhere, each within the transaction that makes it one: somebody joined, an order was paid, an
order was refunded. None of them touches a wallet, and those of orders only ever insert a row, so they wait for nobody.
The job of services/rewards.py moves the quota, within seconds.
"""

import os
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from airouter.domain import referral
from airouter.domain.errors import BalanceInsufficient, NotFound
from airouter.domain.ids import AccountId, UserId
from airouter.domain.policy import Referral
from airouter.domain.referral import JOINING
from airouter.domain.reward_errors import TransferTooSmall
from airouter.services.attempts import neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.policies import policy_in_force
from airouter.services.vault import Vault
from airouter.services.wallets import Movement, move, repay
from airouter.storage import referrals as rows
from airouter.storage import rewards, users, wallets
from airouter.storage.database import Connection, Database
from airouter.storage.referrals import NewReferral, Referrer
from airouter.storage.rewards import NewReward, OwnReward, Totals
from airouter.world import new_id, now

_PURPOSE: Final = "referral-identity"
_CODE_TRIES: Final = 10


class Newcomer(Protocol):
    """A person who just joined, and their personal account."""

    @property
    def user_id(self) -> UserId: ...
    @property
    def account_id(self) -> AccountId: ...


class From(Protocol):
    """Where they came from."""

    @property
    def address(self) -> str: ...


class SettledOrder(Protocol):
    """An order as it stands: what was credited of the paid quota (without bonus), and what of that was taken back."""

    @property
    def order_id(self) -> UUID: ...
    @property
    def account_id(self) -> AccountId: ...
    @property
    def credited_quota(self) -> int: ...
    @property
    def taken_quota(self) -> int: ...


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What an account sees of its referrals. `code` None: it has none, because it is a team's or referrals are off."""

    policy: Referral
    code: str | None
    link: str | None
    totals: Totals


class TransferredRewards(msgspec.Struct, frozen=True, kw_only=True):
    """Both balances after a transfer."""

    reward_balance: int
    balance: int


class Referrals:
    """What people do with referrals, and what referrals hear of."""

    def __init__(self, database: Database, vault: Vault, console_url: str) -> None:
        self._database = database
        self._vault = vault
        self._console_url = console_url

    async def joined(self, connection: Connection, newcomer: Newcomer, referral_code: str | None, client: From) -> None:
        """Somebody joined, perhaps with a code. A code that nobody has, or that may not count, is no hindrance."""
        code = referral.normal_form(referral_code or "")
        if code is None:
            return
        policy = await policy_in_force(connection, Referral)
        person = await users.find_user(connection, newcomer.user_id)
        if not policy.is_enabled or person is None:
            return
        referrer = await rows.lock_referrer(connection, code)
        mailbox = referral.mailbox(person.email)
        if referrer is None or referral.mailbox(referrer.email) == mailbox:
            return
        if await rows.identity_is_known(connection, self._vault.macs(_PURPOSE, mailbox.encode())):
            return
        await self._bring(
            connection, policy, referrer, newcomer, mailbox=mailbox, network=neighbourhood(client.address)
        )

    async def _bring(
        self,
        connection: Connection,
        policy: Referral,
        referrer: Referrer,
        newcomer: Newcomer,
        *,
        mailbox: str,
        network: str,
    ) -> None:
        bound = _bound_reached(policy, await rows.counted_before(connection, referrer.account_id, network))
        joined_at = now()
        brought = NewReferral(
            referral_id=new_id(),
            referrer_account=referrer.account_id,
            invitee_account=newcomer.account_id,
            identity=self._vault.mac(_PURPOSE, mailbox.encode()),
            network=network,
            condition=policy.condition,
            first_order_minimum=policy.first_order_minimum,
            verified_email_only=policy.verified_email_only,
            share_micros=0 if bound else policy.share_micros,
            share_until=None if policy.share_days is None else joined_at + timedelta(days=policy.share_days),
            share_orders_max=policy.share_orders_max,
        )
        if not await rows.insert_referral(connection, brought):
            return
        for promise in referral.promises(policy, joined_at):
            await rewards.insert_reward(
                connection,
                NewReward(
                    reward_id=new_id(),
                    referral_id=brought.referral_id,
                    account_id=referrer.account_id if promise.side == "referrer" else newcomer.account_id,
                    side=promise.side,
                    cause=JOINING,
                    order_id=None,
                    amount=promise.amount,
                    wanted=0 if bound else promise.amount,
                    state="withheld" if bound else "pending",
                    note=bound,
                    due_at=promise.due_at,
                ),
            )

    async def order_paid(self, connection: Connection, order: SettledOrder) -> None:
        """An order was paid: what waited for it becomes due. Telling it twice changes nothing."""
        await _told(connection, order)

    async def order_refunded(self, connection: Connection, order: SettledOrder) -> None:
        """An order was given back, in part or whole, or a dispute was decided: rewards follow what is left of it.

        The order says how it stands (`taken_quota`), so it is also told when a won dispute makes that less again.
        """
        await _told(connection, order)

    async def overview(self, account_id: AccountId, *, is_personal: bool) -> Overview:
        """What an account sees. A personal one gets its code when it first looks."""
        async with self._database.transaction() as connection:
            policy = await policy_in_force(connection, Referral)
            code = await _code_of(connection, account_id) if policy.is_enabled and is_personal else None
            totals = await rewards.totals_of(connection, account_id)
        link = None if code is None else f"{self._console_url}/register?{urlencode({'ref': code})}"
        return Overview(policy=policy, code=code, link=link, totals=totals)

    async def rewards(
        self, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[OwnReward]:
        """An account's rewards, newest first."""
        async with self._database.connection() as connection:
            return await rewards.rewards_of_account(
                connection,
                account_id,
                after_time=after_time,
                after_id=after_id,
                limit=limit,
            )

    async def transfer(self, account_id: AccountId, amount: int, transfer_id: UUID, actor: Actor) -> TransferredRewards:
        """Rewards become balance. The same `transfer_id` moves once; what the account owes is paid first.

        Raises:
            TransferTooSmall: less than the policy's minimum (`minimum`).
            BalanceInsufficient: more than there is (`balance`).
            AmountTooLarge: the balance cannot hold that much more.
        """
        reference = str(transfer_id)
        async with self._database.transaction() as connection:
            minimum = (await policy_in_force(connection, Referral)).minimum_transfer
            if amount < minimum:
                raise TransferTooSmall(f"At least {minimum} quota are transferred at once.", minimum=minimum)
            source = await wallets.reward_wallet_of(connection, account_id)
            target = await wallets.main_wallet_of(connection, account_id)
            if source is None or target is None:
                raise NotFound
            moved = await move(
                connection,
                Movement(
                    kind="reward_transfer",
                    reference=reference,
                    debit_wallet=source,
                    credit_wallet=target,
                    amount=amount,
                    made_by=actor.user_id,
                ),
            )
            if moved is None:
                there = (await wallets.lock(connection, {source}))[source].balance
                raise BalanceInsufficient(f"The rewards are {there} quota.", balance=there, needed=amount)
            if moved.is_new:
                await repay(connection, target, reference=f"reward_transfer/{reference}", amount=amount)
                act = Act(
                    action="rewards.transferred",
                    subject="account",
                    subject_id=str(account_id),
                    account_id=account_id,
                    after={"amount": amount, "transfer_id": moved.transfer.transfer_id},
                )
                await record(connection, actor, act)
            after = await wallets.lock(connection, {source, target})
            return TransferredRewards(reward_balance=after[source].balance, balance=after[target].balance)


async def _told(connection: Connection, order: SettledOrder) -> None:
    await rows.insert_event(
        connection, order.account_id, order.order_id, credited=order.credited_quota, taken=order.taken_quota
    )


async def _code_of(connection: Connection, account_id: AccountId) -> str:
    for _ in range(_CODE_TRIES):
        found = await rows.code_of_account(connection, account_id)
        if found is not None:
            return found
        draw = int.from_bytes(os.urandom(8), "big")
        await rows.insert_code(connection, account_id, referral.code_from(draw))
    raise AssertionError("sixty random bits met a code that exists, ten times")


def _bound_reached(policy: Referral, before: rows.Counted) -> str | None:
    """The bound that withholds the rewards of one more, as a code."""
    bounds = (
        ("bound_in_all", policy.referrals_max, before.in_all),
        ("bound_per_day", policy.referrals_per_day_max, before.in_a_day),
        ("bound_of_network", policy.referrals_per_network_max, before.of_network),
    )
    return next((name for name, most, count in bounds if most is not None and count >= most), None)

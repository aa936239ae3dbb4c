"""The inbox: what is said about payments, kept first and acted upon once.

Whoever says something (a processor's notice, the reconciler's question, an operator) leaves an event, unique by method
and event id. Acting on it is one transaction that locks the event and the order. So the same event may come a hundred
times at once, and a process may die anywhere: what was kept is acted upon later, what was done is not done again.
"""

import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.errors import AmountTooLarge, DomainError
from airouter.domain.ids import WalletId
from airouter.domain.order import ALARMING, Fact, Order, Outcome, Verdict, judge
from airouter.domain.policy import TopUp
from airouter.domain.privacy_errors import AccountDeleted
from airouter.payments.contract import PaymentEvent
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.mailbox import Mailbox
from airouter.services.order_changes import Change, Hearers, carry_out
from airouter.services.policies import policy_in_force
from airouter.services.recall import with_recall
from airouter.services.vault import Vault
from airouter.storage import orders, users, wallets
from airouter.storage import payment_events as rows
from airouter.storage.database import Connection, Database
from airouter.storage.payment_events import EventRow, NewEvent, Source
from airouter.world import new_id, now

logger = logging.getLogger(__name__)

BODIES_KEPT: Final = timedelta(days=30)
_PURPOSE: Final = "payment-body"
_TABLE: Final = "payment_events"
_BATCH: Final = 200
_NO_CREDIT: Final[dict[type[DomainError], str]] = {AmountTooLarge: "wallet_full", AccountDeleted: "account_deleted"}
"""Why money that came is credited to nobody, as the order's reason."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a payment, by whom, and what exactly came (encrypted before it is kept, never logged)."""

    source: Source
    method_id: str
    event: PaymentEvent
    body: str | None = None
    reason: str | None = None

    def __repr__(self) -> str:
        return f"Said({self.source!r}, {self.method_id!r}, {self.event.kind!r})"


class PaymentInbox:
    """Keeps events and acts on them."""

    def __init__(self, database: Database, vault: Vault, hearers: Hearers, mailbox: Mailbox | None = None) -> None:
        self._database = database
        self._vault = vault
        self._hearers = hearers
        self._mailbox = mailbox

    async def take(self, said: Said, actor: Actor = SYSTEM) -> Outcome:
        """Keep an event and act on it; one that was acted upon before is `known`.

        Raises:
            DatabaseUnavailable: it has to be said again.
        """
        event_key = await self.keep(said, actor)
        return "known" if event_key is None else await self.act(event_key, actor)

    async def keep(self, said: Said, actor: Actor = SYSTEM) -> UUID | None:
        """The event's key; None: there is nothing left to do for it."""
        event, event_key = said.event, new_id()
        body = None if said.body is None else self._vault.encrypt(_PURPOSE, _TABLE, event_key, said.body)
        async with self._database.transaction() as connection:
            is_new = await rows.insert_event(
                connection,
                NewEvent(
                    event_key=event_key,
                    method_id=said.method_id,
                    event_id=event.event_id,
                    source=said.source,
                    kind=event.kind,
                    order_id=_uuid(event.order_id),
                    trade_number=event.trade_number,
                    amount=event.amount,
                    refunded_total=event.refunded_total,
                    currency=event.currency,
                    status_text=event.status_text[:500],
                    reason=said.reason,
                    made_by=actor.user_id,
                    body=body,
                    dispute_name=event.dispute_name,
                    dispute_reason=event.dispute_reason,
                ),
            )
            if is_new:
                return event_key
            kept = await rows.find_event(connection, said.method_id, event.event_id)
        assert kept is not None, "events are never deleted"
        return kept.event_key if kept.outcome is None else None

    async def act(self, event_key: UUID, actor: Actor = SYSTEM) -> Outcome:
        """What an event came to. Takes what leases hold back first, for up to two seconds.

        Raises:
            DatabaseUnavailable: nothing was done.
        """
        wallet_id = await self._wallet_of(event_key)
        if wallet_id is not None:
            outcome = await with_recall(
                self._database, wallet_id, lambda connection: self._attempt(connection, event_key, actor)
            )
            if outcome is not None:
                return outcome
        async with self._database.transaction() as connection:
            outcome = await self._attempt(connection, event_key, actor, is_last_try=True)
        assert outcome is not None, "the last try"
        return outcome

    async def left_open(self, older_than: timedelta) -> list[UUID]:
        """Events that were kept by somebody who died before acting on them."""
        async with self._database.connection() as connection:
            return await rows.left_open(connection, older_than, _BATCH)

    async def forget_bodies(self) -> None:
        """What came is kept for 30 days, what it meant for ever."""
        while True:
            async with self._database.transaction() as connection:
                if await rows.forget_bodies(connection, BODIES_KEPT, _BATCH) < _BATCH:
                    return

    async def write_reviewer(
        self, connection: Connection, letter: str, subject_id: UUID, *, order_id: UUID | None, facts: dict[str, str]
    ) -> None:
        """One letter about a subject to whoever looks at payments by policy; it carries the order and a link to it.

        In their language, if the address is that of somebody here.
        """
        policy = await policy_in_force(connection, TopUp)
        if self._mailbox is None or not self._mailbox.is_configured or policy.review_email is None:
            return
        address = f"{self._mailbox.console_url}/console/admin/orders"
        about = {
            "order": "–" if order_id is None else str(order_id),
            "link": address if order_id is None else f"{address}?order={order_id}",
        }
        reader = await users.find_user_by_email(connection, policy.review_email)
        await self._mailbox.post(
            connection,
            to=policy.review_email,
            locale=reader and reader.locale,
            letter=letter,
            facts={**facts, **about},
            once=f"{letter}/{subject_id}",
        )

    async def _wallet_of(self, event_key: UUID) -> WalletId | None:
        async with self._database.transaction() as connection:
            event = await rows.lock_open_event(connection, event_key)
            order_id = None if event is None else await self._order_of(connection, event)
            order = None if order_id is None else await orders.find_order(connection, order_id)
            return None if order is None else await wallets.main_wallet_of(connection, order.account_id)

    async def _attempt(
        self, connection: Connection, event_key: UUID, actor: Actor, *, is_last_try: bool = False
    ) -> Outcome | None:
        """None: leases hold what is to be taken, and nothing was done."""
        event = await rows.lock_open_event(connection, event_key)
        if event is None:
            return "known"
        order_id = await self._order_of(connection, event)
        order = None if order_id is None else await orders.lock_order(connection, order_id)
        outcome = await self._judged(connection, event, order, actor, is_last_try=is_last_try)
        if outcome is None:
            return None
        await rows.handled(connection, event_key, outcome, None if order is None else order.order_id)
        if outcome in ALARMING:
            await self._alarm(connection, event, outcome, order)
        return outcome

    async def _judged(
        self, connection: Connection, event: EventRow, order: Order | None, actor: Actor, *, is_last_try: bool
    ) -> Outcome | None:
        if order is None:
            return "order_unknown"
        if order.method_id != event.method_id:
            return "order_of_another_method"
        policy = await policy_in_force(connection, TopUp)
        fact = Fact(
            kind=event.kind,
            amount=event.amount,
            refunded_total=event.refunded_total,
            currency=event.currency,
            trade_number=event.trade_number,
            dispute_name=event.dispute_name,
            dispute_reason=event.dispute_reason,
        )
        verdict = judge(order, fact, at=now(), dispute_takes_back=policy.dispute_takes_back)
        if verdict.order == order:
            return verdict.outcome
        change = Change(before=order, after=verdict.order, key=event.event_key, reason=event.reason)
        try:
            async with connection.transaction():
                saved = await carry_out(connection, change, actor, self._hearers, policy, is_last_try=is_last_try)
        except (AmountTooLarge, AccountDeleted) as refusal:
            # The money is there, but no wallet for it: a person decides.
            verdict = _without_credit(order, verdict, _NO_CREDIT[type(refusal)])
            change = msgspec.structs.replace(change, after=verdict.order)
            saved = await carry_out(connection, change, actor, self._hearers, policy, is_last_try=is_last_try)
        return None if saved is None else verdict.outcome

    async def _order_of(self, connection: Connection, event: EventRow) -> UUID | None:
        """By what we called it, else by what the processor calls the payment."""
        if event.order_id is not None:
            return event.order_id
        if event.trade_number is None:
            return None
        return await orders.order_by_trade_number(connection, event.method_id, event.trade_number)

    async def _alarm(self, connection: Connection, event: EventRow, outcome: Outcome, order: Order | None) -> None:
        """Somebody has to look: the log, the audit log for the console, and a letter by policy."""
        logger.warning(
            "payment.needs_review",
            extra={
                "outcome": outcome,
                "method": event.method_id,
                "order_id": None if order is None else str(order.order_id),
                "event_key": str(event.event_key),
            },
        )
        await record(
            connection,
            SYSTEM,
            Act(
                action="payment.needs_review",
                subject="payment_event",
                subject_id=str(event.event_key),
                account_id=None if order is None else order.account_id,
                after={"outcome": outcome, "method": event.method_id, "order_id": event.order_id, "kind": event.kind},
            ),
        )
        await self.write_reviewer(
            connection,
            "payment_review",
            event.event_key,
            order_id=None if order is None else order.order_id,
            facts={"method": event.method_id, "outcome": outcome},
        )


def _without_credit(before: Order, verdict: Verdict, reason: str) -> Verdict:
    """What was heard, without quota: in review if it was not paid before, else what was taken stays taken."""
    heard = verdict.order
    if before.is_paid:
        kept = msgspec.structs.replace(heard, taken_quota=before.taken_quota, taken_bonus=before.taken_bonus)
        return msgspec.structs.replace(verdict, order=kept, outcome="review")
    after = msgspec.structs.replace(
        heard, status="review", reason=reason, credited_quota=0, credited_bonus=0, taken_quota=0, taken_bonus=0
    )
    return Verdict(order=after, outcome="review")


def _uuid(text: str | None) -> UUID | None:
    """None: this is no id of ours."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None

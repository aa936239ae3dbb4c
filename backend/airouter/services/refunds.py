"""What operators do to orders: confirm, refund, decide. Each says its part through the same inbox as the processors."""

import logging
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import httpx
import msgspec

from airouter.domain.errors import NotFound
from airouter.domain.order import ALARMING, REJECTED, UNPAID, Order, credited, settled, worth
from airouter.domain.order_errors import (
    MethodUnavailable,
    OrderNotInReview,
    OrderNotOpen,
    OrderNotRefundable,
    ProcessorAway,
    RefundRefused,
    RefundUncertain,
)
from airouter.domain.policy import TopUp
from airouter.payments.contract import (
    PaymentEvent,
    ProcessorRefused,
    ProcessorUnavailable,
    RefundMade,
    RefundNotPossible,
)
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.order_changes import Change, Hearers, carry_out
from airouter.services.orders import Orders
from airouter.services.payment_inbox import PaymentInbox, Said
from airouter.services.payment_methods import PaymentMethods
from airouter.services.policies import policy_in_force
from airouter.storage import orders as rows
from airouter.storage import payment_events
from airouter.storage.database import Connection, Database
from airouter.storage.orders import OrderFilters, OrderNames, RefundRow
from airouter.storage.payment_events import EventRow, NewEvent
from airouter.world import now

logger = logging.getLogger(__name__)

_ASK_AFTER: Final = timedelta(minutes=2)
Decision = Literal["credit_paid", "credit_ordered", "reject"]


class OrderStory(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything that was said and done about it."""

    order: Order
    names: OrderNames | None
    events: list[EventRow]
    refunds: list[RefundRow]


class OrderDesk:
    """The operator's verbs for orders."""

    def __init__(
        self,
        database: Database,
        *,
        methods: PaymentMethods,
        orders: Orders,
        inbox: PaymentInbox,
        http: httpx.AsyncClient,
        hearers: Hearers,
    ) -> None:
        self._database = database
        self._methods = methods
        self._orders = orders
        self._inbox = inbox
        self._http = http
        self._hearers = hearers

    async def search(
        self, filters: OrderFilters, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[tuple[Order, OrderNames | None]]:
        """Newest first."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.search_orders(connection, filters, after_time=after_time, after_id=after_id, limit=limit)
            names = await rows.names_of(connection, [order.order_id for order in found])
        return [(order, names.get(order.order_id)) for order in found]

    async def events(
        self,
        *,
        method_id: str | None,
        is_alarming: bool,
        after_time: datetime | None,
        after_id: UUID | None,
        limit: int,
    ) -> list[EventRow]:
        """The inbox, newest first."""
        async with self._database.connection() as connection:
            return await payment_events.page_of_events(
                connection,
                method_id=method_id,
                outcomes=sorted(ALARMING) if is_alarming else None,
                after_time=after_time,
                after_id=after_id,
                limit=limit,
            )

    async def story(self, order_id: UUID) -> OrderStory:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            order = await _found(rows.find_order(connection, order_id))
            return OrderStory(
                order=order,
                names=(await rows.names_of(connection, [order_id])).get(order_id),
                events=await payment_events.events_of(connection, order_id),
                refunds=await rows.refunds_of(connection, order_id),
            )

    async def confirm(
        self, order_id: UUID, confirmation_id: UUID, actor: Actor, *, amount: int | None, reason: str
    ) -> Order:
        """The money was seen: as if the processor had said so. Another amount than ordered puts it in review.

        Raises:
            NotFound, OrderNotOpen
        """
        async with self._database.connection() as connection:
            order = await _found(rows.find_order(connection, order_id))
            event_id = f"confirm/{confirmation_id}"
            is_known = await payment_events.find_event(connection, order.method_id, event_id) is not None
        if order.status not in UNPAID and not is_known:
            raise OrderNotOpen(status=order.status)
        event = PaymentEvent(
            event_id=event_id,
            kind="paid",
            order_id=str(order_id),
            amount=order.total if amount is None else amount,
            currency=order.currency,
        )
        await self._inbox.take(Said(source="operator", method_id=order.method_id, event=event, reason=reason), actor)
        return (await self.story(order_id)).order

    async def resolve(
        self, order_id: UUID, decision_id: UUID, decision: Decision, actor: Actor, *, reason: str
    ) -> Order:
        """An order in review is credited for what was paid, as it was ordered, or not at all (then it failed).

        Raises:
            NotFound, AmountTooLarge
            OrderNotInReview: it is not, or what was paid cannot be counted in the order's currency.
        """
        async with self._database.transaction() as connection:
            order = await _found(rows.lock_order(connection, order_id))
            policy = await policy_in_force(connection, TopUp)
            event = NewEvent(
                event_key=decision_id,
                method_id=order.method_id,
                event_id=f"resolve/{decision_id}",
                source="operator",
                kind="failed" if decision == "reject" else "paid",
                order_id=order_id,
                amount=order.paid_amount,
                currency=order.paid_currency,
                status_text=decision,
                reason=reason,
                made_by=actor.user_id,
            )
            if not await payment_events.insert_event(connection, event):
                return order
            if order.status != "review":
                raise OrderNotInReview(status=order.status)
            after = settled(_decided(order, decision), dispute_takes_back=policy.dispute_takes_back)
            change = Change(before=order, after=after, key=decision_id, reason=reason)
            saved = await carry_out(connection, change, actor, self._hearers, policy, is_last_try=True)
            await payment_events.handled(connection, decision_id, "applied", order_id)
        assert saved is not None, "the last try"
        return saved

    async def refund(
        self,
        order_id: UUID,
        refund_id: UUID,
        actor: Actor,
        *,
        amount: int | None,
        at_processor: bool,
        reason: str,
    ) -> Order:
        """Give back `amount` (None: all that is left), at the processor or, if it was done by hand, only here.

        Quota is taken back in proportion once the processor has agreed. With the same `refund_id` it is done once.

        Raises:
            NotFound, InUse: another refund of it is under way.
            OrderNotRefundable: not paid, or less is left (`refundable_amount`).
            RefundRefused: the processor cannot or will not; MethodUnavailable: there is no access to it any more.
            ProcessorAway: it is tried again by itself, where the processor repeats refunds; else nothing was sent.
            RefundUncertain: a person has to look.
        """
        async with self._database.transaction() as connection:
            order = await _found(rows.lock_order(connection, order_id))
            refund = await rows.find_refund(connection, refund_id)
            is_new = refund is None
            if refund is None:
                refund = await self._begin(
                    connection, order, refund_id, actor, amount=amount, at_processor=at_processor, reason=reason
                )
        if refund.status == "started":
            await self.carry_on(refund, actor, is_first=is_new)
        return (await self.story(order_id)).order

    async def carry_on(self, refund: RefundRow, actor: Actor = SYSTEM, *, is_first: bool = False) -> None:
        """Do a refund that was begun, here (`is_first`) or by somebody who died. Raises as `refund` does."""
        async with self._database.connection() as connection:
            order = await _found(rows.find_order(connection, refund.order_id))
        if refund.at_processor:
            await self._refund_at_processor(order, refund, actor, is_first=is_first)
        event = PaymentEvent(
            event_id=f"refund/{refund.refund_id}",
            kind="refunded",
            order_id=str(order.order_id),
            refunded_total=refund.refunded_total,
            currency=order.currency,
        )
        said = Said(source="operator", method_id=order.method_id, event=event, reason=refund.reason)
        await self._inbox.take(said, actor)
        await self._finish(refund, "done", "", actor)

    async def unfinished_refunds(self) -> list[RefundRow]:
        """Those that nobody finished in time."""
        async with self._database.transaction() as connection:
            return await rows.refunds_to_ask(connection, 20, _ASK_AFTER)

    async def _begin(
        self,
        connection: Connection,
        order: Order,
        refund_id: UUID,
        actor: Actor,
        *,
        amount: int | None,
        at_processor: bool,
        reason: str,
    ) -> RefundRow:
        left = order.refundable_amount
        amount = left if amount is None else amount
        if not 0 < amount <= left:
            raise OrderNotRefundable(status=order.status, refundable_amount=left)
        await rows.insert_refund(
            connection,
            refund_id,
            order.order_id,
            amount=amount,
            refunded_total=order.refunded_amount + amount,
            at_processor=at_processor,
            reason=reason,
            made_by=actor.user_id,
            ask_after=_ASK_AFTER,
        )
        begun = await rows.find_refund(connection, refund_id)
        assert begun is not None
        act = Act(
            action="order.refund_begun",
            subject="order",
            subject_id=str(order.order_id),
            account_id=order.account_id,
            after={"amount": amount, "currency": order.currency, "at_processor": at_processor, "because": reason},
        )
        await record(connection, actor, act)
        return begun

    async def _refund_at_processor(self, order: Order, refund: RefundRow, actor: Actor, *, is_first: bool) -> None:
        """Returns when the processor gave the money back."""
        method = await self._methods.known(order.method_id)
        if method is None:
            await self._finish(refund, "failed", "no access to the processor", actor)
            raise MethodUnavailable("This method's secrets are gone. Refund at the processor, then record it here.")
        can_repeat = method.processor.repeats_refunds
        if not (is_first or can_repeat):
            await self._finish(refund, "failed", "whoever asked the processor died before its answer was kept", actor)
            raise RefundUncertain
        payment = await self._orders.payment_of(order)
        try:
            answer = await method.processor.refund(
                payment, refund.amount, str(refund.refund_id), method.access, self._http
            )
        except ProcessorRefused as error:
            answer = RefundNotPossible(reason=str(error))
        except ProcessorUnavailable as error:
            logger.warning("refund.processor_away", extra={"order_id": str(order.order_id), "why": str(error)})
            if can_repeat:
                raise ProcessorAway("The processor cannot be reached. The refund is tried again by itself.") from None
            await self._finish(refund, "failed", "the processor could not be reached; nothing was sent", actor)
            raise ProcessorAway("The processor cannot be reached. Nothing was given back; try again later.") from None
        if isinstance(answer, RefundMade):
            return
        await self._finish(refund, "failed", answer.reason, actor)
        if isinstance(answer, RefundNotPossible):
            raise RefundRefused(answer.reason)
        raise RefundUncertain

    async def _finish(self, refund: RefundRow, status: Literal["done", "failed"], detail: str, actor: Actor) -> None:
        """What failed while nobody was there to be told is told by letter."""
        async with self._database.transaction() as connection:
            if await rows.finish_refund(connection, refund.refund_id, status, detail[:500]):
                act = Act(
                    action=f"order.refund_{status}",
                    subject="order",
                    subject_id=str(refund.order_id),
                    after={"amount": refund.amount, "detail": detail[:500]},
                )
                await record(connection, actor, act)
                if status == "failed" and actor == SYSTEM:
                    await self._inbox.write_reviewer(
                        connection,
                        "refund_failed",
                        refund.refund_id,
                        order_id=refund.order_id,
                        facts={"detail": detail},
                    )


def _decided(order: Order, decision: Decision) -> Order:
    if decision == "reject":
        return msgspec.structs.replace(order, status="failed", reason=REJECTED)
    quota, bonus = order.quota, order.bonus_quota
    if decision == "credit_paid":
        quota, bonus = worth(order) if order.paid_currency == order.currency else (0, 0)
    if quota <= 0:
        raise OrderNotInReview("What was paid cannot be counted in the order's currency.", status=order.status)
    return credited(order, quota, bonus, now())


async def _found(looking: object) -> Order:
    order = await looking  # type: ignore[misc]
    if order is None:
        raise NotFound("There is no such order.")
    return order

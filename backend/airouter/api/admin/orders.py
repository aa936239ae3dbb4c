"""Orders across the house, the inbox of what was said about them, and what operators do to them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.dispute import Disputes
from airouter.domain.order import Kind, Order, Outcome, Status, worth
from airouter.domain.quote import AMOUNT_MAX
from airouter.services.audit_log import Actor
from airouter.services.order_views import OrderView, order_view
from airouter.services.refunds import Decision, OrderDesk, OrderStory
from airouter.services.step_up import StepUp
from airouter.storage.orders import OrderFilters, OrderNames
from airouter.storage.payment_events import EventRow, Source

Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """An order as operators see it. `buyer` null: the person was erased; a dispute's `amount` null: all of it."""

    order: OrderView
    account_id: UUID
    account_name: str
    buyer: str | None
    processor: str
    group: str
    disputes: Disputes
    refundable_amount: int
    updated_at: datetime


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said about a payment. `outcome` null: not acted upon yet. `dispute`: which one it is about, as
    the processor calls it.
    """

    id: UUID
    method: str
    event_id: str
    source: Source
    kind: Kind
    order_id: UUID | None
    trade_number: str | None
    amount: int | None
    refunded_total: int | None
    currency: str | None
    dispute: str | None
    status_text: str
    reason: str | None
    made_by: UUID | None
    outcome: Outcome | None
    received_at: datetime
    handled_at: datetime | None


class RefundView(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that an operator asked for."""

    id: UUID
    amount: int
    at_processor: bool
    reason: str
    status: Literal["started", "done", "failed"]
    detail: str
    made_by: UUID | None
    created_at: datetime


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An order with everything that was said and done about it, oldest first."""

    line: OrderLine
    events: list[EventView]
    refunds: list[RefundView]


class OrderLineList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[OrderLine]
    next_cursor: str | None


class EventList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[EventView]
    next_cursor: str | None


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`amount`: what came, in minor units; null: exactly the order's total."""

    reason: Reason
    amount: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)] | None = None


class RefundBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`amount` null: all that is left. Not `at_processor`: it was given back by hand, and is only recorded here."""

    reason: Reason
    amount: Annotated[int, Meta(ge=1, le=AMOUNT_MAX)] | None = None
    at_processor: bool = True


class ReviewDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`credit_paid`: in proportion to what came; `credit_ordered`: all the same; `reject`: nothing."""

    decision: Decision
    reason: Reason


class AdminOrderController(Controller):
    """Below /admin/orders."""

    path = "/admin/orders"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listAllOrders",
        permission="operator.read",
        summary="Orders of every account, newest first",
        responses=refusals(401, 403, 422),
    )
    async def page(
        self,
        *,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        order_desk: NamedDependency[OrderDesk],
        q: Annotated[
            str | None, QueryParameter(max_length=200, description="Part of a name, address, order or trade number")
        ] = None,
        status: Annotated[Status | None, QueryParameter(description="Only in this state")] = None,
        method: Annotated[str | None, QueryParameter(max_length=63)] = None,
        account_id: Annotated[UUID | None, QueryParameter(description="Only this account's")] = None,
    ) -> OrderLineList:
        del operator
        filters = OrderFilters(status=status, method_id=method, account_id=account_id, text=q)
        found = await order_desk.search(
            filters, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return OrderLineList(
            items=[_line(order, names) for order, names in shown],
            next_cursor=last and cursor_of(last[0].created_at, last[0].order_id),
        )

    @get(
        "/{order_id:uuid}",
        operation_id="getAnyOrder",
        permission="operator.read",
        summary="An order with its story",
        responses=refusals(401, 403, 404),
    )
    async def order(
        self, order_id: FromPath[UUID], operator: NamedDependency[Operator], order_desk: NamedDependency[OrderDesk]
    ) -> OrderDetail:
        del operator
        return _detail(await order_desk.story(order_id))

    @post(
        "/{order_id:uuid}/confirm",
        operation_id="confirmOrder",
        permission="money.write",
        summary="Say that the money came",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def confirm(
        self,
        *,
        order_id: FromPath[UUID],
        data: JSONBody[Confirmation],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        new_id: NamedDependency[NewId],
        step_up: NamedDependency[StepUp],
        order_desk: NamedDependency[OrderDesk],
    ) -> OrderDetail:
        """For bank transfers, and for payments that a processor never told of. It goes the way of a notice: another
        amount than was ordered puts the order in review.
        """
        order = (await order_desk.story(order_id)).order
        await step_up.require_above(operator.person, order.quota + order.bonus_quota)
        await order_desk.confirm(order_id, new_id.value, actor, amount=data.amount, reason=data.reason)
        return _detail(await order_desk.story(order_id))

    @post(
        "/{order_id:uuid}/refund",
        operation_id="refundOrder",
        permission="money.write",
        summary="Give a payment back, in part or whole",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422, 502, 503),
    )
    async def refund(
        self,
        *,
        order_id: FromPath[UUID],
        data: JSONBody[RefundBody],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        new_id: NamedDependency[NewId],
        step_up: NamedDependency[StepUp],
        order_desk: NamedDependency[OrderDesk],
    ) -> OrderDetail:
        """Paid quota and bonus are taken back in proportion; what was used already becomes the account's debt."""
        order = (await order_desk.story(order_id)).order
        await step_up.require_above(operator.person, order.credited_quota + order.credited_bonus)
        await order_desk.refund(
            order_id, new_id.value, actor, amount=data.amount, at_processor=data.at_processor, reason=data.reason
        )
        return _detail(await order_desk.story(order_id))

    @post(
        "/{order_id:uuid}/resolve",
        operation_id="resolveOrder",
        permission="money.write",
        summary="Decide an order in review",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def resolve(
        self,
        *,
        order_id: FromPath[UUID],
        data: JSONBody[ReviewDecision],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        new_id: NamedDependency[NewId],
        step_up: NamedDependency[StepUp],
        order_desk: NamedDependency[OrderDesk],
    ) -> OrderDetail:
        order = (await order_desk.story(order_id)).order
        # What came may be worth far more than what was ordered.
        await step_up.require_above(operator.person, max(order.quota + order.bonus_quota, sum(worth(order))))
        await order_desk.resolve(order_id, new_id.value, data.decision, actor, reason=data.reason)
        return _detail(await order_desk.story(order_id))


@get(
    "/admin/payment-events",
    operation_id="listPaymentEvents",
    permission="operator.read",
    summary="The inbox: what processors said, newest first",
    tags=["Admin"],
    responses=refusals(401, 403, 422),
)
async def events(
    *,
    operator: NamedDependency[Operator],
    paging: NamedDependency[Paging],
    order_desk: NamedDependency[OrderDesk],
    method: Annotated[str | None, QueryParameter(max_length=63)] = None,
    needs_review: Annotated[bool, QueryParameter(description="Only what somebody has to look at")] = False,
) -> EventList:
    """Without what came: that is kept encrypted for 30 days, and shown to nobody."""
    del operator
    found = await order_desk.events(
        method_id=method,
        is_alarming=needs_review,
        after_time=paging.after_time,
        after_id=paging.after_id,
        limit=paging.rows_wanted,
    )
    shown, last = paging.split(found)
    return EventList(
        items=[_event(event) for event in shown], next_cursor=last and cursor_of(last.received_at, last.event_key)
    )


def _detail(story: OrderStory) -> OrderDetail:
    return OrderDetail(
        line=_line(story.order, story.names),
        events=[_event(event) for event in story.events],
        refunds=[
            RefundView(
                id=one.refund_id,
                amount=one.amount,
                at_processor=one.at_processor,
                reason=one.reason,
                status=one.status,
                detail=one.detail,
                made_by=one.made_by,
                created_at=one.created_at,
            )
            for one in story.refunds
        ],
    )


def _line(order: Order, names: OrderNames | None) -> OrderLine:
    return OrderLine(
        order=order_view(order),
        account_id=order.account_id,
        account_name=names.account_name if names else "",
        buyer=names.buyer if names else None,
        processor=order.processor,
        group=order.group_name,
        disputes=order.disputes,
        refundable_amount=order.refundable_amount,
        updated_at=order.updated_at,
    )


def _event(event: EventRow) -> EventView:
    return EventView(
        id=event.event_key,
        method=event.method_id,
        event_id=event.event_id,
        source=event.source,
        kind=event.kind,
        order_id=event.order_id,
        trade_number=event.trade_number,
        amount=event.amount,
        refunded_total=event.refunded_total,
        currency=event.currency,
        dispute=event.dispute_name,
        status_text=event.status_text,
        reason=event.reason,
        made_by=event.made_by,
        outcome=event.outcome,
        received_at=event.received_at,
        handled_at=event.handled_at,
    )


ORDERS: Final[tuple[Any, ...]] = (AdminOrderController, events)

"""Buying quota: what is sold, what it costs, and orders."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import AccountHolder, refuse_paused
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.order import Status
from airouter.services.order_views import Buyer, Choice, OfferView, OrderView, Purchase, QuoteView
from airouter.services.orders import Orders


class TopUpView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_enabled`: there is a way to pay online. `seller` stands on receipts."""

    is_enabled: bool
    redemption_enabled: bool
    methods: list[OfferView]
    seller: str


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[OrderView]
    next_cursor: str | None


def _buyer(holder: AccountHolder) -> Buyer:
    person = holder.person
    return Buyer(
        account_id=holder.account_id,
        group=holder.group,
        user_id=holder.user_id,
        email=person.email,
        locale=person.locale,
        address=person.address,
    )


class TopUpController(Controller):
    """Below /topup."""

    path = "/topup"
    tags = ("Money in",)

    @get(
        "/",
        operation_id="getTopUp",
        permission="topup.read",
        summary="How quota can be bought or redeemed here",
        responses=refusals(401, 403, 404),
    )
    async def top_up(self, holder: NamedDependency[AccountHolder], orders: NamedDependency[Orders]) -> TopUpView:
        """Nothing configured: no methods."""
        offers = await orders.offers(holder.group)
        return TopUpView(
            is_enabled=bool(offers.methods),
            redemption_enabled=offers.redemption_enabled,
            methods=offers.methods,
            seller=offers.seller,
        )

    @post(
        "/quote",
        operation_id="quoteTopUp",
        permission="topup.read",
        summary="What an amount or a package costs and brings, exactly",
        status_code=200,
        responses=refusals(401, 403, 404, 422),
    )
    async def quote(
        self, data: JSONBody[Choice], holder: NamedDependency[AccountHolder], orders: NamedDependency[Orders]
    ) -> QuoteView:
        """Moves nothing. `amount` is in minor units of the method's currency."""
        return await orders.quote(holder.group, data)

    @post(
        "/orders",
        operation_id="placeOrder",
        permission="topup.write",
        summary="Order quota; `next` says how to pay",
        responses=refusals(401, 403, 404, 409, 422, 429, 502, 503),
    )
    async def place(
        self,
        data: JSONBody[Purchase],
        holder: NamedDependency[AccountHolder],
        new_id: NamedDependency[NewId],
        orders: NamedDependency[Orders],
    ) -> OrderView:
        """Price and currency are fixed with the order; say what was `agreed`, and it is that or nothing.

        With an `Idempotency-Key` a repetition is the same order; after 503 `payment_processor_unavailable` it tells the
        processor again.
        """
        refuse_paused(holder)
        return await orders.place(_buyer(holder), data.choice, new_id.value, agreed=data.agreed)

    @get(
        "/orders",
        operation_id="listOrders",
        permission="orders.read",
        summary="The account's orders, newest first",
        responses=refusals(401, 403, 404, 422),
    )
    async def page(
        self,
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        orders: NamedDependency[Orders],
        status: Annotated[Status | None, QueryParameter(description="Only in this state")] = None,
    ) -> OrderList:
        found = await orders.page(
            holder.account_id,
            status=status,
            after_time=paging.after_time,
            after_id=paging.after_id,
            limit=paging.rows_wanted,
        )
        shown, last = paging.split(found)
        return OrderList(items=shown, next_cursor=last and cursor_of(last.created_at, last.id))

    @get(
        "/orders/{order_id:uuid}",
        operation_id="getOrder",
        permission="orders.read",
        summary="An order",
        responses=refusals(401, 403, 404),
    )
    async def order(
        self, order_id: FromPath[UUID], holder: NamedDependency[AccountHolder], orders: NamedDependency[Orders]
    ) -> OrderView:
        return await orders.get(holder.account_id, order_id)

    @post(
        "/orders/{order_id:uuid}/start",
        operation_id="startOrder",
        permission="topup.write",
        summary="Tell the processor once more, when it could not be reached",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 502, 503),
    )
    async def start(
        self, order_id: FromPath[UUID], holder: NamedDependency[AccountHolder], orders: NamedDependency[Orders]
    ) -> OrderView:
        """For a pending order whose `next` is null. Nobody is asked to pay twice."""
        return await orders.start(_buyer(holder), order_id)

    @post(
        "/orders/{order_id:uuid}/cancel",
        operation_id="cancelOrder",
        permission="topup.write",
        summary="Wait for an order's payment no longer",
        status_code=200,
        responses=refusals(401, 403, 404, 409),
    )
    async def cancel(
        self, order_id: FromPath[UUID], holder: NamedDependency[AccountHolder], orders: NamedDependency[Orders]
    ) -> OrderView:
        """It becomes `expired` with the reason `cancelled`. A payment that comes all the same still counts."""
        return await orders.cancel(holder.account_id, order_id)


TOP_UP: Final[tuple[Any, ...]] = (TopUpController,)

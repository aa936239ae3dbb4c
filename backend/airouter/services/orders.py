"""Orders as buyers know them: quote, place, follow, cancel.

The row comes first, then the processor is told (outside any transaction, with the order's id as its key), then what
the buyer has to do is kept. A crash in between leaves a pending order, which `start` takes up again: the processor
knows the order by the same key, so nobody is asked to pay twice.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import msgspec

from airouter.domain.currency import in_words
from airouter.domain.errors import NotFound
from airouter.domain.ids import AccountId
from airouter.domain.order import Order, Status
from airouter.domain.order_errors import (
    MethodUnavailable,
    OrderNotOpen,
    ProcessorAway,
    ProcessorRefusedOrder,
    QuoteChanged,
    TooManyOpenOrders,
)
from airouter.domain.policy import Display, TopUp
from airouter.domain.quote import Quote, is_for, quote
from airouter.payments.contract import Payment, PaymentEvent, ProcessorRefused, ProcessorUnavailable
from airouter.services.audit_log import Actor
from airouter.services.order_views import Agreed, Buyer, Choice, Offers, OrderView, QuoteView, offer_view, order_view
from airouter.services.payment_inbox import PaymentInbox, Said
from airouter.services.payment_methods import OpenMethod, PaymentMethods
from airouter.services.policies import policy_in_force
from airouter.storage import orders as rows
from airouter.storage.database import Database
from airouter.storage.orders import NewOrder
from airouter.world import now

logger = logging.getLogger(__name__)


class Orders:
    """The account holder's verbs."""

    def __init__(
        self,
        database: Database,
        methods: PaymentMethods,
        inbox: PaymentInbox,
        http: httpx.AsyncClient,
        *,
        console_url: str,
    ) -> None:
        self._database = database
        self._methods = methods
        self._inbox = inbox
        self._http = http
        self._console_url = console_url

    async def offers(self, group: str) -> Offers:
        """What can be bought, with the same arithmetic as the quote."""
        methods = await self._methods.offered(group)
        async with self._database.connection() as connection:
            policy = await policy_in_force(connection, TopUp)
        return Offers(
            redemption_enabled=policy.redemption_enabled,
            seller=policy.seller,
            methods=[offer_view(method, group) for method in methods],
        )

    async def quote(self, group: str, choice: Choice) -> QuoteView:
        """Moves nothing.

        Raises:
            MethodUnavailable, InvalidRequest, AmountOutOfBounds, AmountTooLarge
        """
        _, quoted = await self._quoted(group, choice)
        return QuoteView(
            method=choice.method,
            package=quoted.package_id,
            currency=quoted.currency,
            exponent=quoted.exponent,
            amount=quoted.amount,
            fee=quoted.fee,
            total=quoted.total,
            quota=quoted.quota,
            bonus_quota=quoted.bonus_quota,
            quota_per_minor_unit=quoted.quota_per_minor_unit,
        )

    async def place(self, buyer: Buyer, choice: Choice, order_id: UUID, *, agreed: Agreed | None = None) -> OrderView:
        """A pending order of which the processor knows. With the same `order_id` there is only one.

        Raises:
            MethodUnavailable, InvalidRequest, AmountOutOfBounds, AmountTooLarge, TooManyOpenOrders
            QuoteChanged: it is not what was `agreed` any more.
            ProcessorAway: it can be started again; ProcessorRefusedOrder: it failed. Both with `order_id`.
        """
        method, quoted = await self._quoted(buyer.group, choice)
        async with self._database.transaction() as connection:
            policy = await policy_in_force(connection, TopUp)
            order = await rows.find_order(connection, order_id)
            if order is None:
                _check_agreed(quoted, agreed)
                waiting = await rows.open_orders_of(connection, buyer.account_id)
                if waiting >= policy.open_orders_max:
                    raise TooManyOpenOrders(open_orders=waiting, maximum=policy.open_orders_max)
                await rows.insert_order(connection, _new_order(buyer, method, quoted, order_id, policy))
                order = await rows.find_order(connection, order_id)
        if order is None or order.account_id != buyer.account_id:
            raise NotFound("There is no such order.")
        return await self._started(order, method, buyer)

    async def start(self, buyer: Buyer, order_id: UUID) -> OrderView:
        """Tell the processor again, where it could not be told when the order was placed.

        Raises:
            NotFound, OrderNotOpen, MethodUnavailable, ProcessorAway, ProcessorRefusedOrder
        """
        order = await self._own(buyer.account_id, order_id)
        if order.status != "pending":
            raise OrderNotOpen(status=order.status)
        method = await self._methods.open(order.method_id)
        if method is None:
            raise MethodUnavailable
        return await self._started(order, method, buyer)

    async def get(self, account_id: AccountId, order_id: UUID) -> OrderView:
        """Raises NotFound."""
        return order_view(await self._own(account_id, order_id))

    async def page(
        self,
        account_id: AccountId,
        *,
        status: Status | None,
        after_time: datetime | None,
        after_id: UUID | None,
        limit: int,
    ) -> list[OrderView]:
        """Newest first."""
        async with self._database.connection() as connection:
            found = await rows.orders_of(
                connection, account_id, status=status, after_time=after_time, after_id=after_id, limit=limit
            )
        return [order_view(order) for order in found]

    async def cancel(self, account_id: AccountId, order_id: UUID) -> OrderView:
        """It waits no longer. A payment that comes all the same still counts.

        Raises:
            NotFound, OrderNotOpen
        """
        async with self._database.transaction() as connection:
            is_cancelled = await rows.cancel_order(connection, order_id, account_id)
        order = await self._own(account_id, order_id)
        if not is_cancelled and order.reason != "cancelled":
            raise OrderNotOpen(status=order.status)
        return order_view(order)

    async def payment_of(self, order: Order, buyer: Buyer | None = None) -> Payment:
        """An order as its processor knows it."""
        async with self._database.connection() as connection:
            display = await policy_in_force(connection, Display)
        page = f"{self._console_url}/console/topup/orders/{order.order_id}"
        return Payment(
            order_id=str(order.order_id),
            amount=order.total,
            currency=order.currency,
            title=f"{display.name}: {in_words(order.total, order.currency)}",
            created_at=order.created_at,
            expires_at=order.expires_at,
            notify_url=self._methods.notify_url(order.method_id),
            return_url=page,
            cancel_url=page,
            reference=order.processor_reference,
            trade_number=order.trade_number,
            locale=buyer.locale if buyer else None,
            buyer_email=buyer.email if buyer else None,
            buyer_address=buyer.address if buyer else None,
        )

    async def _quoted(self, group: str, choice: Choice) -> tuple[OpenMethod, Quote]:
        method = await self._methods.open(choice.method)
        if method is None or not is_for(method.row.groups, group):
            raise MethodUnavailable(field="method")
        return method, quote(method.terms, group, amount=choice.amount, package_id=choice.package)

    async def _own(self, account_id: AccountId, order_id: UUID) -> Order:
        async with self._database.connection() as connection:
            order = await rows.find_order(connection, order_id)
        if order is None or order.account_id != account_id:
            raise NotFound("There is no such order.")
        return order

    async def _started(self, order: Order, method: OpenMethod, buyer: Buyer) -> OrderView:
        """The processor is told once, or again after nobody knows whether it was."""
        if order.status != "pending" or order.next is not None:
            return order_view(order)
        payment = await self.payment_of(order, buyer)
        try:
            started = await method.processor.start(payment, method.access, self._http)
        except ProcessorUnavailable as error:
            logger.warning("order.processor_away", extra={"order_id": payment.order_id, "why": str(error)})
            raise ProcessorAway(order_id=payment.order_id) from None
        except ProcessorRefused as error:
            logger.warning("order.refused", extra={"order_id": payment.order_id, "why": str(error)})
            refused = PaymentEvent(
                event_id=f"start/{order.order_id}", kind="failed", order_id=payment.order_id, status_text=str(error)
            )
            said = Said(source="reconciler", method_id=order.method_id, event=refused)
            await self._inbox.take(said, Actor(user_id=buyer.user_id, address=buyer.address))
            raise ProcessorRefusedOrder(order_id=payment.order_id) from None
        async with self._database.transaction() as connection:
            kept = await rows.keep_next(
                connection, order.order_id, msgspec.to_builtins(started.next), started.reference
            )
            kept = kept or await rows.find_order(connection, order.order_id)
        assert kept is not None, "orders are never deleted"
        return order_view(kept)


def _check_agreed(quoted: Quote, agreed: Agreed | None) -> None:
    now_is = Agreed(total=quoted.total, quota=quoted.quota, bonus_quota=quoted.bonus_quota)
    if agreed is not None and agreed != now_is:
        raise QuoteChanged(**msgspec.structs.asdict(now_is))


def _new_order(buyer: Buyer, method: OpenMethod, quoted: Quote, order_id: UUID, policy: TopUp) -> NewOrder:
    at = now()
    can_ask = method.processor.can_ask
    return NewOrder(
        order_id=order_id,
        account_id=buyer.account_id,
        user_id=buyer.user_id,
        method_id=method.row.method_id,
        processor=method.row.processor,
        currency=quoted.currency,
        exponent=quoted.exponent,
        amount=quoted.amount,
        fee=quoted.fee,
        quota=quoted.quota,
        bonus_quota=quoted.bonus_quota,
        quota_per_minor_unit=quoted.quota_per_minor_unit,
        package_id=quoted.package_id,
        group_name=buyer.group,
        expires_at=at + timedelta(minutes=method.row.order_minutes or policy.order_minutes),
        ask_at=at + timedelta(seconds=policy.ask_after_seconds) if can_ask else None,
    )

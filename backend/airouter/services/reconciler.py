"""What nobody said in time: asks processors about orders that wait, finishes what was left, lets old orders expire."""

import logging
from collections.abc import Awaitable
from datetime import timedelta
from typing import Final
from uuid import UUID

import httpx

from airouter.domain.errors import DatabaseUnavailable, DomainError
from airouter.domain.order import Order
from airouter.domain.policy import TopUp
from airouter.payments.contract import ProcessorError
from airouter.services.jobs import Job
from airouter.services.orders import Orders
from airouter.services.payment_inbox import PaymentInbox, Said
from airouter.services.payment_methods import PaymentMethods
from airouter.services.policies import policy_in_force
from airouter.services.refunds import OrderDesk
from airouter.storage import orders as rows
from airouter.storage.database import Database

logger = logging.getLogger(__name__)

JOB: Final = "orders"
PAUSE: Final = timedelta(seconds=5)
_STALE: Final = timedelta(seconds=30)
"""An event this old was kept by somebody who is gone."""
_ASK_UNTIL: Final = timedelta(days=3)
"""So long after it expired an order is still asked about, ever less often."""
_PAUSE_MAX: Final = timedelta(hours=6)
_BATCH: Final = 20
_PATIENCE: Final = timedelta(minutes=10)
"""A round of a batch of processors that all hang."""


class Reconciler:
    """One round of it is `run`."""

    def __init__(
        self,
        database: Database,
        *,
        methods: PaymentMethods,
        orders: Orders,
        inbox: PaymentInbox,
        desk: OrderDesk,
        http: httpx.AsyncClient,
    ) -> None:
        self._database = database
        self._methods = methods
        self._orders = orders
        self._inbox = inbox
        self._desk = desk
        self._http = http

    @property
    def job(self) -> Job:
        """Its work, again and again."""
        return Job(name=JOB, run=self.run, pause=PAUSE, patience=_PATIENCE)

    async def run(self) -> None:
        """Everything that is due. What fails is left for the next round."""
        await self.act_on_what_was_left()
        await self.ask()
        await self.finish_refunds()
        await self.expire()
        await self._inbox.forget_bodies()

    async def act_on_what_was_left(self) -> None:
        """Events that were kept and not acted upon."""
        for event_key in await self._inbox.left_open(_STALE):
            await _alone(self._inbox.act(event_key), "reconciler.event_failed", event_key)

    async def ask(self) -> None:
        """Processors, about orders that wait."""
        async with self._database.transaction() as connection:
            policy = await policy_in_force(connection, TopUp)
            due = await rows.orders_to_ask(
                connection,
                _BATCH,
                stop_after=_ASK_UNTIL,
                first_pause=timedelta(seconds=policy.ask_after_seconds),
                pause_max=_PAUSE_MAX,
            )
        for order in due:
            await _alone(self._ask(order), "reconciler.not_asked", order.order_id)

    async def finish_refunds(self) -> None:
        """Refunds that were begun."""
        for refund in await self._desk.unfinished_refunds():
            await _alone(self._desk.carry_on(refund), "reconciler.refund", refund.refund_id)

    async def expire(self) -> None:
        """Orders that waited for longer than they may. Paid later, they still count."""
        while True:
            async with self._database.transaction() as connection:
                if await rows.expire_orders(connection, _BATCH) < _BATCH:
                    return

    async def _ask(self, order: Order) -> None:
        method = await self._methods.known(order.method_id)
        if method is None or not method.processor.can_ask:
            return
        payment = await self._orders.payment_of(order)
        try:
            event = await method.processor.ask(payment, method.access, self._http)
        except ProcessorError as error:
            logger.warning("reconciler.no_answer", extra={"order_id": payment.order_id, "why": str(error)})
            return
        if event is not None:
            said = Said(source="reconciler", method_id=order.method_id, event=event)
            outcome = await self._inbox.take(said)
            logger.info("reconciler.heard", extra={"order_id": payment.order_id, "outcome": outcome})


async def _alone(work: Awaitable[object], event: str, subject: UUID) -> None:
    """One that cannot be done must not hold up the others."""
    try:
        await work
    except DatabaseUnavailable:
        raise
    except DomainError as error:
        logger.warning(event, extra={"subject": str(subject), "code": error.code})
    except Exception:
        logger.exception(event, extra={"subject": str(subject)})

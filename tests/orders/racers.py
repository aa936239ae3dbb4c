"""What a process of a race runs: it hears of many facts at once, and dies where it is told to."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from typing import Any, Literal

from airouter.domain.errors import DatabaseUnavailable
from airouter.domain.order import Order
from airouter.payments.contract import PaymentEvent
from airouter.services import payment_inbox
from airouter.services.payment_inbox import PaymentInbox, Said
from airouter.services.vault import Vault
from airouter.storage.database import Connection, Database
from tests.settings import SECRET

Death = Literal["after_keeping", "before_commit", "after_commit"]


class Nobody:
    """Hears of orders and does nothing."""

    async def order_paid(self, connection: Connection, order: Order) -> None:
        """Nothing."""

    async def order_refunded(self, connection: Connection, order: Order) -> None:
        """Nothing."""


def hear(dsn: str, method_id: str, events: Sequence[PaymentEvent], seed: int) -> list[str]:
    """The outcome of each, in an order of its own; a busy database is asked again, as a processor would."""
    return asyncio.run(_hear(dsn, method_id, events, seed))


def die(dsn: str, method_id: str, event: PaymentEvent, where: Death) -> None:
    """Take a notice, and be killed with no chance to clean up."""
    asyncio.run(_die(dsn, method_id, event, where))


async def _hear(dsn: str, method_id: str, events: Sequence[PaymentEvent], seed: int) -> list[str]:
    database = await Database.open(dsn, size_max=8)
    inbox = PaymentInbox(database, Vault([SECRET]), Nobody())
    shuffled = list(events)
    random.Random(seed).shuffle(shuffled)

    try:
        return list(await asyncio.gather(*(_take(inbox, method_id, event) for event in shuffled)))
    finally:
        await database.close()


async def _take(inbox: PaymentInbox, method_id: str, event: PaymentEvent) -> str:
    while True:
        try:
            return await inbox.take(Said(source="webhook", method_id=method_id, event=event, body="{}"))
        except DatabaseUnavailable:
            await asyncio.sleep(0.05)


async def _die(dsn: str, method_id: str, event: PaymentEvent, where: Death) -> None:
    database = await Database.open(dsn, size_max=2)
    inbox = PaymentInbox(database, Vault([SECRET]), Nobody())

    async def killed(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "after_keeping":
        inbox.act = killed  # type: ignore[method-assign,assignment]
    elif where == "before_commit":
        payment_inbox.rows.handled = killed
    await _take(inbox, method_id, event)
    await killed()

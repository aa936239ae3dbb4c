"""A running house that sells quota through the cashier."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from airouter.payments.contract import PaymentEvent
from tests.api import conftest as api
from tests.builders import Signed, run_sql, signed_in
from tests.orders.cashier import SECRET, Cashier, notice
from tests.settings import settings_for

METHODS = "/api/v1/admin/payment-methods"
ORDERS = "/api/v1/topup/orders"
RATE = 10_000


class Shop:
    """The house, its till, a buyer, and the owner."""

    def __init__(self, *, app: Any, dsn: str, cashier: Cashier, buyer: Signed, owner: Signed) -> None:
        self.app = app
        self.dsn = dsn
        self.cashier = cashier
        self.buyer = buyer
        self.owner = owner
        self.stranger = api.client_of(app)

    async def method(self, **changes: Any) -> dict[str, Any]:
        """A payment method; `card` in EUR with its secret, unless said otherwise."""
        draft = {
            "id": "card", "processor": "cashier", "label": "Card", "currency": "EUR", "quota_per_minor_unit": RATE,
            "fee": {"fixed": 30, "micros": 0}, "secrets": {"signing_secret": SECRET},
        }  # fmt: skip
        answer = await self.owner.client.post(METHODS, json=draft | changes)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def order(self, amount: int = 1000, *, method: str = "card", **headers: str) -> dict[str, Any]:
        """A pending order of the buyer."""
        body = {"method": method, "amount": amount}
        answer = await self.buyer.client.post(ORDERS, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def hear(self, event: PaymentEvent, *, method: str = "card", secret: str = SECRET) -> httpx.Response:
        """The cashier tells."""
        return await self.stranger.post(f"/api/v1/webhooks/{method}", **notice(event, secret))

    async def pay(self, order: dict[str, Any], **changes: Any) -> httpx.Response:
        """The cashier tells that an order was paid."""
        return await self.hear(paid(order, **changes), method=order["method"])

    async def get(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = await self.buyer.client.get(f"{ORDERS}/{order['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def wallet(self) -> dict[str, Any]:
        return (await self.buyer.client.get("/api/v1/wallet")).json()

    async def balance(self) -> int:
        return (await self.wallet())["balance"]

    async def admin(self, order: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
        """The owner does something to an order."""
        return await self.owner.client.post(
            f"/api/v1/admin/orders/{order['id']}/{verb}", json={"reason": "because"} | body
        )

    async def story(self, order: dict[str, Any]) -> dict[str, Any]:
        return (await self.owner.client.get(f"/api/v1/admin/orders/{order['id']}")).json()

    async def policy(self, **changes: Any) -> None:
        """Policy `topup`."""
        answer = await self.owner.client.put("/api/v1/admin/policies/topup", json=changes)
        assert answer.status_code == 200, answer.text

    async def spend(self, amount: int) -> None:
        """Quota of the buyer that is used up, with books that balance."""
        answer = await self.owner.client.post(
            f"/api/v1/admin/accounts/{self.buyer.account_id}/adjustments",
            json={"amount": -amount, "reason": "used up"},
            headers={"idempotency-key": f"spend{amount}"},
        )
        assert answer.status_code == 201, answer.text

    async def sql(self, statement: str, *arguments: Any) -> list[Any]:
        return await run_sql(self.dsn, statement, *arguments)


def paid(order: dict[str, Any], **changes: Any) -> PaymentEvent:
    """What a processor says when an order was paid as it was placed."""
    event = PaymentEvent(
        event_id=f"evt-{order['id']}", kind="paid", order_id=order["id"], trade_number=f"t-{order['id']}",
        amount=order["total"], currency=order["currency"],
    )  # fmt: skip
    return msgspec.structs.replace(event, **changes)


def said(order: dict[str, Any], kind: Any, event_id: str, **facts: Any) -> PaymentEvent:
    """Anything else that it says."""
    facts = {"order_id": order["id"], "currency": order["currency"], "trade_number": f"t-{order['id']}"} | facts
    return PaymentEvent(event_id=event_id, kind=kind, **facts)


@pytest.fixture
async def shop(database: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """Open, with one method."""
    app = api.routed(settings_for(database, tmp_path))
    house, cashier = app._house, Cashier()
    processors, house.processors = house.processors, {**house.processors, "cashier": cashier}
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(api.running(app))
            buyer = await stack.enter_async_context(signed_in(app, database))
            owner = await stack.enter_async_context(signed_in(app, database, role="owner"))
            opened = Shop(app=app, dsn=database, cashier=cashier, buyer=buyer, owner=owner)
            await stack.enter_async_context(opened.stranger)
            await opened.method()
            yield opened
    finally:
        house.processors = processors

"""A processor for tests: its notices are JSON signed with a secret, its till is one that tests fill."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from airouter.payments.contract import (
    Access,
    Acknowledgement,
    Delivery,
    Next,
    Payment,
    PaymentEvent,
    ProcessorRefused,
    ProcessorUnavailable,
    Refunded,
    RefundMade,
    RefundNotPossible,
    Started,
    WebhookForged,
    WebhookUnreadable,
)

SECRET = "cashier-secret-that-nobody-may-log"


class CashierConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    till: str = "one"
    limit: int = 5


class CashierSecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    signing_secret: str


class Cashier:
    """See `contract.Processor`. `mood` decides what happens next."""

    name = "cashier"
    config_type = CashierConfig
    secrets_type = CashierSecrets
    has_webhook = True
    can_ask = True
    can_refund = True
    repeats_refunds = True
    acknowledgement = Acknowledgement(body=b"taken", media_type="text/plain")

    def __init__(self) -> None:
        self.mood: str = "well"
        self.started: list[str] = []
        self.asked: list[str] = []
        self.refunds: dict[str, int] = {}
        self.answers: dict[str, PaymentEvent] = {}
        self.listeners: list[Callable[[], Awaitable[Any]]] = []
        """Who hears of a refund before its answer is read."""

    def objection(self, access: Access[Any, Any]) -> str | None:
        return "This till is closed." if access.config.till == "closed" else None

    async def start(self, payment: Payment, access: Access[Any, Any], http: httpx.AsyncClient) -> Started:
        del access, http
        self._check()
        self.started.append(payment.order_id)
        return Started(next=Next(type="redirect", url=f"https://cashier.example/{payment.order_id}"), reference="r1")

    def read_webhook(self, delivery: Delivery, access: Access[Any, Any]) -> list[PaymentEvent]:
        signature = delivery.headers.get("x-cashier", "")
        if not any(hmac.compare_digest(signature, sign(delivery.body, s.signing_secret)) for s in access.secrets):
            raise WebhookForged("wrong signature")
        try:
            return [msgspec.json.decode(delivery.body, type=PaymentEvent)]
        except msgspec.DecodeError:
            raise WebhookUnreadable("no event") from None

    async def ask(self, payment: Payment, access: Access[Any, Any], http: httpx.AsyncClient) -> PaymentEvent | None:
        del access, http
        self.asked.append(payment.order_id)
        self._check()
        return self.answers.get(payment.order_id)

    async def refund(
        self, payment: Payment, amount: int, key: str, access: Access[Any, Any], http: httpx.AsyncClient
    ) -> Refunded:
        del payment, access, http
        self._check()
        if self.mood == "stubborn":
            return RefundNotPossible(reason="Not after a year.")
        self.refunds[key] = amount
        for tell in self.listeners:
            await tell()
        return RefundMade(reference="re1")

    def _check(self) -> None:
        if self.mood == "away":
            raise ProcessorUnavailable("no answer")
        if self.mood == "refusing":
            raise ProcessorRefused("bad credentials")


def sign(body: bytes, secret: str = SECRET) -> str:
    return hmac.digest(secret.encode(), body, "sha256").hex()


def notice(event: PaymentEvent, secret: str = SECRET) -> dict[str, Any]:
    """What the cashier sends, as arguments of a client's `post`."""
    body = msgspec.json.encode(event)
    return {"content": body, "headers": {"x-cashier": sign(body, secret), "content-type": "application/json"}}

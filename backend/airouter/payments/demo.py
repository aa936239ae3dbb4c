"""A processor that takes no money, for trying everything out: it exists in demo mode only.

It behaves as a real one: it is told of an order, has a page of its own to pay at, signs its notices with the method's
secret, and can be asked. What it remembers are files, because it is "another company", and because every process of a
machine has to see the same.
"""

import hashlib
import hmac
import os
import re
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

import httpx
import msgspec

from airouter.payments.contract import (
    Access,
    Acknowledgement,
    Delivery,
    EventKind,
    Next,
    Payment,
    PaymentEvent,
    Refunded,
    RefundMade,
    RefundNotPossible,
    Started,
    WebhookForged,
    WebhookUnreadable,
)

PAGE: Final = "/api/v1/demo-pay"
DEMO_PAYMENTS: Final = "demo-payments"
"""Where it remembers, below AIROUTER_HOME."""
TOLERANCE_SECONDS: Final = 300
SIGNATURE_HEADER: Final = "x-demo-signature"
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")

DealState = Literal["open", "paid", "declined", "disputed"]


class DemoConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There is nothing to configure."""


class DemoSecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What notices are signed with."""

    signing_secret: Annotated[str, msgspec.Meta(min_length=16, max_length=200)]

    def __repr__(self) -> str:
        return "DemoSecrets(…)"


DemoAccess = Access[DemoConfig, DemoSecrets]


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo processor knows of one order. `refunds`: amount by key."""

    token: str
    order_id: str
    amount: int
    currency: str
    exponent: int
    title: str
    notify_url: str
    return_url: str
    cancel_url: str
    secret: str
    locale: str | None = None
    state: DealState = "open"
    amount_paid: int = 0
    has_been_disputed: bool = False
    refunds: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"Deal({self.order_id}, {self.state})"


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of the demo's webhook."""

    event_id: str
    kind: Literal["paid", "failed", "dispute_opened", "dispute_won"]
    order_id: str
    trade_number: str
    amount: int
    currency: str


class DemoBank:
    """The demo processor's own memory: one file an order, readable by nobody else."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self, payment: Payment, access: DemoAccess) -> Deal:
        """The deal for this order, new or as it stands."""
        secret = access.secrets[0].signing_secret
        token = token_of(payment.order_id, secret)
        known = self.find(token)
        if known is not None:
            return known
        deal = Deal(
            token=token,
            order_id=payment.order_id,
            amount=payment.amount,
            currency=access.currency,
            exponent=access.exponent,
            title=payment.title,
            notify_url=payment.notify_url,
            return_url=payment.return_url,
            cancel_url=payment.cancel_url,
            secret=secret,
            locale=payment.locale,
        )
        self.keep(deal)
        return deal

    def find(self, token: str) -> Deal | None:
        """None for a token that was never given out."""
        if not _TOKEN.fullmatch(token):
            return None
        try:
            return msgspec.json.decode((self._directory / token).read_bytes(), type=Deal)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def keep(self, deal: Deal) -> None:
        """Whole or not at all."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._directory / f"{deal.token}.{os.getpid()}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(deal))
        unfinished.replace(self._directory / deal.token)


class Demo:
    """See `contract.Processor`."""

    name = "demo"
    config_type = DemoConfig
    secrets_type = DemoSecrets
    has_webhook = True
    can_ask = True
    can_refund = True
    repeats_refunds = True
    acknowledgement = Acknowledgement(body=b"ok")

    def __init__(self, bank: DemoBank, public_url: str) -> None:
        self._bank = bank
        self._page = f"{public_url}{PAGE}"

    def objection(self, access: DemoAccess) -> str | None:
        """Everything goes."""
        del access
        return None

    async def start(self, payment: Payment, access: DemoAccess, http: httpx.AsyncClient) -> Started:
        """Its page is on this server, and is otherwise none of the console's business."""
        del http
        deal = self._bank.open(payment, access)
        query = f"?{urlencode({'lang': payment.locale})}" if payment.locale else ""
        return Started(next=Next(type="redirect", url=f"{self._page}/{deal.token}{query}"), reference=deal.token)

    def read_webhook(self, delivery: Delivery, access: DemoAccess) -> list[PaymentEvent]:
        """One event a notice."""
        stamp, _, given = delivery.headers.get(SIGNATURE_HEADER, "").partition(",")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            raise WebhookForged("no signature")
        is_genuine = False
        for secret in access.secrets:
            expected = sign(delivery.body, int(stamp), secret.signing_secret)
            is_genuine |= hmac.compare_digest(expected.encode(), given.encode())
        if not is_genuine:
            raise WebhookForged("no signature by a secret of this method")
        if abs(delivery.received_at.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
            raise WebhookForged("the signature is not of these minutes")
        try:
            notice = msgspec.json.decode(delivery.body, type=Notice)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise WebhookUnreadable("the body is not a notice") from None
        return [_event(notice)]

    async def ask(self, payment: Payment, access: DemoAccess, http: httpx.AsyncClient) -> PaymentEvent | None:
        """What its memory says."""
        del http
        for secret in access.secrets:
            deal = self._bank.find(token_of(payment.order_id, secret.signing_secret))
            if deal is not None and deal.state in {"paid", "declined"}:
                return _event(notice_of(deal, "paid" if deal.state == "paid" else "failed"))
        return None

    async def refund(
        self, payment: Payment, amount: int, key: str, access: DemoAccess, http: httpx.AsyncClient
    ) -> Refunded:
        """No money goes anywhere, but not more of it than came."""
        del http
        for secret in access.secrets:
            deal = self._bank.find(token_of(payment.order_id, secret.signing_secret))
            if deal is None or deal.state not in {"paid", "disputed"}:
                continue
            if key not in deal.refunds:
                if sum(deal.refunds.values()) + amount > deal.amount_paid:
                    return RefundNotPossible(reason="More would go back than was paid.")
                self._bank.keep(msgspec.structs.replace(deal, refunds={**deal.refunds, key: amount}))
            return RefundMade(reference=f"demo-refund-{key}")
        return RefundNotPossible(reason="The demo processor knows of no payment for this order.")


def token_of(order_id: str, secret: str) -> str:
    """The deal's name: whoever knows the order's id alone cannot find its page."""
    return hmac.new(secret.encode(), f"deal {order_id}".encode(), hashlib.sha256).hexdigest()[:32]


def sign(body: bytes, stamp: int, secret: str) -> str:
    """HMAC-SHA256 of the time and the body."""
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def notice_of(deal: Deal, kind: Literal["paid", "failed", "dispute_opened", "dispute_won"]) -> Notice:
    """The same fact has the same id, however often and on whichever way it is told."""
    return Notice(
        event_id=f"demo_{deal.token[:16]}_{kind}",
        kind=kind,
        order_id=deal.order_id,
        trade_number=f"demo-{deal.token[:16]}",
        amount=deal.amount_paid,
        currency=deal.currency,
    )


def _event(notice: Notice) -> PaymentEvent:
    kind: EventKind = notice.kind
    return PaymentEvent(
        event_id=notice.event_id,
        kind=kind,
        order_id=notice.order_id,
        trade_number=notice.trade_number,
        amount=notice.amount if kind != "failed" else None,
        currency=notice.currency,
        status_text=f"demo: {kind}",
    )

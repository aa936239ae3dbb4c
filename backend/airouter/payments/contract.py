"""The seam between our orders and a payment processor's protocol: how one asks for money, and what a notice means.

ProcessorError            raised by what a processor does
├── WebhookForged         nobody who knows the secret said this
├── WebhookUnreadable     it is signed, but cannot be meant
├── ProcessorRefused      the processor answered no; asking again the same way does not help
└── ProcessorUnavailable  no answer that means anything; the same call may be repeated

A processor keeps nothing and decides nothing: whether money is credited is decided by the orders, which compare method,
amount, currency and state. All amounts are minor units of the method's currency (ISO 4217).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

import httpx
import msgspec

C = TypeVar("C", bound=msgspec.Struct)
S = TypeVar("S", bound=msgspec.Struct)

EventKind = Literal[
    "paid", "failed", "expired", "refunded", "dispute_opened", "dispute_won", "dispute_lost", "refund_failed"
]


class ProcessorError(Exception):
    """`str()` is for the operator and the log: it names the fact and never carries a secret or a body."""


class WebhookForged(ProcessorError):
    """The signature is missing, wrong or too old, or there is no secret that it could be made with."""


class WebhookUnreadable(ProcessorError):
    """Signed, but a field is missing or cannot be what it says."""


class ProcessorRefused(ProcessorError):
    """The processor says no: wrong credentials, a currency it does not take, an amount out of its bounds."""


class ProcessorUnavailable(ProcessorError):
    """It could not be reached in time, or answered with a failure of its own.

    `has_been_sent` False: there was not even a connection, so nothing can have happened there.
    """

    def __init__(self, message: str, *, has_been_sent: bool = True) -> None:
        self.has_been_sent = has_been_sent
        super().__init__(message)


class NoSecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Secrets of a processor that has none."""


class Access(msgspec.Struct, Generic[C, S], frozen=True, kw_only=True):
    """What the operator entered for one payment method.

    `secrets` are those that are accepted now: the current ones first, then older ones until their time is over. What we
    sign is signed with the first. Empty: the method is off, and every notice is refused.
    """

    config: C
    secrets: tuple[S, ...]
    currency: str
    exponent: int

    def __repr__(self) -> str:
        return f"Access(config={self.config!r}, currency={self.currency!r}, secrets={len(self.secrets)})"


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One order as a processor needs it.

    `amount` is everything the buyer pays, fee included. `reference` is what `Started` said, `trade_number` what the
    processor's notice called the payment; both None before they are known. `notify_url` is the webhook of the method;
    `return_url` only brings the person back and proves nothing.
    """

    order_id: str
    amount: int
    currency: str
    title: str
    created_at: datetime
    expires_at: datetime
    notify_url: str
    return_url: str
    cancel_url: str
    reference: str | None = None
    trade_number: str | None = None
    locale: str | None = None
    buyer_email: str | None = None
    buyer_address: str | None = None


class Next(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the person has to do. `redirect`: go to `url`; `form`: post `fields` to `url`; `qr`: scan `url`;
    `instructions`: read `text` and use what is in `fields`, by label.
    """

    type: Literal["redirect", "qr", "form", "instructions"]
    url: str | None = None
    fields: dict[str, str] | None = None
    text: str | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """The processor knows of the order. `reference` is its name for what was started, if it gave one."""

    next: Next
    reference: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a method's webhook, as it came. Names of `headers` are in lower case; `query` without the `?`."""

    method: Literal["GET", "POST"]
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One fact about one payment, as the processor says it.

    `event_id` is the processor's, else a hash of what the fact consists of: the same fact said again has the same.
    `order_id` is what we called the order when we started it; None where only `trade_number` is known (a dispute at
    Stripe), by which the order is then found. `amount` is what was paid or is disputed, `refunded_total` everything
    given back so far; None: not said, so it cannot be compared. `currency` is None where the protocol has none.
    `dispute_name` is the processor's for one of a payment's disputes, `dispute_reason` its word for why; None where the
    protocol has none.
    """

    event_id: str
    kind: EventKind
    order_id: str | None
    trade_number: str | None = None
    amount: int | None = None
    refunded_total: int | None = None
    currency: str | None = None
    status_text: str = ""
    dispute_name: str | None = None
    dispute_reason: str | None = None


class RefundMade(msgspec.Struct, frozen=True, kw_only=True):
    """The money goes back. `is_final` False: the processor will say later whether it arrived."""

    reference: str | None
    is_final: bool = True


class RefundNotPossible(msgspec.Struct, frozen=True, kw_only=True):
    """The processor said no, or cannot do it at all. Nothing went back."""

    reason: str


class RefundUncertain(msgspec.Struct, frozen=True, kw_only=True):
    """The answer was lost and the processor could do it twice: a person has to look there before it is repeated."""

    reason: str


Refunded = RefundMade | RefundNotPossible | RefundUncertain


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the processor wants to read when a notice was taken. Sent with status 200."""

    body: bytes = b""
    media_type: str = "text/plain"


class Processor(Protocol[C, S]):
    """One processor's protocol. Stateless; shared by all methods that use it.

    `http` is a client that connects only where policy `network` allows, follows no redirects and has its time-outs set.
    """

    @property
    def name(self) -> str:
        """The `processor` of a payment method."""
        ...

    @property
    def config_type(self) -> type[C]:
        """What the operator configures; unknown fields are refused, patterns stand in the type."""
        ...

    @property
    def secrets_type(self) -> type[S]:
        """What is kept encrypted. A struct without fields: the processor has no secret and is on without one."""
        ...

    @property
    def has_webhook(self) -> bool:
        """False: its webhook answers 404."""
        ...

    @property
    def can_ask(self) -> bool:
        """Whether `ask` can say anything."""
        ...

    @property
    def can_refund(self) -> bool:
        """Whether `refund` can do anything."""
        ...

    @property
    def repeats_refunds(self) -> bool:
        """Whether `refund` with a key that it was called with before is no second refund. Where it would be one, it is
        called once, and a person looks when nobody knows what came of that.
        """
        ...

    @property
    def acknowledgement(self) -> Acknowledgement:
        """The answer to a notice that was taken."""
        ...

    def objection(self, access: Access[C, S]) -> str | None:
        """Why a method cannot be configured like this (a currency that the processor does not know); None if it can."""
        ...

    async def start(self, payment: Payment, access: Access[C, S], http: httpx.AsyncClient) -> Started:
        """Ask for the money. The same order may be started again after a crash: nobody is asked to pay twice.

        Raises:
            ProcessorRefused, ProcessorUnavailable
        """
        ...

    def read_webhook(self, delivery: Delivery, access: Access[C, S]) -> list[PaymentEvent]:
        """What a notice says; empty when it is genuine and of no interest.

        Raises:
            WebhookForged, WebhookUnreadable
        """
        ...

    async def ask(self, payment: Payment, access: Access[C, S], http: httpx.AsyncClient) -> PaymentEvent | None:
        """What became of an order; None while nothing has. The event has the id that the notice of it would have,
        where the protocol allows to know it.

        Raises:
            ProcessorRefused, ProcessorUnavailable
        """
        ...

    async def refund(
        self, payment: Payment, amount: int, key: str, access: Access[C, S], http: httpx.AsyncClient
    ) -> Refunded:
        """Give back `amount`. With the same `key` once, however often it is called, where it `repeats_refunds`.

        Raises:
            ProcessorUnavailable: it may be called again with the same key, or nothing was sent.
        """
        ...


AnyProcessor = Processor[Any, Any]

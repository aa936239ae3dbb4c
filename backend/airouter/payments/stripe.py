"""Stripe Checkout: a hosted page, signed notices, refunds. (API reference and webhook documentation, read 2026-11.)

Only fields that have been the same for years are read, because the version of a notice is chosen at Stripe.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Annotated, Any, Final

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
    ProcessorRefused,
    ProcessorUnavailable,
    Refunded,
    RefundMade,
    RefundNotPossible,
    Started,
    WebhookForged,
    WebhookUnreadable,
)
from airouter.payments.exchange import Answer, call, unsafe_address

API_VERSION: Final = "2024-06-20"
"""What we ask to be answered in. Kept by Stripe for as long as it has kept versions: since 2011."""
TOLERANCE_SECONDS: Final = 300
"""How old a signature may be: what Stripe's own libraries allow. Redeliveries are signed anew."""
_EXPIRES_SOONEST: Final = timedelta(hours=1)
_EXPIRES_LATEST: Final = timedelta(hours=23)
"""A session has to live between 30 minutes and 24 hours counted from when Stripe sees it; ours may be started late."""
_AMOUNT_MAX: Final = 10**14
"""More than Stripe moves at once; anything above is no amount."""
_OTHER_EXPONENTS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Where Stripe counts in other units than ISO 4217 says."""

_Secret = Annotated[str, msgspec.Meta(min_length=8, max_length=500, pattern=r"^[\x21-\x7e]+$")]


class StripeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`payment_method_types` empty: the ones that are switched on at Stripe."""

    payment_method_types: list[Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]{1,40}$")]] = []
    api_base: Annotated[str, msgspec.Meta(max_length=200)] = "https://api.stripe.com"


class StripeSecrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`api_key` (restricted keys do: Checkout Sessions and Refunds, write) and the endpoint's signing secret."""

    api_key: _Secret
    webhook_secret: _Secret

    def __repr__(self) -> str:
        return "StripeSecrets(…)"


StripeAccess = Access[StripeConfig, StripeSecrets]


class Stripe:
    """See `contract.Processor`. `trade_number` is the payment intent, `reference` the Checkout Session."""

    name = "stripe"
    config_type = StripeConfig
    secrets_type = StripeSecrets
    has_webhook = True
    can_ask = True
    can_refund = True
    repeats_refunds = True
    acknowledgement = Acknowledgement(body=b"{}", media_type="application/json")

    def objection(self, access: StripeAccess) -> str | None:
        """The address must be fit for a secret."""
        return unsafe_address("api_base", access.config.api_base)

    async def start(self, payment: Payment, access: StripeAccess, http: httpx.AsyncClient) -> Started:
        """A Checkout Session. The same order gives the same session for as long as Stripe keeps the key (a day)."""
        expires_at = min(
            max(payment.expires_at, payment.created_at + _EXPIRES_SOONEST), payment.created_at + _EXPIRES_LATEST
        )
        form = {
            "mode": "payment",
            "client_reference_id": payment.order_id,
            "metadata[order_id]": payment.order_id,
            "payment_intent_data[metadata][order_id]": payment.order_id,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": access.currency.lower(),
            "line_items[0][price_data][unit_amount]": str(_to_stripe(payment.amount, access)),
            "line_items[0][price_data][product_data][name]": payment.title,
            "success_url": payment.return_url,
            "cancel_url": payment.cancel_url,
            "expires_at": str(int(expires_at.timestamp())),
        }
        for position, kind in enumerate(access.config.payment_method_types):
            form[f"payment_method_types[{position}]"] = kind
        answer = await _call(http, access, "POST", "/v1/checkout/sessions", form, key=f"order/{payment.order_id}")
        session = _succeeded(answer)
        url = session.get("url")
        if not isinstance(url, str) or not url.startswith("https://"):
            raise ProcessorRefused("Stripe made a session without a page to pay at (it may be over already)")
        return Started(next=Next(type="redirect", url=url), reference=_text(session, "id"))

    def read_webhook(self, delivery: Delivery, access: StripeAccess) -> list[PaymentEvent]:
        """One event a notice. What is no money (a session completed, its payment under way) is of no interest, nor is
        what carries no name that we gave: an account at Stripe may serve other shops, and a refused notice comes again.
        """
        _verify(delivery, access)
        try:
            event = msgspec.json.decode(delivery.body, type=_Event)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise WebhookUnreadable("the body is not an event") from None
        found = _event_of(event, access)
        return [found] if found else []

    async def ask(self, payment: Payment, access: StripeAccess, http: httpx.AsyncClient) -> PaymentEvent | None:
        """What the session says."""
        if payment.reference is None:
            return None
        answer = await _call(http, access, "GET", f"/v1/checkout/sessions/{payment.reference}")
        session = _succeeded(answer)
        if session.get("payment_status") == "paid":
            return _session_event(f"{payment.reference}/paid", "paid", session, access)
        if session.get("status") == "expired":
            return _session_event(f"{payment.reference}/expired", "expired", session, access)
        return None

    async def refund(
        self, payment: Payment, amount: int, key: str, access: StripeAccess, http: httpx.AsyncClient
    ) -> Refunded:
        """Of the payment intent; a session that we know without one is asked for it."""
        intent = payment.trade_number
        if intent is None and payment.reference is not None:
            answer = await _call(http, access, "GET", f"/v1/checkout/sessions/{payment.reference}")
            intent = _identity(_succeeded(answer).get("payment_intent"))
        if intent is None:
            return RefundNotPossible(reason="Stripe knows of no payment for this order.")
        form = {
            "payment_intent": intent,
            "amount": str(_to_stripe(amount, access)),
            "metadata[order_id]": payment.order_id,
        }
        try:
            refund = _succeeded(await _call(http, access, "POST", "/v1/refunds", form, key=f"refund/{key}"))
        except ProcessorRefused as error:
            return RefundNotPossible(reason=str(error))
        if refund.get("status") in {"failed", "canceled"}:
            return RefundNotPossible(reason=f"Stripe says the refund {refund['status']}.")
        return RefundMade(reference=_text(refund, "id"), is_final=refund.get("status") == "succeeded")


class _EventData(msgspec.Struct, frozen=True):
    object: dict[str, Any]


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: _EventData


_SESSION_EVENTS: Final[dict[str, EventKind]] = {
    "checkout.session.completed": "paid",
    "checkout.session.async_payment_succeeded": "paid",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "expired",
}


def _event_of(event: _Event, access: StripeAccess) -> PaymentEvent | None:
    subject = event.data.object
    if event.type in _SESSION_EVENTS:
        kind = _SESSION_EVENTS[event.type]
        if kind == "paid" and subject.get("payment_status") != "paid":
            return None  # chosen a way of paying that takes days; an event of its own follows
        return _session_event(event.id, kind, subject, access)
    if event.type == "charge.refunded":
        return _payment_event(
            event.id, "refunded", subject, access, refunded_total=_amount(subject, "amount_refunded", access)
        )
    if event.type in {"refund.failed", "charge.refund.updated"}:
        if subject.get("status") not in {"failed", "canceled"}:
            return None
        return _payment_event(event.id, "refund_failed", subject, access, amount=_amount(subject, "amount", access))
    if event.type in {"charge.dispute.created", "charge.dispute.closed"}:
        return _dispute_event(event, access)
    return None


def _dispute_event(event: _Event, access: StripeAccess) -> PaymentEvent | None:
    dispute = event.data.object
    status = str(dispute.get("status"))
    if status.startswith("warning"):
        return None  # an inquiry: no money has moved
    kind: EventKind
    if event.type == "charge.dispute.created":
        kind = "dispute_opened"
    elif status == "won":
        kind = "dispute_won"
    elif status == "lost":
        kind = "dispute_lost"
    else:
        raise WebhookUnreadable("a dispute was closed, but neither won nor lost")
    told = _payment_event(event.id, kind, dispute, access, amount=_amount(dispute, "amount", access))
    reason = dispute.get("reason")
    return told and msgspec.structs.replace(
        told,
        dispute_name=_identity(dispute),
        dispute_reason=reason[:100] if isinstance(reason, str) and reason else None,
    )


def _session_event(
    event_id: str, kind: EventKind, session: dict[str, Any], access: StripeAccess
) -> PaymentEvent | None:
    order_id = session.get("client_reference_id")
    if not isinstance(order_id, str) or not order_id:
        return None
    return PaymentEvent(
        event_id=event_id,
        kind=kind,
        order_id=order_id,
        trade_number=_identity(session.get("payment_intent")),
        amount=_amount(session, "amount_total", access) if kind == "paid" else None,
        currency=_currency(session),
        status_text=f"{session.get('status')}, {session.get('payment_status')}",
    )


def _payment_event(
    event_id: str,
    kind: EventKind,
    subject: dict[str, Any],
    access: StripeAccess,
    *,
    amount: int | None = None,
    refunded_total: int | None = None,
) -> PaymentEvent | None:
    """Of a charge, a refund or a dispute: only charges and refunds carry what we wrote on the payment intent."""
    del access
    metadata = subject.get("metadata")
    order_id = metadata.get("order_id") if isinstance(metadata, dict) else None
    intent = _identity(subject.get("payment_intent"))
    if not isinstance(order_id, str) and intent is None:
        return None
    return PaymentEvent(
        event_id=event_id,
        kind=kind,
        order_id=order_id if isinstance(order_id, str) else None,
        trade_number=intent,
        amount=amount,
        refunded_total=refunded_total,
        currency=_currency(subject),
        status_text=str(subject.get("status", "")),
    )


def _verify(delivery: Delivery, access: StripeAccess) -> None:
    """`t=…,v1=…`: an HMAC of time and body, by any of the secrets that are accepted now."""
    times: list[str] = []
    given: list[str] = []
    for part in delivery.headers.get("stripe-signature", "").split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "v1":
            given.append(value)
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12):
        raise WebhookForged("no Stripe-Signature with one time")
    signed = times[0].encode() + b"." + delivery.body
    is_genuine = False
    for secret in access.secrets:
        if not secret.webhook_secret.strip():
            continue
        expected = hmac.new(secret.webhook_secret.encode(), signed, hashlib.sha256).hexdigest()
        for one in given:
            is_genuine |= hmac.compare_digest(expected.encode(), one.encode())
    if not is_genuine:
        raise WebhookForged("no signature by a secret of this method")
    if abs(delivery.received_at.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise WebhookForged("the signature is not of these minutes")


async def _call(
    http: httpx.AsyncClient,
    access: StripeAccess,
    method: str,
    path: str,
    form: dict[str, str] | None = None,
    *,
    key: str | None = None,
) -> Answer:
    if not access.secrets:
        raise ProcessorRefused("this method has no secret")
    headers = {"authorization": f"Bearer {access.secrets[0].api_key}", "stripe-version": API_VERSION}
    if key is not None:
        headers["idempotency-key"] = key
    return await call(http, method, access.config.api_base.rstrip("/") + path, form=form, headers=headers)


def _succeeded(answer: Answer) -> dict[str, Any]:
    """The object that was asked for.

    Raises:
        ProcessorRefused; ProcessorUnavailable where the same call is being answered at this moment.
    """
    document = answer.document()
    if answer.status < 300:
        return document
    error = document.get("error")
    words = error if isinstance(error, dict) else {}
    if answer.status == 409:
        raise ProcessorUnavailable("Stripe is still at work on the same call")
    said = words.get("code") or words.get("type") or "no reason given"
    # Stripe's own sentence helps whoever configures the method; it shows at most the last characters of a key.
    raise ProcessorRefused(f"Stripe answered {answer.status} ({said}): {str(words.get('message', ''))[:300]}")


def _to_stripe(amount: int, access: StripeAccess) -> int:
    """Raises: ProcessorRefused for what cannot be written in Stripe's units."""
    exponent = _OTHER_EXPONENTS.get(access.currency, access.exponent)
    if exponent >= access.exponent:
        return amount * 10 ** (exponent - access.exponent)
    converted, rest = divmod(amount, 10 ** (access.exponent - exponent))
    if rest:
        raise ProcessorRefused(f"Stripe takes whole units of {access.currency} only")
    return converted


def _amount(subject: dict[str, Any], field: str, access: StripeAccess) -> int:
    value = subject.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _AMOUNT_MAX:
        raise WebhookUnreadable(f"{field} is not an amount")
    exponent = _OTHER_EXPONENTS.get(access.currency, access.exponent)
    if exponent <= access.exponent:
        return value * 10 ** (access.exponent - exponent)
    converted, rest = divmod(value, 10 ** (exponent - access.exponent))
    if rest:
        raise WebhookUnreadable(f"{field} is not a whole number of minor units")
    return converted


def _currency(subject: dict[str, Any]) -> str | None:
    value = subject.get("currency")
    return value.upper() if isinstance(value, str) else None


def _identity(value: Any) -> str | None:
    """An id, also where the object itself was sent in its place."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and value else None


def _text(document: dict[str, Any], field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str) or not value:
        raise ProcessorUnavailable(f"Stripe's answer has no {field}")
    return value

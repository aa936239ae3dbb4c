"""What both generations of Epay share: the text that is signed, the fields of a notice, and its meaning.

Epay is a family of gateways that speak one protocol with small differences; no document is authoritative. What stands
here follows the interface pages of several of them, and their clients. (read 2026-11)
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from airouter.payments.amounts import from_decimal, to_decimal
from airouter.payments.contract import (
    Delivery,
    Payment,
    PaymentEvent,
    ProcessorUnavailable,
    WebhookForged,
    WebhookUnreadable,
)

EXPONENT: Final = 2
"""Amounts are written with two places."""
PAID: Final = frozenset({"TRADE_SUCCESS", "TRADE_FINISHED"})
_UNSIGNED: Final = frozenset({"sign", "sign_type"})
_FIELDS_MAX: Final = 64
_TITLE_BYTES_MAX: Final = 120


def signed_text(fields: Mapping[str, str]) -> str:
    """`a=1&b=2`: by name, without what is empty and without the signature itself; nothing is percent-encoded."""
    return "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if value and name not in _UNSIGNED)


def fields_of(delivery: Delivery) -> dict[str, str]:
    """A notice's fields: of the query of a GET, of the form of a POST. Gateways send either.

    Raises:
        WebhookForged: no form, or a field that stands twice, of which a signature would vouch for one only.
    """
    try:
        text = delivery.query if delivery.method == "GET" else delivery.body.decode()
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except (ValueError, UnicodeError):
        raise WebhookForged("the notice is not a form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise WebhookForged("a field stands twice")
    if any("&" in value for value in fields.values()):
        # The signed text separates fields without escaping them: one signature would fit several sets of fields.
        raise WebhookForged("a field contains the separator of the signed text")
    return fields


def trade_of(payment: Payment) -> str:
    """Our order's number at the gateway: 32 characters, because some keep no more."""
    return payment.order_id.replace("-", "")


def order_of(out_trade_no: str) -> str:
    """The order's id again."""
    try:
        return str(UUID(out_trade_no))
    except ValueError:
        return out_trade_no


def title_of(payment: Payment) -> str:
    """As much of the title as every gateway takes, without what separates fields in the signed text."""
    return payment.title.replace("&", "+").encode()[:_TITLE_BYTES_MAX].decode(errors="ignore")


def unfit_currency(currency: str, exponent: int) -> str | None:
    """Why this currency cannot be paid with; None: it can."""
    if exponent == EXPONENT:
        return None
    return f"Epay writes amounts with two decimal places, and {currency} does not have two."


def start_fields(payment: Payment, pay_type: str) -> dict[str, str]:
    """What both generations ask for when a payment is begun."""
    return {
        "type": pay_type,
        "out_trade_no": trade_of(payment),
        "notify_url": payment.notify_url,
        "return_url": payment.return_url,
        "name": title_of(payment),
        "money": to_decimal(payment.amount, EXPONENT),
    }


def word(document: Mapping[str, Any], name: str) -> str | None:
    """Gateways write numbers as numbers or as strings."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def said(document: Mapping[str, Any]) -> str:
    """Why the gateway said no, in its own words."""
    return f"The gateway says: {(word(document, 'msg') or 'no reason')[:300]}"


def asked_event(document: Mapping[str, Any], payment: Payment) -> PaymentEvent:
    """What the answer to a question about a paid order says.

    Raises:
        ProcessorUnavailable: it is about another order, or has no amount that can be read.
    """
    trade_number, money = word(document, "trade_no"), word(document, "money")
    if trade_number is None or money is None or order_of(word(document, "out_trade_no") or "") != payment.order_id:
        raise ProcessorUnavailable("the gateway answered about another order, or without an amount")
    try:
        amount = from_decimal(money, EXPONENT)
    except WebhookUnreadable as error:
        raise ProcessorUnavailable(str(error)) from None
    return PaymentEvent(
        event_id=event_id(trade_number),
        kind="paid",
        order_id=payment.order_id,
        trade_number=trade_number,
        amount=amount,
        status_text="asked",
    )


def notice_event(fields: Mapping[str, str], pid: str) -> PaymentEvent | None:
    """What a genuine notice says; None when it is about a trade that is not paid.

    Raises:
        WebhookForged: it was signed for another merchant.
        WebhookUnreadable
    """
    if fields.get("pid", "").strip() != pid:
        raise WebhookForged("the notice is for another merchant")
    missing = [name for name in ("trade_no", "out_trade_no", "money", "trade_status") if not fields.get(name)]
    if missing:
        raise WebhookUnreadable(f"{', '.join(missing)} missing")
    if fields["trade_status"] not in PAID:
        return None
    return PaymentEvent(
        event_id=event_id(fields["trade_no"]),
        kind="paid",
        order_id=order_of(fields["out_trade_no"]),
        trade_number=fields["trade_no"],
        amount=from_decimal(fields["money"], EXPONENT),
        status_text=fields["trade_status"],
    )


def event_id(trade_number: str, status: str = "paid") -> str:
    """Epay numbers no notices: the same trade in the same state is the same fact, however it is told."""
    return hashlib.sha256(f"{trade_number}\n{status}".encode()).hexdigest()

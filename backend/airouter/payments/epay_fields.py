"""What both generations of Epay share: the text that is signed, the fields of a notice, and its meaning.

Epay is a family of gateways that speak one protocol with small differences; no document is authoritative. What stands
here follows the interface pages of several of them, and their clients. (read 2026-11)
"""

import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from airouter.payments.amounts import from_decimal
from airouter.payments.contract import Delivery, Payment, PaymentEvent, WebhookForged, WebhookUnreadable

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


def notice_event(fields: Mapping[str, str], pid: str, exponent: int) -> PaymentEvent | None:
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
        amount=from_decimal(fields["money"], exponent),
        status_text=fields["trade_status"],
    )


def event_id(trade_number: str, status: str = "paid") -> str:
    """Epay numbers no notices: the same trade in the same state is the same fact, however it is told."""
    return hashlib.sha256(f"{trade_number}\n{status}".encode()).hexdigest()

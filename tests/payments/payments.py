"""One order, and access to a method, as the orders hand them to a processor."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from airouter.payments.contract import Access, AnyProcessor, Delivery, Payment

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ORDER_ID = "019ab6a0-0000-7000-8000-00000000c0de"


def payment(**changes: Any) -> Payment:
    base = Payment(
        order_id=ORDER_ID,
        amount=1234,
        currency="USD",
        title="AI Router top-up",
        created_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
        notify_url="https://api.example.com/api/v1/webhooks/main",
        return_url=f"https://console.example.com/console/topup/orders/{ORDER_ID}",
        cancel_url=f"https://console.example.com/console/topup/orders/{ORDER_ID}",
    )
    return msgspec.structs.replace(base, **changes)


def access_to(
    processor: AnyProcessor,
    config: dict[str, Any],
    *secrets: dict[str, Any],
    currency: str = "USD",
    exponent: int = 2,
) -> Access[Any, Any]:
    """Decoded as the orders decode what Postgres keeps."""
    return Access(
        config=msgspec.convert(config, processor.config_type),
        secrets=tuple(msgspec.convert(secret, processor.secrets_type) for secret in secrets),
        currency=currency,
        exponent=exponent,
    )


def posted(body: bytes, headers: dict[str, str] | None = None, *, at: datetime = NOW) -> Delivery:
    return Delivery(method="POST", query="", headers=headers or {}, body=body, received_at=at)


def posted_form(fields: dict[str, str], *, at: datetime = NOW) -> Delivery:
    return posted(urlencode(fields).encode(), {"content-type": "application/x-www-form-urlencoded"}, at=at)


def got(fields: dict[str, str], *, at: datetime = NOW) -> Delivery:
    return Delivery(method="GET", query=urlencode(fields), headers={}, body=b"", received_at=at)

"""Alerts: what an account wants to be told, once per crossing, and how a webhook proves where it comes from."""

import hashlib
import hmac
from datetime import timedelta
from typing import Final, Literal

from airouter.domain.policy import Display
from airouter.domain.quota import MICROS, QUOTA_PER_UNIT

AlertKind = Literal["low_balance", "key_budget", "member_budget"]
"""`low_balance`: the balance fell below so much quota. The others: so many percent of a limit are spent."""
DeliveryState = Literal["pending", "delivered", "failed"]

SIGNATURE_HEADER: Final = "x-airouter-signature"
PAUSES: Final = tuple(timedelta(seconds=s) for s in (10, 60, 300, 1800, 7200, 21_600, 43_200))
"""Before the second try, the third, and so on. After the last one it is given up: about a day in all."""


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None: that was the last."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None


def signature(secret: str, body: bytes, at_seconds: int) -> str:
    """`t=<Unix seconds>,v1=<hex>`: HMAC-SHA256, keyed with the secret, over the seconds, a point and the body.

    The time is signed, so that a receiver can refuse what was recorded and sent again later.
    """
    digest = hmac.new(secret.encode(), f"{at_seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_seconds},v1={digest}"


def shown(quota: int, display: Display, currency: str) -> str:
    """An amount for a person, as policy `display` says; rounded half up, never used to charge."""
    unit = QUOTA_PER_UNIT * MICROS
    scaled = quota * display.factor_micros * 10**display.decimals
    digits = str((abs(scaled) + unit // 2) // unit).rjust(display.decimals + 1, "0")
    whole, part = digits[: len(digits) - display.decimals], digits[len(digits) - display.decimals :]
    number = f"{'-' if quota < 0 else ''}{whole}{'.' if part else ''}{part}"
    return f"{display.symbol}{number}" if display.symbol else f"{number} {currency}"

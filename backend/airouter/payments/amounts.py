"""Minor units as the decimal strings that some processors write, and back, without a float in between."""

import re
from typing import Final

from airouter.payments.contract import WebhookUnreadable

_WRITTEN: Final = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,10}))?", re.ASCII)


def to_decimal(amount: int, exponent: int) -> str:
    """`1234` minor units with exponent 2 are `12.34`; all places are written."""
    if amount < 0 or exponent < 0:
        message = f"an amount of {amount} with exponent {exponent} is not written"
        raise ValueError(message)
    digits = str(amount).rjust(exponent + 1, "0")
    return digits if exponent == 0 else f"{digits[:-exponent]}.{digits[-exponent:]}"


def from_decimal(text: str, exponent: int) -> int:
    """The minor units of `12.34`. Fewer places than the currency has are fine; more only if they are zeros.

    Raises:
        WebhookUnreadable: a sign, an exponent, a separator of thousands, or a fraction of a minor unit.
    """
    found = _WRITTEN.fullmatch(text)
    whole, places = (found[1], found[2] or "") if found else ("", "")
    if found is None or places[exponent:].strip("0"):
        raise WebhookUnreadable("an amount is not a plain decimal number of this currency")
    return int(whole + places[:exponent].ljust(exponent, "0"))

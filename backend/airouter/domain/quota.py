"""Quota: the integer billing unit. One unit of the ledger currency is 1 000 000 000 quota; money is never a float."""

from typing import NewType

Quota = NewType("Quota", int)

QUOTA_PER_UNIT = 1_000_000_000
WALLET_MAX = 2**53 - 1
"""A wallet holds at most this, so that JSON and JavaScript never round a balance."""
MICROS = 1_000_000
"""Multipliers are integer millionths: 1_500_000 is x1.5."""


def ceil_div(numerator: int, denominator: int) -> int:
    """The one rounding of this product: up, at the end."""
    return -(-numerator // denominator)

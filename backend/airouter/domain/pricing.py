"""From usage to cost: ceil( (sum over meters of quantity x rate / per) x multiplier ). One rounding, at the end."""

import msgspec

from airouter.domain.quota import MICROS, ceil_div
from airouter.domain.rate_card import PER, Meter, RateCard
from airouter.domain.usage import Quantities, input_tokens

_SCALE = 1_000_000
"""Subtotals are kept as integers in millionths of a quota: every `per` divides it, so nothing is lost."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a receipt. `amount` is quantity x rate / per before the multiplier, as an exact decimal string."""

    meter: Meter
    quantity: int
    rate: int
    per: int
    amount: str


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """A priced call. `subtotal` is the sum of the lines (exact decimal string), `cost` the only rounded figure."""

    lines: tuple[Line, ...]
    subtotal: str
    cost: int
    unpriced: tuple[Meter, ...] = ()


class Ceiling(msgspec.Struct, frozen=True, kw_only=True):
    """The most a call can use: a bound of its input tokens, and what it may write in all its choices."""

    input_tokens: int
    output_tokens: int


def cost(
    quantities: Quantities, card: RateCard, multiplier_micros: int, service_tier: str | None, endpoint: str
) -> tuple[int, tuple[Meter, ...]]:
    """The price of a call in quota, and the used meters that have no rate (they cost 0 and are marked)."""
    rates = card.rates_for(input_tokens(quantities), service_tier, endpoint)
    subtotal, unpriced = 0, ()
    for meter, quantity in quantities.items():
        rate = rates.get(meter)
        if rate is not None:
            subtotal += quantity * rate * (_SCALE // PER[meter])
        elif quantity and meter != "request":
            unpriced = (*unpriced, meter)
    return ceil_div(subtotal * multiplier_micros, _SCALE * MICROS), unpriced


def bill(
    quantities: Quantities, card: RateCard, multiplier_micros: int, service_tier: str | None, endpoint: str
) -> Bill:
    """The same price, spelled out as a receipt."""
    rates = card.rates_for(input_tokens(quantities), service_tier, endpoint)
    lines, subtotal, unpriced = [], 0, []
    for meter, per in PER.items():
        quantity = quantities.get(meter)
        if quantity is None or (meter == "request" and meter not in rates):
            continue
        rate = rates.get(meter)
        if rate is None:
            if quantity:
                unpriced.append(meter)
            continue
        amount = quantity * rate * (_SCALE // per)
        subtotal += amount
        lines.append(Line(meter=meter, quantity=quantity, rate=rate, per=per, amount=exact_decimal(amount)))
    return Bill(
        lines=tuple(lines),
        subtotal=exact_decimal(subtotal),
        cost=ceil_div(subtotal * multiplier_micros, _SCALE * MICROS),
        unpriced=tuple(unpriced),
    )


def hold_size(ceiling: Ceiling, card: RateCard, multiplier_micros: int) -> int:
    """The worst-case price of a call, rounded up once: what must be held before it may start."""
    subtotal = _tokens_subtotal(ceiling, card) + card.dearest_request * _SCALE
    return ceil_div(subtotal * multiplier_micros, _SCALE * MICROS)


def token_price(ceiling: Ceiling, card: RateCard, multiplier_micros: int) -> int:
    """The same without the fixed part: what a stream that outgrows its hold needs on top."""
    return ceil_div(_tokens_subtotal(ceiling, card) * multiplier_micros, _SCALE * MICROS)


def _tokens_subtotal(ceiling: Ceiling, card: RateCard) -> int:
    return ceiling.input_tokens * card.dearest_input + ceiling.output_tokens * card.dearest_output


def exact_decimal(millionths: int) -> str:
    """Millionths of a quota as a decimal string without trailing zeros: 1_500_000 -> "1.5"."""
    whole, rest = divmod(millionths, _SCALE)
    return f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole)

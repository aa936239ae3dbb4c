"""Price proposals: what a list says that models cost, and what that comes to here. Nothing is ever charged by one."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import Final, Literal
from uuid import UUID

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.ids import RateCardId
from airouter.domain.quota import MICROS, QUOTA_PER_UNIT, WALLET_MAX
from airouter.domain.rate_card import PER, Meter, RateCard, Tier, TierCondition

Change = Literal["new", "dearer", "cheaper", "mixed", "same"]
"""What accepting a proposal would do to the price in force. `mixed`: some meters up, others down."""

_DIGITS_MAX: Final = 40
_NOT_STORED: Final = RateCardId(UUID(int=0))
_EXACT: Final = Context(prec=200, traps=[Inexact, InvalidOperation])
"""Decimal arithmetic that fails rather than rounds."""


class SourceRate(msgspec.Struct, frozen=True, kw_only=True):
    """A price as a list states it: an exact decimal of its currency for `per` units of the meter."""

    price: str
    per: int


class ProposedTier(msgspec.Struct, frozen=True, kw_only=True):
    """Prices that replace those of the model, meter by meter, for the whole call when the condition holds."""

    when: TierCondition
    rates: dict[Meter, SourceRate]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says about one model. `unmapped` names what it says and no meter here can."""

    name: str
    rates: dict[Meter, SourceRate]
    vendor: str | None = None
    tiers: tuple[ProposedTier, ...] = ()
    unmapped: tuple[str, ...] = ()
    context_window: int | None = None
    max_output_tokens: int | None = None


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list that no proposal could be made of."""

    name: str
    reason: str


class ListFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says of itself."""

    title: str
    version: str | None
    date: str | None
    licence: str | None


class PriceListing(msgspec.Struct, frozen=True, kw_only=True):
    """A whole list. `currency` None: a unit of that site's own, so a factor has to be given."""

    facts: ListFacts
    currency: str | None
    proposals: tuple[Proposal, ...]
    skipped: tuple[Skipped, ...] = ()


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """From a list's currency to quota. `factor`: units of the ledger currency for one unit of the list's.

    `markup_micros` is put on top: 200_000 is a fifth more.
    """

    factor: str
    markup_micros: int = 0

    def rate(self, meter: Meter, rate: SourceRate) -> int:
        """Integer quota for `PER[meter]` units, rounded up once, at the end."""
        each = fraction(rate.price) / rate.per * fraction(self.factor)
        exact = each * PER[meter] * QUOTA_PER_UNIT * Fraction(MICROS + self.markup_micros, MICROS)
        return -(-exact.numerator // exact.denominator)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One meter before and after. `against` is the other side of the margin; parts are millionths, for reading only.

    Of a price the other side is the dearest known cost of its channels; of a cost it is the price in force.
    """

    meter: Meter
    current: int | None
    proposed: int | None
    change_micros: int | None
    """(proposed - current) / current; None where one is missing or the present rate is 0."""
    against: int | None
    margin_micros: int | None
    """(price - cost) / price, if the proposal were accepted."""
    margin_now_micros: int | None


def decimal_text(value: object) -> str | None:
    """A JSON number (or a decimal in a string) in its one plain spelling; None for what is none, or is negative.

    Numbers have to come as `int` or `Decimal`: a binary fraction has lost what the list said.
    """
    assert not isinstance(value, complex | float), "numbers of a list are read as Decimal"
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = _EXACT.create_decimal(value)
    except (InvalidOperation, Inexact, ValueError):
        return None
    if not number.is_finite() or number < 0:
        return None
    if number and not -_DIGITS_MAX < number.adjusted() < _DIGITS_MAX:
        return None
    return plain(number)


def plain(number: Decimal) -> str:
    """Without an exponent and without zeros at the end: 2.50 -> "2.5"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def product(*texts: str) -> str:
    """The exact product of decimals."""
    result = Decimal(1)
    for text in texts:
        result = _EXACT.multiply(result, _EXACT.create_decimal(text))
    return plain(result)


def fraction(text: str) -> Fraction:
    """A decimal as it was checked before."""
    return Fraction(Decimal(text))


def checked_factor(text: str) -> str:
    """A factor as a person wrote it.

    Raises:
        InvalidRequest: it is no decimal above 0, or absurdly long.
    """
    plainly = decimal_text(text.strip()) if len(text) <= _DIGITS_MAX else None
    if plainly is None or not fraction(plainly) or len(plainly) > _DIGITS_MAX:
        raise InvalidRequest("factor: write a decimal above 0, such as 7.25.", field="factor")
    return plainly


def card_of(proposal: Proposal, model: str, conversion: Conversion) -> RateCard | None:
    """The proposal as a card of that model, which is not stored anywhere; None: a rate is more than a card can hold."""
    rates = _converted(proposal.rates, conversion)
    tiers = tuple(Tier(when=tier.when, rates=_converted(tier.rates, conversion)) for tier in proposal.tiers)
    if any(rate > WALLET_MAX for some in (rates, *(tier.rates for tier in tiers)) for rate in some.values()):
        return None
    return RateCard(rate_card_id=_NOT_STORED, model=model, version=0, rates=rates, tiers=tiers)


def _converted(rates: Mapping[Meter, SourceRate], conversion: Conversion) -> dict[Meter, int]:
    return {meter: conversion.rate(meter, rate) for meter, rate in rates.items()}


def dearest(cards: Sequence[RateCard]) -> RateCard | None:
    """Of each meter the highest rate, tiers left out; None of no cards."""
    rates: dict[Meter, int] = {}
    for card in cards:
        for meter, rate in card.rates_under(None).items():
            rates[meter] = max(rate, rates.get(meter, 0))
    return RateCard(rate_card_id=_NOT_STORED, model=cards[0].model, version=0, rates=rates) if cards else None


def change_of(base: RateCard | None, proposed: RateCard) -> Change:
    """What the proposal would do to the card in force: every meter that either names, under every condition.

    A meter without a rate counts as 0, which is what it costs where a provider reports it.
    """
    if base is None:
        return "new"
    signs: set[int] = set()
    for when in _conditions(base, proposed):
        before, after = base.rates_under(when), proposed.rates_under(when)
        for meter in _meters(base, proposed):
            one, other = before.get(meter, 0), after.get(meter, 0)
            if one != other:
                signs.add(1 if other > one else -1)
    if not signs:
        return "same"
    return "mixed" if len(signs) > 1 else "dearer" if 1 in signs else "cheaper"


def differences(
    base: RateCard | None, proposed: RateCard, against: RateCard | None, *, is_cost: bool
) -> list[Difference]:
    """Meter by meter, without tiers. A meter that falls back stands at what it is charged by."""
    before = {} if base is None else base.rates_under(None)
    after = proposed.rates_under(None)
    other = {} if against is None else against.rates_under(None)
    return [
        _difference(meter, before.get(meter), after.get(meter), other.get(meter), is_cost=is_cost)
        for meter in _meters(base, proposed)
    ]


def _difference(
    meter: Meter, current: int | None, proposed: int | None, against: int | None, *, is_cost: bool
) -> Difference:
    def margin(rate: int | None) -> int | None:
        price, cost = (against, rate) if is_cost else (rate, against)
        return None if cost is None or not price else part_micros(price - cost, price)

    return Difference(
        meter=meter,
        current=current,
        proposed=proposed,
        change_micros=None if proposed is None or not current else part_micros(proposed - current, current),
        against=against,
        margin_micros=margin(proposed),
        margin_now_micros=margin(current),
    )


def part_micros(part: int, whole: int) -> int:
    """A share in millionths, half to even: for reading only."""
    return round(Fraction(part * MICROS, whole))


def _meters(*cards: RateCard | None) -> list[Meter]:
    named = {
        meter for card in cards if card for rates in (card.rates, *(t.rates for t in card.tiers)) for meter in rates
    }
    return [meter for meter in PER if meter in named]


def _conditions(*cards: RateCard) -> list[TierCondition | None]:
    found: list[TierCondition | None] = [None]
    for card in cards:
        found += [tier.when for tier in card.tiers if tier.when not in found]
    return found

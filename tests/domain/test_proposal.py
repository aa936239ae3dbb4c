"""From a list's decimals to quota: exact, rounded up once; and what a proposal would do to a price."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.errors import InvalidRequest
from airouter.domain.ids import RateCardId
from airouter.domain.proposal import (
    Conversion,
    SourceRate,
    change_of,
    checked_factor,
    decimal_text,
    differences,
    product,
)
from airouter.domain.rate_card import PER, Meter, RateCard, Tier, TierCondition
from airouter.world import new_id

decimals = st.decimals(min_value=0, max_value=10**6, places=12, allow_nan=False, allow_infinity=False)
factors = st.decimals(min_value="0.000001", max_value=1000, places=6)


def a_card(tiers: tuple[Tier, ...] = (), **rates: int) -> RateCard:
    named: dict[Meter, int] = {meter: rates[meter] for meter in PER if meter in rates}
    return RateCard(rate_card_id=RateCardId(new_id()), model="m", version=1, rates=named, tiers=tiers)


@given(decimals, factors, st.integers(-900_000, 10**7), st.sampled_from(list(PER)), st.sampled_from([1, 1000, 3600]))
def test_a_rate_is_the_exact_product_rounded_up_once(
    price: Decimal, factor: Decimal, markup_micros: int, meter: Meter, per: int
):
    said, times = decimal_text(price), checked_factor(f"{factor:f}")
    assert said is not None
    rate = Conversion(factor=times, markup_micros=markup_micros).rate(meter, SourceRate(price=said, per=per))
    exact = Fraction(price) / per * PER[meter] * 10**9 * Fraction(factor) * (1 + Fraction(markup_micros, 10**6))
    assert rate == ceil(exact)


@given(decimals, decimals)
def test_products_of_decimals_lose_nothing(one: Decimal, other: Decimal):
    assert Fraction(product(f"{one:f}", f"{other:f}")) == Fraction(one) * Fraction(other)


@given(decimals)
def test_a_number_has_one_spelling_whatever_it_was_written_as(number: Decimal):
    assert decimal_text(number) == decimal_text(f"{number:e}") == decimal_text(number.normalize())


@pytest.mark.parametrize("text", ["", "0", "-1", "1,5", "NaN", "1e99", "1" * 60, "zehn"])
def test_a_factor_that_is_none_is_refused(text: str):
    with pytest.raises(InvalidRequest):
        checked_factor(text)


def test_a_tenth_of_a_quota_is_rounded_up_and_nothing_stays_nothing():
    thin, free = SourceRate(price="0.0000000001", per=1_000_000), SourceRate(price="0", per=1_000_000)
    assert Conversion(factor="1").rate("input", thin) == 1
    assert Conversion(factor="7.25", markup_micros=500_000).rate("input", free) == 0


@pytest.mark.parametrize(
    ("base", "proposed", "change"),
    [
        (None, a_card(input=1), "new"),
        (a_card(input=2, output=4), a_card(input=2, output=4), "same"),
        (a_card(input=2), a_card(input=2, cached_input=2), "same"),
        (a_card(input=2), a_card(input=3), "dearer"),
        (a_card(input=2), a_card(input=2, cached_input=1), "cheaper"),
        (a_card(input=2, output=4), a_card(input=3, output=3), "mixed"),
        (a_card(input=2, request=7), a_card(input=2), "cheaper"),
        (
            a_card(input=2),
            a_card((Tier(when=TierCondition(input_tokens_above=9), rates={"input": 5}),), input=2),
            "dearer",
        ),
    ],
)
def test_what_a_proposal_would_do_to_a_price(base: RateCard | None, proposed: RateCard, change: str):
    assert change_of(base, proposed) == change


def test_differences_and_margins_meter_by_meter():
    (entry, out) = differences(
        a_card(input=100, output=0), a_card(input=150, output=10), a_card(input=120), is_cost=False
    )
    assert (entry.change_micros, entry.margin_micros, entry.margin_now_micros) == (500_000, 200_000, -200_000)
    assert (out.change_micros, out.margin_micros) == (None, None)
    (cost,) = differences(None, a_card(input=80), a_card(input=100), is_cost=True)
    assert (cost.current, cost.margin_micros, cost.margin_now_micros) == (None, 200_000, None)

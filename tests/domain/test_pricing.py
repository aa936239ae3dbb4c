"""The laws of money, against an oracle that computes with fractions and shares no code with the product."""

import os
import random
from fractions import Fraction
from math import ceil
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain import pricing
from airouter.domain.errors import InvalidRateCard
from airouter.domain.ids import RateCardId
from airouter.domain.pricing import Ceiling
from airouter.domain.quota import WALLET_MAX, ceil_div
from airouter.domain.rate_card import PER, RateCard, Tier, TierCondition, check_rates
from tests.effort import EFFORT

MILLION = 1_000_000
TOKENS = (
    "input", "cached_input", "cache_write_5m", "cache_write_1h", "output", "reasoning", "audio_input", "audio_output",
    "image_input", "image_output",
)  # fmt: skip
INPUTS = ("input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input")
UNITS = ("request", "image", "second", "search", "rerank_unit")
METERS = (*TOKENS, "character", *UNITS)
PARENTS = {
    "cached_input": ("input",),
    "cache_write_5m": ("input",),
    "cache_write_1h": ("cache_write_5m", "input"),
    "audio_input": ("input",),
    "image_input": ("input",),
    "reasoning": ("output",),
    "audio_output": ("output",),
    "image_output": ("output",),
}

rates_ = st.dictionaries(st.sampled_from(METERS), st.integers(0, 10**13), min_size=1, max_size=8)
quantities_ = st.dictionaries(st.sampled_from(METERS), st.integers(0, 10**9), max_size=8)
multipliers = st.one_of(st.just(MILLION), st.integers(0, 10**9))
names = st.sampled_from(["chat", "embeddings"])
services = st.sampled_from([None, "flex", "priority"])
conditions = st.builds(
    TierCondition,
    input_tokens_above=st.one_of(st.none(), st.integers(0, 10**7)),
    service_tier=services,
    endpoint=st.one_of(st.none(), names),
)
tiers_ = st.lists(st.builds(Tier, when=conditions, rates=rates_), max_size=3).map(tuple)


def card_of(rates: dict[str, int], tiers: tuple[Tier, ...] = ()) -> RateCard:
    return RateCard(rate_card_id=RateCardId(UUID(int=1)), model="m", version=1, rates=rates, tiers=tiers)


def oracle(  # noqa: PLR0917 - what a price depends on
    quantities: dict[str, int],
    rates: dict[str, int],
    tiers: tuple[Tier, ...],
    multiplier: int,
    tier: str | None,
    door: str,
) -> tuple[Fraction, int]:
    """Subtotal and cost, from the words of the price list."""
    inputs = sum(quantities.get(meter, 0) for meter in INPUTS)
    in_force = dict(rates)
    for candidate in tiers:
        when = candidate.when
        if when.input_tokens_above is not None and not inputs > when.input_tokens_above:
            continue
        if when.service_tier not in (None, tier) or when.endpoint not in (None, door):
            continue
        in_force.update(candidate.rates)
        break
    subtotal = Fraction(0)
    for meter, quantity in quantities.items():
        rate = next((in_force[name] for name in (meter, *PARENTS.get(meter, ())) if name in in_force), 0)
        subtotal += Fraction(quantity * rate, 1 if meter in UNITS else MILLION)
    return subtotal, ceil(subtotal * Fraction(multiplier, MILLION))


@given(quantities_, rates_, tiers_, multipliers, services, names)
def test_cost_is_the_published_formula_rounded_up_once(  # noqa: PLR0917 - what a price depends on
    quantities: dict[str, int],
    rates: dict[str, int],
    tiers: tuple[Tier, ...],
    multiplier: int,
    tier: str | None,
    door: str,
) -> None:
    cost, _ = pricing.cost(quantities, card_of(rates, tiers), multiplier, tier, door)
    assert cost == oracle(quantities, rates, tiers, multiplier, tier, door)[1]


def random_rates(draw: random.Random) -> dict[str, int]:
    top = draw.choice([10, 10**6, 10**13])
    return {meter: draw.randint(0, top) for meter in draw.sample(METERS, draw.randint(1, 6))}


@pytest.mark.timeout(3600)
def test_cost_agrees_with_the_oracle_on_many_random_calls() -> None:
    seed = int(os.environ.get("AIROUTER_TEST_SEED", "0")) or random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(EFFORT.cases):
        rates = random_rates(draw)
        tiers = tuple(
            Tier(
                when=TierCondition(
                    input_tokens_above=draw.choice([None, draw.randint(0, 2 * 10**6)]),
                    service_tier=draw.choice([None, "flex", "priority"]),
                    endpoint=draw.choice([None, "chat", "embeddings"]),
                ),
                rates=random_rates(draw),
            )
            for _ in range(draw.choice([0, 0, 1, 2]))
        )
        used = {meter: draw.randint(0, draw.choice([3, 10**6])) for meter in draw.sample(METERS, draw.randint(0, 6))}
        multiplier = draw.choice([MILLION, draw.randint(0, 5 * MILLION), draw.randint(0, 10**9)])
        service, door = draw.choice([None, "flex", "priority"]), draw.choice(["chat", "embeddings"])
        cost, _ = pricing.cost(used, card_of(rates, tiers), multiplier, service, door)
        assert cost == oracle(used, rates, tiers, multiplier, service, door)[1], (used, rates, tiers, multiplier)


@given(quantities_, rates_, tiers_, multipliers, services, names)
def test_a_receipt_shows_the_same_cost_and_lines_that_sum_to_it(  # noqa: PLR0917 - what a price depends on
    quantities: dict[str, int],
    rates: dict[str, int],
    tiers: tuple[Tier, ...],
    multiplier: int,
    tier: str | None,
    door: str,
) -> None:
    card = card_of(rates, tiers)
    bill = pricing.bill(quantities, card, multiplier, tier, door)
    subtotal, cost = oracle(quantities, rates, tiers, multiplier, tier, door)
    assert bill.cost == cost == pricing.cost(quantities, card, multiplier, tier, door)[0]
    assert Fraction(bill.subtotal) == subtotal == sum((Fraction(line.amount) for line in bill.lines), Fraction(0))
    assert all(Fraction(line.amount) == Fraction(line.quantity * line.rate, line.per) for line in bill.lines)


@given(rates_, tiers_, multipliers, services, names, st.data())
def test_no_call_within_its_ceiling_costs_more_than_its_hold(  # noqa: PLR0917 - what a price depends on
    rates: dict[str, int], tiers: tuple[Tier, ...], multiplier: int, tier: str | None, door: str, data: st.DataObject
) -> None:
    outputs = [meter for meter in TOKENS if meter not in INPUTS]
    used = {meter: data.draw(st.integers(0, 10**6), label=meter) for meter in TOKENS}
    ceiling = Ceiling(
        input_tokens=sum(used[meter] for meter in INPUTS), output_tokens=sum(used[meter] for meter in outputs)
    )
    card = card_of(rates, tiers)
    cost, _ = pricing.cost({**used, "request": 1}, card, multiplier, tier, door)
    assert cost <= pricing.hold_size(ceiling, card, multiplier)


@given(quantities_, rates_, multipliers)
def test_using_more_never_costs_less(quantities: dict[str, int], rates: dict[str, int], multiplier: int) -> None:
    card = card_of(rates)
    cost, _ = pricing.cost(quantities, card, multiplier, None, "chat")
    for meter, quantity in quantities.items():
        more = {**quantities, meter: quantity + 1}
        assert pricing.cost(more, card, multiplier, None, "chat")[0] >= cost


@given(quantities_, rates_, multipliers)
def test_a_free_group_and_an_unused_call_cost_nothing(
    quantities: dict[str, int], rates: dict[str, int], multiplier: int
) -> None:
    card = card_of(rates)
    assert pricing.cost(quantities, card, 0, None, "chat")[0] == 0
    assert pricing.cost({}, card, multiplier, None, "chat")[0] == 0
    assert pricing.cost(dict.fromkeys(quantities, 0), card, multiplier, None, "chat")[0] == 0


@given(quantities_, rates_, multipliers)
def test_a_used_meter_without_a_rate_costs_nothing_and_is_named(
    quantities: dict[str, int], rates: dict[str, int], multiplier: int
) -> None:
    cost, unpriced = pricing.cost(quantities, card_of(rates), multiplier, None, "chat")
    without = {meter: quantity for meter, quantity in quantities.items() if meter not in unpriced}
    assert cost == pricing.cost(without, card_of(rates), multiplier, None, "chat")[0]
    assert all(meter not in rates and quantities[meter] > 0 for meter in unpriced)


def test_the_smallest_use_costs_one_unit() -> None:
    assert pricing.cost({"input": 1}, card_of({"input": 1}), MILLION, None, "chat")[0] == 1


def test_the_published_price_of_a_million_tokens_is_exact() -> None:
    card = card_of({"input": 2_500_000_000, "output": 10_000_000_000})
    assert pricing.cost({"input": MILLION, "output": MILLION}, card, MILLION, None, "chat")[0] == 12_500_000_000


def test_every_meter_has_a_unit() -> None:
    assert set(PER) == set(METERS)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_division_rounds_up(numerator: int, denominator: int) -> None:
    assert ceil_div(numerator, denominator) == ceil(Fraction(numerator, denominator))


@given(st.integers(0, 10**24))
def test_an_exact_decimal_is_exact(millionths: int) -> None:
    assert Fraction(pricing.exact_decimal(millionths)) == Fraction(millionths, MILLION)


@pytest.mark.parametrize(
    ("rates", "tiers"),
    [
        ({}, ()),
        ({"input": -1}, ()),
        ({"input": WALLET_MAX + 1}, ()),
        ({"input": 1}, (Tier(when=TierCondition(), rates={"input": 1}),)),
        ({"input": 1}, (Tier(when=TierCondition(input_tokens_above=-1), rates={"input": 1}),)),
        ({"input": 1}, (Tier(when=TierCondition(service_tier="x"), rates={"output": -5}),)),
    ],
)
def test_rates_that_cannot_be_charged_are_refused(rates: dict[str, int], tiers: tuple[Tier, ...]) -> None:
    with pytest.raises(InvalidRateCard):
        check_rates(rates, tiers)

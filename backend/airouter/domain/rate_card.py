"""Rate cards: the versioned, immutable prices of a model, meter by meter."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal

import msgspec

from airouter.domain.errors import InvalidRateCard
from airouter.domain.ids import RateCardId
from airouter.domain.quota import WALLET_MAX

Meter = Literal[
    "input", "cached_input", "cache_write_5m", "cache_write_1h", "output", "reasoning",
    "audio_input", "audio_output", "image_input", "image_output",
    "character", "request", "image", "second", "search", "rerank_unit",
]  # fmt: skip

PER: Final[Mapping[Meter, int]] = {
    "input": 1_000_000,
    "cached_input": 1_000_000,
    "cache_write_5m": 1_000_000,
    "cache_write_1h": 1_000_000,
    "output": 1_000_000,
    "reasoning": 1_000_000,
    "audio_input": 1_000_000,
    "audio_output": 1_000_000,
    "image_input": 1_000_000,
    "image_output": 1_000_000,
    "character": 1_000_000,
    "request": 1,
    "image": 1,
    "second": 1,
    "search": 1,
    "rerank_unit": 1,
}
"""How many units of a meter one rate is for. The order is the order of a receipt's lines."""

INPUT_METERS: Final[tuple[Meter, ...]] = (
    "input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input",
)  # fmt: skip
OUTPUT_METERS: Final[tuple[Meter, ...]] = ("output", "reasoning", "audio_output", "image_output")

FALL_BACK: Final[Mapping[Meter, Meter]] = {
    "cached_input": "input",
    "cache_write_5m": "input",
    "audio_input": "input",
    "image_input": "input",
    "cache_write_1h": "cache_write_5m",
    "reasoning": "output",
    "audio_output": "output",
    "image_output": "output",
}
"""A meter without a rate of its own is priced as this one; all others have no fall-back."""

Rates = Mapping[Meter, int]


class TierCondition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every fact that is stated must hold. `input_tokens_above` counts all input buckets of the call."""

    input_tokens_above: int | None = None
    service_tier: str | None = None
    endpoint: str | None = None

    def holds(self, input_tokens: int, service_tier: str | None, endpoint: str) -> bool:
        return (
            (self.input_tokens_above is None or input_tokens > self.input_tokens_above)
            and (self.service_tier is None or service_tier == self.service_tier)
            and (self.endpoint is None or endpoint == self.endpoint)
        )


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates that replace those of the card, meter by meter, for the whole call when the condition holds."""

    when: TierCondition
    rates: dict[Meter, int]


class RateCard(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One version of a model's prices. A rate is integer quota per `PER[meter]` units of the meter."""

    rate_card_id: RateCardId
    model: str
    version: int
    rates: dict[Meter, int]
    tiers: tuple[Tier, ...] = ()

    @cached_property
    def _complete(self) -> tuple[dict[Meter, int], ...]:
        """The rates of the card, then of each tier, with every fall-back resolved."""
        return (_resolve(self.rates), *(_resolve({**self.rates, **tier.rates}) for tier in self.tiers))

    def rates_for(self, input_tokens: int, service_tier: str | None, endpoint: str) -> Rates:
        """The complete rates of a call: the first tier whose condition holds, else the card's own."""
        for number, tier in enumerate(self.tiers, start=1):
            if tier.when.holds(input_tokens, service_tier, endpoint):
                return self._complete[number]
        return self._complete[0]

    def rates_under(self, when: TierCondition | None) -> Rates:
        """The complete rates of the tier of exactly this condition; None, or without such a tier: the card's own."""
        for number, tier in enumerate(self.tiers, start=1):
            if tier.when == when:
                return self._complete[number]
        return self._complete[0]

    def prices(self, meter: Meter) -> bool:
        """Whether the meter has a rate in every tier: only then may a request ask for it."""
        return all(meter in rates for rates in self._complete)

    @cached_property
    def dearest_input(self) -> int:
        """The highest rate any input token of this model can meet, whatever the tier turns out to be."""
        return max((rates.get(meter, 0) for rates in self._complete for meter in INPUT_METERS), default=0)

    @cached_property
    def dearest_output(self) -> int:
        """The highest rate any output token of this model can meet."""
        return max((rates.get(meter, 0) for rates in self._complete for meter in OUTPUT_METERS), default=0)

    @cached_property
    def dearest_request(self) -> int:
        """The highest fixed part of one call."""
        return max(rates.get("request", 0) for rates in self._complete)


def _resolve(rates: Rates) -> dict[Meter, int]:
    complete: dict[Meter, int] = {}
    for meter in PER:
        source: Meter | None = meter
        while source is not None and source not in rates:
            source = FALL_BACK.get(source)
        if source is not None:
            complete[meter] = rates[source]
    return complete


def check_rates(rates: Rates, tiers: tuple[Tier, ...]) -> None:
    """Refuses what could not be charged exactly.

    Raises:
        InvalidRateCard: no rate at all, a negative or absurd rate, or a tier without a condition.
    """
    if not rates:
        raise InvalidRateCard("A rate card needs at least one rate.", field="rates")
    for where, some in (("rates", rates), *((f"tiers[{n}].rates", tier.rates) for n, tier in enumerate(tiers))):
        for meter, rate in some.items():
            if not 0 <= rate <= WALLET_MAX:
                raise InvalidRateCard(
                    f"The rate of {meter} must be between 0 and {WALLET_MAX}.", field=f"{where}.{meter}"
                )
    for number, tier in enumerate(tiers):
        if tier.when == TierCondition():
            raise InvalidRateCard(
                "A tier needs a condition; without one it is the card itself.", field=f"tiers[{number}].when"
            )
        above = tier.when.input_tokens_above
        if above is not None and above < 0:
            raise InvalidRateCard("A token count is not negative.", field=f"tiers[{number}].when.input_tokens_above")

"""Run by catalogue.py in an environment that has `genai-prices`: prints what the package says, in our meters, as JSON.

Decimals stay texts. Prices that begin on a later day are left for the next catalogue; of prices by the time of day the
dearest is taken; both are named with the model.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from importlib import metadata
from typing import Any

from genai_prices.data import providers  # type: ignore[import-not-found]

TODAY = datetime.now(UTC).date()
METERS = {
    "input_mtok": ("input", 1),
    "output_mtok": ("output", 1),
    "cache_read_mtok": ("cached_input", 1),
    "cache_write_mtok": ("cache_write_5m", 1),
    "cache_write_5m_mtok": ("cache_write_5m", 1),
    "cache_write_1h_mtok": ("cache_write_1h", 1),
    "output_reasoning_mtok": ("reasoning", 1),
    "input_audio_mtok": ("audio_input", 1),
    "output_audio_mtok": ("audio_output", 1),
    "input_image_mtok": ("image_input", 1),
    "output_image_mtok": ("image_output", 1),
    "input_mchars": ("character", 1),
    "requests_kcount": ("request", 1000),
    "web_searches_kcount": ("search", 1000),
    "rerank_searches_kcount": ("rerank_unit", 1000),
    "audio_hours": ("second", 3600),
    "input_audio_hours": ("second", 3600),
}
"""Price key -> our meter, and for how many of our rates' units the price is."""
SERVICE_TIERS = {"service_tier": None, "processing": {"batch": "batch"}}


class Facts:
    """What is said of one model, under every condition."""

    def __init__(self) -> None:
        self.rates: list[tuple[str, str, int, int | None, str | None]] = []
        self.unmapped: dict[str, None] = {}

    def put(self, prices: Any, service_tier: str | None) -> None:
        for key, price in vars(prices).items():
            if price is None:
                continue
            if key not in METERS:
                self.unmapped.setdefault(key)
                continue
            meter, per = METERS[key]
            self.rates += [(meter, str(amount), per, above, service_tier) for above, amount in steps(price)]


def steps(price: Any) -> list[tuple[int | None, Decimal]]:
    if isinstance(price, Decimal):
        return [(None, price)]
    return [(None, price.base), *((tier.start, tier.price) for tier in price.tiers)]


def has_begun(constraint: Any) -> bool:
    return constraint is None or getattr(constraint, "start_date", TODAY) <= TODAY


def standard(model: Any, facts: Facts) -> list[Any]:
    """The prices in force today; more than one where they depend on the time of day."""
    if not isinstance(model.prices, list):
        return [model.prices]
    for one in model.prices:
        if not has_begun(one.constraint):
            facts.unmapped.setdefault(f"other prices from {one.constraint.start_date.isoformat()}")
    active = [one for one in model.prices if has_begun(one.constraint)]
    by_time = [one.prices for one in active if hasattr(one.constraint, "start_time")]
    all_day = [one.prices for one in active if not hasattr(one.constraint, "start_time")]
    if by_time:
        facts.unmapped.setdefault("prices by the time of day: the dearest was taken")
        return sorted([*by_time, *all_day[-1:]], key=dearness)
    return all_day[-1:]


def dearness(prices: Any) -> Decimal:
    return max(
        (amount for price in vars(prices).values() if price is not None for _, amount in steps(price)),
        default=Decimal(0),
    )


def facts_of(model: Any) -> Facts:
    facts = Facts()
    for prices in standard(model, facts):
        facts.put(prices, None)
    for variant in reversed(model.price_variants or []):  # the first one wins
        ((name, value), *more) = variant.when.items()
        names = SERVICE_TIERS.get(name, {})
        service_tier = value if names is None else names.get(value)
        if more or service_tier is None:
            facts.unmapped.setdefault(f"other prices for {name} {value}")
        elif has_begun(variant.constraint):
            facts.put(variant.prices, service_tier)
    if model.deprecated:
        facts.unmapped.setdefault("deprecated")
    return facts


def notice() -> str:
    files = metadata.files("genai-prices") or []
    return next(file.read_text() for file in files if file.name == "LICENSE").strip()


def main() -> int:
    found = []
    for provider in providers:
        for model in provider.models:
            facts = facts_of(model)
            found.append(
                {
                    "vendor": provider.id,
                    "model": model.id,
                    "context_window": model.context_window,
                    "rates": facts.rates,
                    "unmapped": list(facts.unmapped),
                }
            )
    json.dump({"notice": notice(), "models": found}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""LiteLLM's `model_prices_and_context_window.json`: model -> members; dollars for a single token (or unit).

Format as published in its repository and its documentation "Add model pricing & context window" (read 2026-11).
"""

import re
from typing import Any, Final

from airouter.domain.proposal import ListFacts, PriceListing, Proposal, Skipped, decimal_text, fraction
from airouter.domain.rate_card import Meter, TierCondition
from airouter.proposals.documents import (
    Members,
    Sheet,
    bounded,
    count,
    members,
    read_document,
    sorted_out,
    text,
    unlike,
)

_TITLE: Final = "LiteLLM's model prices"
_NO_MODELS: Final = frozenset({"sample_spec", "fallback_generalizations"})
_METERS: Final[dict[str, Meter]] = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_input",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
    "input_cost_per_character": "character",
    "output_cost_per_image": "image",
    "input_cost_per_request": "request",
}
"""Each for one unit."""
_BY_MODE: Final[dict[tuple[str, str], Meter]] = {
    ("rerank", "input_cost_per_query"): "rerank_unit",
    ("audio_transcription", "input_cost_per_second"): "second",
    ("audio_speech", "output_cost_per_second"): "second",
    ("video_generation", "output_cost_per_second"): "second",
}
"""What the member means depends on what the model does."""
_TIERS: Final = {"priority": "priority", "flex": "flex", "batches": "batch", "batch": "batch"}
_ABOVE: Final = re.compile(r"^(?P<name>.+)_above_(?P<thousands>\d{1,6})k_tokens$")
_SEARCH: Final = "search_context_cost_per_query"


def read(content: bytes) -> PriceListing:
    """Raises InvalidRequest: the document is no such list."""
    document = members(read_document(content))
    bounded(len(document))
    if not any("litellm_provider" in members(entry) for entry in document.values()):
        raise unlike(_TITLE)
    proposals, skipped = sorted_out([_entry(name, entry) for name, entry in document.items()])
    return PriceListing(
        facts=ListFacts(title=_TITLE, version=None, date=None, licence="MIT"),
        currency="USD",
        proposals=proposals,
        skipped=skipped,
    )


def _entry(name: str, value: Any) -> Proposal | Skipped:
    if name in _NO_MODELS:
        return Skipped(name=name, reason="it is no model")
    if not isinstance(value, dict):
        return Skipped(name=text(name) or "", reason="it is no object")
    entry: Members = value
    mode = entry.get("mode")
    sheet = Sheet()
    for member, price in entry.items():
        if "cost" in member and price is not None:
            _price(sheet, str(mode), member, price)
    return sheet.close(
        name,
        vendor=text(entry.get("litellm_provider")),
        context_window=count(entry.get("max_input_tokens")) or count(entry.get("max_tokens")),
        max_output_tokens=count(entry.get("max_output_tokens")),
    )


def _price(sheet: Sheet, mode: str, member: str, price: Any) -> None:
    if member == _SEARCH:
        _searches(sheet, price)
        return
    base, when = _condition(member)
    meter = _METERS.get(base) or _BY_MODE.get((mode, base))
    if meter is None or not sheet.put(meter, price, per=1, when=when):
        if decimal_text(price) != "0":
            sheet.unmapped(member)
    elif base == "input_cost_per_character" and mode != "audio_speech":
        sheet.unmapped(f"{member}: counted where the provider reports characters")


def _condition(member: str) -> tuple[str, TierCondition | None]:
    """The member without its conditions, and these."""
    base, service_tier, above = member, None, None
    stem, _, suffix = member.rpartition("_")
    if suffix in _TIERS:
        base, service_tier = stem, _TIERS[suffix]
    found = _ABOVE.match(base)
    if found:
        base, above = found["name"], int(found["thousands"]) * 1000
    if service_tier is None and above is None:
        return base, None
    return base, TierCondition(input_tokens_above=above, service_tier=service_tier)


def _searches(sheet: Sheet, price: Any) -> None:
    """One price for each size of the search's context; there is one meter, so the dearest is proposed."""
    prices = [plain for plain in map(decimal_text, members(price).values()) if plain is not None]
    if not prices:
        sheet.unmapped(_SEARCH)
        return
    sheet.put("search", max(prices, key=fraction), per=1)
    if len(set(prices)) > 1:
        sheet.unmapped("searches cost more with a larger context: the dearest was taken")

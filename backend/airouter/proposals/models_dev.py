"""models.dev's `api.json`: provider -> models -> `cost` in dollars for a million tokens.

Format as documented in its repository's README and schema (read 2026-11).
"""

from typing import Any, Final

from airouter.domain.proposal import ListFacts, PriceListing, Proposal, Skipped, decimal_text
from airouter.domain.rate_card import Meter, TierCondition
from airouter.proposals.documents import Sheet, bounded, count, members, read_document, sorted_out, text, unlike

_TITLE: Final = "the models.dev catalogue"
_METERS: Final[dict[str, Meter]] = {
    "input": "input",
    "output": "output",
    "reasoning": "reasoning",
    "cache_read": "cached_input",
    "cache_write": "cache_write_5m",
    "input_audio": "audio_input",
    "output_audio": "audio_output",
}
_LONG_CONTEXT: Final = "context_over_200k"
_MILLION: Final = 1_000_000


def read(content: bytes) -> PriceListing:
    """Raises InvalidRequest: the document is no such list."""
    document = members(read_document(content))
    if not any(isinstance(members(provider).get("models"), dict) for provider in document.values()):
        raise unlike(_TITLE)
    bounded(sum(len(members(members(provider).get("models"))) for provider in document.values()))
    found = [
        _entry(vendor, name, entry)
        for vendor, provider in document.items()
        for name, entry in members(members(provider).get("models")).items()
    ]
    proposals, skipped = sorted_out(found)
    return PriceListing(
        facts=ListFacts(title=_TITLE, version=None, date=None, licence="MIT"),
        currency="USD",
        proposals=proposals,
        skipped=skipped,
    )


def _entry(vendor: str, name: str, value: Any) -> Proposal | Skipped:
    entry = members(value)
    limit = members(entry.get("limit"))
    sheet = Sheet()
    cost = members(entry.get("cost"))
    tiers = cost.get("tiers")
    for member, price in cost.items():
        if member == "tiers":
            continue
        if member == _LONG_CONTEXT:  # the older form of the same, which some entries state beside the newer one
            if not tiers:
                _rates(sheet, members(price), TierCondition(input_tokens_above=200_000))
        else:
            _rate(sheet, member, price, None)
    for tier in tiers if isinstance(tiers, list) else ():
        _tier(sheet, members(tier))
    return sheet.close(
        name,
        vendor=text(vendor),
        context_window=count(limit.get("context")),
        max_output_tokens=count(limit.get("output")),
    )


def _tier(sheet: Sheet, tier: dict[str, Any]) -> None:
    condition = members(tier.get("tier"))
    size = count(condition.get("size"))
    if condition.get("type") != "context" or size is None:
        sheet.unmapped("a tier by something other than the context")
        return
    rates = {member: price for member, price in tier.items() if member != "tier"}
    _rates(sheet, rates, TierCondition(input_tokens_above=size))


def _rates(sheet: Sheet, rates: dict[str, Any], when: TierCondition) -> None:
    for member, price in rates.items():
        _rate(sheet, member, price, when)


def _rate(sheet: Sheet, member: str, price: Any, when: TierCondition | None) -> None:
    meter = _METERS.get(member)
    if meter is not None and sheet.put(meter, price, per=_MILLION, when=when):
        return
    if price is not None and decimal_text(price) != "0":
        sheet.unmapped(member)

"""The price list of another site: an AI Router's `/api/v1/pricing`, or `/api/pricing` as sites of the new-api family
answer it.

There a `model_ratio` of 1 is two units of the site's currency for a million input tokens, and the other ratios are
times that (its documentation, "Rate Settings", read 2026-11). What such a unit is worth only the operator knows, so the
list has no currency.
"""

from collections.abc import Callable
from typing import Any, Final

from airouter.domain.errors import InvalidRequest
from airouter.domain.proposal import (
    ListFacts,
    PriceListing,
    Proposal,
    Skipped,
    decimal_text,
    product,
)
from airouter.domain.quota import MICROS
from airouter.domain.rate_card import PER, Meter, TierCondition
from airouter.proposals.documents import Sheet, bounded, count, members, read_document, sorted_out, text, unlike

_TITLE: Final = "the price list of another site"
_UNIT_RATIO: Final = "2"
_OUR_UNIT: Final = "0.000000000000001"
"""A quota in units of that site's currency, and a multiplier in millionths: 10^-9 x 10^-6."""
_MILLION: Final = 1_000_000
_PER_REQUEST: Final = 1
_TIMES_INPUT: Final[dict[str, Meter]] = {
    "completion_ratio": "output",
    "cache_ratio": "cached_input",
    "create_cache_ratio": "cache_write_5m",
    "image_ratio": "image_input",
    "audio_ratio": "audio_input",
}


def read(content: bytes, group: str | None = None) -> PriceListing:
    """Prices of a group of that site; None: before any group's multiplier.

    Raises:
        InvalidRequest: the document is no such list, or names no such group.
    """
    document = members(read_document(content))
    entries, models = document.get("data"), document.get("models")
    found: list[Proposal | Skipped]
    if isinstance(entries, list) and any("model_ratio" in members(entry) for entry in entries):
        bounded(len(entries))
        multiplier = _group_ratio(document, group)
        found = [_named(entry, "model_name", lambda one, name: _ratios(one, name, multiplier)) for entry in entries]
    elif isinstance(models, list) and any("multiplier_micros" in members(entry) for entry in models):
        bounded(len(models))
        if group is not None and group != document.get("group"):
            raise InvalidRequest(f"group: the list is of the group {document.get('group')!r}.", field="group")
        found = [_named(entry, "model", _ours) for entry in models]
    else:
        raise unlike(_TITLE)
    proposals, skipped = sorted_out(found)
    return PriceListing(
        facts=ListFacts(title=_TITLE, version=None, date=None, licence=None),
        currency=None,
        proposals=proposals,
        skipped=skipped,
    )


def _group_ratio(document: dict[str, Any], group: str | None) -> str:
    if group is None:
        return "1"
    ratio = decimal_text(members(document.get("group_ratio")).get(group))
    if ratio is None:
        raise InvalidRequest(f"group: the list names no group {group!r}.", field="group")
    return ratio


def _named(
    entry: Any, member: str, read_entry: Callable[[dict[str, Any], str], Proposal | Skipped]
) -> Proposal | Skipped:
    name = members(entry).get(member)
    if not isinstance(name, str):
        return Skipped(name="", reason="it has no name")
    return read_entry(entry, name)


def _ratios(entry: dict[str, Any], name: str, multiplier: str) -> Proposal | Skipped:
    sheet, vendor = Sheet(), text(entry.get("owner_by"))
    if entry.get("billing_expr"):
        return Skipped(name=text(name) or "", reason="it is priced by a formula of that site's own")
    if entry.get("quota_type") == _PER_REQUEST:
        price = decimal_text(entry.get("model_price"))
        if price is not None:
            sheet.put("request", product(price, multiplier), per=1)
        return sheet.close(name, vendor=vendor)
    ratio = decimal_text(entry.get("model_ratio"))
    if ratio is None:
        return sheet.close(name, vendor=vendor)
    entry_price = product(ratio, _UNIT_RATIO, multiplier)
    sheet.put("input", entry_price, per=_MILLION)
    for member, meter in _TIMES_INPUT.items():
        times = decimal_text(entry.get(member))
        if times is not None and not (meter != "output" and times == "0"):  # a site writes 0 for what it does not set
            sheet.put(meter, product(entry_price, times), per=_MILLION)
    audio, spoken = decimal_text(entry.get("audio_ratio")), decimal_text(entry.get("audio_completion_ratio"))
    if audio is not None and spoken is not None and "0" not in {audio, spoken}:
        sheet.put("audio_output", product(entry_price, audio, spoken), per=_MILLION)
    return sheet.close(name, vendor=vendor)


def _ours(entry: dict[str, Any], name: str) -> Proposal | Skipped:
    """Quota of that site: its unit is 1 000 000 000 of them, as here."""
    sheet = Sheet()
    multiplier = decimal_text(entry.get("multiplier_micros")) or str(MICROS)
    _our_rates(sheet, members(entry.get("rates")), multiplier, None)
    for tier in entry.get("tiers") or ():
        when = members(members(tier).get("when"))
        above, service_tier, endpoint = (when.get(fact) for fact in ("input_tokens_above", "service_tier", "endpoint"))
        condition = TierCondition(
            input_tokens_above=above if isinstance(above, int) and above >= 0 else None,
            service_tier=text(service_tier),
            endpoint=text(endpoint),
        )
        if condition == TierCondition():
            sheet.unmapped("a tier without a condition that is known here")
        else:
            _our_rates(sheet, members(members(tier).get("rates")), multiplier, condition)
    return sheet.close(
        name,
        vendor=text(entry.get("vendor")),
        context_window=count(entry.get("context_window")),
        max_output_tokens=count(entry.get("max_output_tokens")),
        keeps_tiers=True,
    )


def _our_rates(sheet: Sheet, rates: dict[str, Any], multiplier: str, when: TierCondition | None) -> None:
    for meter in PER:
        listed = members(rates.get(meter))
        rate, per = decimal_text(listed.get("rate")), count(listed.get("per"))
        if rate is not None and per is not None:
            sheet.put(meter, product(rate, multiplier, _OUR_UNIT), per=per, when=when)
        elif meter in rates:
            sheet.unmapped(meter)
    for name in rates.keys() - PER.keys():
        sheet.unmapped(text(name) or "a meter without a name")

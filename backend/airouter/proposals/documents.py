"""JSON documents of strangers: objects of objects, numbers exact, everything else left out with a word."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.proposal import Proposal, ProposedTier, Skipped, SourceRate, decimal_text
from airouter.domain.rate_card import PER, Meter, TierCondition

ENTRIES_MAX: Final = 20_000
NAME_LENGTH_MAX: Final = 200
_decoder = msgspec.json.Decoder(float_hook=Decimal)

Members = dict[str, Any]


def read_document(content: bytes) -> Any:
    """The document, its numbers as `int` or `Decimal`.

    Raises:
        InvalidRequest: it is no JSON.
    """
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidRequest("content: this is no JSON document.", field="content") from None


def members(value: Any) -> Members:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def unlike(title: str) -> InvalidRequest:
    """The refusal of a document that is not such a list."""
    return InvalidRequest(f"content: this does not look like {title}.", field="content")


def bounded(entries: int) -> None:
    """Raises InvalidRequest for a list longer than any that there is."""
    if entries > ENTRIES_MAX:
        raise InvalidRequest(f"content: more than {ENTRIES_MAX} entries.", field="content")


def text(value: Any, length_max: int = NAME_LENGTH_MAX) -> str | None:
    """A text that can be shown and stored, cut to its length."""
    if not isinstance(value, str):
        return None
    clean = "".join(letter for letter in value if letter.isprintable()).strip()
    return clean[:length_max] or None


def count(value: Any) -> int | None:
    """A number of tokens; lists write them as integers, decimals and texts."""
    plain = decimal_text(value)
    if plain is None or "." in plain:
        return None
    return int(plain) if 0 < int(plain) < 2**31 else None


def name_problem(name: str) -> str | None:
    """Why no model can have this name."""
    if not name or len(name) > NAME_LENGTH_MAX:
        return "its name is empty or longer than 200 characters"
    if any(letter.isspace() or not letter.isprintable() for letter in name):
        return "its name has spaces or control characters"
    if name.startswith("/") or name.endswith("/") or "//" in name:
        return "its name is no name of a model here"
    return None


class Sheet:
    """Gathers what one entry says: rates by condition, and words about what fits nowhere."""

    def __init__(self) -> None:
        self._rates: dict[TierCondition | None, dict[Meter, SourceRate]] = {}
        self._unmapped: dict[str, None] = {}

    def put(self, meter: Meter, value: Any, *, per: int | None = None, when: TierCondition | None = None) -> bool:
        """A price for `per` units (as many as a rate is for, if nothing is said). False: it is no price."""
        price = decimal_text(value)
        if price is None:
            return False
        self._rates.setdefault(when, {})[meter] = SourceRate(price=price, per=per or PER[meter])
        return True

    def unmapped(self, words: str) -> None:
        """Something with a price that has no meter here."""
        self._unmapped.setdefault(words[:NAME_LENGTH_MAX])

    def has(self, meter: Meter) -> bool:
        return meter in self._rates.get(None, {})

    def close(
        self,
        name: str,
        *,
        vendor: str | None = None,
        context_window: int | None = None,
        max_output_tokens: int | None = None,
        keeps_tiers: bool = False,
    ) -> Proposal | Skipped:
        """The entry as a proposal. `keeps_tiers`: they are ours already, the first match holds; else they are worked
        out of what stands under each condition.
        """
        problem = name_problem(name)
        if problem is not None:
            return Skipped(name=text(name) or "", reason=problem)
        rates = self._rates.pop(None, {})
        if not rates:
            said = ", ".join(self._unmapped)
            reason = f"it has no price that a meter here can hold: {said}" if said else "it has no price"
            return Skipped(name=name, reason=reason[:500])
        stated = {when: tier for when, tier in self._rates.items() if when is not None}
        return Proposal(
            name=name,
            vendor=vendor,
            rates=rates,
            tiers=as_stated(stated) if keeps_tiers else worked_out(rates, stated),
            unmapped=tuple(self._unmapped),
            context_window=context_window,
            max_output_tokens=max_output_tokens,
        )


Prices = dict[Meter, SourceRate]
Stated = dict[TierCondition, Prices]


def as_stated(stated: Stated) -> tuple[ProposedTier, ...]:
    return tuple(ProposedTier(when=when, rates=rates) for when, rates in stated.items())


def worked_out(standard: Prices, stated: Stated) -> tuple[ProposedTier, ...]:
    """Tiers of which the first that matches is right for every meter, the narrower ones first.

    Lists state each price by itself: one for flex, another above 200 000 tokens. A tier of ours holds for the whole
    call, so each combination is spelled out: under a service tier its own price, else the standard one, and of either
    the highest step that the call passes.
    """
    service_tiers = [*dict.fromkeys(when.service_tier for when in stated if when.service_tier is not None), None]
    moving = {meter for rates in stated.values() for meter in rates}
    tiers: list[ProposedTier] = []
    for service_tier in service_tiers:
        relevant = [when for when in stated if when.service_tier in {service_tier, None}]
        steps = sorted({when.input_tokens_above or 0 for when in relevant}, reverse=True)
        for step in [*steps, *([0] if 0 not in steps and service_tier is not None else [])]:
            if service_tier is None and not step:
                continue  # that is the card itself
            rates: Prices = {}
            for meter in PER:
                price = _price_under(standard, stated, service_tier, step, meter) if meter in moving else None
                if price is not None:
                    rates[meter] = price
            when = TierCondition(input_tokens_above=step or None, service_tier=service_tier)
            tiers.append(ProposedTier(when=when, rates=rates))
    return tuple(tiers)


def _price_under(
    standard: Prices, stated: Stated, service_tier: str | None, step: int, meter: Meter
) -> SourceRate | None:
    for tier in dict.fromkeys((service_tier, None)):
        passed = [
            (when.input_tokens_above or 0, rates[meter])
            for when, rates in stated.items()
            if when.service_tier == tier and (when.input_tokens_above or 0) <= step and meter in rates
        ]
        if passed:
            return max(passed, key=lambda one: one[0])[1]
    return standard.get(meter)


def sorted_out(results: list[Proposal | Skipped]) -> tuple[tuple[Proposal, ...], tuple[Skipped, ...]]:
    """Proposals and what was skipped, each in the order of the list."""
    return (
        tuple(one for one in results if isinstance(one, Proposal)),
        tuple(one for one in results if isinstance(one, Skipped)),
    )

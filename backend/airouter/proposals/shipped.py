"""The catalogue that comes with every release: `prices.json`, written by `make catalogue`.

Its `source` says whose facts they are, of which version and date, and under which licence.
"""

from importlib import resources
from typing import Any, Final

import msgspec

from airouter.domain.proposal import ListFacts, PriceListing, Proposal, ProposedTier, SourceRate
from airouter.domain.rate_card import PER, Meter, TierCondition

FILE: Final = "prices.json"


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the facts come from. `notice` is the licence's own text."""

    name: str
    version: str
    address: str
    date: str
    licence: str
    notice: str


Price = str | tuple[str, int]
"""For as many units as a rate is for; or a price, and for how many."""


class ShippedTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    when: TierCondition
    rates: dict[Meter, Price]


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model of one vendor."""

    vendor: str
    model: str
    rates: dict[Meter, Price]
    tiers: list[ShippedTier] = []
    context_window: int | None = None
    unmapped: list[str] = []


class Shipped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    source: Source
    currency: str
    models: list[Entry]


def read_shipped() -> PriceListing:
    """The whole catalogue; a few milliseconds of work."""
    shipped = msgspec.json.decode(_content(), type=Shipped)
    source = shipped.source
    return PriceListing(
        facts=ListFacts(title=source.name, version=source.version, date=source.date, licence=source.licence),
        currency=shipped.currency,
        proposals=tuple(_proposal(entry) for entry in shipped.models),
    )


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    source: Source
    currency: str
    models: list[msgspec.Raw]


def shipped_facts() -> tuple[Source, str, int]:
    """Where it comes from, its currency, and how many models it has."""
    head = msgspec.json.decode(_content(), type=_Head)
    return head.source, head.currency, len(head.models)


def _content() -> bytes:
    return resources.files("airouter.proposals").joinpath(FILE).read_bytes()


def _proposal(entry: Entry) -> Proposal:
    return Proposal(
        name=entry.model,
        vendor=entry.vendor,
        rates=_rates(entry.rates),
        tiers=tuple(ProposedTier(when=tier.when, rates=_rates(tier.rates)) for tier in entry.tiers),
        unmapped=tuple(entry.unmapped),
        context_window=entry.context_window,
    )


def _rates(rates: dict[Meter, Any]) -> dict[Meter, SourceRate]:
    return {
        meter: SourceRate(price=price, per=PER[meter])
        if isinstance(price, str)
        else SourceRate(price=price[0], per=price[1])
        for meter, price in rates.items()
    }

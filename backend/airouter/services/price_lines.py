"""Imports and their lines as an operator sees them: what would change, and what would be earned."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import ChannelId, RateCardId
from airouter.domain.proposal import (
    Change,
    Difference,
    ListFacts,
    ProposedTier,
    Skipped,
    SourceRate,
    dearest,
    differences,
)
from airouter.domain.rate_card import Meter, RateCard, Tier
from airouter.storage import price_imports as rows
from airouter.storage import rate_cards
from airouter.storage.database import Connection
from airouter.storage.price_imports import ImportRow, LineRow, LineState


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """A list that was read in, by whom, with which factor. `channel_id` set: the lines are what that channel costs.

    `changes` and `vendors` count lines; in lists of imports they and `skipped` are empty.
    """

    id: UUID
    source: str
    origin: str | None
    facts: ListFacts
    currency: str | None
    factor: str
    markup_micros: int
    channel_id: ChannelId | None
    channel: str | None
    created_at: datetime
    created_by: UUID | None
    created_by_email: str | None
    lines: int
    accepted: int
    set_aside: int
    changes: dict[str, int]
    vendors: dict[str, int]
    skipped: list[Skipped]


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal beside the price that holds. `rates` are quota after factor and markup, rounded up.

    `source_rates` are what the list says, in its currency; `unmapped` is what it says and no meter here can. Of a price
    `differences[].against` is the dearest known cost of the channels that serve the model, of a cost the model's price.
    """

    line: int
    model: str
    name: str
    vendor: str | None
    is_known: bool
    change: Change
    state: LineState
    rates: dict[Meter, int]
    tiers: list[Tier]
    source_rates: dict[Meter, SourceRate]
    source_tiers: list[ProposedTier]
    differences: list[Difference]
    unmapped: list[str]
    context_window: int | None
    max_output_tokens: int | None
    base_id: RateCardId | None
    result_id: RateCardId | None
    decided_at: datetime | None
    decided_by: UUID | None


def import_view(
    row: ImportRow, changes: Mapping[str, int] | None = None, vendors: Mapping[str, int] | None = None
) -> ImportView:
    """A row as an operator sees it."""
    return ImportView(
        id=row.import_id,
        source=row.source,
        origin=row.origin,
        facts=row.facts,
        currency=row.currency,
        factor=row.factor,
        markup_micros=row.markup_micros,
        channel_id=row.channel_id,
        channel=row.channel,
        created_at=row.created_at,
        created_by=row.created_by,
        created_by_email=row.created_by_email,
        lines=row.lines,
        accepted=row.accepted,
        set_aside=row.set_aside,
        changes=dict(changes or {}),
        vendors=dict(vendors or {}),
        skipped=list(row.skipped),
    )


async def line_views(connection: Connection, channel_id: ChannelId | None, lines: Sequence[LineRow]) -> list[LineView]:
    """Each beside the card that it was compared with, and the other side of its margin as it is now."""
    base_ids = [line.base_id for line in lines if line.base_id is not None]
    names = sorted({line.model for line in lines})
    if channel_id is None:
        bases = await rows.cards_by_id(connection, base_ids)
        known = await rows.costs_of_models(connection, names)
        against = {name: dearest(cards) for name, cards in known.items()}
    else:
        bases = await rows.costs_by_id(connection, base_ids)
        in_force = await rate_cards.cards_in_force_of(connection, names)
        against = {name: row.card() for name, row in in_force.items()}
    return [
        _line_view(
            line, line.base_id and bases.get(line.base_id), against.get(line.model), is_cost=channel_id is not None
        )
        for line in lines
    ]


def _line_view(line: LineRow, base: RateCard | None, against: RateCard | None, *, is_cost: bool) -> LineView:
    proposed = RateCard(
        rate_card_id=RateCardId(UUID(int=0)), model=line.model, version=0, rates=line.rates, tiers=line.tiers
    )
    return LineView(
        line=line.line,
        model=line.model,
        name=line.proposal.name,
        vendor=line.vendor,
        is_known=line.is_known,
        change=line.change,
        state=line.state,
        rates=line.rates,
        tiers=list(line.tiers),
        source_rates=line.proposal.rates,
        source_tiers=list(line.proposal.tiers),
        differences=differences(base, proposed, against, is_cost=is_cost),
        unmapped=list(line.unmapped),
        context_window=line.proposal.context_window,
        max_output_tokens=line.proposal.max_output_tokens,
        base_id=line.base_id,
        result_id=line.result_id,
        decided_at=line.decided_at,
        decided_by=line.decided_by,
    )

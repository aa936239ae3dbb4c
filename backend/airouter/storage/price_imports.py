"""Rows of price imports and their lines."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import ChannelId, RateCardId
from airouter.domain.proposal import Change, ListFacts, Proposal, Skipped
from airouter.domain.rate_card import Meter, RateCard, Tier
from airouter.storage.channel_costs import CostRow
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load
from airouter.storage.rate_cards import RateCardRow

QUERIES = load("price_imports")

LineState = Literal["open", "accepted", "skipped"]


class NewImport(msgspec.Struct, frozen=True, kw_only=True):
    """A list as it was read in."""

    import_id: UUID
    source: str
    origin: str | None
    facts: ListFacts
    currency: str | None
    factor: str
    markup_micros: int
    channel_id: ChannelId | None
    skipped: tuple[Skipped, ...]
    created_by: UUID | None


class ImportRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An import with what became of its lines."""

    import_id: UUID
    source: str
    origin: str | None
    facts: ListFacts
    currency: str | None
    factor: str
    markup_micros: int
    channel_id: ChannelId | None
    channel: str | None
    skipped: tuple[Skipped, ...]
    created_at: datetime
    created_by: UUID | None
    created_by_email: str | None
    lines: int
    accepted: int
    set_aside: int


class LockedImport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What deciding about lines needs to know."""

    import_id: UUID
    channel_id: ChannelId | None


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """What a line is compared with."""

    base_id: RateCardId | None
    base_version: int
    change: Change


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as a line."""

    line: int
    model: str
    vendor: str | None
    proposal: Proposal
    unmapped: tuple[str, ...]
    rates: dict[Meter, int]
    tiers: tuple[Tier, ...]
    base_id: RateCardId | None
    base_version: int
    change: Change


class Rebased(Base, frozen=True, kw_only=True):
    """A line and its new base."""

    line: int


class LineRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line and what became of it."""

    line: int
    model: str
    vendor: str | None
    proposal: Proposal
    unmapped: tuple[str, ...]
    rates: dict[Meter, int]
    tiers: tuple[Tier, ...]
    base_id: RateCardId | None
    base_version: int
    change: Change
    state: LineState
    result_id: RateCardId | None
    decided_at: datetime | None
    decided_by: UUID | None
    is_known: bool

    def card(self, rate_card_id: RateCardId) -> RateCard:
        """What it would become."""
        return RateCard(rate_card_id=rate_card_id, model=self.model, version=0, rates=self.rates, tiers=self.tiers)


class LineFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines; None: whatever."""

    search: str | None = None
    vendor: str | None = None
    change: Change | None = None
    state: LineState | None = None
    has_unmapped: bool | None = None
    is_known: bool | None = None


async def insert_import(connection: Connection, new: NewImport, lines: Sequence[NewLine]) -> None:
    await connection.execute(
        QUERIES.insert_import,
        new.import_id, new.source, new.origin, new.facts, new.currency, new.factor, new.markup_micros, new.channel_id,
        new.skipped, new.created_by,
    )  # fmt: skip
    await connection.execute(QUERIES.insert_lines, new.import_id, lines)


async def find_import(connection: Connection, import_id: UUID) -> ImportRow | None:
    row = await connection.fetchrow(QUERIES.find_import, import_id)
    return None if row is None else row_as(ImportRow, row)


async def page_of_imports(connection: Connection, after: tuple[datetime, UUID] | None, limit: int) -> list[ImportRow]:
    """Newest first, without what was skipped."""
    created_at, import_id = after or (None, None)
    rows = await connection.fetch(QUERIES.page_of_imports, created_at, import_id, limit)
    return [row_as(ImportRow, row) for row in rows]


async def lock_import(connection: Connection, import_id: UUID) -> LockedImport | None:
    row = await connection.fetchrow(QUERIES.lock_import, import_id)
    return None if row is None else row_as(LockedImport, row)


async def count_changes(connection: Connection, import_id: UUID) -> dict[str, int]:
    return {row["change"]: row["lines"] for row in await connection.fetch(QUERIES.count_changes, import_id)}


async def count_vendors(connection: Connection, import_id: UUID) -> dict[str, int]:
    return {row["vendor"]: row["lines"] for row in await connection.fetch(QUERIES.count_vendors, import_id)}


async def page_of_lines(
    connection: Connection, import_id: UUID, filters: LineFilters, after: int, limit: int
) -> list[LineRow]:
    rows = await connection.fetch(
        QUERIES.page_of_lines,
        import_id, after, filters.search, filters.vendor, filters.change, filters.state, filters.has_unmapped,
        filters.is_known, limit,
    )  # fmt: skip
    return [row_as(LineRow, row) for row in rows]


async def lines_of(connection: Connection, import_id: UUID, numbers: Sequence[int] | None) -> list[LineRow]:
    """These lines, or all."""
    return [row_as(LineRow, row) for row in await connection.fetch(QUERIES.lines_of, import_id, numbers)]


async def accept_line(
    connection: Connection, import_id: UUID, line: int, result_id: RateCardId | None, decided_by: UUID | None
) -> None:
    await connection.execute(QUERIES.accept_line, import_id, line, result_id, decided_by)


async def set_aside(
    connection: Connection, import_id: UUID, numbers: Sequence[int], state: LineState, decided_by: UUID | None
) -> None:
    """`skipped`, or `open` again."""
    await connection.execute(QUERIES.set_aside, import_id, numbers, state, decided_by)


async def rebase_lines(connection: Connection, import_id: UUID, lines: Sequence[Rebased]) -> None:
    await connection.execute(QUERIES.rebase_lines, import_id, lines)


async def rename_line(connection: Connection, import_id: UUID, model: str, base: Rebased) -> None:
    await connection.execute(
        QUERIES.rename_line, import_id, base.line, model, base.base_id, base.base_version, base.change
    )


async def newest_versions(connection: Connection, models: Sequence[str]) -> dict[str, int]:
    """Of each model's rate card; a model without one is not in the answer."""
    rows: list[Any] = await connection.fetch(QUERIES.newest_versions, models)
    return {row["model"]: row["version"] for row in rows}


async def cards_by_id(connection: Connection, ids: Sequence[RateCardId]) -> dict[RateCardId, RateCard]:
    rows = [row_as(RateCardRow, row) for row in await connection.fetch(QUERIES.cards_by_id, ids)]
    return {row.rate_card_id: row.card() for row in rows}


async def costs_by_id(connection: Connection, ids: Sequence[RateCardId]) -> dict[RateCardId, RateCard]:
    rows = [row_as(CostRow, row) for row in await connection.fetch(QUERIES.costs_by_id, ids)]
    return {row.cost_id: card for row in rows if (card := row.card()) is not None}


async def costs_of_models(connection: Connection, models: Sequence[str]) -> dict[str, list[RateCard]]:
    """What the channels that are there cost for each model, as far as it is known."""
    found: dict[str, list[RateCard]] = {}
    for record in await connection.fetch(QUERIES.costs_of_models, models):
        card = row_as(CostRow, record).card()
        if card is not None:
            found.setdefault(card.model, []).append(card)
    return found

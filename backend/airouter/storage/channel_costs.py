"""Rows of what channels cost: versioned and immutable, like rate cards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from airouter.domain.ids import ChannelId, RateCardId
from airouter.domain.rate_card import RateCard
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("channel_costs")


class CostRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a channel costs for a model from some time on. `rates` None: nobody knows any more."""

    cost_id: RateCardId
    channel_id: ChannelId
    model: str
    version: int
    rates: dict[str, Any] | None
    tiers: list[Any]
    effective_at: datetime
    created_at: datetime
    created_by: UUID | None

    def card(self) -> RateCard | None:
        """Raises msgspec.ValidationError when the row is none."""
        if self.rates is None:
            return None
        said = {"rate_card_id": self.cost_id, "model": self.model, "version": self.version}
        return msgspec.convert({**said, "rates": self.rates, "tiers": self.tiers}, RateCard)


async def costs_of_channel(connection: Connection, channel_id: ChannelId) -> list[CostRow]:
    """Those in force, by model; those of which nothing is known any more are among them."""
    return [row_as(CostRow, row) for row in await connection.fetch(QUERIES.costs_of_channel, channel_id)]


async def costs_to_come(connection: Connection, channel_id: ChannelId) -> list[CostRow]:
    return [row_as(CostRow, row) for row in await connection.fetch(QUERIES.costs_to_come, channel_id)]


async def costs_in_force(connection: Connection) -> list[CostRow]:
    """Of every channel."""
    return [row_as(CostRow, row) for row in await connection.fetch(QUERIES.costs_in_force)]


async def newest_versions(connection: Connection, channel_id: ChannelId, models: Sequence[str]) -> dict[str, int]:
    """By model; one without any is not in the answer."""
    rows = await connection.fetch(QUERIES.newest_versions, channel_id, models)
    return {row["model"]: row["version"] for row in rows}


async def insert_cost(
    connection: Connection,
    channel_id: ChannelId,
    card: RateCard,
    *,
    effective_at: datetime | None,
    created_by: UUID | None,
) -> CostRow | None:
    """The next version; a card without rates ends what was known. None: `effective_at` lies in the past."""
    row = await connection.fetchrow(
        QUERIES.insert_cost,
        card.rate_card_id, channel_id, card.model, card.rates or None, card.tiers, effective_at, created_by,
    )  # fmt: skip
    return None if row is None else row_as(CostRow, row)


async def seconds_until_next(connection: Connection) -> float | None:
    """Until some cost comes into force; None: none is waiting."""
    seconds: float | None = await connection.fetchval(QUERIES.seconds_until_next)
    return seconds

"""Rows of rate cards: versioned and immutable."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from airouter.domain.ids import RateCardId
from airouter.domain.rate_card import RateCard
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("rate_cards")


class RateCardRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version. `rates` and `tiers` as stored: RateCard decides what they may say."""

    rate_card_id: RateCardId
    model: str
    version: int
    rates: dict[str, Any]
    tiers: list[Any]
    effective_at: datetime
    created_at: datetime
    created_by: UUID | None

    def card(self) -> RateCard:
        """Raises msgspec.ValidationError when the row is none."""
        return msgspec.convert(
            {
                "rate_card_id": self.rate_card_id,
                "model": self.model,
                "version": self.version,
                "rates": self.rates,
                "tiers": self.tiers,
            },
            RateCard,
        )


async def page_of_rate_cards(
    connection: Connection, model: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> list[RateCardRow]:
    """Newest first; `after` is where the page before ended."""
    created_at, card_id = after or (None, None)
    rows = await connection.fetch(QUERIES.page_of_rate_cards, model, created_at, card_id, limit)
    return [row_as(RateCardRow, row) for row in rows]


async def find_rate_card(connection: Connection, rate_card_id: RateCardId) -> RateCardRow | None:
    row = await connection.fetchrow(QUERIES.find_rate_card, rate_card_id)
    return None if row is None else row_as(RateCardRow, row)


async def cards_in_force_of(connection: Connection, models: Sequence[str]) -> dict[str, RateCardRow]:
    """The card in force by model; a model without one is not in the answer."""
    rows = await connection.fetch(QUERIES.cards_in_force_of, models)
    return {row["model"]: row_as(RateCardRow, row) for row in rows}


async def insert_rate_card(
    connection: Connection, card: RateCard, effective_at: datetime | None, created_by: UUID | None
) -> RateCardRow | None:
    """The next version, whatever `card.version` says; None: `effective_at` lies in the past."""
    row = await connection.fetchrow(
        QUERIES.insert_rate_card,
        card.rate_card_id, card.model, card.rates, card.tiers, effective_at, created_by,
    )  # fmt: skip
    return None if row is None else row_as(RateCardRow, row)


async def clock(connection: Connection) -> datetime:
    """The time that decides which card is in force."""
    return value_as(datetime, await connection.fetchval(QUERIES.now))


async def seconds_until_next(connection: Connection) -> float | None:
    """Until some card comes into force; None: none is waiting."""
    seconds: float | None = await connection.fetchval(QUERIES.seconds_until_next)
    return seconds

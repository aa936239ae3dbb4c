"""What the audit reads. Every question is asked on one connection, inside one snapshot."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from airouter.domain.ids import RateCardId, RequestId
from airouter.domain.rate_card import RateCard
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("books")
_PAGE: Final = 5_000

Row = dict[str, Any]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much there is to audit."""

    wallets: int
    transfers: int
    usage_records: int


class PricedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of a record's cost, and the cost."""

    created_at: datetime
    request_id: RequestId
    quantities: dict[str, int]
    rate_card_id: RateCardId
    multiplier_micros: int
    service_tier: str | None
    endpoint: str
    cost: int


async def counts(connection: Connection) -> Counts:
    row = await connection.fetchrow(QUERIES.counts)
    assert row is not None
    return row_as(Counts, row)


async def contradictions(connection: Connection, question: str) -> list[Row]:
    """The rows of one of the questions in books.sql: none is as it should be."""
    return [dict(row) for row in await connection.fetch(getattr(QUERIES, question))]


async def overrun_drift(connection: Connection) -> tuple[int, int]:
    """(what records were not charged, what the house's transfers bore): equal."""
    row = await connection.fetchrow(QUERIES.overrun_drift)
    assert row is not None
    return int(row["uncharged"]), int(row["borne"])


async def rate_cards(connection: Connection) -> dict[RateCardId, RateCard]:
    cards = [row_as(RateCard, row) for row in await connection.fetch(QUERIES.rate_cards)]
    return {card.rate_card_id: card for card in cards}


async def records_to_price(connection: Connection, one_of: int) -> AsyncIterator[PricedRecord]:
    """Every record, or one of so many, page by page."""
    at, request_id = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)
    while page := await connection.fetch(QUERIES.records_to_price, at, request_id, one_of, _PAGE):
        for row in page:
            yield row_as(PricedRecord, row)
        at, request_id = page[-1]["created_at"], page[-1]["request_id"]

"""Rows of `payment_events`, the inbox."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import UserId
from airouter.domain.order import Kind, Outcome
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("payment_events")

Source = Literal["webhook", "reconciler", "operator"]


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said. `body` is encrypted."""

    event_key: UUID
    method_id: str
    event_id: str
    source: Source
    kind: Kind
    order_id: UUID | None
    trade_number: str | None = None
    amount: int | None = None
    refunded_total: int | None = None
    currency: str | None = None
    status_text: str = ""
    reason: str | None = None
    made_by: UserId | None = None
    body: bytes | None = None
    dispute_name: str | None = None
    dispute_reason: str | None = None


class EventRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event without its body. `outcome` None: not acted upon yet."""

    event_key: UUID
    method_id: str
    event_id: str
    source: Source
    kind: Kind
    order_id: UUID | None
    trade_number: str | None
    amount: int | None
    refunded_total: int | None
    currency: str | None
    status_text: str
    reason: str | None
    made_by: UserId | None
    dispute_name: str | None
    dispute_reason: str | None
    received_at: datetime
    outcome: Outcome | None
    handled_at: datetime | None


async def insert_event(connection: Connection, event: NewEvent) -> bool:
    """False: this event of this method was kept before."""
    return await connection.fetchval(QUERIES.insert_event, *msgspec.structs.astuple(event)) is not None


async def find_event(connection: Connection, method_id: str, event_id: str) -> EventRow | None:
    row = await connection.fetchrow(QUERIES.find_event, method_id, event_id)
    return row and row_as(EventRow, row)


async def lock_open_event(connection: Connection, event_key: UUID) -> EventRow | None:
    """None: it was acted upon."""
    row = await connection.fetchrow(QUERIES.lock_open_event, event_key)
    return row and row_as(EventRow, row)


async def handled(connection: Connection, event_key: UUID, outcome: Outcome, order_id: UUID | None) -> None:
    await connection.execute(QUERIES.handled, event_key, outcome, order_id)


async def left_open(connection: Connection, older_than: timedelta, limit: int) -> list[UUID]:
    return [row["event_key"] for row in await connection.fetch(QUERIES.left_open, older_than, limit)]


async def events_of(connection: Connection, order_id: UUID) -> list[EventRow]:
    return [row_as(EventRow, record) for record in await connection.fetch(QUERIES.events_of, order_id)]


async def page_of_events(
    connection: Connection,
    *,
    method_id: str | None,
    outcomes: Sequence[Outcome] | None,
    after_time: datetime | None,
    after_id: UUID | None,
    limit: int,
) -> list[EventRow]:
    """Newest first."""
    records = await connection.fetch(
        QUERIES.page_of_events,
        method_id,
        None if outcomes is None else list(outcomes),
        after_time,
        after_id,
        limit,
    )
    return [row_as(EventRow, record) for record in records]


async def forget_bodies(connection: Connection, older_than: timedelta, limit: int) -> int:
    """How many; fewer than `limit`: none is left."""
    return len(await connection.fetch(QUERIES.forget_bodies, older_than, limit))

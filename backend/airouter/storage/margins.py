"""Margins as they are read: sums of what was charged, and of what providers charged for it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("margins")

MarginsBy = Literal["day", "model", "channel", "account"]


class MarginFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls. `until` is not included."""

    since: datetime
    until: datetime
    model: str | None = None
    channel_id: UUID | None = None
    account_id: UUID | None = None


class MarginRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sums as decimal strings: numeric has no bounds. `covered` is the part of `charged` whose cost is known."""

    is_total: bool
    key: str
    label: str | None
    requests: int
    covered_requests: int
    charged: str
    covered: str
    provider_cost: str


async def margins(
    connection: Connection, filters: MarginFilters, group_by: MarginsBy, tz: str
) -> tuple[list[MarginRow], MarginRow]:
    """Days in their order, the others by what was charged, no more than 5,000; and the sum of everything."""
    rows = await connection.fetch(
        QUERIES.margins,
        filters.since, filters.until, group_by, tz, filters.model, filters.channel_id, filters.account_id,
    )  # fmt: skip
    total, *found = [row_as(MarginRow, row) for row in rows]
    return found, total

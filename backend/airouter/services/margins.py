"""What is earned: charges beside what providers charged for the same calls, as far as that is known."""

from datetime import timedelta
from typing import Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.services.usage_reports import check_time_zone
from airouter.storage import margins as rows
from airouter.storage.database import Database
from airouter.storage.margins import MarginFilters, MarginRow, MarginsBy

SPAN_MAX: Final = timedelta(days=800)
SPAN_DEFAULT: Final = timedelta(days=30)


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """Sums in quota, as decimal strings. `margin` is `covered` - `provider_cost`, and may be negative.

    `charged` is what left wallets; `covered` the part of it whose cost is known. What is not covered has no margin.
    """

    key: str
    label: str | None
    requests: int
    covered_requests: int
    charged: str
    covered: str
    provider_cost: str
    margin: str


class MarginReport(msgspec.Struct, frozen=True, kw_only=True):
    """By key, and of everything."""

    items: list[Margin]
    total: Margin


class Margins:
    """Reads margins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, filters: MarginFilters, group_by: MarginsBy, tz: str) -> MarginReport:
        """Sums over a span.

        Raises:
            InvalidRequest: an unknown time zone, or a span that is too long.
        """
        check_time_zone(tz)
        if filters.until - filters.since > SPAN_MAX:
            raise InvalidRequest(f"from: at most {SPAN_MAX.days} days.", field="from")
        async with self._database.summing() as connection:
            found, total = await rows.margins(connection, filters, group_by, tz)
        return MarginReport(items=[_margin(row) for row in found], total=_margin(total))


def _margin(row: MarginRow) -> Margin:
    return Margin(
        key=row.key,
        label=row.label,
        requests=row.requests,
        covered_requests=row.covered_requests,
        charged=row.charged,
        covered=row.covered,
        provider_cost=row.provider_cost,
        margin=str(int(row.covered) - int(row.provider_cost)),
    )

"""Usage as people read it: pages, receipts that recompute the charge, sums, exports."""

import base64
import csv
import io
import logging
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from airouter.domain import pricing
from airouter.domain.errors import InvalidRequest, InvalidToken, NotFound
from airouter.domain.ids import AccountId, RequestId, UserId
from airouter.domain.pricing import Bill
from airouter.domain.rate_card import PER
from airouter.domain.usage import priced
from airouter.services.vault import Vault
from airouter.storage import rate_cards
from airouter.storage import usage_reads as rows
from airouter.storage.database import Database
from airouter.storage.usage_reads import Filters, FullUsageRow, GroupBy, SummaryRow, UsageRow

logger = logging.getLogger(__name__)

EXPORT_LIFETIME: Final = timedelta(seconds=60)
_EXPORT_PAGE: Final = 1000
_SPAN_MAX: Final = {"day": timedelta(days=800), "hour": timedelta(days=32)}
_SPAN_DEFAULT: Final = {"day": timedelta(days=30), "hour": timedelta(days=2)}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_EXPORTED_METERS: Final = tuple(PER)


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A record with its price, computed anew from what was stored at admission."""

    record: FullUsageRow
    bill: Bill


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Sums by key, and of everything."""

    rows: list[SummaryRow]
    requests: int
    cost: int
    charged: int
    usage: dict[str, int]


class UsageReports:
    """Reads usage; account holders their own, operators everybody's (`account_id` None)."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def page(
        self, filters: Filters, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[UsageRow]:
        """Newest first."""
        async with self._database.connection() as connection:
            return await rows.usage_page(connection, filters, after_time=after_time, after_id=after_id, limit=limit)

    async def receipt(
        self, request_id: RequestId, account_id: AccountId | None, only_user_id: UserId | None = None
    ) -> Receipt:
        """The record and how its cost comes about.

        Raises:
            NotFound: there is no such record, or it is another account's, or of a key that is not one's own.
        """
        async with self._database.connection() as connection:
            record = await rows.usage_record(connection, request_id, account_id, only_user_id)
            card = record and await rate_cards.find_rate_card(connection, record.rate_card_id)
        if record is None:
            raise NotFound("There is no request with this id.")
        assert card is not None, "rate cards are never deleted"
        bill = pricing.bill(
            priced(record.quantities), card.card(), record.multiplier_micros, record.service_tier, record.endpoint
        )
        if bill.cost != record.cost:  # the audit finds it too; here somebody is looking at it
            logger.error("receipt.differs", extra={"request_id": str(request_id), "cost": record.cost})
        return Receipt(record=record, bill=bill)

    async def summary(self, filters: Filters, group_by: GroupBy, tz: str, now: datetime) -> Summary:
        """Sums over a span; without one, over the last month (hours: the last two days).

        Raises:
            InvalidRequest: an unknown time zone, or a span that is too long.
        """
        check_time_zone(tz)
        until = filters.until or now
        since = filters.since or until - _SPAN_DEFAULT.get(group_by, timedelta(days=30))
        span_max = _SPAN_MAX.get(group_by, timedelta(days=800))
        if until - since > span_max:
            raise InvalidRequest(f"from: grouped by {group_by}, at most {span_max.days} days.", field="from")
        async with self._database.summing() as connection:
            found, total = await rows.usage_summary(
                connection, filters, since=since, until=until, group_by=group_by, tz=tz
            )
        return Summary(
            rows=found,
            requests=total.requests,
            cost=int(total.cost),
            charged=int(total.charged),
            usage=total.usage,
        )

    async def create_export(self, filters: Filters) -> str:
        """The token of a link that works once, within a minute."""
        token = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        async with self._database.connection() as connection:
            await rows.put_export(connection, self._hashes(token)[0], filters, EXPORT_LIFETIME)
        return token

    async def open_export(self, token: str) -> AsyncIterator[bytes]:
        """The CSV behind a link, piece by piece.

        Raises:
            InvalidToken: the link is unknown, used, or too old.
        """
        async with self._database.connection() as connection:
            filters = await rows.use_export(connection, self._hashes(token))
        if filters is None:
            raise InvalidToken
        return self._csv(filters)

    async def _csv(self, filters: Filters) -> AsyncIterator[bytes]:
        """A page at a time, so that neither memory nor a connection is held while the client reads."""
        yield _line(["created_at", "request_id", "model", "key_id", "status", "is_streaming", *_EXPORTED_METERS,
                     "usage_source", "cost", "charged", "latency_ms", "first_token_ms"])  # fmt: skip
        after_time, after_id = None, None
        while True:
            page = await self.page(filters, after_time=after_time, after_id=after_id, limit=_EXPORT_PAGE)
            if page:
                yield b"".join(_line(_cells(row)) for row in page)
            if len(page) < _EXPORT_PAGE:
                return
            after_time, after_id = page[-1].created_at, page[-1].request_id

    def _hashes(self, token: str) -> tuple[bytes, ...]:
        return self._vault.macs("usage-export", token.encode())


def check_time_zone(tz: str) -> None:
    """Raises InvalidRequest for what is no IANA time zone."""
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest("tz: this is no time zone such as Europe/Berlin.", field="tz") from None


def _cells(row: UsageRow) -> list[str]:
    quantities = [str(row.quantities.get(meter, "")) for meter in _EXPORTED_METERS]
    return [
        row.created_at.isoformat().replace("+00:00", "Z"),
        str(row.request_id),
        row.model,
        str(row.key_id),
        row.status,
        "true" if row.is_streaming else "false",
        *quantities,
        row.usage_source,
        str(row.cost),
        str(row.charged),
        str(row.latency_ms),
        "" if row.first_token_ms is None else str(row.first_token_ms),
    ]


def _line(cells: list[str]) -> bytes:
    """One line of RFC 4180. A cell that a spreadsheet would run as a formula is made text."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["'" + cell if cell.startswith(_FORMULA) else cell for cell in cells])
    return buffer.getvalue().encode()

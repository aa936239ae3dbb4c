"""Usage as it is read: pages, single records, sums, and the one-time links of exports."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, ChannelId, KeyId, RateCardId, RequestId, UserId, minted_at
from airouter.domain.key import KeyKind
from airouter.domain.usage import Attempt, UsageSource, UsageStatus
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("usage_reads")

GroupBy = Literal["day", "hour", "model", "key"]


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which records. `account_id` None: every account, for operators. `until` is not included.

    `only_user_id` confines somebody to the calls of the keys that they are responsible for.
    """

    account_id: AccountId | None = None
    only_user_id: UserId | None = None
    model: str | None = None
    key_id: KeyId | None = None
    status: UsageStatus | None = None
    since: datetime | None = None
    until: datetime | None = None


class UsageRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the usage page."""

    created_at: datetime
    request_id: RequestId
    account_id: AccountId
    key_id: KeyId
    model: str
    status: UsageStatus
    quantities: dict[str, int]
    usage_source: UsageSource
    cost: int
    charged: int
    latency_ms: int
    first_token_ms: int | None
    is_streaming: bool
    channel_id: ChannelId | None
    provider_cost: int | None
    key_kind: KeyKind


class FullUsageRow(UsageRow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a receipt is recomputed from."""

    endpoint: str
    rate_card_id: RateCardId
    multiplier_micros: int
    group_name: str
    service_tier: str | None
    upstream_model: str | None
    client_request_id: str | None
    error: str | None
    unpriced: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    requested_model: str | None


class SummaryRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sums of one day, hour, model or key. Money as decimal strings: numeric has no bounds."""

    is_total: bool
    key: str
    requests: int
    cost: str
    charged: str
    usage: dict[str, int]


class ExportRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a link may export."""

    account_id: AccountId | None
    filters: dict[str, Any]


async def usage_page(
    connection: Connection, filters: Filters, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[UsageRow]:
    """Newest first."""
    records = await connection.fetch(
        QUERIES.usage_page,
        *_scope(filters),
        filters.since,
        filters.until,
        after_time,
        after_id,
        limit,
        filters.only_user_id,
    )
    return [row_as(UsageRow, record) for record in records]


async def usage_record(
    connection: Connection, request_id: RequestId, account_id: AccountId | None, only_user_id: UserId | None = None
) -> FullUsageRow | None:
    """None: there is none, or it is another account's."""
    try:
        created_at = minted_at(request_id)
    except OverflowError:  # a UUID of another kind
        return None
    record = await connection.fetchrow(QUERIES.usage_record, created_at, request_id, account_id, only_user_id)
    return record and row_as(FullUsageRow, record)


async def usage_summary(
    connection: Connection, filters: Filters, *, since: datetime, until: datetime, group_by: GroupBy, tz: str
) -> tuple[list[SummaryRow], SummaryRow]:
    """Days and hours in their order, models and keys by what they cost, no more than 5,000; and the sum of all."""
    records = await connection.fetch(
        QUERIES.usage_summary, *_scope(filters), since, until, group_by, tz, filters.only_user_id
    )
    total, *found = sorted((row_as(SummaryRow, record) for record in records), key=lambda row: not row.is_total)
    return found, total


def _scope(filters: Filters) -> tuple[object, ...]:
    return filters.account_id, filters.model, filters.key_id, filters.status


async def put_export(connection: Connection, token_hash: bytes, filters: Filters, lifetime: timedelta) -> None:
    stored = msgspec.to_builtins(filters)
    await connection.execute(QUERIES.put_export, token_hash, filters.account_id, stored, lifetime)


async def use_export(connection: Connection, token_hashes: tuple[bytes, ...]) -> Filters | None:
    """What the link is for; None: unknown, used, or too old."""
    record = await connection.fetchrow(QUERIES.use_export, list(token_hashes))
    if record is None:
        return None
    return msgspec.convert(row_as(ExportRow, record).filters, Filters)


async def forget_exports(connection: Connection) -> None:
    await connection.execute(QUERIES.forget_exports)

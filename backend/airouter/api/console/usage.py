"""What was called, what it used, and what it cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from airouter.api.callers import AccountHolder, Visitor
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.api.public.cookies import Browsers
from airouter.api.usage_filters import UsageFilters
from airouter.domain.ids import RequestId
from airouter.domain.key import KeyKind
from airouter.domain.pricing import Line
from airouter.domain.usage import UsageSource, UsageStatus
from airouter.services.usage_reports import Receipt, Summary, UsageReports
from airouter.storage.usage_reads import GroupBy, UsageRow
from airouter.world import now


class UsageItem(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `cost` is the published price, `charged` what left the wallet; null: not known."""

    request_id: UUID
    created_at: datetime
    model: str
    key_id: UUID
    status: UsageStatus
    usage: dict[str, int]
    usage_source: UsageSource
    cost: int
    charged: int
    latency_ms: int
    first_token_ms: int | None
    is_streaming: bool
    key_kind: KeyKind


class UsageList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[UsageItem]
    next_cursor: str | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one channel, for operators. `reason`: why it was not the last; null: it answered.

    `began_ms` counts from the beginning of the call. `model` and `group` are those it was admitted with.
    """

    channel_id: UUID
    channel: str
    credential_id: UUID | None
    status: int | None
    reason: str | None
    began_ms: int
    latency_ms: int
    model: str
    group: str


class ReceiptView(UsageItem, frozen=True, kw_only=True):
    """`cost` = ceil(`subtotal` x `multiplier_micros` / 1 000 000); `subtotal` is the sum of the lines' amounts.

    `unpriced`: meters that were used without having a rate, and cost nothing. `attempts` and
    `provider_cost` (what the channel's provider charges, where that is known) are null but for operators.
    `requested_model`: what was asked for, where one of the key's fallback models answered.
    """

    requested_model: str | None
    lines: list[Line]
    subtotal: str
    multiplier_micros: int
    rate_card_id: UUID
    group: str
    endpoint: str
    service_tier: str | None
    client_request_id: str | None
    unpriced: list[str]
    attempts: list[AttemptView] | None
    provider_cost: int | None


class SummaryItem(msgspec.Struct, frozen=True, kw_only=True):
    """`key`: a day (2030-01-31), the beginning of an hour in UTC, a model, or the id of a key."""

    key: str
    requests: int
    cost: int
    charged: int
    usage: dict[str, int]


class SummaryTotal(msgspec.Struct, frozen=True, kw_only=True):
    requests: int
    cost: int
    charged: int
    usage: dict[str, int]


class SummaryView(msgspec.Struct, frozen=True, kw_only=True):
    items: list[SummaryItem]
    total: SummaryTotal


class ExportLink(msgspec.Struct, frozen=True, kw_only=True):
    """Works once, within a minute. Null in a replayed answer."""

    url: str | None


class UsageController(Controller):
    """Below /usage."""

    path = "/usage"
    tags = ("Usage",)

    @get(
        "/",
        operation_id="listUsage",
        permission="usage.read",
        summary="Requests, newest first",
        responses=refusals(401, 404, 422),
    )
    async def list_usage(
        self,
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        usage_filters: NamedDependency[UsageFilters],
        usage_reports: NamedDependency[UsageReports],
    ) -> UsageList:
        rows = await usage_reports.page(
            usage_filters.of(holder.account_id, holder.only_user_id),
            after_time=paging.after_time,
            after_id=paging.after_id,
            limit=paging.rows_wanted,
        )
        shown, last = paging.split(rows)
        return UsageList(
            items=[usage_item(row) for row in shown],
            next_cursor=last and cursor_of(last.created_at, last.request_id),
        )

    @get(
        "/{request_id:uuid}",
        operation_id="getReceipt",
        permission="usage.read",
        summary="How the cost of one request comes about",
        responses=refusals(401, 404),
    )
    async def receipt(
        self,
        request_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        usage_reports: NamedDependency[UsageReports],
    ) -> ReceiptView:
        receipt = await usage_reports.receipt(RequestId(request_id), holder.account_id, holder.only_user_id)
        return receipt_view(receipt, is_for_operator=holder.person.is_operator)

    @get(
        "/summary",
        operation_id="summarizeUsage",
        permission="usage.read",
        summary="Sums by day, hour, model or key; without a span over the last 30 days (hours: 2)",
        responses=refusals(401, 404, 422),
    )
    async def summary(
        self,
        holder: NamedDependency[AccountHolder],
        usage_filters: NamedDependency[UsageFilters],
        usage_reports: NamedDependency[UsageReports],
        group_by: Annotated[GroupBy, QueryParameter(description="What to sum by")] = "day",
        tz: Annotated[str, QueryParameter(description="IANA time zone of days", max_length=64)] = "UTC",
    ) -> SummaryView:
        filters = usage_filters.of(holder.account_id, holder.only_user_id)
        return summary_view(await usage_reports.summary(filters, group_by, tz, now()))

    @post(
        "/exports",
        operation_id="exportUsage",
        permission="usage.read",
        summary="Make a link to a CSV file of these requests; it works once, within a minute",
        responses=refusals(401, 404, 409, 422),
        opt={"secret_fields": ("url",)},
    )
    async def export(
        self,
        holder: NamedDependency[AccountHolder],
        usage_reports: NamedDependency[UsageReports],
        browsers: NamedDependency[Browsers],
        data: JSONBody[UsageFilters] = UsageFilters(),  # noqa: B008 - frozen
    ) -> ExportLink:
        filters = msgspec.structs.replace(data.of(holder.account_id, holder.only_user_id), until=data.to or now())
        token = await usage_reports.create_export(filters)
        return ExportLink(url=f"{browsers.api_url}/api/v1/usage/exports/file?token={token}")

    @get(
        "/exports/file",
        operation_id="downloadUsageExport",
        summary="The CSV file behind a link",
        media_type="text/csv",
        responses=refusals(401, 422),
    )
    async def download(
        self,
        visitor: NamedDependency[Visitor],
        usage_reports: NamedDependency[UsageReports],
        token: Annotated[str, QueryParameter(description="From the link", max_length=200)],
    ) -> Stream:
        del visitor
        return Stream(
            await usage_reports.open_export(token),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="usage.csv"', "cache-control": "no-store"},
        )


def usage_item(row: UsageRow) -> UsageItem:
    """What every view of a record has."""
    return UsageItem(
        request_id=row.request_id,
        created_at=row.created_at,
        model=row.model,
        key_id=row.key_id,
        status=row.status,
        usage=row.quantities,
        usage_source=row.usage_source,
        cost=row.cost,
        charged=row.charged,
        latency_ms=row.latency_ms,
        first_token_ms=row.first_token_ms,
        is_streaming=row.is_streaming,
        key_kind=row.key_kind,
    )


def summary_view(summary: Summary) -> SummaryView:
    """Sums as they are shown."""
    return SummaryView(
        items=[
            SummaryItem(
                key=row.key, requests=row.requests, cost=int(row.cost), charged=int(row.charged), usage=row.usage
            )
            for row in summary.rows
        ],
        total=SummaryTotal(requests=summary.requests, cost=summary.cost, charged=summary.charged, usage=summary.usage),
    )


def receipt_view(receipt: Receipt, *, is_for_operator: bool) -> ReceiptView:
    """The receipt; which channels were tried is the operator's business."""
    record = receipt.record
    return ReceiptView(
        **msgspec.structs.asdict(usage_item(record)),
        requested_model=record.requested_model,
        lines=list(receipt.bill.lines),
        subtotal=receipt.bill.subtotal,
        multiplier_micros=record.multiplier_micros,
        rate_card_id=record.rate_card_id,
        group=record.group_name,
        endpoint=record.endpoint,
        service_tier=record.service_tier,
        client_request_id=record.client_request_id,
        unpriced=list(record.unpriced),
        attempts=_attempts(record.attempts) if is_for_operator else None,
        provider_cost=record.provider_cost if is_for_operator else None,
    )


def _attempts(attempts: Sequence[object]) -> list[AttemptView]:
    return [msgspec.convert(attempt, AttemptView, from_attributes=True) for attempt in attempts]

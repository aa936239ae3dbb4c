"""Usage of every account, with what only operators see: whose it is, which channel served it, and what was tried."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from airouter.api.callers import Operator
from airouter.api.console.usage import ReceiptView, SummaryView, UsageItem, receipt_view, summary_view, usage_item
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.api.usage_filters import UsageFilters
from airouter.domain.ids import AccountId, RequestId
from airouter.services.usage_reports import UsageReports
from airouter.storage.usage_reads import GroupBy
from airouter.world import now

OneAccount = Annotated[UUID | None, QueryParameter(description="Only this account")]


class AdminUsageItem(UsageItem, frozen=True, kw_only=True):
    """One request of some account. `provider_cost`: what the channel's provider charges for it; null: not known."""

    account_id: UUID
    channel_id: UUID | None
    provider_cost: int | None


class AdminUsageList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[AdminUsageItem]
    next_cursor: str | None


class AdminReceipt(ReceiptView, frozen=True, kw_only=True):
    """The receipt of one request. `error`: why it failed or broke off, in a word."""

    account_id: UUID
    channel_id: UUID | None
    upstream_model: str | None
    error: str | None


class AdminUsageController(Controller):
    """Below /admin/usage."""

    path = "/admin/usage"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listAllUsage",
        permission="operator.read",
        summary="Everybody's requests, newest first",
        responses=refusals(401, 403, 422),
    )
    async def usage(
        self,
        *,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        usage_filters: NamedDependency[UsageFilters],
        usage_reports: NamedDependency[UsageReports],
        account_id: OneAccount = None,
    ) -> AdminUsageList:
        del operator
        rows = await usage_reports.page(
            usage_filters.of(None if account_id is None else AccountId(account_id)),
            after_time=paging.after_time,
            after_id=paging.after_id,
            limit=paging.rows_wanted,
        )
        shown, last = paging.split(rows)
        items = [
            AdminUsageItem(
                **msgspec.structs.asdict(usage_item(row)),
                account_id=row.account_id,
                channel_id=row.channel_id,
                provider_cost=row.provider_cost,
            )
            for row in shown
        ]
        return AdminUsageList(items=items, next_cursor=last and cursor_of(last.created_at, last.request_id))

    @get(
        "/summary",
        operation_id="summarizeAllUsage",
        permission="operator.read",
        summary="Sums over all accounts by day, hour, model or key",
        responses=refusals(401, 403, 422),
    )
    async def summary(
        self,
        *,
        operator: NamedDependency[Operator],
        usage_filters: NamedDependency[UsageFilters],
        usage_reports: NamedDependency[UsageReports],
        group_by: Annotated[GroupBy, QueryParameter(description="What to sum by")] = "day",
        tz: Annotated[str, QueryParameter(description="IANA time zone of days", max_length=64)] = "UTC",
        account_id: OneAccount = None,
    ) -> SummaryView:
        del operator
        filters = usage_filters.of(None if account_id is None else AccountId(account_id))
        return summary_view(await usage_reports.summary(filters, group_by, tz, now()))

    @get(
        "/{request_id:uuid}",
        operation_id="getAnyReceipt",
        permission="operator.read",
        summary="How the cost of one request comes about, and what was tried",
        responses=refusals(401, 403, 404),
    )
    async def receipt(
        self,
        request_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        usage_reports: NamedDependency[UsageReports],
    ) -> AdminReceipt:
        del operator
        receipt = await usage_reports.receipt(RequestId(request_id), None)
        view, record = receipt_view(receipt, is_for_operator=True), receipt.record
        return AdminReceipt(
            **msgspec.structs.asdict(view),
            account_id=record.account_id,
            channel_id=record.channel_id,
            upstream_model=record.upstream_model,
            error=record.error,
        )

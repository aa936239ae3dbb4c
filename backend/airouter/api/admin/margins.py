"""What is earned: charges beside what providers charged for the same calls."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.domain.errors import InvalidRequest
from airouter.services.margins import SPAN_DEFAULT, MarginReport, Margins
from airouter.storage.margins import MarginFilters, MarginsBy
from airouter.world import now


@get(
    "/admin/margins",
    operation_id="getMargins",
    permission="operator.read",
    summary="Charges, provider costs and what is left, by day, model, channel or account",
    tags=["Admin"],
    responses=refusals(401, 403, 422),
)
async def read_margins(
    *,
    operator: NamedDependency[Operator],
    margins: NamedDependency[Margins],
    group_by: Annotated[MarginsBy, QueryParameter(description="What to sum by")] = "day",
    tz: Annotated[str, QueryParameter(description="IANA time zone of days", max_length=64)] = "UTC",
    model: Annotated[str | None, QueryParameter(description="Only this model", max_length=200)] = None,
    channel_id: Annotated[UUID | None, QueryParameter(description="Only this channel")] = None,
    account_id: Annotated[UUID | None, QueryParameter(description="Only this account")] = None,
    since: Annotated[datetime | None, QueryParameter(name="from", description="From this time on")] = None,
    until: Annotated[datetime | None, QueryParameter(name="to", description="Until before this time")] = None,
) -> MarginReport:
    """Sums in quota as decimal strings, without a span over the last 30 days. Only calls whose channel had a known cost
    are covered: `margin` is the covered part of what was charged, less what it cost.
    """
    del operator
    for field, value in (("from", since), ("to", until)):
        if value is not None and value.tzinfo is None:
            raise InvalidRequest(f"{field}: say the time zone, as in 2030-01-31T12:00:00Z.", field=field)
    end = until or now()
    begin = since or end - SPAN_DEFAULT
    if end < begin:
        raise InvalidRequest("to: this is before `from`.", field="to")
    filters = MarginFilters(since=begin, until=end, model=model, channel_id=channel_id, account_id=account_id)
    return await margins.report(filters, group_by, tz)

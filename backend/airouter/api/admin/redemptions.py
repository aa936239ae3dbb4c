"""Who redeemed what and when, over all batches; and finding the batch of a code that somebody shows."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from airouter.api.admin.redemption_batches import BatchView, RedemptionList, batch_view, redemption_list
from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.paging import Paging
from airouter.domain.errors import InvalidRequest
from airouter.services.batch_codes import BatchCodes, CodeView
from airouter.services.redemptions import Redemptions
from airouter.storage.redemptions import Filters


class ShownCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code as somebody shows it; it is read as leniently as when it is redeemed."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class FoundCodeView(msgspec.Struct, frozen=True, kw_only=True):
    batch: BatchView
    code: CodeView


@get(
    "/admin/redemptions",
    operation_id="listAllRedemptions",
    permission="operator.read",
    summary="Who redeemed what, newest first",
    tags=["Admin"],
    responses=refusals(401, 403, 404, 422),
)
async def redemptions(
    *,
    operator: NamedDependency[Operator],
    paging: NamedDependency[Paging],
    redemptions: NamedDependency[Redemptions],
    batch_id: Annotated[UUID | None, QueryParameter(description="Only this batch")] = None,
    code_id: Annotated[UUID | None, QueryParameter(description="Only this code")] = None,
    account_id: Annotated[UUID | None, QueryParameter(description="Only this account")] = None,
    since: Annotated[datetime | None, QueryParameter(name="from", description="From this time on")] = None,
    until: Annotated[datetime | None, QueryParameter(name="to", description="Until before this time")] = None,
) -> RedemptionList:
    del operator
    for field, value in (("from", since), ("to", until)):
        if value is not None and value.tzinfo is None:
            raise InvalidRequest(f"{field}: say the time zone, as in 2030-01-31T12:00:00Z.", field=field)
    filters = Filters(batch_id=batch_id, code_id=code_id, account_id=account_id, since=since, until=until)
    return await redemption_list(redemptions, filters, paging)


@post(
    "/admin/redemption-codes/find",
    operation_id="findRedemptionCode",
    permission="operator.read",
    summary="The batch of a code that somebody shows",
    tags=["Admin"],
    status_code=200,
    responses=refusals(401, 403, 404, 422),
)
async def find(
    data: JSONBody[ShownCode], operator: NamedDependency[Operator], batch_codes: NamedDependency[BatchCodes]
) -> FoundCodeView:
    """The code travels in the body, so that it stands in no log. Nothing is kept but its hash, which finds it."""
    del operator
    found = await batch_codes.find(data.code)
    return FoundCodeView(batch=batch_view(found.batch), code=found.code)


REDEMPTIONS: Final[tuple[Any, ...]] = (redemptions, find)
"""Over all batches, for operators."""

"""What was done to an account, for its owner: its keys, its members, its group, its balance."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from airouter.api.admin.audit_log import ActList, acts_shown
from airouter.api.callers import AccountHolder
from airouter.api.documents import refusals
from airouter.api.paging import Paging
from airouter.services.audit_log import AuditLog


@get(
    "/audit-log",
    operation_id="listAccountActs",
    permission="acts.read",
    summary="Who did what to the account, newest first",
    tags=["Account"],
    responses=refusals(401, 403, 404, 422),
)
async def account_acts(
    holder: NamedDependency[AccountHolder],
    paging: NamedDependency[Paging],
    audit_log: NamedDependency[AuditLog],
    action: Annotated[
        str | None, QueryParameter(max_length=200, description="A whole one, or how several begin: `key`")
    ] = None,
) -> ActList:
    """`user_id` null: an operator of the house, or the house itself."""
    found = await audit_log.page_of_account(
        holder.account_id, action, paging.after_time, paging.after_id, paging.rows_wanted
    )
    return acts_shown(found, paging)

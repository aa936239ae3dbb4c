"""The audit log: who did what, from where, and what it was before and after. It is only ever added to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import Stream

from airouter.api.callers import Operator, Visitor
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.api.public.cookies import Browsers
from airouter.domain.errors import InvalidRequest
from airouter.services.audit_log import Actor, AuditLog
from airouter.storage.audit_log import ActFilters, ActRow, ExportFormat
from airouter.world import now

_MEDIA_TYPES: Final[dict[ExportFormat, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
}


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `user_id` null: the house itself, or a stranger. `before` and `after` say what changed; what was never
    there, or is secret, is not said. `is_erased`: personal details were taken out since.
    """

    id: UUID
    created_at: datetime
    action: str
    subject: str
    subject_id: str
    account_id: UUID | None
    user_id: UUID | None
    user_email: str | None
    token_id: UUID | None
    address: str | None
    request_id: UUID | None
    before: Any
    after: Any
    is_erased: bool


class ActList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ActView]
    next_cursor: str | None


Word = Annotated[str, msgspec.Meta(max_length=200)]


class Acts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which acts; absent: all. `from` is included, `to` is not."""

    user_id: UUID | None = None
    action: Word | None = None
    subject: Word | None = None
    subject_id: Word | None = None
    account_id: UUID | None = None
    since: datetime | None = msgspec.field(name="from", default=None)
    to: datetime | None = None

    def filters(self) -> ActFilters:
        """Raises InvalidRequest for a time without its zone."""
        for field, value in (("from", self.since), ("to", self.to)):
            if value is not None and value.tzinfo is None:
                raise InvalidRequest(f"{field}: say the time zone, as in 2030-01-31T12:00:00Z.", field=field)
        return ActFilters(
            user_id=self.user_id,
            action=self.action,
            subject=self.subject,
            subject_id=self.subject_id,
            account_id=self.account_id,
            since=self.since,
            until=self.to,
        )


class ActsExport(Acts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names are those of the list's filters."""

    format: ExportFormat = "csv"


class AuditExportLink(msgspec.Struct, frozen=True, kw_only=True):
    """Works once, within a minute. Null in a replayed answer."""

    url: str | None


def _filters(
    *,
    user_id: Annotated[UUID | None, QueryParameter(description="Who did it")] = None,
    action: Annotated[
        str | None, QueryParameter(max_length=200, description="A whole one, or how several begin: `channel`")
    ] = None,
    subject: Annotated[str | None, QueryParameter(max_length=200, description="What it was done to: `channel`")] = None,
    subject_id: Annotated[str | None, QueryParameter(max_length=200, description="Which one of them")] = None,
    account_id: Annotated[UUID | None, QueryParameter(description="Only what concerns this account")] = None,
    since: Annotated[datetime | None, QueryParameter(name="from", description="Not before (RFC 3339)")] = None,
    to: Annotated[datetime | None, QueryParameter(description="Before (RFC 3339)")] = None,
) -> ActFilters:
    return Acts(
        user_id=user_id,
        action=action,
        subject=subject,
        subject_id=subject_id,
        account_id=account_id,
        since=since,
        to=to,
    ).filters()


class AuditLogController(Controller):
    """Below /admin/audit-log."""

    path = "/admin/audit-log"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listActs",
        permission="audit.read",
        summary="Who did what, newest first",
        responses=refusals(401, 403, 422),
        dependencies={"act_filters": Provide(_filters, sync_to_thread=False)},
    )
    async def acts(
        self,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        act_filters: NamedDependency[ActFilters],
        audit_log: NamedDependency[AuditLog],
    ) -> ActList:
        del operator
        found = await audit_log.page(act_filters, paging.after_time, paging.after_id, paging.rows_wanted)
        return acts_shown(found, paging)

    @get(
        "/{act_id:uuid}",
        operation_id="getAct",
        permission="audit.read",
        summary="One act",
        responses=refusals(401, 403, 404),
    )
    async def act(
        self, act_id: FromPath[UUID], operator: NamedDependency[Operator], audit_log: NamedDependency[AuditLog]
    ) -> ActView:
        del operator
        return act_view(await audit_log.get(act_id))

    @post(
        "/exports",
        operation_id="exportActs",
        permission="audit.read",
        summary="Make a link to a file of these acts; it works once, within a minute",
        responses=refusals(401, 403, 409, 422),
        opt={"secret_fields": ("url",)},
    )
    async def export(
        self,
        *,
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        audit_log: NamedDependency[AuditLog],
        browsers: NamedDependency[Browsers],
        data: JSONBody[ActsExport] = ActsExport(),  # noqa: B008 - frozen
    ) -> AuditExportLink:
        """`csv` with one line an act, or `jsonl` with one object a line."""
        del operator
        filters = msgspec.structs.replace(data.filters(), until=data.to or now())
        token = await audit_log.create_export(filters, data.format, actor)
        return AuditExportLink(url=f"{browsers.api_url}/api/v1/audit-log/exports/file?token={token}")


@get(
    "/audit-log/exports/file",
    operation_id="downloadActs",
    summary="The file behind a link",
    tags=["Admin"],
    media_type="text/csv",
    responses=refusals(401, 422),
)
async def download_acts(
    visitor: NamedDependency[Visitor],
    audit_log: NamedDependency[AuditLog],
    token: Annotated[str, QueryParameter(description="From the link", max_length=200)],
) -> Stream:
    """For whoever has the link, once. It stands outside /admin, where everything asks who one is."""
    del visitor
    file_format, content = await audit_log.open_export(token)
    return Stream(
        content,
        media_type=_MEDIA_TYPES[file_format],
        headers={
            "content-disposition": f'attachment; filename="audit-log.{file_format}"',
            "cache-control": "no-store",
        },
    )


def acts_shown(found: Sequence[ActRow], paging: Paging) -> ActList:
    """A page of rows as it is shown."""
    shown, last = paging.split(found)
    return ActList(items=[act_view(row) for row in shown], next_cursor=last and cursor_of(last.created_at, last.act_id))


def act_view(row: ActRow) -> ActView:
    """A row as it is shown."""
    shown = msgspec.structs.asdict(row)
    del shown["is_member"]
    return ActView(id=shown.pop("act_id"), **shown)

"""Price lists of others: read in as proposals, compared, accepted line by line. Nothing is charged by a proposal."""

import base64
import binascii
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.paging import LIMIT_DEFAULT, LIMIT_MAX, Paging, cursor_of
from airouter.domain.errors import InvalidRequest
from airouter.domain.proposal import Change
from airouter.services.audit_log import Actor
from airouter.services.price_imports import Acceptance, ImportDraft, LineNumbers, NewName, PriceImports, SourcesView
from airouter.services.price_lines import ImportView, LineView
from airouter.services.price_sources import BYTES_MAX
from airouter.storage.price_imports import LineFilters, LineState

ESCAPED_BYTES_MAX = 2 * BYTES_MAX
"""A document inside a JSON text: its quotes are escaped."""


class ImportList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ImportView]
    next_cursor: str | None


class LineList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[LineView]
    next_cursor: str | None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """The lines as they are now."""

    lines: list[LineView]


class SkipBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines by number. `reopen`: take them up again."""

    lines: LineNumbers
    reopen: bool = False


class PriceImportController(Controller):
    """Below /admin/price-imports."""

    path = "/admin/price-imports"
    tags = ("Admin",)

    @get(
        "/sources",
        operation_id="listPriceSources",
        permission="operator.read",
        summary="What kinds of price lists can be read",
        responses=refusals(401, 403),
    )
    async def sources(
        self, operator: NamedDependency[Operator], price_imports: NamedDependency[PriceImports]
    ) -> SourcesView:
        """With the date and licence of the catalogue that comes with every release, and the ledger currency."""
        del operator
        return await price_imports.sources()

    @get(
        "/",
        operation_id="listPriceImports",
        permission="operator.read",
        summary="Lists that were read in, newest first",
        responses=refusals(401, 403, 422),
    )
    async def imports(
        self,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        price_imports: NamedDependency[PriceImports],
    ) -> ImportList:
        del operator
        after = paging.after and (paging.after.created_at, paging.after.row_id)
        shown, last = paging.split(await price_imports.page(after, paging.rows_wanted))
        return ImportList(items=shown, next_cursor=last and cursor_of(last.created_at, last.id))

    @post(
        "/",
        operation_id="createPriceImport",
        permission="catalogue.write",
        summary="Read a price list and compare it",
        request_max_body_size=ESCAPED_BYTES_MAX,
        responses=refusals(401, 403, 404, 413, 422, 502),
    )
    async def create(
        self,
        data: JSONBody[ImportDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        price_imports: NamedDependency[PriceImports],
    ) -> ImportView:
        """No price changes. Each price is `price x factor x (1 + markup)`, rounded up to a whole quota."""
        del operator
        return await price_imports.start(data, actor)

    @get(
        "/{import_id:uuid}",
        operation_id="getPriceImport",
        permission="operator.read",
        summary="A list that was read in",
        responses=refusals(401, 403, 404),
    )
    async def one(
        self,
        import_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        price_imports: NamedDependency[PriceImports],
    ) -> ImportView:
        """With how many lines do what, and what no line could be made of."""
        del operator
        return await price_imports.get(import_id)

    @get(
        "/{import_id:uuid}/lines",
        operation_id="listPriceImportLines",
        permission="operator.read",
        summary="Its lines, in the order of the list",
        responses=refusals(401, 403, 404, 422),
    )
    async def lines(
        self,
        *,
        import_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        price_imports: NamedDependency[PriceImports],
        search: Annotated[str | None, QueryParameter(max_length=200, description="Part of a model's name")] = None,
        vendor: Annotated[str | None, QueryParameter(max_length=200, description="Only of this vendor")] = None,
        change: Annotated[Change | None, QueryParameter(description="Only what would change like this")] = None,
        line_state: Annotated[LineState | None, QueryParameter(name="state", description="Only these")] = None,
        has_unmapped: Annotated[
            bool | None, QueryParameter(description="Whether the list says what no meter here can")
        ] = None,
        is_known: Annotated[bool | None, QueryParameter(description="Whether the model exists here")] = None,
        cursor: Annotated[str | None, QueryParameter(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="Lines on a page")] = LIMIT_DEFAULT,
    ) -> LineList:
        """Each beside the price that it was compared with, with the difference and the margin of every meter."""
        del operator
        filters = LineFilters(
            search=search or None,
            vendor=vendor,
            change=change,
            state=line_state,
            has_unmapped=has_unmapped,
            is_known=is_known,
        )
        found = await price_imports.lines(import_id, filters, _line_after(cursor), limit + 1)
        shown = found[:limit]
        return LineList(items=shown, next_cursor=_line_cursor(shown[-1].line) if len(found) > limit else None)

    @post(
        "/{import_id:uuid}/rename",
        operation_id="renamePriceImportLine",
        permission="catalogue.write",
        summary="Say what a line's model is called here",
        status_code=200,
        responses=refusals(401, 403, 404, 422),
    )
    async def rename(
        self,
        import_id: FromPath[UUID],
        data: JSONBody[NewName],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        price_imports: NamedDependency[PriceImports],
    ) -> LineView:
        """It is compared with the price of the model of that name. Only before it is accepted."""
        del operator
        return await price_imports.rename(import_id, data, actor)

    @post(
        "/{import_id:uuid}/accept",
        operation_id="acceptPriceImportLines",
        permission="catalogue.write",
        summary="Make rate cards of lines",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def accept(
        self,
        import_id: FromPath[UUID],
        data: JSONBody[Acceptance],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        price_imports: NamedDependency[PriceImports],
    ) -> Decided:
        """All of them, or none: 409 `price_changed` where a price is not the one that was compared with any more, 409
        `model_missing` where a model does not exist. Lines that were accepted before stay as they are.
        """
        del operator
        return Decided(lines=await price_imports.accept(import_id, data, actor))

    @post(
        "/{import_id:uuid}/skip",
        operation_id="skipPriceImportLines",
        permission="catalogue.write",
        summary="Set lines aside, or take them up again",
        status_code=200,
        responses=refusals(401, 403, 404, 422),
    )
    async def skip(
        self,
        import_id: FromPath[UUID],
        data: JSONBody[SkipBody],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        price_imports: NamedDependency[PriceImports],
    ) -> Decided:
        """Nothing else changes."""
        del operator
        lines = await price_imports.set_aside(import_id, data.lines, is_open=data.reopen, actor=actor)
        return Decided(lines=lines)

    @post(
        "/{import_id:uuid}/refresh",
        operation_id="refreshPriceImport",
        permission="catalogue.write",
        summary="Compare a list anew",
        status_code=200,
        responses=refusals(401, 403, 404),
    )
    async def refresh(
        self,
        import_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        price_imports: NamedDependency[PriceImports],
    ) -> ImportView:
        """What is not accepted yet, with the prices that hold now. The list itself is not fetched again."""
        del operator
        return await price_imports.refresh(import_id)


def _line_cursor(line: int) -> str:
    return base64.urlsafe_b64encode(line.to_bytes(4, "big")).decode().rstrip("=")


def _line_after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    number = int.from_bytes(raw, "big")
    if len(raw) != 4 or number >= 2**31:
        raise InvalidRequest("cursor: this is no cursor that a list answered with.", field="cursor")
    return number

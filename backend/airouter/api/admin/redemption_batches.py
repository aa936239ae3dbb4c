"""Redemption codes in batches. The codes are shown once, in the answer that makes them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import LIMIT_DEFAULT, LIMIT_MAX, Paging, cursor_of
from airouter.domain.ids import BatchId, CodeId
from airouter.services.audit_log import Actor
from airouter.services.batch_codes import BatchCodes, CodeView
from airouter.services.redemptions import BatchDraft, Redemptions
from airouter.storage.redemptions import BatchRow, RedemptionRow


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A batch; `redeemed` counts the uses of all its codes, `amount` is quota per use."""

    id: UUID
    name: str
    amount: int
    count: int
    uses_per_code: int
    uses_per_account: int
    groups: list[str] | None
    expires_at: datetime | None
    revoked_at: datetime | None
    redeemed: int
    created_at: datetime
    created_by: UUID | None


class NewBatchView(BatchView, frozen=True, kw_only=True):
    """`codes` are shown this once; in a replayed answer they are null."""

    codes: list[str] | None


class BatchList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[BatchView]
    next_cursor: str | None


class CodeList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[CodeView]
    next_cursor: str | None


class RedemptionView(msgspec.Struct, frozen=True, kw_only=True):
    """One use of one code."""

    code_id: UUID
    hint: str
    account_id: UUID
    user_id: UUID
    amount: int
    transfer_id: UUID
    redeemed_at: datetime


class RedemptionList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[RedemptionView]
    next_cursor: str | None


class RedemptionBatchController(Controller):
    """Below /admin/redemption-batches."""

    path = "/admin/redemption-batches"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listRedemptionBatches",
        permission="operator.read",
        summary="Batches, newest first",
        responses=refusals(401, 403, 422),
    )
    async def batches(
        self,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        redemptions: NamedDependency[Redemptions],
    ) -> BatchList:
        del operator
        found = await redemptions.batches(
            after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return BatchList(
            items=[_batch(row) for row in shown],
            next_cursor=last and cursor_of(last.created_at, last.batch_id),
        )

    @post(
        "/",
        operation_id="createRedemptionBatch",
        permission="money.write",
        summary="Make codes",
        responses=refusals(401, 403, 409, 422),
        opt={"secret_fields": ("codes",)},
    )
    async def create(
        self,
        data: JSONBody[BatchDraft],
        new_id: NamedDependency[NewId],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        redemptions: NamedDependency[Redemptions],
    ) -> NewBatchView:
        """Only this answer has the codes; afterwards their hashes are all there is."""
        batch, codes = await redemptions.create_batch(data, BatchId(new_id.value), operator.user_id, actor)
        return NewBatchView(**msgspec.structs.asdict(_batch(batch)), codes=codes)

    @get(
        "/{batch_id:uuid}",
        operation_id="getRedemptionBatch",
        permission="operator.read",
        summary="A batch",
        responses=refusals(401, 403, 404),
    )
    async def batch(
        self,
        batch_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        redemptions: NamedDependency[Redemptions],
    ) -> BatchView:
        del operator
        return _batch(await redemptions.batch(BatchId(batch_id)))

    @delete(
        "/{batch_id:uuid}",
        operation_id="revokeRedemptionBatch",
        permission="money.write",
        summary="Revoke all codes of a batch",
        responses=refusals(401, 403, 404),
    )
    async def revoke(
        self,
        batch_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        redemptions: NamedDependency[Redemptions],
    ) -> None:
        """What was not redeemed until now never will be; what was credited stays. The batch stays on the list."""
        del operator
        await redemptions.revoke_batch(BatchId(batch_id), actor)

    @get(
        "/{batch_id:uuid}/codes",
        operation_id="listRedemptionCodes",
        permission="operator.read",
        summary="The codes of a batch by their last characters, and what became of them",
        responses=refusals(401, 403, 404, 422),
    )
    async def codes(
        self,
        *,
        batch_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        batch_codes: NamedDependency[BatchCodes],
        cursor: Annotated[UUID | None, QueryParameter(description="`next_cursor` of the page before")] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="Lines on a page")] = LIMIT_DEFAULT,
    ) -> CodeList:
        del operator
        found = await batch_codes.page(BatchId(batch_id), cursor, limit + 1)
        return CodeList(items=found[:limit], next_cursor=str(found[limit - 1].id) if len(found) > limit else None)

    @delete(
        "/{batch_id:uuid}/codes/{code_id:uuid}",
        operation_id="revokeRedemptionCode",
        permission="money.write",
        summary="Revoke one code",
        responses=refusals(401, 403, 404),
    )
    async def revoke_code(
        self,
        batch_id: FromPath[UUID],
        code_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        batch_codes: NamedDependency[BatchCodes],
    ) -> None:
        """What it has credited stays, and so does its line on the list."""
        del operator
        await batch_codes.revoke(BatchId(batch_id), CodeId(code_id), actor)

    @get(
        "/{batch_id:uuid}/redemptions",
        operation_id="listRedemptions",
        permission="operator.read",
        summary="Who redeemed codes of a batch, newest first",
        responses=refusals(401, 403, 404, 422),
    )
    async def redemptions(
        self,
        batch_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        redemptions: NamedDependency[Redemptions],
    ) -> RedemptionList:
        del operator
        found = await redemptions.redemptions(
            BatchId(batch_id), after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return RedemptionList(
            items=[_redemption(row) for row in shown],
            next_cursor=last and cursor_of(last.redeemed_at, last.transfer_id),
        )


def _batch(row: BatchRow) -> BatchView:
    return BatchView(
        id=row.batch_id,
        name=row.name,
        amount=row.amount,
        count=row.count,
        uses_per_code=row.uses_per_code,
        uses_per_account=row.uses_per_account,
        groups=None if row.groups is None else list(row.groups),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        redeemed=row.redeemed,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _redemption(row: RedemptionRow) -> RedemptionView:
    return RedemptionView(
        code_id=row.code_id,
        hint=row.hint,
        account_id=row.account_id,
        user_id=row.user_id,
        amount=row.amount,
        transfer_id=row.transfer_id,
        redeemed_at=row.redeemed_at,
    )

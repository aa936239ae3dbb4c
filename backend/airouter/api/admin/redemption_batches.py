"""Redemption codes in batches. The codes are shown once, in the answer that makes them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import LIMIT_DEFAULT, LIMIT_MAX, Paging, cursor_of
from airouter.domain.ids import BatchId, CodeId
from airouter.services.audit_log import Actor
from airouter.services.batch_codes import BatchChanges, BatchCodes, CodeView
from airouter.services.redemptions import BatchDraft, Redemptions
from airouter.services.step_up import StepUp
from airouter.storage.redemptions import BatchRow, Filters, RedemptionRow


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A batch; `redeemed` counts the uses of all its codes, `amount` is quota per use.

    `is_campaign`: its one code has words that an operator chose.
    """

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
    is_campaign: bool


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
    batch_id: UUID
    batch_name: str
    hint: str
    account_id: UUID
    account_name: str
    user_id: UUID
    user_email: str | None
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
            items=[batch_view(row) for row in shown],
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
        *,
        data: JSONBody[BatchDraft],
        new_id: NamedDependency[NewId],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        redemptions: NamedDependency[Redemptions],
        step_up: NamedDependency[StepUp],
    ) -> NewBatchView:
        """Only this answer has the codes; afterwards their hashes are all there is. Codes worth more than policy
        `sign_in.reauthenticate_above` together need a fresh proof of who one is.
        """
        await step_up.require_above(operator.person, data.amount * data.count * data.uses_per_code)
        batch, codes = await redemptions.create_batch(data, BatchId(new_id.value), operator.user_id, actor)
        return NewBatchView(**msgspec.structs.asdict(batch_view(batch)), codes=codes)

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
        return batch_view(await redemptions.batch(BatchId(batch_id)))

    @patch(
        "/{batch_id:uuid}",
        operation_id="updateRedemptionBatch",
        permission="money.write",
        summary="Rename a batch, or change its end",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def update(
        self,
        *,
        batch_id: FromPath[UUID],
        data: JSONBody[BatchChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        batch_codes: NamedDependency[BatchCodes],
    ) -> BatchView:
        """A batch that was revoked or has ended is never opened again: 409 `batch_closed`."""
        del operator
        return batch_view(await batch_codes.edit(BatchId(batch_id), data, actor))

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
        return await redemption_list(redemptions, Filters(batch_id=batch_id), paging)


async def redemption_list(redemptions: Redemptions, filters: Filters, paging: Paging) -> RedemptionList:
    """A page of who redeemed what."""
    found = await redemptions.redemptions(
        filters, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
    )
    shown, last = paging.split(found)
    return RedemptionList(
        items=[_redemption(row) for row in shown],
        next_cursor=last and cursor_of(last.redeemed_at, last.transfer_id),
    )


def batch_view(row: BatchRow) -> BatchView:
    """As operators see it."""
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
        is_campaign=row.is_campaign,
    )


def _redemption(row: RedemptionRow) -> RedemptionView:
    return RedemptionView(
        code_id=row.code_id,
        batch_id=row.batch_id,
        batch_name=row.batch_name,
        hint=row.hint,
        account_id=row.account_id,
        account_name=row.account_name,
        user_id=row.user_id,
        user_email=row.user_email,
        amount=row.amount,
        transfer_id=row.transfer_id,
        redeemed_at=row.redeemed_at,
    )

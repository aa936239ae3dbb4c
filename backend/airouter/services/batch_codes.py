"""What became of the codes of a batch, and taking one back."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from airouter.domain.errors import CodeUnknown, InvalidRequest, NotFound
from airouter.domain.ids import AccountId, BatchId, CodeId
from airouter.domain.redemption import is_mistyped
from airouter.domain.reward_errors import BatchClosed
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.redemptions import Redemptions
from airouter.storage import batch_codes as rows
from airouter.storage import redemptions as batches
from airouter.storage.batch_codes import CodeRow
from airouter.storage.database import Database
from airouter.storage.redemptions import BatchRow
from airouter.world import now

CodeStatus = Literal["open", "used", "revoked", "expired"]


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """`status`: `used` when it was redeemed as often as it may be."""

    id: CodeId
    hint: str
    status: CodeStatus
    uses: int
    last_redeemed_at: datetime | None
    last_account_id: AccountId | None


class BatchChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not said stays as it is. `expires_at` null: without an end."""

    name: Annotated[str, Meta(min_length=1, max_length=120)] | msgspec.UnsetType = msgspec.UNSET
    expires_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


class FoundCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code with its batch."""

    batch: BatchRow
    code: CodeView


class BatchCodes:
    """The operator's verbs for single codes, and for batches that exist."""

    def __init__(self, database: Database, redemptions: Redemptions) -> None:
        self._database = database
        self._redemptions = redemptions

    async def page(self, batch_id: BatchId, after: UUID | None, limit: int) -> list[CodeView]:
        """In the order of their making. Raises NotFound."""
        batch = await self._redemptions.batch(batch_id)
        async with self._database.connection() as connection:
            found = await rows.codes_of_batch(connection, batch_id, after, limit)
        return [_view(row, batch) for row in found]

    async def revoke(self, batch_id: BatchId, code_id: CodeId, actor: Actor = SYSTEM) -> CodeView:
        """It is not redeemed any more; what it has credited stays. Raises NotFound."""
        batch = await self._redemptions.batch(batch_id)
        async with self._database.transaction() as connection:
            row = await rows.revoke_code(connection, batch_id, code_id)
            if row is None:
                raise NotFound("The batch has no such code.")
            said = {"batch_id": batch_id, "batch": batch.name, "hint": row.hint}
            act = Act(action="code.revoked", subject="code", subject_id=str(code_id), after=said)
            await record(connection, actor, act)
        return _view(row, batch)

    async def edit(self, batch_id: BatchId, changes: BatchChanges, actor: Actor = SYSTEM) -> BatchRow:
        """Another name, or another end. What is revoked or has ended is never opened again.

        Raises:
            NotFound
            BatchClosed: it was revoked or has ended, so only its name can change.
            InvalidRequest: an end that is over, or a campaign without one.
        """
        async with self._database.transaction() as connection:
            before = await batches.lock_batch(connection, batch_id)
            if before is None:
                raise NotFound
            expires_at = before.expires_at if changes.expires_at is msgspec.UNSET else changes.expires_at
            if expires_at != before.expires_at:
                _check_end(before, expires_at)
            name = before.name if changes.name is msgspec.UNSET else changes.name
            await batches.update_batch(connection, batch_id, name, expires_at)
            after = msgspec.structs.replace(before, name=name, expires_at=expires_at)
            act = Act(action="batch.changed", subject="batch", subject_id=str(batch_id), before=before, after=after)
            await record(connection, actor, act)
        return after

    async def find(self, typed: str) -> FoundCode:
        """The batch of a code that somebody shows, and what became of it. Raises CodeUnknown."""
        if is_mistyped(typed):
            raise CodeUnknown("There is a typing mistake in this code.", is_mistyped=True)
        hashes = self._redemptions.hashes(typed)
        async with self._database.transaction(is_read_only=True) as connection:
            located = await rows.find_code_by_hash(connection, hashes)
            if located is None:
                raise CodeUnknown
            batch = await batches.find_batch(connection, located.batch_id)
            assert batch is not None, "a code without a batch"
            row = await rows.find_code(connection, located.batch_id, located.code_id)
        return FoundCode(batch=batch, code=_view(row, batch))


def _check_end(batch: BatchRow, expires_at: datetime | None) -> None:
    if batch.revoked_at is not None or (batch.expires_at is not None and batch.expires_at <= now()):
        raise BatchClosed
    if batch.is_campaign and expires_at is None:
        raise InvalidRequest("expires_at: a campaign code has an end.", field="expires_at")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now()):
        raise InvalidRequest("expires_at: this must be a time to come, with its zone.", field="expires_at")


def _view(row: CodeRow, batch: BatchRow) -> CodeView:
    return CodeView(
        id=row.code_id,
        hint=row.hint,
        status=_status(row, batch),
        uses=row.uses,
        last_redeemed_at=row.last_redeemed_at,
        last_account_id=row.last_account_id,
    )


def _status(row: CodeRow, batch: BatchRow) -> CodeStatus:
    if row.uses >= batch.uses_per_code:
        return "used"
    if row.revoked_at is not None or batch.revoked_at is not None:
        return "revoked"
    if batch.expires_at is not None and batch.expires_at <= now():
        return "expired"
    return "open"

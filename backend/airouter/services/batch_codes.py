"""What became of the codes of a batch, and taking one back."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.errors import NotFound
from airouter.domain.ids import AccountId, BatchId, CodeId
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.redemptions import Redemptions
from airouter.storage import batch_codes as rows
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


class BatchCodes:
    """The operator's verbs for single codes."""

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

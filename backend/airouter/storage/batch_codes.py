"""The codes of a batch as an operator sees them. The codes themselves are nowhere: only their hashes are kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, BatchId, CodeId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("batch_codes")


class CodeRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One code: its last characters, and what became of it."""

    code_id: CodeId
    hint: str
    uses: int
    revoked_at: datetime | None
    last_redeemed_at: datetime | None
    last_account_id: AccountId | None


class Located(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a code is."""

    batch_id: BatchId
    code_id: CodeId


async def codes_of_batch(connection: Connection, batch_id: BatchId, after: UUID | None, limit: int) -> list[CodeRow]:
    """In the order of their making."""
    return [row_as(CodeRow, row) for row in await connection.fetch(QUERIES.codes_of_batch, batch_id, after, limit)]


async def find_code_by_hash(connection: Connection, hashes: Sequence[bytes]) -> Located | None:
    record = await connection.fetchrow(QUERIES.find_code_by_hash, list(hashes))
    return None if record is None else row_as(Located, record)


async def find_code(connection: Connection, batch_id: BatchId, code_id: CodeId) -> CodeRow:
    """One that exists."""
    return row_as(CodeRow, await connection.fetchrow(QUERIES.find_code, batch_id, code_id))


async def revoke_code(connection: Connection, batch_id: BatchId, code_id: CodeId) -> CodeRow | None:
    """None: the batch has no such code."""
    if await connection.fetchval(QUERIES.revoke_code, batch_id, code_id) is None:
        return None
    return await find_code(connection, batch_id, code_id)

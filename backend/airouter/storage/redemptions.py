"""Redemption codes, their batches, and who redeemed what."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from airouter.domain.errors import AlreadyExists
from airouter.domain.ids import AccountId, BatchId, CodeId, TransferId, UserId
from airouter.domain.redemption import Code
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("redemptions")


class NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch to be."""

    batch_id: BatchId
    name: str
    amount: int
    count: int
    uses_per_code: int
    uses_per_account: int
    groups: tuple[str, ...] | None
    expires_at: datetime | None
    created_by: UserId | None
    is_campaign: bool


class NewCode(msgspec.Struct, frozen=True, kw_only=True):
    """Of a code only its keyed hash is kept, and its last four characters."""

    code_id: CodeId
    code_hash: bytes
    hint: str


class BatchRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch; `redeemed` counts the uses of all its codes."""

    batch_id: BatchId
    name: str
    amount: int
    count: int
    uses_per_code: int
    uses_per_account: int
    groups: tuple[str, ...] | None
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    created_by: UserId | None
    is_campaign: bool
    redeemed: int


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which redemptions. None: all. `since` is included, `until` is not."""

    batch_id: UUID | None = None
    code_id: UUID | None = None
    account_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class RedemptionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One use of one code."""

    code_id: CodeId
    batch_id: BatchId
    batch_name: str
    hint: str
    account_id: AccountId
    account_name: str
    user_id: UserId
    user_email: str | None
    nth: int
    amount: int
    transfer_id: TransferId
    redeemed_at: datetime


async def insert_batch(connection: Connection, batch: NewBatch, codes: Sequence[NewCode]) -> bool:
    """False: there is a batch with this id already, and nothing was written.

    Raises:
        AlreadyExists: a code of these words exists.
    """
    if await connection.fetchval(QUERIES.insert_batch, *msgspec.structs.astuple(batch)) is None:
        return False
    columns = [code.code_id for code in codes], [code.code_hash for code in codes], [code.hint for code in codes]
    try:
        await connection.execute(QUERIES.insert_codes, batch.batch_id, *columns)
    except asyncpg.UniqueViolationError as error:  # campaign codes: nobody draws 130 bits twice
        message = "There is a code of these words already; a code that was withdrawn or has expired counts, too."
        raise AlreadyExists(message, field="code") from error
    return True


async def lock_code(connection: Connection, hashes: Sequence[bytes], account_id: AccountId) -> Code | None:
    """The code with one of these hashes, held until the transaction ends."""
    record = await connection.fetchrow(QUERIES.lock_code, list(hashes))
    if record is None:
        return None
    uses = await connection.fetchval(QUERIES.uses_by_account, record["code_id"], account_id)
    return row_as(Code, {**dict(record), "uses_by_account": uses})


async def use_code(connection: Connection, code: Code) -> bool:
    """False: it was used as often as it may be, or revoked."""
    return await connection.fetchval(QUERIES.use_code, code.code_id, code.uses_per_code) is not None


async def insert_redemption(
    connection: Connection,
    code_id: CodeId,
    account_id: AccountId,
    *,
    nth: int,
    user_id: UserId,
    transfer_id: TransferId,
) -> None:
    await connection.execute(QUERIES.insert_redemption, code_id, account_id, nth, user_id, transfer_id)


async def clock(connection: Connection) -> datetime:
    """Postgres' time, which decides whether a code has expired."""
    return value_as(datetime, await connection.fetchval(QUERIES.now))


async def batches(
    connection: Connection, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[BatchRow]:
    """Newest first."""
    return [row_as(BatchRow, row) for row in await connection.fetch(QUERIES.batches, after_time, after_id, limit)]


async def find_batch(connection: Connection, batch_id: BatchId) -> BatchRow | None:
    record = await connection.fetchrow(QUERIES.find_batch, batch_id)
    return record and row_as(BatchRow, record)


async def revoke_batch(connection: Connection, batch_id: BatchId) -> bool:
    return await connection.fetchval(QUERIES.revoke_batch, batch_id) is not None


async def lock_batch(connection: Connection, batch_id: BatchId) -> BatchRow | None:
    """Held until the transaction ends."""
    record = await connection.fetchrow(QUERIES.lock_batch, batch_id)
    return record and row_as(BatchRow, record)


async def update_batch(connection: Connection, batch_id: BatchId, name: str, expires_at: datetime | None) -> None:
    await connection.execute(QUERIES.update_batch, batch_id, name, expires_at)


async def redemption_page(
    connection: Connection, filters: Filters, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[RedemptionRow]:
    """Newest first."""
    chosen = msgspec.structs.astuple(filters)
    records = await connection.fetch(QUERIES.redemption_page, *chosen, after_time, after_id, limit)
    return [row_as(RedemptionRow, record) for record in records]

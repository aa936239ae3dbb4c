"""Requests that carried an idempotency key, and how they were answered."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("idempotency")


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The right to run a request. `claim_id` stays the same when a run is taken over from a process that died."""

    claim_id: UUID
    started_at: datetime


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An earlier request. `status` None: it is still running."""

    body_hash: bytes
    status: int | None
    answer: bytes | None
    media_type: str | None


async def claim(
    connection: Connection, scope: str, key: str, *, body_hash: bytes, claim_id: UUID, stale_after: timedelta
) -> Claim | None:
    """None: somebody else has it; see `known`."""
    record = await connection.fetchrow(QUERIES.claim, scope, key, body_hash, claim_id, stale_after)
    return record and row_as(Claim, record)


async def known(connection: Connection, scope: str, key: str) -> Known | None:
    record = await connection.fetchrow(QUERIES.known, scope, key)
    return record and row_as(Known, record)


async def keep(
    connection: Connection, scope: str, key: str, *, started_at: datetime, status: int, answer: bytes, media_type: str
) -> None:
    await connection.execute(QUERIES.keep, scope, key, status, answer, media_type, started_at)


async def let_go(connection: Connection, scope: str, key: str, started_at: datetime) -> None:
    await connection.execute(QUERIES.let_go, scope, key, started_at)


async def forget_old(connection: Connection) -> None:
    await connection.execute(QUERIES.forget_old)

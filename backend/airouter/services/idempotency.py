"""One request, however often it is sent. The first answer is kept for a day and replayed.

A process may die between doing the thing and keeping its answer. So the row also keeps an id which the thing gets (a
key's id, a batch's id, the reference of a transfer): whoever takes the request over meets its own work, not a second
one.
"""

import hashlib
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.errors import IdempotencyInProgress, IdempotencyKeyReused, InvalidRequest
from airouter.storage import idempotency as rows
from airouter.storage.database import Database
from airouter.storage.idempotency import Claim

STALE_AFTER: Final = timedelta(seconds=60)
"""No request of the management API runs for longer; its statements time out long before."""
_KEY_LENGTH_MAX: Final = 255


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The first answer, without its secrets."""

    status: int
    body: bytes
    media_type: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """This request is the one that counts."""

    scope: str
    key: str
    claim: Claim


class Idempotency:
    """Decides which of equal requests runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, scope: str, key: str, body: bytes, new_id: UUID) -> Run | Replay:
        """The right to run, or the answer of the one that ran.

        Raises:
            InvalidRequest: the key is empty, too long or not printable.
            IdempotencyKeyReused: the first request had another body.
            IdempotencyInProgress: the first request is still running.
        """
        if not 1 <= len(key) <= _KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
            raise InvalidRequest("Idempotency-Key: 1 to 255 printable ASCII characters.", field="Idempotency-Key")
        body_hash = hashlib.sha256(body).digest()
        async with self._database.connection() as connection:
            claim = await rows.claim(
                connection, scope, key, body_hash=body_hash, claim_id=new_id, stale_after=STALE_AFTER
            )
            if claim is not None:
                return Run(scope=scope, key=key, claim=claim)
            known = await rows.known(connection, scope, key)
        if known is not None and known.body_hash != body_hash:
            raise IdempotencyKeyReused
        if known is None or known.status is None:
            raise IdempotencyInProgress
        return Replay(status=known.status, body=known.answer or b"", media_type=known.media_type or "")

    async def keep(self, run: Run, status: int, body: bytes, media_type: str) -> None:
        """What every later request with this key is answered."""
        async with self._database.connection() as connection:
            await rows.keep(
                connection,
                run.scope,
                run.key,
                started_at=run.claim.started_at,
                status=status,
                answer=body,
                media_type=media_type,
            )

    async def let_go(self, run: Run) -> None:
        """Nothing was decided: the next request with this key runs again, with the same claim."""
        async with self._database.connection() as connection:
            await rows.let_go(connection, run.scope, run.key, run.claim.started_at)

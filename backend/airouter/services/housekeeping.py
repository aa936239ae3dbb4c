"""Forgetting what nobody will ask for again: old idempotency keys, attempts, sessions and export links."""

import asyncio
import logging
import random
from contextlib import suppress
from typing import Final

from airouter.domain.errors import DatabaseUnavailable
from airouter.storage import (
    alerts,
    attempts,
    background_jobs,
    factors,
    idempotency,
    keys,
    mails,
    rate_shares,
    registrations,
    sessions,
    stored_ids,
    usage_reads,
)
from airouter.storage.database import Database

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 3600.0


class Housekeeping:
    """Runs about once an hour in every process; several at once do no harm, and one that is missed is made up for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="housekeeping")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def clean(self) -> None:
        """Once, now."""
        for forget in (
            idempotency.forget_old,
            attempts.forget_attempts,
            sessions.forget_ended_sessions,
            factors.forget_spent_proofs,
            mails.forget_mails,
            registrations.forget_stale,
            usage_reads.forget_exports,
            keys.forget_ephemeral_keys,
            alerts.forget_deliveries,
            rate_shares.forget_nodes,
            stored_ids.forget_expired,
            background_jobs.forget_ended,
        ):
            async with self._database.connection() as connection:
                await forget(connection)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS * random.uniform(0.5, 1.5))
            try:
                await self.clean()
            except DatabaseUnavailable:
                logger.warning("housekeeping.database_away")
            except Exception:
                logger.exception("housekeeping.failed")

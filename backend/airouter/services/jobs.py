"""Recurring work: sending mail, asking processors about open orders, releasing rewards. Each by one process at a time.

A job is made of idempotent verbs: its process may die in the middle, and after `patience` another begins anew.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import msgspec

from airouter.domain.errors import DatabaseUnavailable
from airouter.storage import jobs as rows
from airouter.storage.database import Database

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
"""How often a process asks whether something is due; also the longest that hurried work waits elsewhere."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`run` is repeated `pause` after it ended. A run that takes longer than `patience` is taken for dead."""

    name: str
    run: Callable[[], Awaitable[object]]
    pause: timedelta
    patience: timedelta = timedelta(minutes=5)


class Jobs:
    """Looks after every job of the house in one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: dict[str, Job] = {}
        self._hurried: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, job: Job) -> None:
        """Before `start`."""
        assert job.name not in self._jobs, f"the job {job.name} is known"
        self._jobs[job.name] = job
        self._hurried[job.name] = asyncio.Event()

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._look_after(job), name=f"job {job.name}") for job in self._jobs.values()
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def hurry(self, name: str) -> None:
        """Something has just been left for this job: it runs here at once, unless another process is at it."""
        self._hurried[name].set()

    async def run(self, name: str) -> None:
        """Once, now, whether or not it is due. For tests and commands."""
        await self._jobs[name].run()

    async def _look_after(self, job: Job) -> None:
        is_announced = False
        while True:
            is_hurried = await self._pause(job)
            try:
                async with self._database.transaction() as connection:
                    if not is_announced:
                        await rows.announce_job(connection, job.name)
                        is_announced = True
                    if is_hurried:
                        await rows.hurry_job(connection, job.name)
                    if not await rows.claim_job(connection, job.name, job.patience):
                        continue
                await self._do(job)
            except DatabaseUnavailable:
                logger.warning("job.database_away", extra={"job": job.name})
            except Exception:
                logger.exception("job.failed", extra={"job": job.name})

    async def _pause(self, job: Job) -> bool:
        """Until the next look; whether the job was hurried meanwhile."""
        hurried = self._hurried[job.name]
        try:
            async with asyncio.timeout(min(_LOOK_SECONDS, job.pause.total_seconds()) * random.uniform(0.8, 1.2)):
                await hurried.wait()
        except TimeoutError:
            return False
        hurried.clear()
        return True

    async def _do(self, job: Job) -> None:
        error: str | None = None
        try:
            async with asyncio.timeout(job.patience.total_seconds()):
                await job.run()
        except Exception as failure:
            error = type(failure).__name__
            raise
        finally:
            async with self._database.transaction() as connection:
                await rows.finish_job(connection, job.name, job.pause, error)

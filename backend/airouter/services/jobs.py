"""Recurring work: sending mail, asking processors about open orders, releasing rewards. Each by one process at a time.

A job is made of idempotent verbs: its process may die in the middle, and after `patience` another begins anew.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec

from airouter.domain.errors import DatabaseUnavailable
from airouter.storage import jobs as rows
from airouter.storage.database import Connection, Database

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
        is_announced = is_hurried = False
        done: _Done | None = None
        while True:
            is_hurried = await self._pause(job) or is_hurried
            try:
                async with self._database.transaction() as connection:
                    if done is not None:
                        await _finish(connection, job, done)
                    if not is_announced:
                        await rows.announce_job(connection, job.name)
                    if is_hurried:
                        await rows.hurry_job(connection, job.name)
                    claimed_until = await rows.claim_job(connection, job.name, job.patience)
                # Not before it is committed: what is lost with the database is said again.
                is_announced, is_hurried, done = True, False, None
                if claimed_until is not None:
                    done = await self._do(job, claimed_until)
                    async with self._database.transaction() as connection:
                        await _finish(connection, job, done)
                    done = None
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

    async def _do(self, job: Job, claimed_until: datetime) -> "_Done":
        """Returns whatever became of it; a process that stops says at once that it is no longer at it."""
        try:
            async with asyncio.timeout(job.patience.total_seconds()):
                await job.run()
        except asyncio.CancelledError:
            async with self._database.transaction() as connection:
                await _finish(connection, job, _Done(claimed_until=claimed_until, error=None))
            raise
        except DatabaseUnavailable as failure:
            logger.warning("job.database_away", extra={"job": job.name})
            return _Done(claimed_until=claimed_until, error=type(failure).__name__)
        except Exception as failure:
            logger.exception("job.failed", extra={"job": job.name})
            return _Done(claimed_until=claimed_until, error=type(failure).__name__)
        return _Done(claimed_until=claimed_until, error=None)


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """A run that ended. Until the database knows, everybody believes that somebody is at it."""

    claimed_until: datetime
    error: str | None


async def _finish(connection: Connection, job: Job, done: _Done) -> None:
    await rows.finish_job(connection, job.name, done.claimed_until, pause=job.pause, error=done.error)

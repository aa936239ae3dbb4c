"""Recurring work is done by one process at a time, again after its pause, and at once when it is hurried."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from airouter.services.jobs import Job, Jobs
from airouter.storage.database import Database
from tests.patience import until


@asynccontextmanager
async def working(dsn: str, run: Callable[[], Awaitable[None]], pause: float = 3600) -> AsyncIterator[Jobs]:
    database = await Database.open(dsn)
    jobs = Jobs(database)
    jobs.add(Job(name="work", run=run, pause=timedelta(seconds=pause)))
    jobs.start()
    try:
        yield jobs
    finally:
        await jobs.stop()
        await database.close()


async def test_one_of_two_processes_does_the_work(database: str):
    at_it: list[int] = []
    most: list[int] = []

    async def run() -> None:
        at_it.append(1)
        most.append(len(at_it))
        await asyncio.sleep(0.05)
        at_it.pop()

    async with working(database, run, pause=0.01), working(database, run, pause=0.01):
        await until(lambda: len(most) >= 6)  # six runs
    assert max(most) == 1


async def test_hurried_work_is_done_before_its_pause_is_over(database: str):
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)

    async with working(database, run) as jobs:
        await until(lambda: len(runs) == 1)  # the first run
        jobs.hurry("work")
        await until(lambda: len(runs) == 2)  # the hurried run


async def test_work_left_while_somebody_is_at_it_is_done_afterwards(database: str):
    runs: list[int] = []
    may_end = asyncio.Event()

    async def run() -> None:
        runs.append(1)
        await may_end.wait()

    async with working(database, run), working(database, run) as other:
        await until(lambda: len(runs) == 1)  # the first run
        other.hurry("work")
        await asyncio.sleep(0.1)
        may_end.set()
        await until(lambda: len(runs) == 2)  # the run for what was left meanwhile


async def test_work_that_fails_is_noted_and_tried_again(database: str, pool: asyncpg.Pool):
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError

    async with working(database, run, pause=0.01):
        await until(lambda: len(runs) >= 3)  # the second run, whole
    assert await pool.fetchval("SELECT last_error FROM jobs") is None


async def test_work_whose_end_the_database_did_not_hear_is_not_taken_for_going_on(database: str, pool: asyncpg.Pool):
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            await pool.execute("ALTER TABLE jobs RENAME TO jobs_away")

    async with working(database, run, pause=0.01):
        await until(lambda: len(runs) == 1)  # the first run
        await asyncio.sleep(0.1)
        await pool.execute("ALTER TABLE jobs_away RENAME TO jobs")
        await until(lambda: len(runs) >= 2)  # the second run


async def test_what_was_hurried_while_the_database_was_away_is_done_when_it_is_back(database: str, pool: asyncpg.Pool):
    runs: list[int] = []

    async def run() -> None:
        runs.append(1)

    async with working(database, run) as jobs:
        await until(lambda: len(runs) == 1)  # the first run
        await _finished(pool)
        await pool.execute("ALTER TABLE jobs RENAME TO jobs_away")
        jobs.hurry("work")
        await asyncio.sleep(0.1)
        await pool.execute("ALTER TABLE jobs_away RENAME TO jobs")
        await until(lambda: len(runs) == 2)  # the hurried run


async def _finished(pool: asyncpg.Pool) -> None:
    async def is_told() -> bool:
        return await pool.fetchval("SELECT count(*) FROM jobs WHERE last_run_at IS NULL") == 0

    await until(is_told)

"""The Postgres of a test run: one server, one migrated template, one cloned database per test.

`AIROUTER_TEST_DATABASE_URL` (a superuser's or CREATEDB owner's URL) replaces the embedded server.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from airouter.running.postgres import NOT_DURABLE, EmbeddedPostgres, stop_left_behind
from tests import deadlocks
from tests.patience import until

PREFIX = "airouter-test-pg-"
ADMIN_DATABASE = "postgres"
IN_MEMORY = Path("/dev/shm")
FREE_BYTES_MIN = 3_000_000_000


@contextlib.contextmanager
def server() -> Iterator[str]:
    """URL of a database to connect to for making others; the server ends with the block, which fails when transactions
    waited for each other in a circle (tests/deadlocks.py; not with a server that was configured).
    """
    configured = os.environ.get("AIROUTER_TEST_DATABASE_URL")
    if configured:
        yield configured
        return
    _sweep_left_overs()
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_fast_folder()))
    (place / "owner.pid").write_text(str(os.getpid()))
    postgres = EmbeddedPostgres(place, options=(*NOT_DURABLE, deadlocks.LINE_PREFIX))
    deadlocks.LOGS.append(postgres.log)
    try:
        try:
            asyncio.run(postgres.start())
            yield postgres.dsn(ADMIN_DATABASE)
        finally:
            asyncio.run(postgres.stop())
        deadlocks.refuse_in(postgres.log)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _fast_folder() -> Path:
    """Memory where there is enough of it: copying a database for each test costs a tenth of what it costs on a disk."""
    with contextlib.suppress(OSError):
        there = os.statvfs(IN_MEMORY)
        if there.f_bavail * there.f_frsize > FREE_BYTES_MIN and os.access(IN_MEMORY, os.W_OK):
            return IN_MEMORY
    return Path(tempfile.gettempdir())


def _sweep_left_overs() -> None:
    """Stop and remove the servers of test runs that were killed."""
    for place in [p for folder in {IN_MEMORY, Path(tempfile.gettempdir())} for p in folder.glob(f"{PREFIX}*")]:
        with contextlib.suppress(OSError, ValueError):
            owner = int((place / "owner.pid").read_text())
            try:
                os.kill(owner, 0)
            except ProcessLookupError:
                asyncio.run(_end(place))


async def _end(place: Path) -> None:
    await stop_left_behind(place)
    shutil.rmtree(place, ignore_errors=True)


def at(dsn: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


async def make_template(admin: str, furnish: Callable[[str], Awaitable[None]]) -> str:
    """Create and furnish a database that nobody connects to afterwards; its name."""
    name = f"template_{uuid4().hex[:12]}"
    await _execute(admin, f"CREATE DATABASE {name}")
    await furnish(at(admin, name))
    return name


@contextlib.asynccontextmanager
async def cloned(admin: str, template: str) -> AsyncIterator[str]:
    """URL of a fresh copy of `template`, dropped afterwards with whoever still is connected."""
    name = f"test_{uuid4().hex[:12]}"
    # Half the work of the other strategy while nothing is forced to a disk.
    await _execute(admin, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield at(admin, name)
    finally:
        await _execute(admin, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(dsn: str, statement: str) -> None:
    """Again while somebody is still about to leave the database: Postgres waits five seconds for them, no more."""
    connection = await asyncpg.connect(dsn)

    async def is_done() -> bool:
        try:
            await connection.execute(statement)
        except asyncpg.ObjectInUseError:
            return False
        return True

    try:
        await until(is_done)
    finally:
        await connection.close()

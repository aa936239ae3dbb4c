"""Fixtures for every test: a Postgres, a fresh database per test, and an audit of what the test left in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import httpx
import hypothesis
import pytest

import airouter.app
from airouter.services.partitions import make_partitions
from airouter.storage import database as storage
from airouter.storage.migrate import migrate
from airouter.upstream import guarded
from tests import deadlocks, postgres
from tests.audit import audit_books
from tests.effort import EFFORT, EFFORTS
from tests.leaks import LeakPlugin
from tests.patience import PATIENCE_SECONDS

for name, effort in EFFORTS.items():
    hypothesis.settings.register_profile(
        name,
        max_examples=effort.examples,
        deadline=None,
        print_blob=True,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],  # it measures the machine
    )
hypothesis.settings.load_profile(EFFORT.name)

# What is given up after seconds in production is waited for in a test that is not about it: a machine that stalls is no
# error. What a test changed is in force when it goes on; a row that somebody holds comes free; a peer may be slow.
airouter.app.CATCH_UP_SECONDS = PATIENCE_SECONDS
storage.CONNECT_SECONDS = int(PATIENCE_SECONDS)
for limit in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
    storage._SESSION[limit] = f"{PATIENCE_SECONDS:.0f}s"
guarded._TIMEOUT = httpx.Timeout(PATIENCE_SECONDS)
httpx.AsyncClient.__init__.__kwdefaults__["timeout"] = httpx.Timeout(PATIENCE_SECONDS)


def pytest_configure(config: pytest.Config) -> None:
    """The last check of every run: no secret that it made is in a log."""
    config.pluginmanager.register(LeakPlugin(config), "leaks")


LONG = (
    "tests/schema/",
    "tests/payments/test_end_to_end.py",
    "tests/crash/",
    "tests/journeys/",
    "tests/orders/",
    "tests/simulation/",
    "tests/running/",
    "tests/races/",
    "tests/gateway/test_budgets.py",
    "tests/gateway/test_dialects.py",
    "tests/gateway/test_recorded_calls.py",
)
"""Files that take long for the few tests they have, the longest first: begun last, one would keep a process alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the order within a file stays."""
    places = {prefix: place for place, prefix in enumerate(LONG)}
    items.sort(key=lambda item: next((places[p] for p in LONG if item.nodeid.startswith(p)), len(LONG)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the administrative database of the run's server."""
    with postgres.server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def template_database(postgres_server: str) -> str:
    """Name of the database, migrated once and with the days of now, that tests get copies of."""

    async def furnish(dsn: str) -> None:
        await migrate(dsn)
        await make_partitions(dsn)  # or every application that a test starts would make two dozen of them

    return asyncio.run(postgres.make_template(postgres_server, furnish))


@pytest.fixture
async def empty_database(postgres_server: str) -> AsyncIterator[str]:
    """URL of a database without any table, for tests of migrations."""
    async with postgres.cloned(postgres_server, "template0") as dsn:
        yield dsn


@pytest.fixture
async def database(postgres_server: str, template_database: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """URL of a fresh, migrated database; its books are audited when the test is over.

    A test that spoils the books on purpose says so with `@pytest.mark.books_spoiled`, one that lets transactions wait
    for each other in a circle with `@pytest.mark.deadlock_provoked`.
    """
    async with postgres.cloned(postgres_server, template_database) as dsn:
        name = urlsplit(dsn).path.removeprefix("/")
        deadlocks.TESTS[name] = request.node.nodeid
        if request.node.get_closest_marker("deadlock_provoked") is not None:
            deadlocks.PROVOKED.add(name)
        yield dsn
        if request.node.get_closest_marker("books_spoiled") is None:
            await audit_books(dsn)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """A connection pool on `database`, opened as the application opens it."""
    async with asyncpg.create_pool(database, min_size=1, max_size=10) as opened:
        yield opened

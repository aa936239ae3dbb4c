"""One browser for all journeys, an instance for each file of them, a fresh profile for each visitor."""

import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests import postgres
from tests.journeys.instance import ROOT, START_SECONDS, Instance, started
from tests.journeys.visitor import Entrance
from tests.patience import PATIENCE_SECONDS

CACHE = ROOT / ".cache"
expect.set_options(timeout=PATIENCE_SECONDS * 1000)
SAID_LINES = 40
JOURNEY_SECONDS = 600
OUTCOME = pytest.StashKey[bool]()


def chromium() -> str:
    """The browser that `make test` found or fetched."""
    named = os.environ.get("AIROUTER_CHROMIUM")
    if named is None and (CACHE / "chromium.path").exists():
        named = (CACHE / "chromium.path").read_text().strip()
    found = named or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no Chromium: `make test` finds or fetches one"
    return found


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium(), chromium_sandbox=os.geteuid() != 0, timeout=START_SECONDS * 1000
        )
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def database_of_a_file(postgres_server: str, template_database: str) -> AsyncIterator[str]:
    """URL of a database for the journeys of one file: what they meet is decided by that file alone."""
    async with postgres.cloned(postgres_server, template_database) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def instance(database_of_a_file: str) -> AsyncIterator[Instance]:
    """`airouter up` with the run's Postgres. A file that needs another one says so with a fixture of this name."""
    async with started(AIROUTER_DATABASE_URL=database_of_a_file) as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A journey has the time that a busy machine takes. One that hangs fails, and its process goes on to the others:
    ended with it, they would all be lost."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(JOURNEY_SECONDS, method="signal"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    report = yield
    if report.failed:
        item.stash[OUTCOME] = True
    return report


@pytest_asyncio.fixture(loop_scope="package")
async def entrance(browser: Browser, instance: Instance, request: pytest.FixtureRequest) -> AsyncIterator[Entrance]:
    """Visitors of the instance. A page that had trouble fails the test, and what was seen is kept."""
    evidence = CACHE / "journeys" / re.sub(r"\W+", "-", request.node.name).strip("-")
    shutil.rmtree(evidence, ignore_errors=True)
    opened = Entrance(browser, instance.console_url, evidence)
    yield opened
    trouble = [line for visitor in opened.visitors for line in visitor.trouble]
    kept = await opened.close(has_failed=bool(trouble) or request.node.stash.get(OUTCOME, False))
    for path in kept:
        print(f"kept: {path.relative_to(ROOT)}")
    if kept:
        print("the instance said last:", *instance.process.said.splitlines()[-SAID_LINES:], sep="\n")
    assert not trouble, "\n".join(trouble)

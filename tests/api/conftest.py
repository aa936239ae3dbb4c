"""The application without a socket: its lifespan runs, and an HTTP client speaks to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.app import Application, create_app
from airouter.settings import Settings
from tests.jobs import jobs_wait
from tests.live import takes_calls
from tests.patience import until
from tests.settings import settings_for

CONSOLE = "https://console.example.com"


@asynccontextmanager
async def running(app: Application) -> AsyncIterator[None]:
    """The ASGI lifespan around the block, as a server would run it; jobs run when they are told to."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, inbox.get, outbox.put))
    with jobs_wait():
        await inbox.put({"type": "lifespan.startup"})
        started = await outbox.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        await until(lambda: takes_calls(app))
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await task


def client_of(app: Any, *, address: str = "203.0.113.9") -> httpx.AsyncClient:
    """Somebody with an address of their own."""
    transport = httpx.ASGITransport(app=app, client=(address, 40000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


_ROUTED: dict[tuple[str, ...], Application] = {}
"""Registering the routes costs more than all else here; of the settings of a test the origins alone matter to it."""


def routed(settings: Settings) -> Application:
    """The application for these settings, not opened; it makes no difference which test of a process is its first."""
    if settings.console_origins not in _ROUTED:
        _ROUTED[settings.console_origins] = create_app(settings)
    found = _ROUTED[settings.console_origins]
    found._house.settings = settings
    return found


@pytest.fixture
async def app(database: str, tmp_path: Path) -> AsyncIterator[Any]:
    """The whole application on a fresh database: opened anew for each test, its routes registered once."""
    async with _opened(settings_for(database, tmp_path)) as application:
        yield application


@pytest.fixture
async def named(database: str, tmp_path: Path) -> AsyncIterator[Any]:
    """The same where the console has a name and TLS, so that browsers offer passkeys."""
    settings = settings_for(
        database, tmp_path, console_url=CONSOLE, console_origins=(CONSOLE,), public_url="https://api.example.com"
    )
    async with _opened(settings) as application:
        yield application


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Any]:
    application = routed(settings)
    async with running(application):
        yield application


@pytest.fixture
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A stranger."""
    async with client_of(app) as stranger:
        yield stranger

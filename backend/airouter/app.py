"""The composition root: the only module that sees every floor. `create_app(settings)` is the whole server as one ASGI app."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from airouter.api.arrivals import Arrivals
from airouter.api.cors import Cors
from airouter.api.management import Services, management
from airouter.services.readiness import Readiness
from airouter.services.sessions import Sessions, Standings
from airouter.services.vault import Vault
from airouter.settings import Settings
from airouter.storage.database import Database
from airouter.storage.listener import Listener

logger = logging.getLogger(__name__)


class House:
    """Everything that one process opens, for as long as it serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.vault = Vault(settings.secret_keys)
        self._services: Services | None = None

    def services(self) -> Services:
        assert self._services is not None, "the application has not started"
        return self._services

    @asynccontextmanager
    async def open(self, _app: object = None) -> AsyncIterator[None]:
        """From the first connection to the last."""
        settings = self.settings
        database = await Database.open(settings.database)
        listener = Listener(settings.database_direct)
        standings = Standings(lambda: listener.is_connected)
        listener.on("sessions", standings.on_session)
        listener.on("accounts", standings.on_account)
        readiness = Readiness()
        readiness.register("database", _database_check(database))
        self._services = Services(
            readiness=readiness,
            sessions=Sessions(database, self.vault, standings),
        )
        await listener.start()
        try:
            yield
        finally:
            await listener.stop()
            await database.close()
            self._services = None


def _database_check(database: Database) -> Any:
    async def check() -> str | None:
        async with database.connection() as connection:
            await connection.fetchval("SELECT 1")
        return None

    return check


def create_app(settings: Settings) -> Any:
    """The server: outermost the layers that every request passes, inside them the routes."""
    house = House(settings)
    routes = management(house.services, lifespan=[house.open])
    return Arrivals(Cors(routes, settings.console_origins), settings.trusted_proxies)

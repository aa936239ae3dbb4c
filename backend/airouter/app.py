"""The composition root, the only module that sees every floor: `create_app(settings)` is the server as one ASGI app."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from airouter.api.arrivals import Arrivals
from airouter.api.cors import Cors
from airouter.api.management import Services, management
from airouter.api.public.cookies import Browsers
from airouter.api.public.status import Mode
from airouter.services.accounts import Accounts
from airouter.services.attempts import Attempts
from airouter.services.instance import Instance
from airouter.services.passwords import Passwords
from airouter.services.readiness import Readiness
from airouter.services.sessions import Sessions, Standings
from airouter.services.users import Users
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
        passwords = Passwords(settings.password_hashes_at_once)
        self._services = self._furnish(database, passwords, standings)
        self._services.readiness.register("database", _database_check(database))
        await listener.start()
        try:
            yield
        finally:
            await listener.stop()
            await database.close()
            passwords.close()
            self._services = None

    def _furnish(self, database: Database, passwords: Passwords, standings: Standings) -> Services:
        settings, vault = self.settings, self.vault
        attempts = Attempts(database, vault)
        sessions = Sessions(database, vault, standings)
        return Services(
            accounts=Accounts(database),
            browsers=Browsers(
                origins=frozenset({*settings.console_origins, settings.console_url, settings.public_url}),
                cookie_is_secure=settings.cookie_is_secure,
            ),
            instance=Instance(database),
            mode=Mode(name=settings.mode),
            readiness=Readiness(),
            sessions=sessions,
            users=Users(database, vault, passwords, attempts, sessions),
        )


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

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
from airouter.gateway.snapshot import Snapshot
from airouter.services.accounts import Accounts
from airouter.services.admin_accounts import AdminAccounts, People
from airouter.services.attempts import Attempts
from airouter.services.catalogue import read_catalogue
from airouter.services.channels import Channels
from airouter.services.groups import Groups
from airouter.services.instance import Instance
from airouter.services.models import Models
from airouter.services.passwords import Passwords
from airouter.services.policies import PolicyBook
from airouter.services.price_list import PriceList
from airouter.services.rate_cards import RateCards
from airouter.services.readiness import Readiness
from airouter.services.sessions import Sessions, Standings
from airouter.services.users import Users
from airouter.services.vault import Vault
from airouter.settings import Settings
from airouter.storage.database import Database
from airouter.storage.listener import Listener
from airouter.world import now

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
        snapshot = Snapshot(lambda at, before: read_catalogue(database, self.vault, at, previous=before), now)
        self._services = self._furnish(database, passwords, standings, snapshot)
        self._services.readiness.register("database", _database_check(database))
        self._services.readiness.register("catalogue", _catalogue_check(snapshot))
        await listener.start()
        await snapshot.start(listener)
        try:
            yield
        finally:
            await snapshot.stop()
            await listener.stop()
            await database.close()
            passwords.close()
            self._services = None

    def _furnish(self, database: Database, passwords: Passwords, standings: Standings, snapshot: Snapshot) -> Services:
        settings, vault = self.settings, self.vault
        attempts = Attempts(database, vault)
        sessions = Sessions(database, vault, standings)
        users = Users(database, vault, passwords, attempts, sessions)
        return Services(
            accounts=Accounts(database),
            admin_accounts=AdminAccounts(database),
            browsers=Browsers(
                origins=frozenset({*settings.console_origins, settings.console_url, settings.public_url}),
                cookie_is_secure=settings.cookie_is_secure,
            ),
            channels=Channels(database, vault),
            groups=Groups(database),
            instance=Instance(database),
            mode=Mode(name=settings.mode),
            models=Models(database),
            people=People(database, users),
            policies=PolicyBook(database),
            price_list=PriceList(lambda: snapshot.current),
            rate_cards=RateCards(database),
            readiness=Readiness(),
            sessions=sessions,
            users=users,
        )


def _database_check(database: Database) -> Any:
    async def check() -> str | None:
        async with database.connection() as connection:
            await connection.fetchval("SELECT 1")
        return None

    return check


def _catalogue_check(snapshot: Snapshot) -> Any:
    async def check() -> str | None:
        return None if snapshot.is_ready else "the catalogue has not been read yet"

    return check


def create_app(settings: Settings) -> Any:
    """The server: outermost the layers that every request passes, inside them the routes."""
    house = House(settings)
    routes = management(house.services, lifespan=[house.open])
    return Arrivals(Cors(routes, settings.console_origins), settings.trusted_proxies)

"""The composition root, the only module that sees every floor: `create_app(settings)` is the server as one ASGI app."""

import asyncio
import logging
import random
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from airouter.api.arrivals import Arrivals
from airouter.api.catch_up import CatchUp
from airouter.api.compat.routes import compat_routes
from airouter.api.cors import Cors
from airouter.api.doors.asgi import door_routes
from airouter.api.doors.document import gateway_document
from airouter.api.doors.gemini import gemini_routes
from airouter.api.doors.kept import kept_routes
from airouter.api.doors.models import model_routes
from airouter.api.doors.service import Doors
from airouter.api.management import Services, management
from airouter.api.openapi import as_json, management_json
from airouter.api.public.demo_pay import demo_pay_routes
from airouter.api.public.reference import REFERENCE
from airouter.domain.catalogue import Catalogue
from airouter.domain.ids import KeyId, NodeId, WalletId
from airouter.furnishing import Ground, furnish
from airouter.gateway.authenticate import Callers
from airouter.gateway.dispatch import Dispatch
from airouter.gateway.kept.background import Background
from airouter.gateway.kept.pins import Pins
from airouter.gateway.kept.things import KeptThings
from airouter.gateway.leases.clock import LeaseClock
from airouter.gateway.leases.credit import Credit
from airouter.gateway.media import MediaFetcher
from airouter.gateway.pipeline import Gateway
from airouter.gateway.probe import ChannelProbe
from airouter.gateway.rates.limits import RateLimiter
from airouter.gateway.rates.shares import SharedLimits
from airouter.gateway.relay import SCRIPTED_FAILURES, Relay
from airouter.gateway.routing.credential_reports import CredentialReports
from airouter.gateway.snapshot import Snapshot
from airouter.gateway.token_exchange import TokenExchange
from airouter.payments.contract import AnyProcessor
from airouter.payments.demo import DEMO_PAYMENTS, Demo, DemoBank
from airouter.payments.registry import processors
from airouter.providers.registry import EXCHANGING, PROVIDERS, SCRIPTED
from airouter.providers.scripted import ScriptedUpstream
from airouter.providers.serving import Providers
from airouter.services.background_jobs import BackgroundJobs
from airouter.services.base_urls import address_policy
from airouter.services.catalogue import read_catalogue
from airouter.services.housekeeping import Housekeeping
from airouter.services.jobs import Jobs
from airouter.services.mailbox import JOB as MAIL
from airouter.services.passwords import Passwords
from airouter.services.rate_shares import RateShareRegister
from airouter.services.sessions import Standings
from airouter.services.stored_ids import StoredIds
from airouter.services.tokens import TokenStandings
from airouter.services.vault import Vault
from airouter.settings import Settings
from airouter.storage.database import Database
from airouter.storage.listener import Listener
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.guarded import guarded_client
from airouter.upstream.http1 import Http1Client
from airouter.upstream.proxies import ProxyClients
from airouter.world import new_id, now

logger = logging.getLogger(__name__)

CATCH_UP_SECONDS = 1.0
"""How long the answer to a change may wait, twice, until this process works by the change."""


class House:
    """Everything that one process opens, for as long as it serves."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.vault = Vault(settings.secret_keys)
        self._guard = AddressGuard(AddressClass.OPERATOR, AddressPolicy())
        self._errands: httpx.AsyncClient | None = None
        self.demo_bank = DemoBank(settings.home / DEMO_PAYMENTS) if settings.is_demo else None
        self.processors = _processors(settings, self.demo_bank)
        self._services: Services | None = None
        self._doors: Doors | None = None
        self._jobs: Jobs | None = None
        self._catch_up: Callable[[], Awaitable[None]] | None = None

    async def catch_up(self) -> None:
        """Returns when this process works by everything that was committed before, or could not in time."""
        if self._catch_up is not None:
            await self._catch_up()

    @property
    def doors(self) -> Doors | None:
        """The gateway's doors; None until everything behind them is open."""
        return self._doors

    def open_doors(self) -> Doors:
        assert self._doors is not None, "the application has not started"
        return self._doors

    def errands(self) -> httpx.AsyncClient:
        assert self._errands is not None, "the application has not started"
        return self._errands

    def services(self) -> Services:
        assert self._services is not None, "the application has not started"
        return self._services

    @asynccontextmanager
    async def open(self, _app: object = None) -> AsyncGenerator[None]:
        """From the first connection to the last."""
        settings = self.settings
        database = await Database.open(settings.database)
        listener = Listener(settings.database_direct)
        standings = Standings(lambda: listener.is_connected)
        listener.on("sessions", standings.on_session)
        listener.on("accounts", standings.on_account)
        token_standings = TokenStandings(lambda: listener.is_connected)
        listener.on("sessions", token_standings.on_session)
        listener.on("accounts", token_standings.on_account)
        passwords = Passwords(settings.password_hashes_at_once)
        snapshot = Snapshot(lambda at, before: read_catalogue(database, self.vault, at, previous=before), now)
        self._jobs = jobs = Jobs(database)
        self._errands = errands = guarded_client(self._guard)
        outward = guarded_client(AddressGuard(AddressClass.PUBLIC, AddressPolicy()))
        self._background_jobs = background_jobs = BackgroundJobs(database)
        self._services = furnish(
            Ground(
                settings=settings,
                vault=self.vault,
                processors=self.processors,
                database=database,
                passwords=passwords,
                standings=standings,
                token_standings=token_standings,
                snapshot=snapshot,
                jobs=jobs,
                background_jobs=background_jobs,
                errands=errands,
                outward=outward,
                documents=openapi_documents,
            )
        )
        self._services.readiness.register("catalogue", _catalogue_check(snapshot))
        listener.on("mail", lambda _: jobs.hurry(MAIL))
        housekeeping = Housekeeping(database)
        await listener.start()
        await snapshot.start(listener)

        async def catch_up() -> None:
            await listener.catch_up(database, wait_seconds=CATCH_UP_SECONDS)
            await snapshot.catch_up(wait_seconds=CATCH_UP_SECONDS)

        self._catch_up = catch_up
        housekeeping.start()
        jobs.start()
        try:
            async with self._open_gateway(database, snapshot, listener, outward):
                yield
        finally:
            await jobs.stop()
            await housekeeping.stop()
            await snapshot.stop()
            await listener.stop()
            await errands.aclose()
            await outward.aclose()
            await database.close()
            passwords.close()
            self._services = None

    @asynccontextmanager
    async def _open_gateway(
        self, database: Database, snapshot: Snapshot, listener: Listener, outward: httpx.AsyncClient
    ) -> AsyncGenerator[None]:
        """The data plane, from its journal to its doors."""
        settings, services, clock = self.settings, self.services(), asyncio.get_running_loop().time
        guard = self._guard
        credit = Credit(dsn=settings.database_direct, journal_directory=settings.journal_dir, host=socket.gethostname())
        callers = Callers(services.keys.find_caller, clock)
        dispatch = _dispatch(guard, clock)
        reports = CredentialReports(services.channel_credentials.disable_by_gateway)
        limits = SharedLimits(RateShareRegister(database), NodeId(new_id()), clock=clock, lease_clock=LeaseClock())
        rates = RateLimiter(clock, limits)
        relay = Relay(
            dispatch=dispatch,
            providers=Providers(PROVIDERS),
            media=MediaFetcher(outward),
            rates=rates,
            clock=clock,
            draw=random.random,
            disable=reports,
        )

        _let_ask(services, ChannelProbe(relay, lambda: snapshot.current, clock))

        def obey(catalogue: Catalogue) -> None:
            guard.policy = address_policy(catalogue.policies.network)
            credit.overrun_max = catalogue.policies.limits.overrun_max
            relay.obey(catalogue)

        def key_changed(key_id: str | None) -> None:
            callers.key_changed(key_id)
            if key_id is not None:
                credit.key_changed(KeyId(UUID(key_id)))

        def wallet_changed(wallet_id: str | None) -> None:
            if wallet_id is not None:
                credit.wallet_changed(WalletId(int(wallet_id)))

        def recalled(purse: str | None) -> None:
            if purse is not None:
                credit.recalled(purse)

        limits.start()
        listener.on("shares", limits.heard)
        await credit.start()
        snapshot.on_swap(obey)
        if snapshot.is_ready:
            obey(snapshot.current)
        listener.on("keys", key_changed)
        listener.on("wallet", wallet_changed)
        listener.on("recall", recalled)
        listener.on("accounts", callers.account_changed)
        services.readiness.register("credit", _credit_check(credit))
        gateway = self._gateway(
            database, snapshot, callers=callers, credit=credit, relay=relay, rates=rates, clock=clock
        )
        self._doors = Doors(gateway, settings.trusted_proxies, lambda: snapshot.current.policies.limits.body_bytes_max)
        try:
            yield
        finally:
            self._background_jobs.ask_with(None)
            await credit.stop(settings.drain_seconds)
            await reports.finish()
            await limits.stop()
            await dispatch.close()
            self._doors = None

    def _gateway(
        self,
        database: Database,
        snapshot: Snapshot,
        *,
        callers: Callers,
        credit: Credit,
        relay: Relay,
        rates: RateLimiter,
        clock: Callable[[], float],
    ) -> Gateway:
        """The pipeline, with what it knows of things that providers keep."""
        stored_ids, jobs = StoredIds(database), self._background_jobs
        pins = Pins(
            stored_ids.find,
            relay,
            now,
            lambda: timedelta(days=snapshot.current.policies.limits.conversation_days),
        )
        background = Background(jobs=jobs, relay=relay, pins=pins, catalogue=lambda: snapshot.current, now=now)
        jobs.ask_with(background.ask)
        return Gateway(
            callers=callers,
            snapshot=snapshot,
            credit=credit,
            relay=relay,
            rates=rates,
            pins=pins,
            background=background,
            kept=KeptThings(relay=relay, pins=pins, background=background, jobs=jobs, stored_ids=stored_ids),
            clock=clock,
        )


def _let_ask(services: Services, probe: ChannelProbe) -> None:
    """Lets operators' verbs reach channels."""
    services.channel_probes.probe_with(probe.test)
    services.model_discovery.ask_with(probe.models)
    services.channels.watch_with(probe.troubles)
    services.channel_credentials.watch_with(probe.troubles)


def _dispatch(guard: AddressGuard, clock: Callable[[], float]) -> Dispatch:
    """Every way to an upstream, each through this guard."""
    return Dispatch(
        client=Http1Client(guard),
        clients={SCRIPTED: ScriptedUpstream(SCRIPTED_FAILURES, time.time)},
        proxies=ProxyClients(guard),
        exchange=TokenExchange(clock, time.time),
        exchanging=EXCHANGING,
    )


def _catalogue_check(snapshot: Snapshot) -> Any:
    async def check() -> str | None:
        return None if snapshot.is_ready else "the catalogue has not been read yet"

    return check


def _credit_check(credit: Credit) -> Any:
    async def check() -> str | None:
        return credit.not_ready

    return check


def _processors(settings: Settings, demo_bank: DemoBank | None) -> dict[str, AnyProcessor]:
    """Whom money can come through; the demo's pretended money only in demo mode."""
    return processors() if demo_bank is None else processors(Demo(demo_bank, settings.public_url))


def _demo_routes(house: House) -> list[Any]:
    return [] if house.demo_bank is None else demo_pay_routes(house.demo_bank, house.errands)


class Application:
    """The server as one ASGI app; the hot protocol finds the doors on it."""

    def __init__(self, settings: Settings) -> None:
        self._house = house = House(settings)
        routes = management(
            house.services,
            lifespan=[house.open],
            more=[
                *door_routes(house.open_doors),
                *model_routes(house.open_doors),
                *gemini_routes(house.open_doors),
                *kept_routes(house.open_doors),
                *compat_routes(house.services, house.open_doors),
                *REFERENCE,
                *_demo_routes(house),
            ],
        )
        served = CatchUp(routes, house.catch_up)
        self._layers = Arrivals(Cors(served, settings.console_origins), settings.trusted_proxies)

    @property
    def doors(self) -> Doors | None:
        """None while starting."""
        return self._house.doors

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._layers(scope, receive, send)


def openapi_documents() -> dict[str, bytes]:
    """The committed documents by file name, made anew from the routes."""
    return {"management.json": management_json(), "gateway.json": as_json(gateway_document())}


def create_app(settings: Settings) -> Application:
    """The server: outermost the layers that every request passes, inside them the routes."""
    return Application(settings)

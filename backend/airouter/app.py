"""The composition root, the only module that sees every floor: `create_app(settings)` is the server as one ASGI app."""

import asyncio
import logging
import random
import socket
import sys
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
from airouter.api.public.cookies import Browsers
from airouter.api.public.demo_pay import demo_pay_routes
from airouter.api.public.documents import Documents
from airouter.api.public.status import Mode
from airouter.domain.catalogue import Catalogue
from airouter.domain.ids import KeyId, NodeId, WalletId
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
from airouter.mail.post_office import PostOffice, PrintedOffice, SmtpOffice
from airouter.payments.contract import AnyProcessor
from airouter.payments.demo import DEMO_PAYMENTS, Demo, DemoBank
from airouter.payments.registry import processors
from airouter.providers.registry import EXCHANGING, PROVIDERS, SCRIPTED
from airouter.providers.scripted import ScriptedUpstream
from airouter.providers.serving import Providers
from airouter.services.accounts import Accounts
from airouter.services.admin_accounts import AdminAccounts, People
from airouter.services.alerts import Alerts, alert_jobs
from airouter.services.attempts import Attempts
from airouter.services.audit_log import AuditLog
from airouter.services.background_jobs import BackgroundJobs
from airouter.services.base_urls import address_policy
from airouter.services.batch_codes import BatchCodes
from airouter.services.bearers import Bearers
from airouter.services.budgets import Budgets
from airouter.services.catalogue import read_catalogue
from airouter.services.channel_costs import ChannelCosts
from airouter.services.channel_credentials import ChannelCredentials
from airouter.services.channel_probes import ChannelProbes
from airouter.services.channels import Channels
from airouter.services.compat import Compat
from airouter.services.discovery import ModelDiscovery
from airouter.services.erasure import Erasure
from airouter.services.factors import Factors
from airouter.services.github import GitHub
from airouter.services.groups import Groups
from airouter.services.housekeeping import Housekeeping
from airouter.services.idempotency import Idempotency
from airouter.services.identities import Identities
from airouter.services.identity_providers import IdentityProviders
from airouter.services.instance import Instance
from airouter.services.instance_secrets import InstanceSecrets
from airouter.services.invitations import Invitations
from airouter.services.jobs import Job, Jobs
from airouter.services.keys import Keys
from airouter.services.mailbox import JOB as MAIL
from airouter.services.mailbox import Mailbox
from airouter.services.margins import Margins
from airouter.services.models import Models
from airouter.services.newcomers import Newcomers
from airouter.services.openid import OpenId
from airouter.services.orders import Orders
from airouter.services.passkeys import Passkeys, relying_party
from airouter.services.password_reset import PasswordReset
from airouter.services.passwords import Passwords
from airouter.services.payment_inbox import PaymentInbox
from airouter.services.payment_methods import PaymentMethods
from airouter.services.personal_data import PersonalExports
from airouter.services.policies import PolicyBook
from airouter.services.price_imports import PriceImports
from airouter.services.price_list import PriceList
from airouter.services.rate_cards import RateCards
from airouter.services.rate_shares import RateShareRegister
from airouter.services.readiness import Readiness
from airouter.services.reauthentication import Reauthentication
from airouter.services.reconciler import Reconciler
from airouter.services.redemptions import Redemptions
from airouter.services.referrals import Referrals
from airouter.services.refunds import OrderDesk
from airouter.services.registrations import Registrations
from airouter.services.rewards import Rewards
from airouter.services.security_letters import SecurityLetters
from airouter.services.sessions import Sessions, Standings
from airouter.services.sign_ins import SignIns
from airouter.services.sign_up_challenges import SignUpChallenges
from airouter.services.step_up import StepUp
from airouter.services.stored_ids import StoredIds
from airouter.services.teams import Teams
from airouter.services.tokens import ManagementTokens, TokenStandings
from airouter.services.usage_reports import UsageReports
from airouter.services.users import Users
from airouter.services.vault import Vault
from airouter.services.wallets import Wallets
from airouter.services.webhook_deliveries import WebhookDeliveries
from airouter.services.webhooks import Webhooks
from airouter.settings import Settings
from airouter.storage.database import Database
from airouter.storage.listener import Listener
from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.guarded import guarded_client
from airouter.upstream.http1 import Http1Client
from airouter.upstream.proxies import ProxyClients
from airouter.world import new_id, now

logger = logging.getLogger(__name__)


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
        """Returns when this process works by everything that was committed before."""
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
        self._token_standings = token_standings = TokenStandings(lambda: listener.is_connected)
        listener.on("sessions", token_standings.on_session)
        listener.on("accounts", token_standings.on_account)
        passwords = Passwords(settings.password_hashes_at_once)
        snapshot = Snapshot(lambda at, before: read_catalogue(database, self.vault, at, previous=before), now)
        self._jobs = jobs = Jobs(database)
        self._errands = errands = guarded_client(self._guard)
        outward = guarded_client(AddressGuard(AddressClass.PUBLIC, AddressPolicy()))
        self._services = self._furnish(database, passwords, standings, snapshot, jobs, errands=errands, outward=outward)
        self._services.readiness.register("catalogue", _catalogue_check(snapshot))
        listener.on("mail", lambda _: jobs.hurry(MAIL))
        housekeeping = Housekeeping(database)
        await listener.start()
        await snapshot.start(listener)

        async def catch_up() -> None:
            await listener.catch_up(database)
            await snapshot.catch_up()

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
        pins = Pins(stored_ids.find, relay, now)
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

    def _furnish(
        self,
        database: Database,
        passwords: Passwords,
        standings: Standings,
        snapshot: Snapshot,
        jobs: Jobs,
        *,
        errands: httpx.AsyncClient,
        outward: httpx.AsyncClient,
    ) -> Services:
        """The use cases, and the recurring work that belongs to them (`jobs.add`).

        `errands` calls what the operator named: payment processors, identity providers. `outward` calls what anybody
        named, on the public internet only: webhooks.
        """
        settings, vault = self.settings, self.vault
        attempts = Attempts(database, vault)
        sessions = Sessions(database, vault, standings)
        mailbox = Mailbox(database, vault, _post_office(settings), settings.console_url)
        jobs.add(Job(name=MAIL, run=mailbox.deliver, pause=timedelta(seconds=15), patience=timedelta(minutes=10)))
        alerts = Alerts(database, vault, mailbox, jobs)
        alert_jobs(jobs, alerts, WebhookDeliveries(database, vault, outward))
        teams = Teams(database)
        tokens = ManagementTokens(database, attempts, self._token_standings)
        redemptions = Redemptions(database, vault, attempts)
        referrals = Referrals(database, vault, settings.console_url)
        rewards = Rewards(database)
        jobs.add(rewards.job)
        self._background_jobs = BackgroundJobs(database)
        jobs.add(self._background_jobs.job)
        payment_methods = PaymentMethods(database, vault, self.processors, public_url=settings.public_url)
        inbox = PaymentInbox(database, vault, referrals, mailbox)
        orders = Orders(database, payment_methods, inbox, errands, console_url=settings.console_url)
        order_desk = OrderDesk(
            database, methods=payment_methods, orders=orders, inbox=inbox, http=errands, hearers=referrals
        )
        reconciler = Reconciler(
            database, methods=payment_methods, orders=orders, inbox=inbox, desk=order_desk, http=errands
        )
        jobs.add(reconciler.job)
        sign_ins = SignIns(vault, sessions)
        openid = OpenId(errands)
        identity_providers = IdentityProviders(database, vault, openid, settings.public_url)
        letters = SecurityLetters(mailbox)
        factors = Factors(database, vault, attempts, sign_ins, letters=letters)
        passkeys = Passkeys(
            database,
            vault,
            attempts,
            sign_ins,
            letters=letters,
            party=relying_party(settings.console_url, settings.console_origins),
        )
        reauthentication = Reauthentication(database, passwords, attempts, factors=factors, passkeys=passkeys)
        users = Users(database, vault, passwords, attempts, sessions, sign_ins=sign_ins, mailbox=mailbox)
        channels = Channels(database, vault)
        channel_probes = ChannelProbes(database, vault)
        jobs.add(channel_probes.job)
        instance_secrets = InstanceSecrets(database, vault)
        challenges = SignUpChallenges(database, vault, instance_secrets, errands)
        return Services(
            accounts=Accounts(database),
            admin_accounts=AdminAccounts(database),
            alerts=alerts,
            audit_log=AuditLog(database, vault),
            batch_codes=BatchCodes(database, redemptions),
            bearers=Bearers(sessions, tokens),
            browsers=Browsers(
                api_url=settings.public_url,
                console_url=settings.console_url,
                origins=frozenset({*settings.console_origins, settings.console_url, settings.public_url}),
                cookie_is_secure=settings.cookie_is_secure,
            ),
            budgets=Budgets(database),
            channel_costs=ChannelCosts(database),
            channel_credentials=ChannelCredentials(database, vault, mailbox),
            channel_probes=channel_probes,
            channels=channels,
            compat=Compat(database, lambda: snapshot.current.policies),
            documents=Documents(openapi_documents),
            erasure=Erasure(database, sessions, jobs, mailbox=mailbox),
            factors=factors,
            groups=Groups(database),
            idempotency=Idempotency(database),
            identities=Identities(
                database,
                vault,
                attempts,
                sign_ins,
                providers=identity_providers,
                openid=openid,
                github=GitHub(errands),
                newcomers=Newcomers(vault, referrals),
                reauthentication=reauthentication,
                letters=letters,
            ),
            identity_providers=identity_providers,
            instance=Instance(database),
            instance_secrets=instance_secrets,
            invitations=Invitations(
                database,
                vault,
                passwords,
                attempts,
                sign_ins=sign_ins,
                mailbox=mailbox,
                console_url=settings.console_url,
            ),
            jobs=jobs,
            keys=Keys(database),
            mailbox=mailbox,
            margins=Margins(database),
            mode=Mode(name=settings.mode),
            model_discovery=ModelDiscovery(database, vault, channels),
            models=Models(database),
            order_desk=order_desk,
            orders=orders,
            passkeys=passkeys,
            password_reset=PasswordReset(
                database,
                vault,
                passwords=passwords,
                attempts=attempts,
                sessions=sessions,
                sign_ins=sign_ins,
                mailbox=mailbox,
            ),
            payment_methods=payment_methods,
            people=People(database, sessions),
            personal_exports=PersonalExports(database, vault, jobs, mailbox=mailbox),
            policies=PolicyBook(database, has_mail=mailbox.is_configured, challenge_origin=settings.challenge_origin),
            price_imports=PriceImports(database, errands),
            price_list=PriceList(lambda: snapshot.current),
            rate_cards=RateCards(database),
            readiness=Readiness(),
            reauthentication=reauthentication,
            redemptions=redemptions,
            referrals=referrals,
            registrations=Registrations(
                database,
                vault,
                passwords=passwords,
                attempts=attempts,
                sessions=sessions,
                sign_ins=sign_ins,
                challenges=challenges,
                referrals=referrals,
                mailbox=mailbox,
            ),
            rewards=rewards,
            sessions=sessions,
            sign_ins=sign_ins,
            sign_up_challenges=challenges,
            step_up=StepUp(database),
            teams=teams,
            tokens=tokens,
            usage_reports=UsageReports(database, vault),
            users=users,
            wallets=Wallets(database),
            webhooks=Webhooks(payment_methods, inbox),
        )


def _let_ask(services: Services, probe: ChannelProbe) -> None:
    """Lets operators' verbs reach channels."""
    services.channel_probes.probe_with(probe.test)
    services.model_discovery.ask_with(probe.models)
    services.channels.watch_with(probe.troubles)
    services.channel_credentials.watch_with(probe.troubles)


def _post_office(settings: Settings) -> PostOffice | None:
    if settings.mail_server is not None and settings.mail_from is not None:
        return SmtpOffice(settings.mail_server, settings.mail_from)
    return PrintedOffice(_print) if settings.is_demo else None


def _print(text: str) -> None:
    sys.stderr.write(text)  # a worker's other output goes nowhere
    sys.stderr.flush()


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

"""The use cases of one process, and the recurring work that belongs to them: a part of the composition root."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import msgspec

from airouter.api.management import Services
from airouter.api.public.cookies import Browsers
from airouter.api.public.documents import Documents
from airouter.api.public.status import Mode
from airouter.gateway.snapshot import Snapshot
from airouter.mail.post_office import post_office
from airouter.payments.contract import AnyProcessor
from airouter.services.accounts import Accounts
from airouter.services.admin_accounts import AdminAccounts, People
from airouter.services.alerts import Alerts, alert_jobs
from airouter.services.attempts import Attempts
from airouter.services.audit_log import AuditLog
from airouter.services.background_jobs import BackgroundJobs
from airouter.services.batch_codes import BatchCodes
from airouter.services.bearers import Bearers
from airouter.services.budgets import Budgets
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
from airouter.services.idempotency import Idempotency
from airouter.services.identities import Identities
from airouter.services.identity_providers import IdentityProviders
from airouter.services.instance import Instance
from airouter.services.instance_secrets import InstanceSecrets
from airouter.services.invitations import Invitations
from airouter.services.jobs import Job, Jobs
from airouter.services.keys import Keys
from airouter.services.lost_ways_in import LostWaysIn
from airouter.services.mailbox import JOB as MAIL
from airouter.services.mailbox import Mailbox
from airouter.services.mailed_tokens import MailedTokens
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
from airouter.services.team_deletions import TeamDeletions
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


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What the use cases stand on; app.py opens it and closes it.

    `errands` calls what the operator named: payment processors, identity providers. `outward` calls what anybody named,
    on the public internet only: webhooks.
    """

    settings: Settings
    vault: Vault
    processors: dict[str, AnyProcessor]
    database: Database
    passwords: Passwords
    standings: Standings
    token_standings: TokenStandings
    snapshot: Snapshot
    jobs: Jobs
    background_jobs: BackgroundJobs
    errands: httpx.AsyncClient
    outward: httpx.AsyncClient
    documents: Callable[[], dict[str, bytes]]


def furnish(ground: Ground) -> Services:
    """Every use case; its recurring work is added to the jobs."""
    settings, vault, database, jobs = ground.settings, ground.vault, ground.database, ground.jobs
    passwords, snapshot, errands = ground.passwords, ground.snapshot, ground.errands
    attempts = Attempts(database, vault)
    sessions = Sessions(database, vault, ground.standings)
    office = post_office(settings.mail_server, settings.mail_from, is_demo=settings.is_demo)
    mailbox = Mailbox(database, vault, office, settings.console_url)
    jobs.add(Job(name=MAIL, run=mailbox.deliver, pause=timedelta(seconds=15), patience=timedelta(minutes=10)))
    alerts = Alerts(database, vault, mailbox, jobs)
    alert_jobs(jobs, alerts, WebhookDeliveries(database, vault, ground.outward))
    teams = Teams(database)
    tokens = ManagementTokens(database, attempts, ground.token_standings)
    redemptions = Redemptions(database, vault, attempts)
    referrals = Referrals(database, vault, settings.console_url)
    rewards = Rewards(database)
    jobs.add(rewards.job)
    jobs.add(ground.background_jobs.job)
    payment_methods = PaymentMethods(database, vault, ground.processors, public_url=settings.public_url)
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
        documents=Documents(ground.documents),
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
        lost_ways_in=LostWaysIn(database, sessions, tokens=MailedTokens(vault, settings.console_url), letters=letters),
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
        team_deletions=TeamDeletions(database, jobs, mailbox=mailbox),
        teams=teams,
        tokens=tokens,
        usage_reports=UsageReports(database, vault),
        users=users,
        wallets=Wallets(database),
        webhooks=Webhooks(payment_methods, inbox),
    )

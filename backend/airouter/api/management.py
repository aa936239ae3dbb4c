"""The management API: every route of `/api/v1` and of operations, and what its handlers may ask for by name."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from airouter.api import callers, idempotency, paging, usage_filters
from airouter.api.admin import ADMIN
from airouter.api.admin.audit_log import download_acts
from airouter.api.console.accounts import AccountsController
from airouter.api.console.alerts import AlertsController
from airouter.api.console.audit_log import account_acts
from airouter.api.console.budgets import BudgetsController
from airouter.api.console.email import change_email
from airouter.api.console.factors import FactorController
from airouter.api.console.keys import KeysController
from airouter.api.console.me import MeController
from airouter.api.console.personal_data import PERSONAL_DATA
from airouter.api.console.redemptions import redeem
from airouter.api.console.referral import ReferralController
from airouter.api.console.team_deletions import TEAM_DELETIONS
from airouter.api.console.tokens import TokensController
from airouter.api.console.topup import TOP_UP
from airouter.api.console.usage import UsageController
from airouter.api.console.wallet import WalletController
from airouter.api.public import health
from airouter.api.public.auth import AuthController, set_up, setup_state
from airouter.api.public.cookies import Browsers
from airouter.api.public.documents import DOCUMENTS, Documents
from airouter.api.public.federated import FederatedController
from airouter.api.public.invitations import INVITATIONS
from airouter.api.public.pricing import PricingController
from airouter.api.public.registration import RegistrationController
from airouter.api.public.second_steps import SecondStepController
from airouter.api.public.status import Mode, status
from airouter.api.requests import BODY_BYTES_MAX, JsonRequest, answer_error
from airouter.api.webhooks.payments import PAYMENT_WEBHOOKS
from airouter.services.accounts import Accounts
from airouter.services.admin_accounts import AdminAccounts, People
from airouter.services.alerts import Alerts
from airouter.services.audit_log import AuditLog
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
from airouter.services.groups import Groups
from airouter.services.idempotency import Idempotency
from airouter.services.identities import Identities
from airouter.services.identity_providers import IdentityProviders
from airouter.services.instance import Instance
from airouter.services.instance_secrets import InstanceSecrets
from airouter.services.invitations import Invitations
from airouter.services.jobs import Jobs
from airouter.services.keys import Keys
from airouter.services.lost_ways_in import LostWaysIn
from airouter.services.mailbox import Mailbox
from airouter.services.margins import Margins
from airouter.services.models import Models
from airouter.services.orders import Orders
from airouter.services.passkeys import Passkeys
from airouter.services.password_reset import PasswordReset
from airouter.services.payment_methods import PaymentMethods
from airouter.services.personal_data import PersonalExports
from airouter.services.policies import PolicyBook
from airouter.services.price_imports import PriceImports
from airouter.services.price_list import PriceList
from airouter.services.rate_cards import RateCards
from airouter.services.readiness import Readiness
from airouter.services.reauthentication import Reauthentication
from airouter.services.redemptions import Redemptions
from airouter.services.referrals import Referrals
from airouter.services.refunds import OrderDesk
from airouter.services.registrations import Registrations
from airouter.services.rewards import Rewards
from airouter.services.sessions import Sessions
from airouter.services.sign_ins import SignIns
from airouter.services.sign_up_challenges import SignUpChallenges
from airouter.services.step_up import StepUp
from airouter.services.team_deletions import TeamDeletions
from airouter.services.teams import Teams
from airouter.services.tokens import ManagementTokens
from airouter.services.usage_reports import UsageReports
from airouter.services.users import Users
from airouter.services.wallets import Wallets
from airouter.services.webhooks import Webhooks


class Services:
    """The use cases of one process. A handler asks for one by the name of its attribute."""

    accounts: Accounts
    admin_accounts: AdminAccounts
    alerts: Alerts
    audit_log: AuditLog
    batch_codes: BatchCodes
    bearers: Bearers
    browsers: Browsers
    budgets: Budgets
    channel_credentials: ChannelCredentials
    channel_probes: ChannelProbes
    channel_costs: ChannelCosts
    channels: Channels
    compat: Compat
    documents: Documents
    erasure: Erasure
    factors: Factors
    groups: Groups
    idempotency: Idempotency
    identities: Identities
    identity_providers: IdentityProviders
    instance: Instance
    instance_secrets: InstanceSecrets
    invitations: Invitations
    jobs: Jobs
    keys: Keys
    lost_ways_in: LostWaysIn
    mailbox: Mailbox
    margins: Margins
    mode: Mode
    model_discovery: ModelDiscovery
    models: Models
    order_desk: OrderDesk
    orders: Orders
    passkeys: Passkeys
    password_reset: PasswordReset
    payment_methods: PaymentMethods
    people: People
    personal_exports: PersonalExports
    policies: PolicyBook
    price_imports: PriceImports
    price_list: PriceList
    rate_cards: RateCards
    readiness: Readiness
    reauthentication: Reauthentication
    redemptions: Redemptions
    referrals: Referrals
    registrations: Registrations
    rewards: Rewards
    sessions: Sessions
    sign_ins: SignIns
    sign_up_challenges: SignUpChallenges
    step_up: StepUp
    team_deletions: TeamDeletions
    teams: Teams
    tokens: ManagementTokens
    usage_reports: UsageReports
    users: Users
    wallets: Wallets
    webhooks: Webhooks

    def __init__(self, **parts: Any) -> None:
        for name, part in parts.items():
            setattr(self, name, part)


PUBLIC: Final[Sequence[Any]] = (
    status,
    AuthController,
    RegistrationController,
    SecondStepController,
    FederatedController,
    set_up,
    setup_state,
    PricingController,
    download_acts,
    *INVITATIONS,
    *PAYMENT_WEBHOOKS,
)
"""Controllers below /api/v1 that strangers may call."""
CONSOLE: Final[Sequence[Any]] = (
    MeController,
    change_email,
    FactorController,
    WalletController,
    KeysController,
    BudgetsController,
    AlertsController,
    TokensController,
    AccountsController,
    UsageController,
    account_acts,
    *PERSONAL_DATA,
    *TEAM_DELETIONS,
    redeem,
    ReferralController,
    *TOP_UP,
)
"""Controllers for people who are signed in."""


def management(
    services: Callable[[], Services],
    *,
    lifespan: Sequence[Any] = (),
    more: Sequence[Any] = (),
    openapi: OpenAPIConfig | None = None,
) -> Litestar:
    """The application without its outer layers. `services` is asked at each request, because they open after this."""
    return Litestar(
        route_handlers=[
            health.ROUTER,
            *DOCUMENTS,
            Router(
                path="/api/v1",
                route_handlers=[*PUBLIC, *CONSOLE, *ADMIN],
                guards=[callers.recognise_first(lambda: services().bearers)],
                middleware=[idempotency.IdempotencyLayer()],
            ),
            *more,
        ],
        dependencies={
            **callers.PROVIDERS,
            **callers.ACTING,
            **paging.PROVIDERS,
            **idempotency.PROVIDERS,
            **usage_filters.PROVIDERS,
            **_providers(services),
        },
        exception_handlers={Exception: answer_error, 500: answer_error},
        request_class=JsonRequest,
        request_max_body_size=BODY_BYTES_MAX,
        logging_config=None,
        openapi_config=openapi,
        lifespan=list(lifespan),
        state=State({"services": services}),
        debug=False,
        pdb_on_exception=False,
    )


def _providers(services: Callable[[], Services]) -> dict[str, Provide]:
    def provide(name: str) -> Provide:
        return Provide(lambda: getattr(services(), name), sync_to_thread=False)

    return {name: provide(name) for name in Services.__annotations__}

"""What the console has to know before anybody has signed in."""

from typing import Literal

import msgspec
from litestar import get
from litestar.di import NamedDependency

from airouter import __version__
from airouter.api.callers import Visitor
from airouter.api.documents import refusals
from airouter.domain.policy import SignUp
from airouter.domain.quota import QUOTA_PER_UNIT
from airouter.services.instance import Instance
from airouter.services.mailbox import Mailbox
from airouter.services.passkeys import Passkeys
from airouter.services.payment_methods import PaymentMethods


class DisplayView(msgspec.Struct, frozen=True, kw_only=True):
    """How amounts are shown: quota / quota_per_unit x factor_micros / 1 000 000. For reading only."""

    symbol: str | None
    factor_micros: int
    decimals: int


class ProviderLine(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere else that people can sign in with: navigate to `/api/v1/auth/oidc/{id}/start`."""

    id: str
    kind: Literal["oidc", "github"]
    label: str


class ChallengeView(msgspec.Struct, frozen=True, kw_only=True):
    """What joining takes besides a password. `site_key` and `script_url` are the widget's, null for the other."""

    type: Literal["proof_of_work", "turnstile"]
    site_key: str | None
    script_url: str | None


class RegistrationView(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages of joining have to show. `password_reset`: whether mail is sent at all."""

    verification: Literal["email"] | None
    challenge: ChallengeView | None
    password_reset: bool


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """`sign_in`: the ways in, besides which there is no other; `identity` by one of `identity_providers`.
    `topup_enabled`: there is a way to pay, or codes are redeemed.
    """

    name: str
    version: str
    mode: Literal["production", "demo"]
    currency: str
    quota_per_unit: int
    display: DisplayView
    sign_up: Literal["closed", "invitation", "open"]
    registration: RegistrationView
    sign_in: list[Literal["password", "passkey", "identity"]]
    identity_providers: list[ProviderLine]
    topup_enabled: bool
    referral_enabled: bool
    links: dict[str, str]


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this is a demo."""

    name: Literal["production", "demo"]


@get("/status", operation_id="getStatus", summary="What this installation is", tags=["Public"], responses=refusals())
async def status(
    *,
    visitor: NamedDependency[Visitor],
    instance: NamedDependency[Instance],
    mode: NamedDependency[Mode],
    passkeys: NamedDependency[Passkeys],
    mailbox: NamedDependency[Mailbox],
    payment_methods: NamedDependency[PaymentMethods],
) -> Status:
    """Nothing here is invented: what the operator did not set is null, empty or off."""
    del visitor
    facts = await instance.facts()
    ways: list[Literal["password", "passkey", "identity"]] = ["password"] if facts.is_password_enabled else []
    if passkeys.is_available:
        ways.append("passkey")
    if facts.providers:
        ways.append("identity")
    return Status(
        name=facts.display.name,
        version=__version__,
        mode=mode.name,
        currency=facts.currency,
        quota_per_unit=QUOTA_PER_UNIT,
        display=DisplayView(
            symbol=facts.display.symbol, factor_micros=facts.display.factor_micros, decimals=facts.display.decimals
        ),
        sign_up=facts.sign_up.mode,
        registration=_registration(facts.sign_up, has_mail=mailbox.is_configured),
        sign_in=ways,
        identity_providers=[ProviderLine(id=p.provider_id, kind=p.kind, label=p.label) for p in facts.providers],
        topup_enabled=facts.topup.redemption_enabled or await payment_methods.is_any_on(),
        referral_enabled=facts.referral.is_enabled,
        links=facts.display.links,
    )


def _registration(policy: SignUp, *, has_mail: bool) -> RegistrationView:
    is_widget = policy.challenge == "turnstile"
    return RegistrationView(
        verification="email" if policy.verify_email else None,
        challenge=None
        if policy.challenge == "none"
        else ChallengeView(
            type=policy.challenge,
            site_key=policy.turnstile_site_key if is_widget else None,
            script_url=policy.turnstile_script_url if is_widget else None,
        ),
        password_reset=has_mail,
    )

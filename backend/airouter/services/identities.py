"""Signing in with an identity at another provider: there, back again, and who that is here.

People are known by (provider, subject). An e-mail address never makes somebody the owner of an account that exists
already, unless the operator says so of this provider (`trust_email`) and both sides have verified the address.
"""

import base64
import binascii
import hashlib
import hmac
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from airouter.domain.email_address import domain_of, is_address, normal_domain
from airouter.domain.errors import EmailTaken, InvalidCredentials, NotFound
from airouter.domain.ids import SessionId, UserId
from airouter.domain.sign_in_errors import (
    IdentityDomainRefused,
    IdentityNotKnown,
    IdentityRefused,
    IdentityTaken,
    SignInExpired,
)
from airouter.services.attempts import Attempts, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.github import GitHub
from airouter.services.identity_providers import IdentityProviders
from airouter.services.newcomers import Newcomers
from airouter.services.openid import LEEWAY_SECONDS, Claims, OpenId, Registration, Visit
from airouter.services.reauthentication import Reauthentication
from airouter.services.security_letters import SecurityLetters
from airouter.services.sign_ins import Client, Opened, SignIns
from airouter.services.users import SIGN_IN_BY_ADDRESS
from airouter.services.vault import SecretUnreadable, Vault
from airouter.services.ways_in import adding_way_in, refuse_last_way_in
from airouter.storage import factors, users
from airouter.storage import identities as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.identities import IdentityRow, ProviderRow
from airouter.world import new_id

VISIT_SECONDS: Final = 600
_PURPOSE: Final = "identity-visit"

Errand = Literal["sign_in", "link", "prove"]


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody was sent to a provider for; it waits, sealed, in a cookie of their browser."""

    errand: Errand
    visit: Visit
    until: int
    next: str
    user_id: UserId | None = None
    session_id: SessionId | None = None
    referral_code: str | None = None
    """Who brought them, if they turn out to be new."""


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser goes, and what it keeps meanwhile."""

    url: str
    sealed: str

    def __repr__(self) -> str:
        return "Departure()"


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Back again. `opened` is there when the errand was to sign in."""

    errand: Errand
    next: str
    opened: Opened | None = None


class Identities:
    """Sends people to providers and takes them back. `clock` gives Unix seconds."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        attempts: Attempts,
        sign_ins: SignIns,
        *,
        providers: IdentityProviders,
        openid: OpenId,
        github: GitHub,
        newcomers: Newcomers,
        reauthentication: Reauthentication,
        letters: SecurityLetters,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._vault = vault
        self._attempts = attempts
        self._sign_ins = sign_ins
        self._providers = providers
        self._openid = openid
        self._github = github
        self._newcomers = newcomers
        self._reauthentication = reauthentication
        self._letters = letters
        self._clock = clock

    async def of(self, user_id: UserId) -> list[IdentityRow]:
        """Those that somebody has linked."""
        async with self._database.connection() as connection:
            return await rows.identities_of(connection, user_id)

    async def depart(
        self,
        provider_id: str,
        errand: Errand,
        next_page: str,
        *,
        user_id: UserId | None = None,
        session_id: SessionId | None = None,
        referral_code: str | None = None,
    ) -> Departure:
        """Raises NotFound, IdentityProviderFailed."""
        async with self._database.connection() as connection:
            provider, known_as = await self._providers.enabled(connection, provider_id)
        visit = Visit(
            state=_random(), nonce=_random(), verifier=_random(), redirect_uri=self._providers.redirect_uri(provider_id)
        )
        kept = Trip(
            errand=errand,
            visit=visit,
            until=int(self._clock()) + VISIT_SECONDS,
            next=next_page,
            user_id=user_id,
            session_id=session_id,
            referral_code=referral_code,
        )
        if provider.kind == "github":
            url = self._github.authorize_url(known_as, visit)
        else:
            url = await self._openid.authorize_url(known_as, visit, is_fresh=errand == "prove")
        sealed = self._vault.encrypt(_PURPOSE, "cookie", provider_id, msgspec.json.encode(kept).decode())
        return Departure(url=url, sealed=base64.urlsafe_b64encode(sealed).decode())

    def errand_of(self, provider_id: str, sealed: str | None) -> Trip:
        """What the cookie says the person left for.

        Raises:
            SignInExpired: there is none, it is for another provider, or too old.
        """
        try:
            blob = base64.urlsafe_b64decode(sealed or "")
            kept = msgspec.json.decode(self._vault.decrypt(_PURPOSE, "cookie", provider_id, blob), type=Trip)
        except (SecretUnreadable, binascii.Error, ValueError, msgspec.MsgspecError):
            raise SignInExpired from None
        if kept.until <= self._clock():
            raise SignInExpired
        return kept

    async def arrive(
        self, provider_id: str, kept: Trip, *, state: str, code: str, client: Client, actor: Actor
    ) -> Arrival:
        """What the provider's answer comes to.

        Raises:
            IdentityRefused: it answers another question, or does not hold. SignInExpired: it was used before.
            IdentityProviderFailed, IdentityNotKnown, IdentityTaken, IdentityDomainRefused, SignUpClosed, EmailTaken,
            InvalidCredentials: the person is banned. SessionExpired, TooManyAttempts
        """
        network = neighbourhood(client.address)
        await self._attempts.take(SIGN_IN_BY_ADDRESS, network)
        if not hmac.compare_digest(state.encode(), kept.visit.state.encode()):
            raise IdentityRefused("The answer does not belong to what this browser asked.")
        async with self._database.transaction() as connection:
            provider, known_as = await self._providers.enabled(connection, provider_id)
            until = datetime.fromtimestamp(kept.until, UTC)
            if not await factors.spend_proof(connection, hashlib.sha256(f"visit:{state}".encode()).digest(), until):
                raise SignInExpired
        claims = await self._who(provider, known_as, kept.visit, code)
        _check_domain(provider, claims)
        async with self._database.transaction() as connection:
            arrival = await self._carry_out(connection, provider, kept, claims, client=client, actor=actor)
        await self._attempts.give_back(SIGN_IN_BY_ADDRESS, network)
        return arrival

    async def unlink(self, user_id: UserId, identity_id: UUID, actor: Actor) -> None:
        """Raises NotFound, LastWayIn."""
        async with self._database.transaction() as connection:
            await users.lock_user(connection, user_id)
            label = await rows.remove_identity(connection, identity_id, user_id)
            if label is None:
                raise NotFound
            await refuse_last_way_in(connection, user_id)
            await record(connection, actor, _act("identity.unlinked", user_id, before={"provider": label}))
            await self._letters.factor_removed(connection, user_id, label)

    async def _who(self, provider: ProviderRow, known_as: Registration, visit: Visit, code: str) -> Claims:
        if provider.kind == "github":
            return await self._github.who(known_as, visit, code)
        return await self._openid.who(known_as, visit, code)

    async def _carry_out(
        self,
        connection: Connection,
        provider: ProviderRow,
        kept: Trip,
        claims: Claims,
        *,
        client: Client,
        actor: Actor,
    ) -> Arrival:
        owner = await rows.find_identity(connection, provider.provider_id, claims.subject)
        if kept.errand == "sign_in":
            user_id = owner or await self._meet(connection, provider, claims, client, kept.referral_code)
            user = await users.find_user(connection, user_id)
            if user is None or user.status != "active":
                raise InvalidCredentials
            await rows.use_identity(connection, provider.provider_id, claims.subject, _shown(claims))
            opened = await self._sign_ins.open(connection, user_id, client, "identity")
            return Arrival(errand="sign_in", next=kept.next, opened=opened)
        assert kept.user_id is not None, "sealed with it"
        assert kept.session_id is not None, "sealed with it"
        actor = msgspec.structs.replace(actor, user_id=kept.user_id, session_id=kept.session_id)
        if kept.errand == "prove":
            if owner != kept.user_id:
                raise IdentityRefused("This is somebody else's identity.")
            began_at = kept.until - VISIT_SECONDS
            if claims.authenticated_at is not None and claims.authenticated_at < began_at - LEEWAY_SECONDS:
                raise IdentityRefused("The provider did not ask anew who you are.")
            await self._reauthentication.mark(connection, kept.user_id, kept.session_id, "identity", actor)
        elif owner != kept.user_id:
            async with adding_way_in(connection, actor):
                await self._link(connection, provider, kept.user_id, claims, actor)
        return Arrival(errand=kept.errand, next=kept.next)

    async def _meet(
        self,
        connection: Connection,
        provider: ProviderRow,
        claims: Claims,
        client: Client,
        referral_code: str | None,
    ) -> UserId:
        """Whose identity this becomes, met for the first time."""
        email = claims.email if claims.is_email_verified and is_address(claims.email or "") else None
        if email and provider.trust_email:
            known = await rows.find_verified_person(connection, email)
            if known is not None:
                await self._link(connection, provider, known, claims, client.actor(known))
                return known
        if not email or not provider.allow_sign_up:
            raise IdentityNotKnown
        try:
            joined = await self._newcomers.join_verified(connection, email, client, referral_code)
        except EmailTaken:
            raise IdentityNotKnown(
                "There is an account with this address. Sign in to it, then link this identity in the settings."
            ) from None
        await self._link(connection, provider, joined, claims, client.actor(joined), is_told=False)
        return joined

    async def _link(
        self,
        connection: Connection,
        provider: ProviderRow,
        user_id: UserId,
        claims: Claims,
        actor: Actor,
        *,
        is_told: bool = True,
    ) -> None:
        is_new = await rows.insert_identity(
            connection,
            new_id(),
            user_id,
            provider_id=provider.provider_id,
            subject=claims.subject,
            name=_shown(claims),
        )
        if not is_new:
            raise IdentityTaken("This is somebody else's here, or you have linked another identity of this provider.")
        await announce(connection, "sessions")
        await record(connection, actor, _act("identity.linked", user_id, after={"provider": provider.provider_id}))
        if is_told:
            await self._letters.factor_added(connection, user_id, provider.label)


def _check_domain(provider: ProviderRow, claims: Claims) -> None:
    if not provider.allowed_domains:
        return
    listed = {normal_domain(domain) for domain in provider.allowed_domains}
    if not claims.is_email_verified or domain_of(claims.email or "") not in listed:
        raise IdentityDomainRefused


def _shown(claims: Claims) -> str:
    return claims.email or claims.name


def _random() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")


def _act(action: str, user_id: UserId, *, before: object = None, after: object = None) -> Act:
    return Act(action=action, subject="user", subject_id=str(user_id), before=before, after=after)

"""Identity providers as an owner sets them up: OpenID Connect, or GitHub. Their secrets are never read back."""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec

from airouter.domain.email_address import normal_domain
from airouter.domain.errors import AlreadyExists, InUse, InvalidRequest, NotFound
from airouter.domain.sign_in_errors import LastWayIn
from airouter.services import github
from airouter.services.audit_log import Act, Actor, record
from airouter.services.openid import Metadata, OpenId, Registration
from airouter.services.vault import Vault
from airouter.storage import factors
from airouter.storage import identities as rows
from airouter.storage.database import Connection, Database
from airouter.storage.identities import ProviderKind, ProviderRow

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_PURPOSE: Final = "identity-provider"
_TABLE: Final = "identity_providers"
_UNUSED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What a row to be written says where Postgres decides."""
DEFAULT_SCOPES: Final[dict[ProviderKind, tuple[str, ...]]] = {
    "oidc": ("openid", "email", "profile"),
    "github": ("read:user", "user:email"),
}


class ProviderDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A provider to be, or what one shall become. `client_secret` None: the one it has."""

    id: str
    kind: ProviderKind
    label: str
    issuer: str
    client_id: str
    client_secret: str | None
    scopes: tuple[str, ...]
    allow_sign_up: bool
    allowed_domains: tuple[str, ...]
    trust_email: bool
    is_enabled: bool

    def __repr__(self) -> str:
        return f"ProviderDraft({self.id!r})"


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """Without its secret. `identities`: how many people have linked one."""

    id: str
    kind: ProviderKind
    label: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    allow_sign_up: bool
    allowed_domains: tuple[str, ...]
    trust_email: bool
    is_enabled: bool
    redirect_uri: str
    identities: int
    created_at: datetime


class IdentityProviders:
    """Keeps them. `public_url` is the API's address, to which providers send people back."""

    def __init__(self, database: Database, vault: Vault, openid: OpenId, public_url: str) -> None:
        self._database = database
        self._vault = vault
        self._openid = openid
        self._public_url = public_url

    async def all(self) -> list[ProviderView]:
        """By label."""
        async with self._database.connection() as connection:
            return [self._view(row) for row in await rows.every_provider(connection)]

    async def get(self, provider_id: str) -> ProviderView:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            return self._view(await _found(connection, provider_id))

    async def enabled(self, connection: Connection, provider_id: str) -> tuple[ProviderRow, Registration]:
        """One that people may use now, and how we are known to it. Raises NotFound."""
        row = await rows.find_provider(connection, provider_id)
        if row is None or not row.is_enabled:
            raise NotFound("There is no such identity provider.")
        return row, self._registration(row)

    async def create(self, draft: ProviderDraft, actor: Actor) -> ProviderView:
        """Raises AlreadyExists, InvalidRequest."""
        if not _ID.fullmatch(draft.id):
            raise InvalidRequest("id: small letters, digits and dashes, up to 40.", field="id")
        if not draft.client_secret:
            raise InvalidRequest("client_secret: a provider needs one.", field="client_secret")
        draft = _checked(draft)
        row = self._row(draft, self._sealed(draft.id, draft.client_secret or ""))
        async with self._database.transaction() as connection:
            if not await rows.insert_provider(connection, row):
                raise AlreadyExists
            view = self._view(await _found(connection, draft.id))
            await record(connection, actor, _act("identity_provider.created", draft.id, after=view))
        return view

    async def replace(self, draft: ProviderDraft, actor: Actor) -> ProviderView:
        """Its kind and issuer stay once somebody has linked an identity: subjects mean nothing elsewhere.

        Raises:
            NotFound, InvalidRequest, LastWayIn: switched off, it would shut an owner out.
        """
        draft = _checked(draft)
        async with self._database.transaction() as connection:
            before = await _found(connection, draft.id)
            if before.identities and (before.kind, before.issuer) != (draft.kind, draft.issuer):
                raise InvalidRequest("issuer: people have linked identities of this issuer.", field="issuer")
            secret = before.client_secret
            if draft.client_secret:
                secret = self._sealed(draft.id, draft.client_secret)
            await rows.update_provider(connection, self._row(draft, secret))
            if await factors.owners_are_shut_out(connection):
                raise LastWayIn("An owner has no other way in than this provider.")
            view = self._view(await _found(connection, draft.id))
            after = {**msgspec.to_builtins(view), "secret_changed": bool(draft.client_secret)}
            act = _act("identity_provider.changed", draft.id, before=self._view(before), after=after)
            await record(connection, actor, act)
        return view

    async def delete(self, provider_id: str, actor: Actor) -> None:
        """Raises NotFound. InUse: people have linked identities of it; switch it off instead."""
        async with self._database.transaction() as connection:
            before = await _found(connection, provider_id)
            if not await rows.delete_provider(connection, provider_id):
                raise InUse("People have linked identities of this provider. Switch it off instead.")
            await record(connection, actor, _act("identity_provider.deleted", provider_id, before=self._view(before)))

    async def test(self, provider_id: str) -> Metadata | None:
        """Asks the provider for its discovery document; None for GitHub, which has none to ask for.

        Raises:
            NotFound, IdentityProviderFailed
        """
        async with self._database.connection() as connection:
            row = await _found(connection, provider_id)
        return None if row.kind == "github" else await self._openid.discover(row.issuer, is_fresh=True)

    def redirect_uri(self, provider_id: str) -> str:
        """What has to be registered at the provider."""
        return f"{self._public_url}/api/v1/auth/oidc/{provider_id}/callback"

    def _registration(self, row: ProviderRow) -> Registration:
        secret = self._vault.decrypt(_PURPOSE, _TABLE, row.provider_id, row.client_secret)
        return Registration(issuer=row.issuer, client_id=row.client_id, client_secret=secret, scopes=row.scopes)

    def _sealed(self, provider_id: str, secret: str) -> bytes:
        return self._vault.encrypt(_PURPOSE, _TABLE, provider_id, secret)

    def _row(self, draft: ProviderDraft, secret: bytes) -> ProviderRow:
        return ProviderRow(
            provider_id=draft.id,
            kind=draft.kind,
            label=draft.label,
            issuer=draft.issuer,
            client_id=draft.client_id,
            client_secret=secret,
            scopes=draft.scopes,
            allow_sign_up=draft.allow_sign_up,
            allowed_domains=draft.allowed_domains,
            trust_email=draft.trust_email,
            is_enabled=draft.is_enabled,
            created_at=_UNUSED,
            identities=0,
        )

    def _view(self, row: ProviderRow) -> ProviderView:
        return ProviderView(
            id=row.provider_id,
            kind=row.kind,
            label=row.label,
            issuer=row.issuer,
            client_id=row.client_id,
            scopes=row.scopes,
            allow_sign_up=row.allow_sign_up,
            allowed_domains=row.allowed_domains,
            trust_email=row.trust_email,
            is_enabled=row.is_enabled,
            redirect_uri=self.redirect_uri(row.provider_id),
            identities=row.identities,
            created_at=row.created_at,
        )


async def _found(connection: Connection, provider_id: str) -> ProviderRow:
    row = await rows.find_provider(connection, provider_id)
    if row is None:
        raise NotFound("There is no such identity provider.")
    return row


def _checked(draft: ProviderDraft) -> ProviderDraft:
    """With what was left out filled in. Raises InvalidRequest."""
    issuer = (draft.issuer or (github.PAGES if draft.kind == "github" else "")).strip()
    url = urlsplit(issuer)
    if url.scheme not in {"https", "http"} or not url.hostname or url.query or url.fragment or url.username:
        raise InvalidRequest("issuer: an address such as https://login.example.com.", field="issuer")
    scopes = draft.scopes or DEFAULT_SCOPES[draft.kind]
    if draft.kind == "oidc" and "openid" not in scopes:
        raise InvalidRequest("scopes: OpenID Connect needs openid.", field="scopes")
    domains = tuple(normal_domain(domain.strip().removeprefix("@")) for domain in draft.allowed_domains)
    for number, domain in enumerate(domains):
        if not _DOMAIN.fullmatch(domain):
            field = f"allowed_domains[{number}]"
            raise InvalidRequest(f"{field}: {domain!r} is no domain such as example.com.", field=field)
    return msgspec.structs.replace(draft, issuer=issuer, scopes=scopes, allowed_domains=domains)


def _act(action: str, provider_id: str, *, before: object = None, after: object = None) -> Act:
    return Act(action=action, subject="identity_provider", subject_id=provider_id, before=before, after=after)

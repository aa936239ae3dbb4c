"""Channels: configured addresses and credentials of providers. Credentials go in and never come out again."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.catalogue import DEFAULT_GROUP, Channel, ChannelOptions
from airouter.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, NotSupportedYet
from airouter.domain.ids import ChannelId, CredentialId
from airouter.domain.policy import Network
from airouter.providers.registry import PROVIDERS, SCRIPTED
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.base_urls import checked_base_url
from airouter.services.catalogue import CREDENTIAL_PURPOSE, CREDENTIAL_TABLE, channel_of, open_credential
from airouter.services.policies import policy_in_force
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import channels as rows
from airouter.storage.changes import announce
from airouter.storage.channels import ChannelRow, CredentialRow
from airouter.storage.database import Connection, Database
from airouter.wire.endpoint import Endpoint
from airouter.world import new_id, now

VERSIONLESS: Final = frozenset({"anthropic", "gemini"})
"""Providers whose addresses bring their own version."""
WITHOUT_ADDRESS: Final = frozenset({SCRIPTED})
"""Providers whose upstream lies in this process."""

_HINT_LENGTH = 4
_SECRET_LENGTH_WITH_HINT = 12
_MODEL_NAME = r"^(?!/)(?!.*//)(?!.*/$)[^\s\x00-\x1f\x7f]{1,200}$(?!\s)"  # every name has an address below /models/

ChannelName = Annotated[str, Meta(min_length=1, max_length=120)]
ModelName = Annotated[str, Meta(pattern=_MODEL_NAME)]
UpstreamName = Annotated[str, Meta(min_length=1, max_length=400)]
GroupNames = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=200)]
Credentials = Annotated[list[Annotated[str, Meta(min_length=1, max_length=20_000)]], Meta(max_length=100)]
Models = (
    Annotated[list[ModelName], Meta(max_length=5000)] | Annotated[dict[ModelName, UpstreamName], Meta(max_length=5000)]
)
"""Public names, or public name -> the upstream's name."""
Priority = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Weight = Annotated[int, Meta(ge=0, le=1_000_000)]


class ChannelDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel to be."""

    name: ChannelName
    provider: str
    base_url: str = ""
    credentials: Credentials = []
    models: Models = []
    groups: GroupNames = msgspec.field(default_factory=lambda: [DEFAULT_GROUP])
    priority: Priority = 0
    weight: Weight = 1
    enabled: bool = True
    options: ChannelOptions = ChannelOptions()

    def __repr__(self) -> str:
        return f"ChannelDraft({self.name!r}, {self.provider!r})"


class ChannelChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays. `credentials`, `models`, `groups` and `options` replace what was there."""

    name: ChannelName | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    credentials: Credentials | UnsetType = UNSET
    models: Models | UnsetType = UNSET
    groups: GroupNames | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    options: ChannelOptions | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"ChannelChanges({self.name!r})"


class CredentialView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen of a credential: its last characters."""

    id: UUID
    hint: str


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as an operator sees it."""

    id: ChannelId
    name: str
    provider: str
    base_url: str
    credentials: list[CredentialView]
    models: dict[str, str]
    groups: list[str]
    priority: int
    weight: int
    enabled: bool
    options: ChannelOptions
    created_at: datetime
    updated_at: datetime


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What one real, minimal call came to. `status` None: there was no answer."""

    status: int | None
    latency_ms: int
    error: str | None


class ChannelTest(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a test call; `error` says in words what went wrong."""

    ok: bool
    model: str
    upstream_model: str
    status: int | None
    latency_ms: int
    error: str | None


Probe = Callable[[Channel, str, Endpoint], Awaitable[Probed]]
"""Makes one minimal call for a public model name through a channel, and never raises for what the upstream does."""


class Channels:
    """The operator's verbs for channels. Every change holds in all processes within a second."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        providers: AbstractSet[str] = frozenset(PROVIDERS),
        probe: Probe | None = None,
    ) -> None:
        self._database = database
        self._vault = vault
        self._providers = providers
        self._probe = probe

    def probe_with(self, probe: Probe) -> None:
        """Gives the means for test calls, once the gateway is open."""
        self._probe = probe

    async def page(self, after: str, limit: int) -> list[ChannelView]:
        """By name."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.page_of_channels(connection, after, limit)
            return await self._views(connection, found)

    async def get(self, channel_id: ChannelId) -> ChannelView:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            return await self._view(connection, await _found(rows.find_channel(connection, channel_id)))

    async def create(self, draft: ChannelDraft, actor: Actor = SYSTEM) -> ChannelView:
        """A new channel, in use at once.

        Raises:
            AlreadyExists: there is one of that name.
            InvalidRequest: an unknown provider, or an address that no upstream may have.
        """
        async with self._database.transaction() as connection:
            network = await policy_in_force(connection, Network)
            row = ChannelRow(
                channel_id=ChannelId(new_id()),
                name=draft.name,
                provider=self._known(draft.provider),
                base_url=await _base_url(draft.base_url, draft.provider, network),
                models=_mapping(draft.models),
                groups=tuple(dict.fromkeys(draft.groups)),
                priority=draft.priority,
                weight=draft.weight,
                is_enabled=draft.enabled,
                options=msgspec.to_builtins(draft.options),
                created_at=now(),  # Postgres writes its own
                updated_at=now(),
            )
            stored = await _unique(rows.insert_channel(connection, row))
            await self._keep(connection, row.channel_id, draft.credentials)
            await announce(connection, "catalogue")
            view = await self._view(connection, stored)
            await record(connection, actor, _act("created", view.id, after=view))
            return view

    async def change(self, channel_id: ChannelId, changes: ChannelChanges, actor: Actor = SYSTEM) -> ChannelView:
        """The channel with these changes.

        Raises:
            NotFound
            AlreadyExists: another one has that name.
            InvalidRequest: an unknown provider, or an address that no upstream may have.
        """
        async with self._database.transaction() as connection:
            row = await _found(rows.lock_channel(connection, channel_id))
            before = await self._view(connection, row)
            new = _merged(row, changes)
            if changes.provider is not UNSET:
                self._known(new.provider)
            if changes.base_url is not UNSET or changes.provider is not UNSET:
                network = await policy_in_force(connection, Network)
                base_url = await _base_url(new.base_url, new.provider, network)
                new = msgspec.structs.replace(new, base_url=base_url)
            stored = await _unique(rows.update_channel(connection, new))
            if changes.credentials is not UNSET:
                await self._keep(connection, channel_id, changes.credentials)
            await announce(connection, "catalogue")
            view = await self._view(connection, stored)
            await record(connection, actor, _act("changed", channel_id, before=before, after=view))
            return view

    async def delete(self, channel_id: ChannelId, actor: Actor = SYSTEM) -> None:
        """Gone, its credentials too. Usage records keep its id. Raises NotFound."""
        async with self._database.transaction() as connection:
            row = await _found(rows.lock_channel(connection, channel_id))
            before = await self._view(connection, row)
            if not await rows.delete_channel(connection, channel_id):
                raise NotFound("There is no such channel.")
            await record(connection, actor, _act("deleted", channel_id, before=before))
            await announce(connection, "catalogue")

    async def test(self, channel_id: ChannelId, model: str | None, endpoint: Endpoint) -> ChannelTest:
        """One real call through this channel alone, whether it is enabled or not; `model` None: its first.

        Raises:
            NotFound: no such channel.
            InvalidRequest: the channel does not serve that model, or none at all.
            Conflict: its credentials were encrypted with a key that is gone.
        """
        if self._probe is None:
            raise NotSupportedYet("This process makes no test calls.")
        async with self._database.transaction(is_read_only=True) as connection:
            row = await _found(rows.find_channel(connection, channel_id))
            credentials = (await rows.credentials_of(connection, [channel_id]))[channel_id]
        try:
            channel = channel_of(row, tuple(open_credential(self._vault, one) for one in credentials))
        except SecretUnreadable:
            raise Conflict("The channel's credentials cannot be decrypted any more. Set them anew.") from None
        name = model if model is not None else next(iter(channel.models), "")
        if name not in channel.models:
            raise InvalidRequest(f"model: the channel does not serve {name!r}.", field="model")
        probed = await self._probe(channel, name, endpoint)
        return ChannelTest(
            ok=probed.error is None,
            model=name,
            upstream_model=channel.models[name],
            status=probed.status,
            latency_ms=probed.latency_ms,
            error=probed.error,
        )

    def _known(self, provider: str) -> str:
        if provider not in self._providers:
            known = ", ".join(sorted(self._providers))
            raise InvalidRequest(f"provider: {provider!r} is not known here; known are {known}.", field="provider")
        return provider

    async def _keep(self, connection: Connection, channel_id: ChannelId, secrets: Sequence[str]) -> None:
        credentials: list[CredentialRow] = []
        for secret in dict.fromkeys(secrets):
            credential_id = CredentialId(new_id())
            ciphertext = self._vault.encrypt(CREDENTIAL_PURPOSE, CREDENTIAL_TABLE, credential_id, secret)
            hint = secret[-_HINT_LENGTH:] if len(secret) >= _SECRET_LENGTH_WITH_HINT else ""
            credentials.append(
                CredentialRow(channel_id=channel_id, credential_id=credential_id, ciphertext=ciphertext, hint=hint)
            )
        await rows.replace_credentials(connection, channel_id, credentials)

    async def _view(self, connection: Connection, row: ChannelRow) -> ChannelView:
        return (await self._views(connection, [row]))[0]

    async def _views(self, connection: Connection, found: Sequence[ChannelRow]) -> list[ChannelView]:
        credentials = await rows.credentials_of(connection, [row.channel_id for row in found])
        return [_view_of(row, credentials[row.channel_id]) for row in found]


def _act(
    done: str, channel_id: ChannelId, *, before: ChannelView | None = None, after: ChannelView | None = None
) -> Act:
    return Act(action=f"channel.{done}", subject="channel", subject_id=str(channel_id), before=before, after=after)


def _view_of(row: ChannelRow, credentials: Sequence[CredentialRow]) -> ChannelView:
    return ChannelView(
        id=row.channel_id,
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        credentials=[CredentialView(id=one.credential_id, hint=one.hint) for one in credentials],
        models=row.models,
        groups=list(row.groups),
        priority=row.priority,
        weight=row.weight,
        enabled=row.is_enabled,
        options=msgspec.convert(row.options, ChannelOptions),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _merged(row: ChannelRow, changes: ChannelChanges) -> ChannelRow:
    given = {name: getattr(changes, name) for name in ("name", "provider", "base_url", "priority", "weight")}
    new = msgspec.structs.replace(row, **{name: value for name, value in given.items() if value is not UNSET})
    if changes.models is not UNSET:
        new = msgspec.structs.replace(new, models=_mapping(changes.models))
    if changes.groups is not UNSET:
        new = msgspec.structs.replace(new, groups=tuple(dict.fromkeys(changes.groups)))
    if changes.enabled is not UNSET:
        new = msgspec.structs.replace(new, is_enabled=changes.enabled)
    if changes.options is not UNSET:
        new = msgspec.structs.replace(new, options=msgspec.to_builtins(changes.options))
    return new


def _mapping(models: list[str] | dict[str, str]) -> dict[str, str]:
    return models if isinstance(models, dict) else {model: model for model in models}


async def _base_url(text: str, provider: str, network: Network) -> str:
    if not text and provider in WITHOUT_ADDRESS:
        return ""
    address = await checked_base_url(text, network)
    if provider in VERSIONLESS and address.endswith(("/v1", "/v1beta")):
        raise InvalidRequest(
            f"base_url: {provider} takes its address without a version, as its own SDK does.", field="base_url"
        )
    return address


async def _found(looking: Awaitable[ChannelRow | None]) -> ChannelRow:
    row = await looking
    if row is None:
        raise NotFound("There is no such channel.")
    return row


async def _unique(storing: Awaitable[ChannelRow]) -> ChannelRow:
    try:
        return await storing
    except asyncpg.UniqueViolationError:
        raise AlreadyExists("Another channel has this name.", field="name") from None

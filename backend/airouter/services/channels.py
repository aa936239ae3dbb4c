"""Channels: configured addresses and credentials of providers. Credentials go in and never come out again."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Final

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.catalogue import DEFAULT_GROUP, ChannelOptions
from airouter.domain.errors import AlreadyExists, InvalidRequest, NotFound
from airouter.domain.ids import ChannelId
from airouter.domain.policy import Network
from airouter.providers.overrides import check_rules
from airouter.providers.registry import PROVIDERS, SCRIPTED
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.base_urls import checked_base_url
from airouter.services.channel_credentials import (
    CREDENTIALS_MAX,
    Secret,
    Troubles,
    check_credentials,
    readable_secrets,
    replace_credentials,
)
from airouter.services.channel_proxies import proxy_as_written, sealed_proxy
from airouter.services.channel_views import ChannelView, told, views_of
from airouter.services.policies import policy_in_force
from airouter.services.vault import Vault
from airouter.storage import channels as rows
from airouter.storage.changes import announce
from airouter.storage.channels import ChannelRow
from airouter.storage.database import Connection, Database
from airouter.world import new_id, now

VERSIONLESS: Final = frozenset({"anthropic", "gemini"})
"""Providers whose addresses bring their own version."""
WITHOUT_ADDRESS: Final = frozenset({SCRIPTED})
"""Providers whose upstream lies in this process."""

CHANNELS_MAX: Final = 10_000
"""So many are counted; nobody has more."""
_MODEL_NAME = r"^(?!/)(?!.*//)(?!.*/$)[^\s\x00-\x1f\x7f]{1,200}$(?!\s)"  # every name has an address below /models/

ChannelName = Annotated[str, Meta(min_length=1, max_length=120)]
ModelName = Annotated[str, Meta(pattern=_MODEL_NAME)]
UpstreamName = Annotated[str, Meta(min_length=1, max_length=400)]
GroupNames = Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=200)]
Credentials = Annotated[list[Secret], Meta(max_length=CREDENTIALS_MAX)]
Models = (
    Annotated[list[ModelName], Meta(max_length=5000)] | Annotated[dict[ModelName, UpstreamName], Meta(max_length=5000)]
)
"""Public names, or public name -> the upstream's name."""
Proxy = Annotated[str, Meta(min_length=1, max_length=2000)]
"""`http://` or `https://`, with user and password where it wants them. It is never shown again as a whole."""
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
    proxy: Proxy | None = None

    def __repr__(self) -> str:
        return f"ChannelDraft({self.name!r}, {self.provider!r})"


class ChannelChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays. `credentials`, `models`, `groups` and `options` replace what was there.

    A credential that was there and is among the new ones keeps its id, its label and its state.
    """

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
    proxy: Proxy | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return f"ChannelChanges({self.name!r})"


class ChannelSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How many channels there are of each kind. `needs_look`: those with any concern."""

    channels: int
    healthy: int
    cooling: int
    out_of_service: int
    off: int
    needs_look: int


class Channels:
    """The operator's verbs for channels. Every change holds in all processes within a second."""

    def __init__(self, database: Database, vault: Vault, *, providers: AbstractSet[str] = frozenset(PROVIDERS)) -> None:
        self._database = database
        self._vault = vault
        self._providers = providers
        self._troubles: Callable[[], Troubles] = dict

    def watch_with(self, troubles: Callable[[], Troubles]) -> None:
        """Gives the view of the gateway of this process, once that is open."""
        self._troubles = troubles

    async def page(self, after: str, limit: int) -> list[ChannelView]:
        """By name."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.page_of_channels(connection, after, limit)
            return await self._views(connection, found)

    async def get(self, channel_id: ChannelId) -> ChannelView:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            return await self._view(connection, await _found(rows.find_channel(connection, channel_id)))

    async def summary(self) -> ChannelSummary:
        """How many there are of each kind."""
        async with self._database.transaction(is_read_only=True) as connection:
            views = await self._views(connection, await rows.page_of_channels(connection, "", CHANNELS_MAX))
        states = [view.health.state for view in views]
        return ChannelSummary(
            channels=len(views),
            healthy=states.count("healthy") + states.count("watched"),
            cooling=states.count("cooling") + states.count("probing"),
            out_of_service=states.count("out_of_service"),
            off=states.count("off"),
            needs_look=sum(bool(view.concerns) for view in views),
        )

    async def create(self, draft: ChannelDraft, actor: Actor = SYSTEM) -> ChannelView:
        """A new channel, in use at once.

        Raises:
            AlreadyExists: there is one of that name.
            InvalidRequest: an unknown provider, or an address that no upstream may have.
        """
        async with self._database.transaction() as connection:
            network = await policy_in_force(connection, Network)
            _check_options(draft.options, _mapping(draft.models))
            check_credentials(draft.provider, draft.credentials)
            channel_id = ChannelId(new_id())
            proxy, proxy_hint = await sealed_proxy(self._vault, channel_id, draft.proxy, network)
            row = ChannelRow(
                channel_id=channel_id,
                name=draft.name,
                provider=self._known(draft.provider),
                base_url=await _base_url(draft.base_url, draft.provider, network),
                models=_mapping(draft.models),
                groups=tuple(dict.fromkeys(draft.groups)),
                priority=draft.priority,
                weight=draft.weight,
                is_enabled=draft.enabled,
                options=msgspec.to_builtins(draft.options),
                proxy=proxy,
                proxy_hint=proxy_hint,
                created_at=now(),  # Postgres writes its own
                updated_at=now(),
            )
            stored = await _unique(rows.insert_channel(connection, row))
            await replace_credentials(connection, self._vault, row.channel_id, draft.credentials)
            await announce(connection, "catalogue")
            view = await self._view(connection, stored)
            await record(connection, actor, _act("created", view.id, after=view))
            return view

    async def change(self, channel_id: ChannelId, changes: ChannelChanges, actor: Actor = SYSTEM) -> ChannelView:
        """The channel with these changes.

        Raises:
            NotFound
            AlreadyExists: another one has that name.
            InvalidRequest: an unknown provider, one that could never accept the credentials that are there, or an
                address that no upstream may have.
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
            _check_options(msgspec.convert(new.options, ChannelOptions), new.models)
            if changes.proxy is not UNSET:
                network = await policy_in_force(connection, Network)
                proxy, proxy_hint = await sealed_proxy(self._vault, channel_id, changes.proxy, network)
                new = msgspec.structs.replace(new, proxy=proxy, proxy_hint=proxy_hint)
            stored = await _unique(rows.update_channel(connection, new))
            if changes.credentials is UNSET and new.provider != row.provider:
                check_credentials(new.provider, await readable_secrets(connection, self._vault, channel_id))
            if changes.credentials is not UNSET:
                check_credentials(new.provider, changes.credentials)
                await replace_credentials(connection, self._vault, channel_id, changes.credentials)
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

    async def checked_address(self, provider: str, base_url: str) -> str:
        """The address as it would be stored. Raises InvalidRequest: no such provider, or an impossible address."""
        return await _base_url(base_url, self._known(provider), await self._network())

    async def checked_proxy(self, proxy: str) -> str:
        """The proxy as it would be connected to. Raises InvalidRequest: it is none, or at an impossible address."""
        return (await proxy_as_written(proxy, await self._network()))[0]

    async def _network(self) -> Network:
        async with self._database.connection() as connection:
            return await policy_in_force(connection, Network)

    def _known(self, provider: str) -> str:
        if provider not in self._providers:
            known = ", ".join(sorted(self._providers))
            raise InvalidRequest(f"provider: {provider!r} is not known here; known are {known}.", field="provider")
        return provider

    async def _view(self, connection: Connection, row: ChannelRow) -> ChannelView:
        return (await self._views(connection, [row]))[0]

    async def _views(self, connection: Connection, found: Sequence[ChannelRow]) -> list[ChannelView]:
        return await views_of(connection, found, self._troubles())


def _act(
    done: str, channel_id: ChannelId, *, before: ChannelView | None = None, after: ChannelView | None = None
) -> Act:
    return Act(
        action=f"channel.{done}",
        subject="channel",
        subject_id=str(channel_id),
        before=None if before is None else told(before),
        after=None if after is None else told(after),
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


def _check_options(options: ChannelOptions, models: dict[str, str]) -> None:
    """What options say must fit the rest of the channel. Raises InvalidRequest."""
    check_rules(options)
    if options.test_model is not None and options.test_model not in models:
        raise InvalidRequest(
            f"options.test_model: the channel does not serve {options.test_model!r}.", field="options.test_model"
        )


def _mapping(models: list[str] | dict[str, str]) -> dict[str, str]:
    return models if isinstance(models, dict) else {model: model for model in models}


async def _base_url(text: str, provider: str, network: Network) -> str:
    if not text and provider in WITHOUT_ADDRESS:
        return ""
    address = await checked_base_url(text, network)
    if provider == "azure-openai" and "/deployments" in address:
        raise InvalidRequest(
            "base_url: it is the address of the resource; its deployments are named in `models`.", field="base_url"
        )
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

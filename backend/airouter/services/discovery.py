"""What models a provider has: asked with a channel's address and credential, saved or not yet; the operator picks.

Nothing is changed: names become a channel's models, and models get prices, when an operator says so.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from airouter.domain.catalogue import Channel, ChannelOptions, Credential
from airouter.domain.errors import Conflict, NotFound, NotSupportedYet
from airouter.domain.ids import ChannelId, CredentialId
from airouter.services.catalogue import channel_of, open_credential
from airouter.services.channel_credentials import Secret
from airouter.services.channels import Channels, Proxy
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import channel_credentials
from airouter.storage import channels as rows
from airouter.storage.database import Database
from airouter.world import new_id

_DRAFT: Final = "a channel to be"


class DiscoveryDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel that is not saved yet. Credential and proxy are used for this and forgotten."""

    provider: Annotated[str, Meta(min_length=1, max_length=64)]
    base_url: Annotated[str, Meta(max_length=2000)] = ""
    credential: Secret | None = None
    options: ChannelOptions = ChannelOptions()
    proxy: Proxy | None = None

    def __repr__(self) -> str:
        return f"DiscoveryDraft({self.provider!r})"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider said. `is_complete` False: there is more than is looked at, or it broke off."""

    names: list[str]
    is_complete: bool
    error: str | None


class DiscoveredModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model of the provider. `served_as`: the public names by which the channel serves it already.

    `is_model`: there is a model of this very name here; `is_priced`: and it has a price in force.
    """

    name: str
    served_as: list[str]
    is_model: bool
    is_priced: bool


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """The provider's models. `error` says in words why there are none, or not all."""

    models: list[DiscoveredModel]
    is_complete: bool
    error: str | None


Ask = Callable[[Channel, Credential | None], Awaitable[Found]]
"""Asks the provider of a channel, and never raises for what the upstream does."""


class ModelDiscovery:
    """Asks providers for their lists."""

    def __init__(self, database: Database, vault: Vault, channels: Channels) -> None:
        self._database = database
        self._vault = vault
        self._channels = channels
        self._ask: Ask | None = None

    def ask_with(self, ask: Ask) -> None:
        """Gives the means, once the gateway is open."""
        self._ask = ask

    async def of_channel(self, channel_id: ChannelId) -> Discovery:
        """With its first enabled credential (of which, if all are disabled, the first).

        Raises:
            NotFound. Conflict: the credential was encrypted with a key that is gone.
        """
        async with self._database.transaction(is_read_only=True) as connection:
            row = await rows.find_channel(connection, channel_id)
            if row is None:
                raise NotFound("There is no such channel.")
            sealed = (await channel_credentials.credentials_of(connection, [channel_id]))[channel_id]
        chosen = next((one for one in sealed if one.disabled_at is None), sealed[0] if sealed else None)
        try:
            credential = None if chosen is None else open_credential(self._vault, chosen)
        except SecretUnreadable:
            raise Conflict("The channel's credentials cannot be decrypted any more. Set them anew.") from None
        return await self._discover(channel_of(self._vault, row, ()), credential)

    async def of_draft(self, draft: DiscoveryDraft) -> Discovery:
        """Before it is saved. Raises InvalidRequest: an unknown provider, or an impossible address or proxy."""
        channel = Channel(
            channel_id=ChannelId(new_id()),
            name=_DRAFT,
            provider=draft.provider,
            base_url=await self._channels.checked_address(draft.provider, draft.base_url),
            models={},
            groups=frozenset(),
            options=draft.options,
            proxy=None if draft.proxy is None else await self._channels.checked_proxy(draft.proxy),
        )
        secret = draft.credential
        return await self._discover(
            channel, None if secret is None else Credential(credential_id=CredentialId(new_id()), secret=secret)
        )

    async def _discover(self, channel: Channel, credential: Credential | None) -> Discovery:
        if self._ask is None:
            raise NotSupportedYet("This process asks no providers.")
        found = await self._ask(channel, credential)
        async with self._database.connection() as connection:
            known = await rows.known_models(connection, found.names)
        served: dict[str, list[str]] = {}
        for public, upstream in channel.models.items():
            served.setdefault(upstream, []).append(public)
        models = [
            DiscoveredModel(
                name=name,
                served_as=sorted(served.get(name, ())),
                is_model=name in known,
                is_priced=name in known and known[name].is_priced,
            )
            for name in found.names
        ]
        return Discovery(models=models, is_complete=found.is_complete, error=found.error)

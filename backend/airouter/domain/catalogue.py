"""What is offered and by whom: models, groups and channels, as the gateway and the price list see them."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from airouter.domain.ids import ChannelId, CredentialId
from airouter.domain.overrides import BodyRule, ChannelTimeouts, HeaderRule
from airouter.domain.policy import Policies
from airouter.domain.quota import MICROS
from airouter.domain.rate_card import RateCard
from airouter.domain.rate_limit import RateLimits

DEFAULT_GROUP: Final = "default"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A tier. `models` None: all. An account uses its own group, and every group whose `usable_by` names its own.

    With `members` it stands for these groups in order: a call is served by the first that offers the model and has a
    channel for it, at that group's price. A member's own members count for nothing.
    """

    name: str
    label: str = ""
    multiplier_micros: int = MICROS
    models: frozenset[str] | None = None
    is_public: bool = False
    usable_by: frozenset[str] = frozenset()
    overrides: dict[str, int] = {}
    """Multiplier for accounts of another group that use this one: account group -> micros."""
    members: tuple[str, ...] = ()
    rate_limits: RateLimits | None = None
    """Of each account that uses the group."""

    def is_usable_by(self, account_group: str) -> bool:
        return self.name == account_group or account_group in self.usable_by

    def offers(self, model: str) -> bool:
        return self.models is None or model in self.models

    def multiplier_for(self, account_group: str) -> int:
        return self.overrides.get(account_group, self.multiplier_micros)


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A public model name. Figures that the operator did not set are None, never guessed."""

    model: str
    vendor: str | None = None
    description: str | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    media_tokens_max: int | None = None
    """The most tokens that one image, audio clip or document in a prompt can count."""
    is_enabled: bool = True
    created_at_seconds: int = 0
    card: RateCard | None = None
    """The rate card in force now; a model without one is refused."""
    rate_limits: RateLimits | None = None
    """Of all accounts together: what there is of it to be had."""


class ChannelOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How this upstream differs from the rule."""

    rewrite_model: bool = False
    """Put the public model name into the answer instead of forwarding what the upstream said."""
    include_usage: bool = True
    """The upstream understands `stream_options.include_usage`; without it a stream's usage is estimated."""
    caps: RateLimits | None = None
    """What the vendor allows this address; beyond it the next channel is tried."""
    on_disconnect: Literal["drain", "cancel"] = "drain"
    """What to do with the upstream when the client leaves: read on within limits, or hang up where that stops billing.
    """
    uncounted_tools: bool = False
    """Pass on tools that the vendor bills by something that nobody here counts; what they cost is the operator's, or in
    the rate of a request.
    """
    test_model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    """The public name that tests ask for; None: the first that the channel serves."""
    probe_minutes: Annotated[int, msgspec.Meta(ge=1, le=10_080)] | None = None
    """How often the channel is tested by itself; None: never. Each test is a call that the provider bills."""
    api_version: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.-]{1,40}$")] | None = None
    """Azure: the version that goes into the address; None: the addresses that need none."""
    timeouts: ChannelTimeouts | None = None
    """Where this upstream needs others than policy `routing` says."""
    body: Annotated[tuple[BodyRule, ...], msgspec.Meta(max_length=100)] = ()
    headers: Annotated[tuple[HeaderRule, ...], msgspec.Meta(max_length=100)] = ()
    """What is changed in every request, in this order, after everything else."""


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One secret of a channel. Each is healthy, cooling or disabled for itself."""

    credential_id: CredentialId
    secret: str

    def __repr__(self) -> str:
        """Without the secret: a repr ends up in logs."""
        return f"Credential({self.credential_id})"


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One configured address and credential set of a provider."""

    channel_id: ChannelId
    name: str
    provider: str
    base_url: str
    models: dict[str, str]
    """Public model name -> the upstream's name for it."""
    groups: frozenset[str]
    priority: int = 0
    weight: int = 1
    is_enabled: bool = True
    credentials: tuple[Credential, ...] = ()
    """Those that may be used."""
    options: ChannelOptions = ChannelOptions()
    costs: dict[str, RateCard] = {}
    """Public model name -> what the provider charges the operator for it, in quota; absent where nothing is known."""
    proxy: str | None = None
    """What every connection for it goes through; may hold a password."""

    def __repr__(self) -> str:
        """Without the credentials: a repr ends up in logs."""
        return f"Channel({self.name!r}, {self.provider!r}, {self.base_url!r})"


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Everything offered, as of one moment: read whole from Postgres, swapped whole on change, never edited."""

    models: dict[str, Model]
    groups: dict[str, Group]
    channels: tuple[Channel, ...]
    policies: Policies
    next_change_at: datetime | None = None
    """When a rate card that lies in the future comes into force: the catalogue is read anew then."""

    def usable_groups(self, account_group: str) -> tuple[Group, ...]:
        """What an account may put on a key, its own group first."""
        own = [group for group in self.groups.values() if group.name == account_group]
        return (*own, *(g for g in self.groups.values() if g.name != account_group and g.is_usable_by(account_group)))

    def serving(self, group: Group, model: str) -> tuple[Group, ...]:
        """Who serves a model that is asked for in this group, in order: itself, or those of its members that offer it
        and have a channel for it; where none has, those that offer it.
        """
        if not group.members:
            return (group,)
        if not group.offers(model):
            return ()
        members = (self.groups.get(name) for name in group.members)
        offering = tuple(one for one in members if one is not None and self.offered(model, one) is not None)
        return tuple(one for one in offering if self.has_channel(one.name, model)) or offering

    def has_channel(self, group: str, model: str) -> bool:
        """Some channel that is in use serves the model to this group."""
        return any(
            channel.is_enabled and model in channel.models and group in channel.groups for channel in self.channels
        )

    def offered(self, model: str, group: Group) -> Model | None:
        """The model if this group may see it and it has a price; unknown, invisible and unpriced look the same."""
        found = self.models.get(model)
        if found is None or not found.is_enabled or found.card is None or not group.offers(model):
            return None
        return found

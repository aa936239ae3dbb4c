"""Policies: what an operator edits while the gateway runs. One struct a topic; a field that is not enforced does not
exist here.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from airouter.domain.quota import WALLET_MAX

Text = Annotated[str, Meta(max_length=120)]
Link = Annotated[str, Meta(max_length=2000)]
Seconds = Annotated[int, Meta(ge=1, le=3600)]


class _Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic."""


class SignUp(_Policy, frozen=True, kw_only=True):
    """Who may join. Closed until the operator opens it."""

    mode: Literal["closed", "open"] = "closed"
    group: str = "default"
    """The group that a new account starts in."""


class Display(_Policy, frozen=True, kw_only=True):
    """How amounts are shown to people; never used to price, sell or charge."""

    name: Annotated[str, Meta(min_length=1, max_length=120)] = "AI Router"
    symbol: Annotated[str, Meta(max_length=8)] | None = None
    """Currency symbol; None shows the ledger currency's code."""
    factor_micros: Annotated[int, Meta(ge=1, le=10**15)] = 1_000_000
    """Shown amount = quota / quota_per_unit x factor; other than x1 it is marked as approximate."""
    decimals: Annotated[int, Meta(ge=0, le=9)] = 2
    links: Annotated[dict[Text, Link], Meta(max_length=50)] = {}


class Limits(_Policy, frozen=True, kw_only=True):
    """Bounds of a call and of an account."""

    unstated_output_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] = 4096
    """Output allowance of a request that states no maximum."""
    on_exhausted: Literal["finish", "cut"] = "finish"
    """A stream outgrew its hold and the account has no more: finish at the operator's expense, or cut it."""
    overrun_max: Annotated[int, Meta(ge=0, le=WALLET_MAX)] | None = None
    """Quota an account may owe to overruns before it is refused until it tops up; None: no bound."""
    body_bytes_max: Annotated[int, Meta(ge=1024, le=1024 * 1024 * 1024)] = 32 * 1024 * 1024
    """Largest request body a door accepts."""
    drain_seconds: Annotated[int, Meta(ge=0, le=3600)] = 60
    """How long an answer is read on after its client left."""


class Routing(_Policy, frozen=True, kw_only=True):
    """How long to wait for an upstream, and how often to try another."""

    connect_seconds: Seconds = 5
    first_byte_seconds: Seconds = 300
    idle_seconds: Seconds = 120
    attempts_max: Annotated[int, Meta(ge=1, le=20)] = 3
    cool_down_seconds: Annotated[int, Meta(ge=0, le=3600)] = 15
    """A channel that failed is tried last for this long."""


class Network(_Policy, frozen=True, kw_only=True):
    """Which private addresses an operator's own upstreams may have."""

    allow_private: bool = False
    allowed_networks: tuple[Text, ...] = ()


class TopUp(_Policy, frozen=True, kw_only=True):
    """How quota is bought."""

    redemption_enabled: bool = True


TOPICS: dict[str, type[_Policy]] = {
    "signup": SignUp,
    "display": Display,
    "limits": Limits,
    "routing": Routing,
    "network": Network,
    "topup": TopUp,
}


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """All topics together, as one snapshot carries them."""

    signup: SignUp = SignUp()
    display: Display = Display()
    limits: Limits = Limits()
    routing: Routing = Routing()
    network: Network = Network()
    topup: TopUp = TopUp()

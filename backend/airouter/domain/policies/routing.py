"""How long to wait for an upstream, and how often to try another."""

from typing import Annotated

from msgspec import Meta

from airouter.domain.policies.topic import Seconds, Topic


class Routing(Topic, frozen=True, kw_only=True):
    """How long to wait for an upstream, and how often to try another."""

    connect_seconds: Seconds = 5
    first_byte_seconds: Seconds = 300
    idle_seconds: Seconds = 120
    attempts_max: Annotated[int, Meta(ge=1, le=20)] = 3
    cool_down_seconds: Annotated[int, Meta(ge=0, le=3600)] = 15
    """A channel that failed is tried last for this long."""

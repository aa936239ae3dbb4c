"""Bounds of a call and of an account."""

from typing import Annotated, Literal

from msgspec import Meta

from airouter.domain.policies.topic import Topic
from airouter.domain.quota import WALLET_MAX


class Limits(Topic, frozen=True, kw_only=True):
    """Bounds of a call and of an account."""

    unstated_output_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] = 4096
    """Output allowance of a request that states no maximum."""
    on_exhausted: Literal["finish", "cut"] = "finish"
    """A stream outgrew its hold and the account has no more: finish at the operator's expense, or cut it."""
    overrun_max: Annotated[int, Meta(ge=0, le=WALLET_MAX)] | None = None
    """Quota an account may owe to overruns before it is refused until it tops up; None: no bound."""
    body_bytes_max: Annotated[int, Meta(ge=1024, le=1024 * 1024 * 1024)] = 32 * 1024 * 1024
    """Largest request body a door accepts."""
    estimates: Literal["off", "charge"] = "charge"
    """Whether our estimate stands in where a provider counted nothing: for the charge of a complete answer, and at the
    doors that only count. What a client left in the middle, or we cut, is always charged by it.
    """
    stored_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    """How long the name of a stored response is known where its provider does not say how long it lasts."""
    conversation_days: Annotated[int, Meta(ge=1, le=3650)] = 365
    """How long the name of a conversation is known after it was last used: its provider keeps it until it is deleted.
    """
    background_hours_max: Annotated[int, Meta(ge=1, le=720)] = 24
    """A background job that its provider still calls running at this age is cancelled, and pays what it used."""
    drain_seconds: Annotated[int, Meta(ge=0, le=3600)] = 60
    """How long an answer is read on after its client left."""

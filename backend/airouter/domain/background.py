"""Work at a provider that outlives its request: what ended it, and what was used."""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.rate_card import Meter
from airouter.domain.usage import UsageSource, UsageStatus

JOBS_NODE: Final = NodeId(UUID("00000000-0000-7000-8000-000000000b06"))
"""Stands for all background jobs where limits of keys are leased. No process is this node, and none may sweep it."""

LOST_AFTER: Final = timedelta(minutes=15)
"""A job that its provider does not know (any more), or never named, is given up when it is as old as that. So long
beyond policy `limits.background_hours_max` one is given up whose channel is gone or silent, or that cannot be stopped.
"""
TOO_LONG: Final = "background_too_long"
"""The error of a job that was stopped because of its age."""

Loss = Literal["never_begun", "unknown_to_provider", "channel_gone", "provider_silent"]
"""Why a job was given up. Its account pays nothing, and the operator is told."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended, and what its provider said it used. Empty `quantities`: nothing is charged."""

    status: UsageStatus
    source: UsageSource
    quantities: dict[Meter, int]
    service_tier: str | None = None
    error: str | None = None
    loss: Loss | None = None
    provider_cost: int | None = None

"""Channels as operators see them: what they decided, and how each is doing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from airouter.domain.catalogue import ChannelOptions
from airouter.domain.ids import ChannelId
from airouter.services.channel_credentials import (
    CredentialView,
    LastTest,
    Trouble,
    Troubles,
    credential_views,
    last_test_of,
)
from airouter.storage import channel_probes
from airouter.storage.channel_probes import ProbeRow
from airouter.storage.channels import ChannelRow
from airouter.storage.database import Connection

Concern = Literal["out_of_service", "cooling", "credential_disabled", "test_failed"]
"""What an operator should look at."""


class HealthView(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel is doing, as the process that answers sees it.

    `watched`: it failed lately and is used all the same. `cooling`: calls go elsewhere `until` then, if they can.
    `probing`: its pause is over, and one call at a time is to tell whether it works. `out_of_service`: its credentials
    are all disabled. `off`: an operator switched it off. `reason` is of the last failure.
    """

    state: Literal["healthy", "watched", "cooling", "probing", "out_of_service", "off"]
    until: datetime | None
    reason: str | None
    failures_in_a_row: int


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as an operator sees it. `last_test` is for a channel without credentials; else each has its own."""

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
    proxy: str | None
    """Its address, without user and password."""
    health: HealthView
    usable_credentials: int
    concerns: list[Concern]
    last_test: LastTest | None
    created_at: datetime
    updated_at: datetime


async def views_of(connection: Connection, found: Sequence[ChannelRow], troubles: Troubles) -> list[ChannelView]:
    """The rows as they may be shown, with their credentials and last tests."""
    ids = [row.channel_id for row in found]
    credentials = await credential_views(connection, ids, troubles)
    probes = await channel_probes.probes_of(connection, ids)
    return [
        _view_of(row, credentials[row.channel_id], probes[row.channel_id], troubles.get(row.channel_id))
        for row in found
    ]


def told(view: ChannelView) -> dict[str, Any]:
    """What operators decide: how it happens to be doing is no part of an act."""
    told: dict[str, Any] = msgspec.to_builtins(view)
    for passing in ("health", "concerns", "last_test", "usable_credentials"):
        del told[passing]
    told["credentials"] = [
        {name: one[name] for name in ("id", "hint", "label", "enabled")} for one in told["credentials"]
    ]
    return told


def _view_of(
    row: ChannelRow, credentials: list[CredentialView], probes: Sequence[ProbeRow], trouble: Trouble | None
) -> ChannelView:
    usable = sum(one.enabled for one in credentials)
    health = _health_of(
        row, trouble or _shared_trouble(credentials), is_out_of_service=bool(credentials) and not usable
    )
    own_test = next((last_test_of(one) for one in probes if one.credential_id is None), None)
    last_test = None if credentials else own_test
    tests = [one.last_test for one in credentials if one.enabled] if credentials else [last_test]
    concerns: dict[Concern, bool] = {
        "out_of_service": health.state == "out_of_service",
        "cooling": health.state in {"cooling", "probing"},
        "credential_disabled": any(one.disabled_by == "gateway" for one in credentials),
        "test_failed": row.is_enabled and any(one is not None and not one.ok for one in tests),
    }
    return ChannelView(
        id=row.channel_id,
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        credentials=credentials,
        models=row.models,
        groups=list(row.groups),
        priority=row.priority,
        weight=row.weight,
        enabled=row.is_enabled,
        options=msgspec.convert(row.options, ChannelOptions),
        proxy=row.proxy_hint,
        health=health,
        usable_credentials=usable,
        concerns=[concern for concern, is_so in concerns.items() if is_so],
        last_test=last_test,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _shared_trouble(credentials: Sequence[CredentialView]) -> Trouble | None:
    """A channel is left alone while each of its credentials is; until the first of them is tried again."""
    troubles = [one.trouble for one in credentials if one.enabled]
    ends = [
        (one.until, one) for one in troubles if one is not None and one.state == "cooling" and one.until is not None
    ]
    if not ends or len(ends) < len(troubles):
        return None
    return min(ends, key=lambda end: end[0])[1]


def _health_of(row: ChannelRow, trouble: Trouble | None, *, is_out_of_service: bool) -> HealthView:
    if not row.is_enabled:
        return HealthView(state="off", until=None, reason=None, failures_in_a_row=0)
    if is_out_of_service:
        return HealthView(state="out_of_service", until=None, reason=None, failures_in_a_row=0)
    if trouble is None:
        return HealthView(state="healthy", until=None, reason=None, failures_in_a_row=0)
    return HealthView(
        state=trouble.state, until=trouble.until, reason=trouble.reason, failures_in_a_row=trouble.in_a_row
    )

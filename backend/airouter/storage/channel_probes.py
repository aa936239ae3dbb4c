"""Rows of what the last test of each credential found."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from airouter.domain.ids import ChannelId, CredentialId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("channel_probes")


class ProbeRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test. `credential_id` null: the channel had no credential. `status` null: there was no answer."""

    channel_id: ChannelId
    credential_id: CredentialId | None
    tested_at: datetime
    model: str
    is_ok: bool
    status: int | None
    latency_ms: int
    error: str | None


class NewProbe(msgspec.Struct, frozen=True, kw_only=True):
    """A test that has just been made."""

    channel_id: ChannelId
    credential_id: CredentialId | None
    model: str
    is_ok: bool
    status: int | None
    latency_ms: int
    error: str | None


async def keep_probe(connection: Connection, new: NewProbe) -> ProbeRow | None:
    """It takes the place of the one before. None: the channel or the credential is gone meanwhile."""
    row = await connection.fetchrow(
        QUERIES.keep_probe, new.channel_id, new.credential_id, new.model, new.is_ok, new.status, new.latency_ms,
        new.error,
    )  # fmt: skip
    return None if row is None else row_as(ProbeRow, row)


async def probes_of(connection: Connection, channel_ids: Sequence[ChannelId]) -> dict[ChannelId, list[ProbeRow]]:
    """The last tests by channel, in no order."""
    found: dict[ChannelId, list[ProbeRow]] = {channel_id: [] for channel_id in channel_ids}
    for row in await connection.fetch(QUERIES.probes_of, channel_ids):
        probe = row_as(ProbeRow, row)
        found[probe.channel_id].append(probe)
    return found


async def due_channels(connection: Connection, limit: int) -> list[ChannelId]:
    """Those whose regular test is due, the longest waiting first."""
    return [ChannelId(row["channel_id"]) for row in await connection.fetch(QUERIES.due_channels, limit)]

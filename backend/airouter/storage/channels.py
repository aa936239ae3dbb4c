"""Rows of channels; their credentials are in channel_credentials.py."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from airouter.domain.ids import ChannelId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("channels")


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A channel without its credentials. `options` as stored: ChannelOptions decides what it may say."""

    channel_id: ChannelId
    name: str
    provider: str
    base_url: str
    models: dict[str, str]
    groups: tuple[str, ...]
    priority: int
    weight: int
    is_enabled: bool
    options: dict[str, Any]
    proxy: bytes | None = None
    """Encrypted."""
    proxy_hint: str | None = None
    created_at: datetime
    updated_at: datetime


class KnownModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public name that is a model here."""

    model: str
    is_priced: bool


async def page_of_channels(connection: Connection, after: str, limit: int) -> list[ChannelRow]:
    """By name."""
    return [row_as(ChannelRow, row) for row in await connection.fetch(QUERIES.page_of_channels, after, limit)]


async def find_channel(connection: Connection, channel_id: ChannelId) -> ChannelRow | None:
    row = await connection.fetchrow(QUERIES.find_channel, channel_id)
    return None if row is None else row_as(ChannelRow, row)


async def lock_channel(connection: Connection, channel_id: ChannelId) -> ChannelRow | None:
    """The row, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES.lock_channel, channel_id)
    return None if row is None else row_as(ChannelRow, row)


async def insert_channel(connection: Connection, row: ChannelRow) -> ChannelRow:
    """Raises asyncpg.UniqueViolationError `channel_name`."""
    return row_as(ChannelRow, await connection.fetchrow(QUERIES.insert_channel, *_columns(row)))


async def update_channel(connection: Connection, row: ChannelRow) -> ChannelRow:
    """Raises asyncpg.UniqueViolationError `channel_name`."""
    return row_as(ChannelRow, await connection.fetchrow(QUERIES.update_channel, *_columns(row)))


def _columns(row: ChannelRow) -> tuple[object, ...]:
    return (
        row.channel_id, row.name, row.provider, row.base_url, row.models, row.groups, row.priority, row.weight,
        row.is_enabled, row.options, row.proxy, row.proxy_hint,
    )  # fmt: skip


async def delete_channel(connection: Connection, channel_id: ChannelId) -> bool:
    """Whether there was one. Its credentials go with it."""
    return await connection.fetchrow(QUERIES.delete_channel, channel_id) is not None


async def known_models(connection: Connection, names: Sequence[str]) -> dict[str, KnownModel]:
    """Which of these names are models here."""
    found = [row_as(KnownModel, row) for row in await connection.fetch(QUERIES.known_models, names)]
    return {one.model: one for one in found}

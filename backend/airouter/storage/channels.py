"""Rows of channels and of their encrypted credentials."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from airouter.domain.ids import ChannelId, CredentialId
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
    created_at: datetime
    updated_at: datetime


class CredentialRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One credential, encrypted; `hint` is what people may see of it."""

    channel_id: ChannelId
    credential_id: CredentialId
    ciphertext: bytes
    hint: str


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


async def credentials_of(
    connection: Connection, channel_ids: Sequence[ChannelId]
) -> dict[ChannelId, list[CredentialRow]]:
    """Credentials by channel, in the order in which they were given."""
    found: dict[ChannelId, list[CredentialRow]] = {channel_id: [] for channel_id in channel_ids}
    for row in await connection.fetch(QUERIES.credentials_of, channel_ids):
        credential = row_as(CredentialRow, row)
        found[credential.channel_id].append(credential)
    return found


async def insert_channel(connection: Connection, row: ChannelRow) -> ChannelRow:
    """Raises asyncpg.UniqueViolationError `channel_name`."""
    return row_as(ChannelRow, await connection.fetchrow(QUERIES.insert_channel, *_columns(row)))


async def update_channel(connection: Connection, row: ChannelRow) -> ChannelRow:
    """Raises asyncpg.UniqueViolationError `channel_name`."""
    return row_as(ChannelRow, await connection.fetchrow(QUERIES.update_channel, *_columns(row)))


def _columns(row: ChannelRow) -> tuple[object, ...]:
    return (
        row.channel_id, row.name, row.provider, row.base_url, row.models, row.groups, row.priority, row.weight,
        row.is_enabled, row.options,
    )  # fmt: skip


async def delete_channel(connection: Connection, channel_id: ChannelId) -> bool:
    """Whether there was one. Its credentials go with it."""
    return await connection.fetchrow(QUERIES.delete_channel, channel_id) is not None


async def replace_credentials(
    connection: Connection, channel_id: ChannelId, credentials: Sequence[CredentialRow]
) -> None:
    """These instead of what was there."""
    await connection.execute(QUERIES.delete_credentials, channel_id)
    for one in credentials:
        await connection.execute(QUERIES.insert_credential, one.credential_id, channel_id, one.ciphertext, one.hint)

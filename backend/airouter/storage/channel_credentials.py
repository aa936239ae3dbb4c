"""Rows of the credentials of channels, encrypted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from airouter.domain.ids import ChannelId, CredentialId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("channel_credentials")

DisabledBy = Literal["operator", "gateway"]


class CredentialRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One credential, encrypted; `hint` is what people may see of it. `disabled_at` null: it may be used."""

    channel_id: ChannelId
    credential_id: CredentialId
    ciphertext: bytes
    hint: str
    label: str
    created_at: datetime
    disabled_at: datetime | None
    disabled_by: DisabledBy | None
    disabled_reason: str | None


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """A credential to be stored."""

    credential_id: CredentialId
    channel_id: ChannelId
    ciphertext: bytes
    hint: str
    label: str = ""


class OperatorAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an operator gets mail, and in which language."""

    email: str
    locale: str | None


async def credentials_of(
    connection: Connection, channel_ids: Sequence[ChannelId]
) -> dict[ChannelId, list[CredentialRow]]:
    """Credentials by channel, in the order in which they were given."""
    found: dict[ChannelId, list[CredentialRow]] = {channel_id: [] for channel_id in channel_ids}
    for row in await connection.fetch(QUERIES.credentials_of, channel_ids):
        credential = row_as(CredentialRow, row)
        found[credential.channel_id].append(credential)
    return found


async def lock_credential(
    connection: Connection, channel_id: ChannelId, credential_id: CredentialId
) -> CredentialRow | None:
    """The row, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES.lock_credential, credential_id, channel_id)
    return None if row is None else row_as(CredentialRow, row)


async def insert_credential(connection: Connection, new: NewCredential) -> CredentialRow:
    row = await connection.fetchrow(
        QUERIES.insert_credential, new.credential_id, new.channel_id, new.ciphertext, new.hint, new.label
    )
    return row_as(CredentialRow, row)


async def label_credential(connection: Connection, credential_id: CredentialId, label: str) -> None:
    await connection.execute(QUERIES.label_credential, credential_id, label)


async def enable_credential(connection: Connection, credential_id: CredentialId) -> None:
    await connection.execute(QUERIES.enable_credential, credential_id)


async def disable_credential(
    connection: Connection, credential_id: CredentialId, by: DisabledBy, reason: str | None
) -> CredentialRow | None:
    """The credential as it is now. None: it was disabled before, or is gone."""
    row = await connection.fetchrow(QUERIES.disable_credential, credential_id, by, reason)
    return None if row is None else row_as(CredentialRow, row)


async def explain_credential(connection: Connection, credential_id: CredentialId, reason: str) -> None:
    """Why it is disabled."""
    await connection.execute(QUERIES.explain_credential, credential_id, reason)


async def delete_credentials(
    connection: Connection, channel_id: ChannelId, credential_ids: Sequence[CredentialId]
) -> None:
    await connection.execute(QUERIES.delete_credentials, channel_id, credential_ids)


async def operators(connection: Connection) -> list[OperatorAddress]:
    """Everybody who runs this instance."""
    return [row_as(OperatorAddress, row) for row in await connection.fetch(QUERIES.operators)]

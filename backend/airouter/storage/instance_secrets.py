"""Rows of secrets that an owner sets and nobody reads back."""

from datetime import datetime
from uuid import UUID

import msgspec

from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("instance_secrets")


class SecretRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Encrypted for its name."""

    name: str
    ciphertext: bytes
    updated_at: datetime


async def put_secret(connection: Connection, name: str, ciphertext: bytes, updated_by: UUID | None) -> SecretRow:
    return row_as(SecretRow, await connection.fetchrow(QUERIES.put_secret, name, ciphertext, updated_by))


async def find_secret(connection: Connection, name: str) -> SecretRow | None:
    row = await connection.fetchrow(QUERIES.find_secret, name)
    return None if row is None else row_as(SecretRow, row)

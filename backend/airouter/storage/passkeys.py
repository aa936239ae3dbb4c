"""Passkeys: public keys of people's authenticators."""

from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import UserId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("passkeys")


class PasskeyRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`is_backed_up`: the person's devices share it."""

    passkey_id: UUID
    user_id: UserId
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    is_backed_up: bool
    name: str
    created_at: datetime
    last_used_at: datetime | None


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """One to be."""

    passkey_id: UUID
    user_id: UserId
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]
    is_backed_up: bool
    name: str


async def insert_passkey(connection: Connection, new: NewPasskey) -> bool:
    """False: somebody has this credential already."""
    inserted = await connection.fetchval(QUERIES.insert_passkey, *msgspec.structs.astuple(new))
    return inserted is not None


async def passkeys_of(connection: Connection, user_id: UserId) -> list[PasskeyRow]:
    return [row_as(PasskeyRow, record) for record in await connection.fetch(QUERIES.passkeys_of, user_id)]


async def find_passkey(connection: Connection, credential_id: bytes) -> PasskeyRow | None:
    """Of somebody who may sign in."""
    record = await connection.fetchrow(QUERIES.find_passkey, credential_id)
    return record and row_as(PasskeyRow, record)


async def use_passkey(connection: Connection, passkey_id: UUID, sign_count: int, *, is_backed_up: bool) -> bool:
    """False: its counter went back, so there is a copy."""
    return await connection.fetchval(QUERIES.use_passkey, passkey_id, sign_count, is_backed_up) is not None


async def name_passkey(connection: Connection, passkey_id: UUID, user_id: UserId, name: str) -> bool:
    return await connection.fetchval(QUERIES.name_passkey, passkey_id, user_id, name) is not None


async def remove_passkey(connection: Connection, passkey_id: UUID, user_id: UserId) -> str | None:
    """Its name; None: they have no such passkey."""
    return await connection.fetchval(QUERIES.remove_passkey, passkey_id, user_id)


async def drop_passkeys(connection: Connection, user_id: UserId) -> None:
    """All of theirs."""
    await connection.execute(QUERIES.drop_passkeys, user_id)

"""People who sign in, and the one-time links that let the first of them in."""

from datetime import timedelta
from typing import Literal

import msgspec

from airouter.domain.email_address import normal
from airouter.domain.ids import UserId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load
from airouter.storage.sessions import Role

QUERIES = load("users")

UserStatus = Literal["active", "banned"]
LinkPurpose = Literal["operator", "setup"]


class UserRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person. `password_hash` None: they have not chosen one yet."""

    user_id: UserId
    email: str
    password_hash: str | None
    role: Role
    status: UserStatus
    locale: str | None


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A person to be."""

    user_id: UserId
    email: str
    password_hash: str | None
    role: Role = "user"
    locale: str | None = None


async def insert_user(connection: Connection, user: NewUser) -> bool:
    """False: the address is taken."""
    inserted = await connection.fetchval(
        QUERIES.insert_user, user.user_id, user.email, normal(user.email), user.password_hash, user.role, user.locale
    )
    return inserted is not None


async def find_user_by_email(connection: Connection, email: str) -> UserRow | None:
    record = await connection.fetchrow(QUERIES.find_user_by_email, normal(email))
    return record and row_as(UserRow, record)


async def find_user(connection: Connection, user_id: UserId) -> UserRow | None:
    record = await connection.fetchrow(QUERIES.find_user, user_id)
    return record and row_as(UserRow, record)


async def set_password(connection: Connection, user_id: UserId, password_hash: str) -> None:
    await connection.execute(QUERIES.set_password, user_id, password_hash)


async def set_locale(connection: Connection, user_id: UserId, locale: str | None) -> None:
    await connection.execute(QUERIES.set_locale, user_id, locale)


async def lock_user(connection: Connection, user_id: UserId) -> UserRow | None:
    """The row, held until the transaction ends."""
    record = await connection.fetchrow(QUERIES.lock_user, user_id)
    return record and row_as(UserRow, record)


async def lock_owners(connection: Connection) -> list[UserId]:
    """Active owners of the instance, held in the order of their ids."""
    return [UserId(row["user_id"]) for row in await connection.fetch(QUERIES.lock_owners)]


async def set_standing(connection: Connection, user_id: UserId, role: Role, status: UserStatus) -> None:
    await connection.execute(QUERIES.set_standing, user_id, role, status)


async def set_role(connection: Connection, user_id: UserId, role: Role) -> bool:
    return await connection.fetchval(QUERIES.set_role, user_id, role) is not None


async def operators_exist(connection: Connection) -> bool:
    return value_as(bool, await connection.fetchval(QUERIES.operators_exist))


async def put_link(
    connection: Connection, token_hash: bytes, purpose: LinkPurpose, email: str, lifetime: timedelta
) -> None:
    """The only open link of its purpose and address."""
    await connection.execute(QUERIES.drop_links, purpose, email)
    await connection.execute(QUERIES.put_link, token_hash, purpose, email, lifetime)


async def use_link(connection: Connection, token_hashes: tuple[bytes, ...], purpose: LinkPurpose) -> str | None:
    """The address that the link is for; None: unknown, too old or used."""
    return await connection.fetchval(QUERIES.use_link, list(token_hashes), purpose)


async def link_is_open(connection: Connection, token_hashes: tuple[bytes, ...], purpose: LinkPurpose) -> bool:
    """Whether `use_link` would succeed now."""
    return value_as(bool, await connection.fetchval(QUERIES.link_is_open, list(token_hashes), purpose))

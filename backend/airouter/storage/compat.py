"""Users and keys by their numbers, as tools of older gateways name them."""

from datetime import datetime

import msgspec

from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("compat")


class NumberedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key_id: KeyId
    number: int


class KeyPurse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key may look at of itself, and its account's balance."""

    name: str
    spend_limit: int | None
    spent: int
    expires_at: datetime | None
    models: tuple[str, ...] | None
    balance: int


class KeyFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`only_user_id` confines somebody to their own; `text` is looked for in names."""

    account_id: AccountId
    only_user_id: UserId | None
    text: str | None = None


async def number_of_user(connection: Connection, user_id: UserId) -> int:
    return value_as(int, await connection.fetchval(QUERIES.number_of_user, user_id))


async def numbered_keys(connection: Connection, which: KeyFilter, limit: int, offset: int) -> list[NumberedKey]:
    """Newest first."""
    records = await connection.fetch(QUERIES.numbered_keys, *msgspec.structs.astuple(which), limit, offset)
    return [row_as(NumberedKey, record) for record in records]


async def count_numbered_keys(connection: Connection, which: KeyFilter) -> int:
    return value_as(int, await connection.fetchval(QUERIES.count_numbered_keys, *msgspec.structs.astuple(which)))


async def key_of_number(connection: Connection, which: KeyFilter, number: int) -> KeyId | None:
    return await connection.fetchval(QUERIES.key_of_number, which.account_id, number, which.only_user_id)


async def purse_of_key(connection: Connection, key_id: KeyId) -> KeyPurse | None:
    record = await connection.fetchrow(QUERIES.purse_of_key, key_id)
    return record and row_as(KeyPurse, record)

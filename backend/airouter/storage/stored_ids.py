"""Rows of names that providers minted."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from airouter.domain.ids import AccountId
from airouter.domain.stored_id import NAME_MAX, StoredId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("stored_ids")


async def insert_stored_ids(connection: Connection, names: Sequence[StoredId]) -> None:
    """Those that are known already stay as they are; what cannot be a name is left out."""
    rows = [
        (s.account_id, s.name, s.kind, s.key_id, s.channel_id, s.credential_id, s.model, s.upstream_model,
         s.request_id, s.expires_at)
        for s in names
        if 0 < len(s.name) <= NAME_MAX and s.name.isprintable()
    ]  # fmt: skip
    if rows:
        await connection.execute(QUERIES.insert_stored_ids, *map(list, zip(*rows, strict=True)))


async def find_stored_ids(connection: Connection, account_id: AccountId, names: Collection[str]) -> list[StoredId]:
    """Those of the account that still last."""
    rows = await connection.fetch(QUERIES.find_stored_ids, account_id, list(names))
    return [row_as(StoredId, row) for row in rows]


async def renew_conversations(
    connection: Connection, account_id: AccountId, names: Collection[str], last: timedelta
) -> None:
    """Those of the account that have less than half of their time left get all of it."""
    await connection.execute(QUERIES.renew_conversations, account_id, list(names), last)


async def delete_stored_id(connection: Connection, account_id: AccountId, name: str) -> None:
    await connection.execute(QUERIES.delete_stored_id, account_id, name)


async def forget_expired(connection: Connection) -> None:
    """What the providers have forgotten by now."""
    await connection.execute(QUERIES.forget_expired)

"""A statement that changes several rows locks them by their ids, and one that tidies up leaves what somebody holds."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from airouter.storage import erasure, groups, keys, leases, sessions, teams, tokens
from tests.builders import person

FIRST, MIDDLE, LAST = (UUID(int=number) for number in (1, 2, 3))
PEOPLE = (LAST, FIRST, MIDDLE)
"""In the order in which the rows are made, and would be found."""
IDS = {"keys": "key_id", "sessions": "session_id", "management_tokens": "token_id"}


@pytest.fixture
async def somebody(database: str, pool: asyncpg.Pool) -> dict[str, Any]:
    """With three keys, sessions and management tokens each, made in another order than that of their ids."""
    _, joined = await person(database)
    who = {"user": joined.user_id, "account": joined.account_id}
    await pool.execute("INSERT INTO groups (name, multiplier_micros) VALUES ('old', 1)")
    for one in PEOPLE:
        await pool.execute(
            "INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix) "
            "SELECT $1, $2, wallet_id, $3, 'k', $4, 'k' FROM wallets WHERE account_id = $2 AND kind = 'main'",
            one, who["account"], who["user"], one.bytes,
        )  # fmt: skip
        await pool.execute(
            "INSERT INTO sessions (session_id, user_id, expires_at) VALUES ($1, $2, now() + interval '1 day')",
            one, who["user"],
        )  # fmt: skip
        await pool.execute(
            "INSERT INTO management_tokens (token_id, account_id, user_id, name, secret_hash, prefix, scopes) "
            "VALUES ($1, $2, $3, 't', $4, 't', '{usage.read}')",
            one, who["account"], who["user"], one.bytes,
        )  # fmt: skip
    return who


async def marks(pool: asyncpg.Pool, table: str) -> dict[UUID, str]:
    """Of each row: who locked it last, even if they let it go again."""
    return dict(await pool.fetch(f"SELECT {IDS[table]}, xmax::text FROM {table}"))


def arguments(who: dict[str, Any], *names: str) -> list[Any]:
    values = {**who, "accounts": [who["account"]], "nobody": None, "keys": [*PEOPLE], "group": "old"}
    return [values[name] for name in names]


@pytest.mark.parametrize(
    ("table", "statement", "takes"),
    [
        ("keys", leases.QUERIES.lock_keys, ["keys"]),
        ("keys", erasure.QUERIES.end_keys_of, ["user", "accounts"]),
        ("keys", erasure.QUERIES.blank_keys, ["accounts"]),
        ("keys", teams.QUERIES.delete_keys_in, ["account"]),
        ("keys", keys.QUERIES.disable_keys_of, ["account", "user"]),
        ("keys", groups.QUERIES.forget_group_in_deleted_keys, ["group"]),
        ("sessions", sessions.QUERIES.revoke_sessions_of, ["user", "nobody"]),
        ("sessions", erasure.QUERIES.blank_sessions, ["user"]),
        ("management_tokens", tokens.QUERIES.revoke_tokens_in, ["account", "nobody"]),
        ("management_tokens", erasure.QUERIES.end_management_tokens, ["user"]),
    ],
)
async def test_several_rows_are_locked_by_their_ids(
    pool: asyncpg.Pool, somebody: dict[str, Any], table: str, statement: str, takes: list[str]
) -> None:
    """Whoever meets a row that is held has locked those before it, and none of those after it."""
    if takes == ["group"]:
        await pool.execute("UPDATE keys SET status = 'deleted', group_name = 'old'")
    key = IDS[table]
    before = await marks(pool, table)

    async def work(other: asyncpg.Connection) -> None:
        async with other.transaction():
            await other.execute("SET LOCAL lock_timeout = '100ms'")
            await other.fetch(statement, *arguments(somebody, *takes))

    async with pool.acquire() as holder, holder.transaction(), pool.acquire() as other:
        await holder.execute(f"SELECT FROM {table} WHERE {key} = $1 FOR NO KEY UPDATE", MIDDLE)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await work(other)
    after = await marks(pool, table)
    assert after[FIRST] != before[FIRST], "the first was locked"
    assert after[LAST] == before[LAST], "the last was not asked for yet"


@pytest.mark.parametrize(
    ("table", "is_old", "statement"),
    [
        (
            "keys", "kind = 'ephemeral', expires_at = now() - interval '1 hour'",
            keys.QUERIES.forget_ephemeral_keys,
        ),
        ("sessions", "revoked_at = now() - interval '40 days'", sessions.QUERIES.forget_ended_sessions),
    ],
)  # fmt: skip
async def test_tidying_up_leaves_what_somebody_holds_for_the_next_time(
    pool: asyncpg.Pool, somebody: dict[str, Any], table: str, is_old: str, statement: str
) -> None:
    await pool.execute(f"UPDATE {table} SET {is_old}")
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute(f"SELECT FROM {table} WHERE {IDS[table]} = $1 FOR NO KEY UPDATE", MIDDLE)
        assert (await pool.execute(statement)).endswith(" 2")
    assert (await pool.execute(statement)).endswith(" 1")

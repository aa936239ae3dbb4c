"""API keys."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.domain.key import Caller, KeyStatus
from airouter.domain.rate_limit import RateLimits
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("keys")


class KeyRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as its account sees it. `is_orphaned`: the responsible person left the account, or was banned."""

    key_id: KeyId
    name: str
    prefix: str
    status: KeyStatus
    group_name: str | None
    spend_limit: int | None
    spent: int
    models: tuple[str, ...] | None
    fallback_models: tuple[str, ...] | None
    allowed_ips: tuple[str, ...] | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    user_id: UserId
    user_email: str
    is_orphaned: bool
    previous_secret_until: datetime | None


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be. Of the secret only its hash is kept."""

    key_id: KeyId
    account_id: AccountId
    wallet_id: WalletId
    user_id: UserId
    name: str
    secret_hash: bytes
    prefix: str
    group_name: str | None
    spend_limit: int | None
    models: tuple[str, ...] | None
    allowed_ips: tuple[str, ...] | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None
    expires_at: datetime | None
    fallback_models: tuple[str, ...] | None


async def insert_key(connection: Connection, key: NewKey) -> bool:
    """False: there is a key with this id already."""
    return await connection.fetchval(QUERIES.insert_key, *msgspec.structs.astuple(key)) is not None


async def keys_of(
    connection: Connection,
    account_id: AccountId,
    *,
    only_user_id: UserId | None,
    is_orphaned: bool | None,
    after_time: datetime | None,
    after_id: UUID | None,
    limit: int,
) -> list[KeyRow]:
    """Of the account; `only_user_id` confines somebody to those that they are responsible for."""
    records = await connection.fetch(
        QUERIES.keys_of, account_id, only_user_id, is_orphaned, after_time, after_id, limit
    )
    return [row_as(KeyRow, record) for record in records]


async def find_key(
    connection: Connection, key_id: KeyId, account_id: AccountId, only_user_id: UserId | None = None
) -> KeyRow | None:
    record = await connection.fetchrow(QUERIES.find_key, key_id, account_id, only_user_id)
    return record and row_as(KeyRow, record)


async def lock_key(
    connection: Connection, key_id: KeyId, account_id: AccountId, only_user_id: UserId | None = None
) -> KeyRow | None:
    """The row, held until the transaction ends."""
    record = await connection.fetchrow(QUERIES.lock_key, key_id, account_id, only_user_id)
    return record and row_as(KeyRow, record)


async def change_key(connection: Connection, key: KeyRow) -> bool:
    """False: more than the new limit is spent and held already, and nothing was changed."""
    changed = await connection.fetchval(
        QUERIES.change_key, key.key_id, key.name, key.status, key.group_name, key.spend_limit, key.models,
        key.allowed_ips, key.requests_per_minute, key.tokens_per_minute, key.concurrency, key.expires_at,
        key.fallback_models,
    )  # fmt: skip
    return changed is not None


async def delete_key(connection: Connection, key_id: KeyId, account_id: AccountId, only_user_id: UserId | None) -> bool:
    return await connection.fetchval(QUERIES.delete_key, key_id, account_id, only_user_id) is not None


async def hand_over_key(connection: Connection, key_id: KeyId, to: UserId, status: KeyStatus) -> None:
    """Of a key whose row is locked, to a member whose membership is held."""
    await connection.execute(QUERIES.hand_over_key, key_id, to, status)


async def hold_membership(connection: Connection, account_id: AccountId, user_id: UserId) -> bool:
    """Whether they belong to the account; then they do until the transaction ends."""
    return await connection.fetchval(QUERIES.hold_membership, account_id, user_id) is not None


async def disable_keys_of(connection: Connection, account_id: AccountId, user_id: UserId) -> list[KeyId]:
    """Those of a person in an account; which ones."""
    return [KeyId(row["key_id"]) for row in await connection.fetch(QUERIES.disable_keys_of, account_id, user_id)]


async def replace_secret(
    connection: Connection,
    key_id: KeyId,
    account_id: AccountId,
    secret_hash: bytes,
    prefix: str,
    *,
    only_user_id: UserId | None,
    grace: timedelta,
) -> bool:
    """The old secret works for so long yet."""
    changed = await connection.fetchval(
        QUERIES.replace_secret, key_id, account_id, secret_hash, prefix, only_user_id, grace
    )
    return changed is not None


async def end_grace(connection: Connection, key_id: KeyId, account_id: AccountId, only_user_id: UserId | None) -> bool:
    return await connection.fetchval(QUERIES.end_grace, key_id, account_id, only_user_id) is not None


async def live_ephemeral_keys(connection: Connection, user_id: UserId, besides: KeyId) -> int:
    """How many they have; nobody makes them another until the transaction ends."""
    await connection.execute(QUERIES.hold_user, user_id)
    return value_as(int, await connection.fetchval(QUERIES.live_ephemeral_keys, user_id, besides))


async def insert_ephemeral_key(
    connection: Connection,
    *,
    key_id: KeyId,
    account_id: AccountId,
    wallet_id: WalletId,
    user_id: UserId,
    secret_hash: bytes,
    prefix: str,
    spend_limit: int | None,
    models: tuple[str, ...] | None,
    lifetime: timedelta,
) -> bool:
    """False: there is a key with this id already."""
    made = await connection.fetchval(
        QUERIES.insert_ephemeral_key, key_id, account_id, wallet_id, user_id, secret_hash, prefix, spend_limit, models,
        lifetime,
    )  # fmt: skip
    return made is not None


async def forget_ephemeral_keys(connection: Connection) -> None:
    """Those that are over."""
    await connection.execute(QUERIES.forget_ephemeral_keys)


async def find_caller(connection: Connection, secret_hash: bytes) -> Caller | None:
    """The key with this secret and the facts of its account; a deleted key is no key."""
    record = await connection.fetchrow(QUERIES.find_caller, secret_hash)
    if record is None:
        return None
    facts = dict(record)
    networks, models = facts.pop("allowed_ips"), facts.pop("models")
    fallback_models = tuple(facts.pop("fallback_models"))
    limits = RateLimits(**{name: facts.pop(name) for name in RateLimits.__struct_fields__})
    account_limits = msgspec.convert(facts.pop("account_rate_limits"), RateLimits)
    return Caller(
        **facts,
        networks=None if networks is None else tuple(ip_network(network) for network in networks),
        models=None if models is None else frozenset(models),
        fallback_models=fallback_models,
        rate_limits=limits.or_none,
        account_rate_limits=account_limits.or_none,
    )

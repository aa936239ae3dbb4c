"""API keys: made, limited, changed, taken away. Of a secret only its hash is kept; it is shown once."""

import hashlib
import secrets
import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Final, Literal
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.errors import GroupNotAllowed, InvalidRequest, NotFound, NotSupportedYet, QuotaInUseByCalls
from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.domain.key import Caller
from airouter.domain.quota import WALLET_MAX
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.recall import with_recall
from airouter.storage import groups
from airouter.storage import keys as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database, said_of
from airouter.storage.keys import KeyRow, NewKey
from airouter.world import now

SECRET_PREFIX: Final = "sk-air-"  # noqa: S105 - how every secret begins is none
_ALPHABET: Final = string.ascii_letters + string.digits
_SECRET_LENGTH: Final = 40
"""238 random bits."""
_SHOWN_LENGTH: Final = len(SECRET_PREFIX) + 4

Name = Annotated[str, Meta(min_length=1, max_length=120, examples=["my laptop"])]
SpendLimit = Annotated[int, Meta(ge=0, le=WALLET_MAX, description="Quota", examples=[5_000_000_000])]
Models = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=1, max_length=1000)]
Addresses = Annotated[list[str], Meta(min_length=1, max_length=200, examples=[["203.0.113.7", "2001:db8::/32"]])]
GroupName = Annotated[str, Meta(min_length=1, max_length=64)]
Rate = Annotated[int, Meta(ge=1, le=2_000_000_000)]


class RateLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key may do at a time. What is absent is not limited."""

    requests_per_minute: Rate | None = None
    concurrency: Rate | None = None
    tokens_per_minute: Rate | None = None


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that starts anew each period. Not supported yet."""

    period: Literal["total", "day", "week", "month"]
    limit: SpendLimit


class KeyDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be. Null or absent: no limit of that kind."""

    name: Name
    spend_limit: SpendLimit | None = None
    expires_at: datetime | None = None
    models: Models | None = None
    allowed_ips: Addresses | None = None
    group: GroupName | None = None
    rate_limits: RateLimits | None = None
    budgets: list[Budget] | None = None


class KeyChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays, null takes a limit away."""

    name: Name | UnsetType = UNSET
    status: Literal["active", "disabled"] | UnsetType = UNSET
    spend_limit: SpendLimit | UnsetType | None = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    models: Models | UnsetType | None = UNSET
    allowed_ips: Addresses | UnsetType | None = UNSET
    group: GroupName | UnsetType | None = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET
    budgets: list[Budget] | UnsetType | None = UNSET


class KeyOwner(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a key is made, and by whom. `only_user_id` confines them to the keys that they are responsible for."""

    account_id: AccountId
    wallet_id: WalletId
    user_id: UserId
    account_group: str
    only_user_id: UserId | None = None


class Keys:
    """The account holder's verbs, and the look-up of the doors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, owner: KeyOwner, draft: KeyDraft, key_id: KeyId) -> tuple[KeyRow, str | None]:
        """The key and its secret. The same `key_id` once more gives the same key, without the secret.

        Raises:
            GroupNotAllowed, InvalidRequest, NotSupportedYet
        """
        _refuse_unsupported(draft.budgets, draft.rate_limits)
        _check_expiry(draft.expires_at)
        secret, limits = new_secret(), draft.rate_limits or RateLimits()
        async with _groups_kept(), self._database.transaction() as connection:
            await _check_group(connection, draft.group, owner.account_group)
            if not await rows.hold_membership(connection, owner.account_id, owner.user_id):
                raise NotFound("You are not a member of an account with this id.")
            is_new = await rows.insert_key(
                connection,
                NewKey(
                    key_id=key_id,
                    account_id=owner.account_id,
                    wallet_id=owner.wallet_id,
                    user_id=owner.user_id,
                    name=draft.name,
                    secret_hash=hash_secret(secret),
                    prefix=secret[:_SHOWN_LENGTH],
                    group_name=draft.group,
                    spend_limit=draft.spend_limit,
                    models=_unique(draft.models),
                    allowed_ips=_networks(draft.allowed_ips),
                    requests_per_minute=limits.requests_per_minute,
                    concurrency=limits.concurrency,
                    expires_at=draft.expires_at,
                ),
            )
            key = await rows.find_key(connection, key_id, owner.account_id)
            if key is None:
                raise NotFound
            if is_new:
                await announce(connection, "keys", key_id)
        return key, secret if is_new else None

    async def list(
        self,
        owner: KeyOwner,
        *,
        is_orphaned: bool | None = None,
        after_time: datetime | None,
        after_id: UUID | None,
        limit: int,
    ) -> list[KeyRow]:
        """Newest first; deleted ones are not shown. `is_orphaned`: only those without anybody behind them."""
        async with self._database.connection() as connection:
            return await rows.keys_of(
                connection,
                owner.account_id,
                only_user_id=owner.only_user_id,
                is_orphaned=is_orphaned,
                after_time=after_time,
                after_id=after_id,
                limit=limit,
            )

    async def get(self, owner: KeyOwner, key_id: KeyId) -> KeyRow:
        """Raises NotFound, for another account's key too."""
        async with self._database.connection() as connection:
            key = await rows.find_key(connection, key_id, owner.account_id, owner.only_user_id)
        if key is None:
            raise NotFound
        return key

    async def change(self, owner: KeyOwner, key_id: KeyId, changes: KeyChanges) -> KeyRow:
        """The changed key. A lower limit takes back what idle leases hold, and waits for it for a moment.

        Raises:
            NotFound, GroupNotAllowed, InvalidRequest, NotSupportedYet
            QuotaInUseByCalls: calls in flight hold more than the new limit leaves.
        """
        _refuse_unsupported(
            None if changes.budgets is UNSET else changes.budgets,
            None if changes.rate_limits is UNSET else changes.rate_limits,
        )
        if changes.expires_at is not UNSET:
            _check_expiry(changes.expires_at)

        async def attempt(connection: Connection) -> KeyRow | None:
            key = await rows.lock_key(connection, key_id, owner.account_id, owner.only_user_id)
            if key is None:
                raise NotFound
            if changes.status == "active" and key.is_orphaned:
                raise InvalidRequest(
                    "status: nobody stands behind this key any more; hand it over to a member.", field="status"
                )
            if changes.group is not UNSET and changes.group != key.group_name:
                await _check_group(connection, changes.group, owner.account_group)
            changed = _apply(key, changes)
            if changed.spend_limit is not None and changed.spent > changed.spend_limit:
                raise InvalidRequest(
                    f"spend_limit: this key has spent {key.spent} already.", field="spend_limit", spent=key.spent
                )
            if not await rows.change_key(connection, changed):
                return None
            await announce(connection, "keys", key_id)
            return changed

        async with _groups_kept():
            changed = await with_recall(self._database, key_id, attempt)
        if changed is None:
            raise QuotaInUseByCalls(
                "Calls in flight hold more than the new limit leaves. Try again in a few seconds.", field="spend_limit"
            )
        return changed

    async def hand_over(self, owner: KeyOwner, key_id: KeyId, to: UserId, actor: Actor = SYSTEM) -> KeyRow:
        """Another member is responsible for the key from now on; it is active again when its last one had left.

        Raises:
            NotFound: no such key in the account.
            InvalidRequest: nobody of that id belongs to it.
        """
        async with self._database.transaction() as connection:
            if await rows.find_key(connection, key_id, owner.account_id, owner.only_user_id) is None:
                raise NotFound
            if not await rows.hold_membership(connection, owner.account_id, to):
                raise InvalidRequest("user_id: this is no member of the account.", field="user_id")
            before = await rows.lock_key(connection, key_id, owner.account_id)
            if before is None:
                raise NotFound
            await rows.hand_over_key(connection, key_id, to, "active" if before.is_orphaned else before.status)
            await announce(connection, "keys", key_id)
            act = Act(
                action="key.handed_over",
                subject="key",
                subject_id=str(key_id),
                account_id=owner.account_id,
                before={"user_id": before.user_id},
                after={"user_id": to},
            )
            await record(connection, actor, act)
            key = await rows.find_key(connection, key_id, owner.account_id)
        assert key is not None  # its row is locked by the update above
        return key

    async def delete(self, owner: KeyOwner, key_id: KeyId) -> None:
        """It stops working everywhere within a second. Its usage stays. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.delete_key(connection, key_id, owner.account_id, owner.only_user_id):
                raise NotFound
            await announce(connection, "keys", key_id)

    async def rotate(self, owner: KeyOwner, key_id: KeyId, grace_seconds: int | None) -> tuple[KeyRow, str]:
        """The key with a new secret; the old one stops working everywhere within a second.

        Raises:
            NotFound. NotSupportedYet: the old secret cannot be kept for a while yet.
        """
        if grace_seconds:
            raise NotSupportedYet("grace_seconds: the old secret ends at once for now.", field="grace_seconds")
        secret = new_secret()
        async with self._database.transaction() as connection:
            if not await rows.replace_secret(
                connection,
                key_id,
                owner.account_id,
                hash_secret(secret),
                secret[:_SHOWN_LENGTH],
                only_user_id=owner.only_user_id,
            ):
                raise NotFound
            await announce(connection, "keys", key_id)
            key = await rows.find_key(connection, key_id, owner.account_id)
        assert key is not None  # its row is locked by the update above
        return key, secret

    async def find_caller(self, secret_hash: bytes) -> Caller | None:
        """For the doors: the key with this secret, in one query.

        Raises:
            DatabaseUnavailable
        """
        async with self._database.connection() as connection:
            return await rows.find_caller(connection, secret_hash)


def new_secret() -> str:
    """Letters and digits only, so that a double click selects all of it."""
    return SECRET_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))


def hash_secret(secret: str) -> bytes:
    """Enough for a secret of 238 random bits, and the doors do it for every key they meet."""
    return hashlib.sha256(secret.encode()).digest()


@asynccontextmanager
async def _groups_kept() -> AsyncGenerator[None]:
    """A group that is deleted between the look at it and the write is one that cannot be used."""
    try:
        yield
    except asyncpg.ForeignKeyViolationError as error:
        if said_of(error, "constraint_name") != "key_group":
            raise
        raise GroupNotAllowed(field="group") from error


async def _check_group(connection: Connection, name: str | None, account_group: str) -> None:
    """A group that does not exist and one that is not for this account are refused alike."""
    if name is None or name == account_group:
        return
    group = await groups.find_group(connection, name)
    if group is None or account_group not in group.usable_by:
        raise GroupNotAllowed(f"This account may not use the group {name!r}.", field="group")


def _refuse_unsupported(budgets: list[Budget] | None, limits: RateLimits | None) -> None:
    if budgets:
        raise NotSupportedYet("budgets: a key has one limit for now, `spend_limit`.", field="budgets")
    if limits is not None and limits.tokens_per_minute is not None:
        raise NotSupportedYet(
            "rate_limits.tokens_per_minute: tokens are not limited yet.", field="rate_limits.tokens_per_minute"
        )


def _check_expiry(expires_at: datetime | None) -> None:
    if expires_at is None:
        return
    if expires_at.tzinfo is None:
        raise InvalidRequest("expires_at: say the time zone, as in 2030-01-31T12:00:00Z.", field="expires_at")
    if expires_at <= now():
        raise InvalidRequest("expires_at: this time is over.", field="expires_at")


def _apply(key: KeyRow, changes: KeyChanges) -> KeyRow:
    given = {
        name: value
        for name in ("name", "status", "spend_limit", "expires_at")
        if (value := getattr(changes, name)) is not UNSET
    }
    if changes.models is not UNSET:
        given["models"] = _unique(changes.models)
    if changes.allowed_ips is not UNSET:
        given["allowed_ips"] = _networks(changes.allowed_ips)
    if changes.group is not UNSET:
        given["group_name"] = changes.group
    if changes.rate_limits is not UNSET:
        limits = changes.rate_limits or RateLimits()
        given |= {"requests_per_minute": limits.requests_per_minute, "concurrency": limits.concurrency}
    return msgspec.structs.replace(key, **given)


def _unique(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(dict.fromkeys(values))


def _networks(values: list[str] | None) -> tuple[str, ...] | None:
    """Addresses and networks in their normal form."""
    if values is None:
        return None
    found: dict[str, None] = {}
    for number, value in enumerate(values):
        try:
            found[str(ip_network(value.strip(), strict=False))] = None
        except ValueError:
            field = f"allowed_ips[{number}]"
            raise InvalidRequest(f"{field}: {value!r} is no address and no network.", field=field) from None
    return tuple(found)

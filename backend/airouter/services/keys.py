"""API keys: made, limited, changed, taken away. Of a secret only its hash is kept; it is shown once."""

import hashlib
import secrets
import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Meta

from airouter.domain.errors import GroupNotAllowed, InvalidRequest, NotFound, QuotaInUseByCalls
from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.domain.key import Caller
from airouter.domain.key_errors import TooManyEphemeralKeys
from airouter.domain.rate_limit import RateLimits
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.budgets import Quota, set_key_budgets
from airouter.services.key_drafts import (
    KeyChanges,
    KeyDraft,
    applied,
    check_expiry,
    check_fallbacks,
    networks,
    unique,
    with_total,
)
from airouter.services.recall import with_recall
from airouter.storage import groups
from airouter.storage import keys as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database, said_of
from airouter.storage.keys import KeyRow, NewKey

SECRET_PREFIX: Final = "sk-air-"  # noqa: S105 - how every secret begins is none
_ALPHABET: Final = string.ascii_letters + string.digits
_SECRET_LENGTH: Final = 40
"""238 random bits."""
SHOWN_LENGTH: Final = len(SECRET_PREFIX) + 4
_TOLD: Final = (
    "name", "prefix", "status", "group_name", "spend_limit", "models", "fallback_models", "allowed_ips",
    "requests_per_minute", "tokens_per_minute", "concurrency", "expires_at", "user_id",
)  # fmt: skip
EPHEMERAL_KEYS_MAX: Final = 10
"""How many of them a person has at a time."""
EPHEMERAL_LIFETIME: Final = timedelta(hours=1)


class KeyOwner(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a key is made, and by whom. `only_user_id` confines them to the keys that they are responsible for."""

    account_id: AccountId
    wallet_id: WalletId
    user_id: UserId
    account_group: str
    only_user_id: UserId | None = None


class EphemeralDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`model`: the only one it may use."""

    spend_limit: Quota | None = None
    model: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Keys:
    """The account holder's verbs, and the look-up of the doors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, owner: KeyOwner, draft: KeyDraft, key_id: KeyId, actor: Actor = SYSTEM
    ) -> tuple[KeyRow, str | None]:
        """The key and its secret. The same `key_id` once more gives the same key, without the secret.

        Raises:
            GroupNotAllowed, InvalidRequest
        """
        check_expiry(draft.expires_at)
        check_fallbacks(draft.models, draft.fallback_models)
        draft = with_total(draft)
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
                    prefix=secret[:SHOWN_LENGTH],
                    group_name=draft.group,
                    spend_limit=draft.spend_limit,
                    models=unique(draft.models),
                    allowed_ips=networks(draft.allowed_ips),
                    requests_per_minute=limits.requests_per_minute,
                    tokens_per_minute=limits.tokens_per_minute,
                    concurrency=limits.concurrency,
                    expires_at=draft.expires_at,
                    fallback_models=unique(draft.fallback_models),
                ),
            )
            key = await rows.find_key(connection, key_id, owner.account_id)
            if key is None:
                raise NotFound
            if is_new:
                if draft.budgets:
                    await set_key_budgets(connection, owner.account_id, key_id, draft.budgets)
                await announce(connection, "keys", key_id)
                await record(connection, actor, _act("key.created", owner, key_id, after=_told(key)))
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

    async def change(self, owner: KeyOwner, key_id: KeyId, changes: KeyChanges, actor: Actor = SYSTEM) -> KeyRow:
        """The changed key. A lower limit takes back what idle leases hold, and waits for it for a moment.

        Raises:
            NotFound, GroupNotAllowed, InvalidRequest
            QuotaInUseByCalls: calls in flight hold more than the new limit leaves.
        """
        changes = with_total(changes)
        if changes.expires_at is not UNSET:
            check_expiry(changes.expires_at)

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
            changed = applied(key, changes)
            check_fallbacks(changed.models, changed.fallback_models)
            if changed.spend_limit is not None and changed.spent > changed.spend_limit:
                raise InvalidRequest(
                    f"spend_limit: this key has spent {key.spent} already.", field="spend_limit", spent=key.spent
                )
            if not await rows.change_key(connection, changed):
                return None
            if changes.budgets is not UNSET:
                await set_key_budgets(connection, owner.account_id, key_id, changes.budgets or [])
            await announce(connection, "keys", key_id)
            told = _told(changed)
            if changes.budgets:
                told["budgets"] = {budget.period: budget.limit for budget in changes.budgets}
            await record(connection, actor, _act("key.changed", owner, key_id, before=_told(key), after=told))
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

    async def delete(self, owner: KeyOwner, key_id: KeyId, actor: Actor = SYSTEM) -> None:
        """It stops working everywhere within a second. Its usage stays. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.delete_key(connection, key_id, owner.account_id, owner.only_user_id):
                raise NotFound
            await announce(connection, "keys", key_id)
            await record(connection, actor, _act("key.deleted", owner, key_id))

    async def rotate(
        self, owner: KeyOwner, key_id: KeyId, grace_seconds: int | None, actor: Actor = SYSTEM
    ) -> tuple[KeyRow, str]:
        """The key with a new secret. The old one works for `grace_seconds` more, or stops working everywhere within a
        second; one that was in its grace already ends now.

        Raises:
            NotFound
        """
        secret = new_secret()
        async with self._database.transaction() as connection:
            if not await rows.replace_secret(
                connection,
                key_id,
                owner.account_id,
                hash_secret(secret),
                secret[:SHOWN_LENGTH],
                only_user_id=owner.only_user_id,
                grace=timedelta(seconds=grace_seconds or 0),
            ):
                raise NotFound
            await announce(connection, "keys", key_id)
            key = await rows.find_key(connection, key_id, owner.account_id)
            assert key is not None  # its row is locked by the update above
            told = {"previous_secret_until": key.previous_secret_until}
            await record(connection, actor, _act("key.rotated", owner, key_id, after=told))
        return key, secret

    async def end_grace(self, owner: KeyOwner, key_id: KeyId, actor: Actor = SYSTEM) -> KeyRow:
        """The secret before the last rotation stops working everywhere within a second. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.end_grace(connection, key_id, owner.account_id, owner.only_user_id):
                raise NotFound
            await announce(connection, "keys", key_id)
            key = await rows.find_key(connection, key_id, owner.account_id)
            assert key is not None  # its row is locked by the update above
            await record(connection, actor, _act("key.grace_ended", owner, key_id))
        return key

    async def create_ephemeral(
        self, owner: KeyOwner, draft: EphemeralDraft, key_id: KeyId
    ) -> tuple[KeyRow, str | None]:
        """A key for trying things out: for an hour, in no list, with a limit of its own (unstated: the balance of now).

        Raises:
            TooManyEphemeralKeys: the person has EPHEMERAL_KEYS_MAX of them at the moment.
        """
        secret = new_secret()
        async with self._database.transaction() as connection:
            others = await rows.live_ephemeral_keys(connection, owner.user_id, key_id)  # holds the person: first
            if not await rows.hold_membership(connection, owner.account_id, owner.user_id):
                raise NotFound("You are not a member of an account with this id.")
            if others >= EPHEMERAL_KEYS_MAX:
                raise TooManyEphemeralKeys(limit=EPHEMERAL_KEYS_MAX)
            is_new = await rows.insert_ephemeral_key(
                connection,
                key_id=key_id,
                account_id=owner.account_id,
                wallet_id=owner.wallet_id,
                user_id=owner.user_id,
                secret_hash=hash_secret(secret),
                prefix=secret[:SHOWN_LENGTH],
                spend_limit=draft.spend_limit,
                models=None if draft.model is None else (draft.model,),
                lifetime=EPHEMERAL_LIFETIME,
            )
            key = await rows.find_key(connection, key_id, owner.account_id)
            if key is None:
                raise NotFound
            if is_new:
                await announce(connection, "keys", key_id)
        return key, secret if is_new else None

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


def _act(action: str, owner: KeyOwner, key_id: KeyId, *, before: Any = None, after: Any = None) -> Act:
    return Act(
        action=action, subject="key", subject_id=str(key_id), account_id=owner.account_id, before=before, after=after
    )


def _told(key: KeyRow) -> dict[str, Any]:
    """What the audit log tells of a key."""
    return {name: getattr(key, name) for name in _TOLD}

"""API keys of an account. The secret is in the answer that makes it, and nowhere else."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import AccountHolder
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import KeyId, UserId
from airouter.services.audit_log import Actor
from airouter.services.keys import KeyChanges, KeyDraft, KeyOwner, Keys
from airouter.storage.keys import KeyRow
from airouter.world import now


class RateLimitsView(msgspec.Struct, frozen=True, kw_only=True):
    """Null: not limited."""

    requests_per_minute: int | None
    concurrency: int | None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """`prefix` is how its secret begins. `remaining` is what is left of `spend_limit`; null where there is none.

    `user_id` is the responsible member; `is_orphaned`: they left the account, or were banned.
    """

    id: UUID
    name: str
    prefix: str
    status: Literal["active", "disabled", "expired"]
    group: str | None
    spend_limit: int | None
    spent: int
    remaining: int | None
    models: list[str] | None
    allowed_ips: list[str] | None
    rate_limits: RateLimitsView
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    user_id: UUID
    user_email: str
    is_orphaned: bool


class KeyWithSecret(KeyView, frozen=True, kw_only=True):
    """`key` is shown only now; null when this answer is a replay."""

    key: str | None


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[KeyView]
    next_cursor: str | None


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    grace_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None


class HandOver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: UUID


class KeysController(Controller):
    """Below /keys."""

    path = "/keys"
    tags = ("Keys",)

    @post(
        "/",
        operation_id="createKey",
        permission="keys.write",
        summary="Make a key; its secret is shown only now",
        responses=refusals(401, 403, 404, 409, 422),
        opt={"secret_fields": ("key",)},
    )
    async def create(
        self,
        data: JSONBody[KeyDraft],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        new_id: NamedDependency[NewId],
    ) -> KeyWithSecret:
        key, secret = await keys.create(_owner(holder), data, KeyId(new_id.value))
        return _with_secret(key, secret)

    @get(
        "/",
        operation_id="listKeys",
        permission="keys.read",
        summary="The account's keys, newest first",
        responses=refusals(401, 404, 422),
    )
    async def list_keys(
        self,
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        keys: NamedDependency[Keys],
        orphaned: Annotated[bool | None, QueryParameter(description="Keys behind which nobody stands any more")] = None,
    ) -> KeyList:
        rows = await keys.list(
            _owner(holder),
            is_orphaned=orphaned,
            after_time=paging.after_time,
            after_id=paging.after_id,
            limit=paging.rows_wanted,
        )
        shown, last = paging.split(rows)
        return KeyList(
            items=[_view(key) for key in shown], next_cursor=last and cursor_of(last.created_at, last.key_id)
        )

    @get(
        "/{key_id:uuid}", operation_id="getKey", permission="keys.read", summary="One key", responses=refusals(401, 404)
    )
    async def get_key(
        self, key_id: FromPath[UUID], holder: NamedDependency[AccountHolder], keys: NamedDependency[Keys]
    ) -> KeyView:
        return _view(await keys.get(_owner(holder), KeyId(key_id)))

    @patch(
        "/{key_id:uuid}",
        operation_id="updateKey",
        permission="keys.write",
        summary="Change a key's name, limits or status",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def update(
        self,
        key_id: FromPath[UUID],
        data: JSONBody[KeyChanges],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
    ) -> KeyView:
        return _view(await keys.change(_owner(holder), KeyId(key_id), data))

    @delete(
        "/{key_id:uuid}",
        operation_id="deleteKey",
        permission="keys.write",
        summary="Take a key away; it stops working within a second",
        responses=refusals(401, 404),
    )
    async def delete_key(
        self, key_id: FromPath[UUID], holder: NamedDependency[AccountHolder], keys: NamedDependency[Keys]
    ) -> None:
        await keys.delete(_owner(holder), KeyId(key_id))

    @post(
        "/{key_id:uuid}/rotate",
        operation_id="rotateKey",
        permission="keys.write",
        summary="Give a key a new secret, shown only now",
        status_code=200,
        responses=refusals(401, 404, 409, 422),
        opt={"secret_fields": ("key",)},
    )
    async def rotate(
        self,
        key_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        data: JSONBody[Rotation] = Rotation(),  # noqa: B008 - frozen
    ) -> KeyWithSecret:
        return _with_secret(*await keys.rotate(_owner(holder), KeyId(key_id), data.grace_seconds))

    @post(
        "/{key_id:uuid}/hand-over",
        operation_id="handOverKey",
        permission="members.write",
        summary="Make another member responsible for a key",
        status_code=200,
        responses=refusals(401, 404, 409, 422),
    )
    async def hand_over(
        self,
        key_id: FromPath[UUID],
        data: JSONBody[HandOver],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        actor: NamedDependency[Actor],
    ) -> KeyView:
        """A key that was disabled because its member left is active again."""
        return _view(await keys.hand_over(_owner(holder), KeyId(key_id), UserId(data.user_id), actor))


def _owner(holder: AccountHolder) -> KeyOwner:
    return KeyOwner(
        account_id=holder.account_id,
        wallet_id=holder.wallet_id,
        user_id=holder.user_id,
        account_group=holder.group,
        only_user_id=holder.only_user_id,
    )


def _view(key: KeyRow) -> KeyView:
    is_expired = key.expires_at is not None and key.expires_at <= now()
    return KeyView(
        id=key.key_id,
        name=key.name,
        prefix=key.prefix,
        status="expired" if is_expired and key.status == "active" else key.status,
        group=key.group_name,
        spend_limit=key.spend_limit,
        spent=key.spent,
        remaining=None if key.spend_limit is None else key.spend_limit - key.spent,
        models=None if key.models is None else list(key.models),
        allowed_ips=None if key.allowed_ips is None else list(key.allowed_ips),
        rate_limits=RateLimitsView(requests_per_minute=key.requests_per_minute, concurrency=key.concurrency),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        user_id=key.user_id,
        user_email=key.user_email,
        is_orphaned=key.is_orphaned,
    )


def _with_secret(key: KeyRow, secret: str | None) -> KeyWithSecret:
    return KeyWithSecret(**msgspec.structs.asdict(_view(key)), key=secret)

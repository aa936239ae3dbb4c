"""API keys of an account. The secret is in the answer that makes it, and nowhere else."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import AccountHolder
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import KeyId
from airouter.services.keys import KeyChanges, KeyDraft, KeyOwner, Keys
from airouter.storage.keys import KeyRow
from airouter.world import now


class RateLimitsView(msgspec.Struct, frozen=True, kw_only=True):
    """Null: not limited."""

    requests_per_minute: int | None
    concurrency: int | None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """`prefix` is how its secret begins. `remaining` is what is left of `spend_limit`; null where there is none."""

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


class KeyWithSecret(KeyView, frozen=True, kw_only=True):
    """`key` is shown only now; null when this answer is a replay."""

    key: str | None


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[KeyView]
    next_cursor: str | None


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    grace_seconds: Annotated[int, msgspec.Meta(ge=0)] | None = None


class KeysController(Controller):
    """Below /keys."""

    path = "/keys"
    tags = ("Keys",)

    @post(
        "/",
        operation_id="createKey",
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

    @get("/", operation_id="listKeys", summary="The account's keys, newest first", responses=refusals(401, 404, 422))
    async def list_keys(
        self, holder: NamedDependency[AccountHolder], paging: NamedDependency[Paging], keys: NamedDependency[Keys]
    ) -> KeyList:
        rows = await keys.list(
            holder.account_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(rows)
        return KeyList(
            items=[_view(key) for key in shown], next_cursor=last and cursor_of(last.created_at, last.key_id)
        )

    @get("/{key_id:uuid}", operation_id="getKey", summary="One key", responses=refusals(401, 404))
    async def get_key(
        self, key_id: FromPath[UUID], holder: NamedDependency[AccountHolder], keys: NamedDependency[Keys]
    ) -> KeyView:
        return _view(await keys.get(holder.account_id, KeyId(key_id)))

    @patch(
        "/{key_id:uuid}",
        operation_id="updateKey",
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
        summary="Take a key away; it stops working within a second",
        responses=refusals(401, 404),
    )
    async def delete_key(
        self, key_id: FromPath[UUID], holder: NamedDependency[AccountHolder], keys: NamedDependency[Keys]
    ) -> None:
        await keys.delete(holder.account_id, KeyId(key_id))

    @post(
        "/{key_id:uuid}/rotate",
        operation_id="rotateKey",
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
        return _with_secret(*await keys.rotate(holder.account_id, KeyId(key_id), data.grace_seconds))


def _owner(holder: AccountHolder) -> KeyOwner:
    return KeyOwner(
        account_id=holder.account_id,
        wallet_id=holder.wallet_id,
        user_id=holder.user_id,
        account_group=holder.group,
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
    )


def _with_secret(key: KeyRow, secret: str | None) -> KeyWithSecret:
    return KeyWithSecret(**msgspec.structs.asdict(_view(key)), key=secret)

"""API keys of an account. The secret is in the answer that makes it, and nowhere else."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import AccountHolder
from airouter.api.console.key_views import KeyView, KeyWithSecret, key_view
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import KeyId, UserId
from airouter.services.audit_log import Actor
from airouter.services.budgets import Budgets
from airouter.services.key_drafts import KeyChanges, KeyDraft
from airouter.services.keys import EphemeralDraft, KeyOwner, Keys
from airouter.storage.keys import KeyRow


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[KeyView]
    next_cursor: str | None


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`grace_seconds`: how long the old secret works yet; at most 30 days."""

    grace_seconds: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] | None = None


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
        *,
        data: JSONBody[KeyDraft],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
        new_id: NamedDependency[NewId],
        actor: NamedDependency[Actor],
    ) -> KeyWithSecret:
        key, secret = await keys.create(_owner(holder), data, KeyId(new_id.value), actor)
        return await _with_secret(key, secret, budgets)

    @post(
        "/ephemeral",
        operation_id="createEphemeralKey",
        permission="keys.write",
        summary="Make a key for trying things out; it lives for an hour and is in no list",
        responses=refusals(401, 403, 404, 409, 422),
        opt={"secret_fields": ("key",)},
    )
    async def create_ephemeral(
        self,
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
        new_id: NamedDependency[NewId],
        data: JSONBody[EphemeralDraft] = EphemeralDraft(),  # noqa: B008 - frozen
    ) -> KeyWithSecret:
        """Without a `spend_limit` it may spend what the balance is now. A person has at most ten at a time."""
        key, secret = await keys.create_ephemeral(_owner(holder), data, KeyId(new_id.value))
        return await _with_secret(key, secret, budgets)

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
        budgets: NamedDependency[Budgets],
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
        above = await budgets.of_keys([key.key_id for key in shown])
        return KeyList(
            items=[key_view(key, above.get(key.key_id, [])) for key in shown],
            next_cursor=last and cursor_of(last.created_at, last.key_id),
        )

    @get(
        "/{key_id:uuid}", operation_id="getKey", permission="keys.read", summary="One key", responses=refusals(401, 404)
    )
    async def get_key(
        self,
        key_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
    ) -> KeyView:
        return await _shown(await keys.get(_owner(holder), KeyId(key_id)), budgets)

    @patch(
        "/{key_id:uuid}",
        operation_id="updateKey",
        permission="keys.write",
        summary="Change a key's name, limits or status",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def update(
        self,
        *,
        key_id: FromPath[UUID],
        data: JSONBody[KeyChanges],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
        actor: NamedDependency[Actor],
    ) -> KeyView:
        return await _shown(await keys.change(_owner(holder), KeyId(key_id), data, actor), budgets)

    @delete(
        "/{key_id:uuid}",
        operation_id="deleteKey",
        permission="keys.write",
        summary="Take a key away; it stops working within a second",
        responses=refusals(401, 404),
    )
    async def delete_key(
        self,
        key_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        actor: NamedDependency[Actor],
    ) -> None:
        await keys.delete(_owner(holder), KeyId(key_id), actor)

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
        *,
        key_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
        actor: NamedDependency[Actor],
        data: JSONBody[Rotation] = Rotation(),  # noqa: B008 - frozen
    ) -> KeyWithSecret:
        key, secret = await keys.rotate(_owner(holder), KeyId(key_id), data.grace_seconds, actor)
        return await _with_secret(key, secret, budgets)

    @delete(
        "/{key_id:uuid}/previous-secret",
        operation_id="endKeyGrace",
        permission="keys.write",
        summary="End the grace of the secret before the last rotation",
        status_code=200,
        responses=refusals(401, 404),
    )
    async def end_grace(
        self,
        key_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
        actor: NamedDependency[Actor],
    ) -> KeyView:
        return await _shown(await keys.end_grace(_owner(holder), KeyId(key_id), actor), budgets)

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
        *,
        key_id: FromPath[UUID],
        data: JSONBody[HandOver],
        holder: NamedDependency[AccountHolder],
        keys: NamedDependency[Keys],
        budgets: NamedDependency[Budgets],
        actor: NamedDependency[Actor],
    ) -> KeyView:
        """A key that was disabled because its member left is active again."""
        key = await keys.hand_over(_owner(holder), KeyId(key_id), UserId(data.user_id), actor)
        return await _shown(key, budgets)


def _owner(holder: AccountHolder) -> KeyOwner:
    return KeyOwner(
        account_id=holder.account_id,
        wallet_id=holder.wallet_id,
        user_id=holder.user_id,
        account_group=holder.group,
        only_user_id=holder.only_user_id,
    )


async def _shown(key: KeyRow, budgets: Budgets) -> KeyView:
    return key_view(key, (await budgets.of_keys([key.key_id])).get(key.key_id, []))


async def _with_secret(key: KeyRow, secret: str | None, budgets: Budgets) -> KeyWithSecret:
    return KeyWithSecret(**msgspec.structs.asdict(await _shown(key, budgets)), key=secret)

"""Management tokens: what scripts use in place of a session. The secret is only in the answer that makes it."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import AccountHolder
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import TokenId
from airouter.domain.permission import PERMISSIONS, Kind
from airouter.services.audit_log import Actor
from airouter.services.step_up import StepUp
from airouter.services.tokens import ManagementTokens, TokenDraft, TokenMaker, scopes_for
from airouter.storage.tokens import TokenRow


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """`prefix` is how its secret begins; `last_used_at` is true to the minute."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    account_id: UUID
    account_name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenWithSecret(TokenView, frozen=True, kw_only=True):
    """`token` is shown only now; null when this answer is a replay."""

    token: str | None


class TokenList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[TokenView]
    next_cursor: str | None


class ScopeView(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: whether it is about the person, the account, or the whole instance."""

    name: str
    words: str
    kind: Kind


class ScopeList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ScopeView]
    next_cursor: None


class TokensController(Controller):
    """Below /tokens."""

    path = "/tokens"
    tags = ("Tokens",)

    @post(
        "/",
        operation_id="createToken",
        permission="me.write",
        summary="Make a management token for an account; its secret is shown only now",
        responses=refusals(401, 403, 404, 409, 422),
        opt={"secret_fields": ("token",)},
    )
    async def create(
        self,
        *,
        data: JSONBody[TokenDraft],
        holder: NamedDependency[AccountHolder],
        tokens: NamedDependency[ManagementTokens],
        new_id: NamedDependency[NewId],
        actor: NamedDependency[Actor],
        step_up: NamedDependency[StepUp],
    ) -> TokenWithSecret:
        """Bound to the account of this call. It never exceeds what its maker may do there, now or later.

        Needs a fresh proof of who one is: it may outlive the session that makes it.
        """
        await step_up.require(None, holder.person)
        maker = TokenMaker(
            user_id=holder.user_id,
            role=holder.person.role,
            account_id=holder.account_id,
            team_role=holder.team_role,
        )
        token, secret = await tokens.create(maker, data, TokenId(new_id.value), actor)
        return TokenWithSecret(**msgspec.structs.asdict(_view(token)), token=secret)

    @get(
        "/",
        operation_id="listTokens",
        permission="me.write",
        summary="One's management tokens, newest first",
        responses=refusals(401, 403, 404, 422),
    )
    async def list_tokens(
        self,
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        tokens: NamedDependency[ManagementTokens],
    ) -> TokenList:
        """Those for every account."""
        found = await tokens.list(
            holder.user_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return TokenList(
            items=[_view(token) for token in shown], next_cursor=last and cursor_of(last.created_at, last.token_id)
        )

    @get(
        "/scopes",
        operation_id="listScopes",
        permission="me.read",
        summary="What one may give to a token of this account",
        responses=refusals(401, 403, 404),
        sync_to_thread=False,
    )
    def scopes(self, holder: NamedDependency[AccountHolder]) -> ScopeList:
        names = scopes_for(holder.person.role, holder.team_role)
        return ScopeList(
            items=[ScopeView(name=name, words=PERMISSIONS[name].words, kind=PERMISSIONS[name].kind) for name in names],
            next_cursor=None,
        )

    @delete(
        "/{token_id:uuid}",
        operation_id="revokeToken",
        permission="me.write",
        summary="Revoke a token; it stops working within a second",
        responses=refusals(401, 403, 404),
    )
    async def revoke(
        self,
        token_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        tokens: NamedDependency[ManagementTokens],
        actor: NamedDependency[Actor],
    ) -> None:
        await tokens.revoke(holder.user_id, TokenId(token_id), actor)


def _view(token: TokenRow) -> TokenView:
    return TokenView(
        id=token.token_id,
        name=token.name,
        prefix=token.prefix,
        scopes=list(token.scopes),
        account_id=token.account_id,
        account_name=token.account_name,
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
    )

"""Management tokens."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, TokenId, UserId, WalletId
from airouter.domain.permission import Role, TeamRole
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load
from airouter.storage.sessions import Membership

QUERIES = load("tokens")


class TokenRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token as its maker sees it."""

    token_id: TokenId
    account_id: AccountId
    account_name: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token to be. Of the secret only its hash is kept."""

    token_id: TokenId
    account_id: AccountId
    user_id: UserId
    name: str
    secret_hash: bytes
    prefix: str
    scopes: tuple[str, ...]
    expires_at: datetime | None


class RevokedToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it was, for the record."""

    token_id: TokenId
    account_id: AccountId
    name: str


class TokenStandingRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person behind a token and their membership in its account."""

    token_id: TokenId
    scopes: frozenset[str]
    expires_at: datetime | None
    user_id: UserId
    email: str
    role: Role
    locale: str | None
    lacks_factor: bool
    account_id: AccountId
    name: str
    kind: Literal["personal", "team"]
    team_role: TeamRole
    group_name: str
    status: Literal["active", "paused"]
    wallet_id: WalletId

    @property
    def membership(self) -> Membership:
        return Membership(
            account_id=self.account_id,
            name=self.name,
            kind=self.kind,
            team_role=self.team_role,
            group_name=self.group_name,
            status=self.status,
            wallet_id=self.wallet_id,
        )


async def insert_token(connection: Connection, token: NewToken) -> bool:
    """False: there is a token with this id already."""
    return await connection.fetchval(QUERIES.insert_token, *msgspec.structs.astuple(token)) is not None


async def find_token(connection: Connection, token_id: TokenId, user_id: UserId) -> TokenRow | None:
    record = await connection.fetchrow(QUERIES.find_token, token_id, user_id)
    return record and row_as(TokenRow, record)


async def tokens_of(
    connection: Connection, user_id: UserId, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[TokenRow]:
    """Newest first."""
    records = await connection.fetch(QUERIES.tokens_of, user_id, after_time, after_id, limit)
    return [row_as(TokenRow, record) for record in records]


async def count_tokens(connection: Connection, user_id: UserId) -> int:
    return value_as(int, await connection.fetchval(QUERIES.count_tokens, user_id))


async def revoke_token(connection: Connection, token_id: TokenId, user_id: UserId) -> RevokedToken | None:
    """None: they have no such token."""
    record = await connection.fetchrow(QUERIES.revoke_token, token_id, user_id)
    return record and row_as(RevokedToken, record)


async def revoke_tokens_in(connection: Connection, account_id: AccountId, user_id: UserId | None) -> list[TokenId]:
    """Of a person in an account, or of everybody in it; which ones."""
    return [TokenId(row["token_id"]) for row in await connection.fetch(QUERIES.revoke_tokens_in, account_id, user_id)]


async def token_standing(connection: Connection, secret_hash: bytes) -> TokenStandingRow | None:
    """None: no token of ours, or it is over, or whoever made it may not act for its account any more."""
    record = await connection.fetchrow(QUERIES.token_standing, secret_hash)
    return record and row_as(TokenStandingRow, record)


async def mark_used(connection: Connection, token_id: TokenId) -> None:
    """To the minute."""
    await connection.execute(QUERIES.mark_used, token_id)

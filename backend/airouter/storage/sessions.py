"""Sessions: who is signed in where, and what that lets them do."""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from airouter.domain.ids import AccountId, SessionId, UserId, WalletId
from airouter.domain.permission import Role, TeamRole
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("sessions")

Method = Literal["password", "passkey", "identity", "link", "sign_up"]
"""How a session came to be: `link` by a one-time link, `identity` by a provider elsewhere."""
SecondMethod = Literal["totp", "recovery_code", "passkey"]
OPERATORS: Final = frozenset({"operator", "owner"})


class LockedSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session that nobody else can rotate now."""

    session_id: SessionId
    user_id: UserId
    rotation: int
    rotated_ago: timedelta
    is_live: bool


class Membership(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that the person belongs to."""

    account_id: AccountId
    name: str
    kind: Literal["personal", "team"]
    team_role: TeamRole
    group_name: str
    status: Literal["active", "paused"]
    wallet_id: WalletId


class SessionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session as its owner sees it."""

    session_id: SessionId
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str
    address: str | None
    method: Method
    second_method: SecondMethod | None
    authenticated_at: datetime


class StandingRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person behind a session, and whether the session still holds."""

    session_id: SessionId
    user_id: UserId
    expires_at: datetime
    email: str
    role: Role
    locale: str | None
    is_live: bool
    lacks_factor: bool


async def open_session(
    connection: Connection,
    session_id: SessionId,
    user_id: UserId,
    *,
    lifetime: timedelta,
    user_agent: str,
    address: str | None,
    method: Method,
    second_method: SecondMethod | None,
) -> None:
    await connection.execute(
        QUERIES.open_session, session_id, user_id, lifetime, user_agent, address, method, second_method
    )


async def authenticated_ago(connection: Connection, session_id: SessionId, user_id: UserId) -> timedelta | None:
    """How long ago the person behind a live session proved who they are; None: there is no such session."""
    return await connection.fetchval(QUERIES.authenticated_ago, session_id, user_id)


async def authenticate_session(connection: Connection, session_id: SessionId, user_id: UserId) -> bool:
    """They have proved it just now; False: there is no such live session."""
    return await connection.fetchval(QUERIES.authenticate_session, session_id, user_id) is not None


async def lock_session(connection: Connection, session_id: SessionId) -> LockedSession | None:
    record = await connection.fetchrow(QUERIES.lock_session, session_id)
    return record and row_as(LockedSession, record)


async def hold_session(connection: Connection, session_id: SessionId, user_id: UserId) -> bool:
    """Whether it is live, and then nobody ends it before this transaction is over."""
    return await connection.fetchval(QUERIES.hold_session, session_id, user_id) is not None


async def rotate_session(connection: Connection, session_id: SessionId, lifetime: timedelta) -> int:
    """The new rotation."""
    return value_as(int, await connection.fetchval(QUERIES.rotate_session, session_id, lifetime))


async def revoke_session(connection: Connection, session_id: SessionId, user_id: UserId | None = None) -> bool:
    """Whether there was a live one to revoke."""
    return await connection.fetchval(QUERIES.revoke_session, session_id, user_id) is not None


async def revoke_sessions_of(connection: Connection, user_id: UserId, but: SessionId | None = None) -> list[SessionId]:
    """Which ones were revoked."""
    return [row["session_id"] for row in await connection.fetch(QUERIES.revoke_sessions_of, user_id, but)]


async def standing(connection: Connection, session_id: SessionId) -> tuple[StandingRow, tuple[Membership, ...]] | None:
    """The person behind a session with their accounts, the personal one first."""
    record = await connection.fetchrow(QUERIES.standing, session_id)
    if record is None:
        return None
    person = row_as(StandingRow, record)
    return person, await memberships(connection, person.user_id)


async def memberships(connection: Connection, user_id: UserId) -> tuple[Membership, ...]:
    return tuple(row_as(Membership, record) for record in await connection.fetch(QUERIES.memberships, user_id))


async def sessions_of(
    connection: Connection, user_id: UserId, after_time: datetime | None, after_id: object, limit: int
) -> list[SessionRow]:
    records = await connection.fetch(QUERIES.sessions_of, user_id, after_time, after_id, limit)
    return [row_as(SessionRow, record) for record in records]


async def forget_ended_sessions(connection: Connection) -> None:
    await connection.execute(QUERIES.forget_ended_sessions)

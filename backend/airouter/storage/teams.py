"""Who belongs to an account, and as what."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, UserId
from airouter.domain.permission import TeamRole
from airouter.storage import alerts
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load
from airouter.storage.users import UserStatus

QUERIES = load("teams")


class TeamRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account as its members see it."""

    account_id: AccountId
    name: str
    kind: Literal["personal", "team"]
    group_name: str
    status: Literal["active", "paused"]
    created_at: datetime


class TeamMemberRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who belongs to an account. `keys`: active ones that they are responsible for."""

    user_id: UserId
    email: str
    status: UserStatus
    team_role: TeamRole
    joined_at: datetime
    keys: int


async def insert_team(connection: Connection, account_id: AccountId, name: str, group_name: str) -> bool:
    """Without wallets and members. False: there is an account with this id already.

    Raises asyncpg.ForeignKeyViolationError for a group that is none.
    """
    return await connection.fetchval(QUERIES.insert_team, account_id, name, group_name) is not None


async def count_owned(connection: Connection, user_id: UserId) -> int:
    """Teams that they are an owner of."""
    return value_as(int, await connection.fetchval(QUERIES.count_owned, user_id))


async def find_team(connection: Connection, account_id: AccountId) -> TeamRow | None:
    record = await connection.fetchrow(QUERIES.find_team, account_id)
    return record and row_as(TeamRow, record)


async def lock_team(connection: Connection, account_id: AccountId) -> TeamRow | None:
    """The row, held until the transaction ends: whoever changes members does this first."""
    record = await connection.fetchrow(QUERIES.lock_team, account_id)
    return record and row_as(TeamRow, record)


async def rename_team(connection: Connection, account_id: AccountId, name: str) -> None:
    await connection.execute(QUERIES.rename_team, account_id, name)


async def delete_team(connection: Connection, account_id: AccountId) -> None:
    """Its members leave, its keys and alerts end, and nobody finds it any more; the books keep it."""
    await connection.execute(QUERIES.delete_members, account_id)
    await end_keys(connection, account_id)
    await alerts.delete_alerts_in(connection, [account_id])
    await connection.execute(QUERIES.delete_team, account_id)


async def end_keys(connection: Connection, account_id: AccountId) -> None:
    """No key of the account works any more, nor ever will again."""
    await connection.execute(QUERIES.delete_keys_in, account_id)


async def members_of(
    connection: Connection, account_id: AccountId, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[TeamMemberRow]:
    """In the order in which they joined."""
    records = await connection.fetch(QUERIES.members_of, account_id, after_time, after_id, limit)
    return [row_as(TeamMemberRow, record) for record in records]


async def find_member(connection: Connection, account_id: AccountId, user_id: UserId) -> TeamMemberRow | None:
    record = await connection.fetchrow(QUERIES.find_member, account_id, user_id)
    return record and row_as(TeamMemberRow, record)


async def count_owners(connection: Connection, account_id: AccountId) -> int:
    """Those who are not banned."""
    return value_as(int, await connection.fetchval(QUERIES.count_owners, account_id))


async def insert_member(connection: Connection, account_id: AccountId, user_id: UserId, team_role: TeamRole) -> bool:
    """False: they belong to it already, with whatever role."""
    return await connection.fetchval(QUERIES.insert_member, account_id, user_id, team_role) is not None


async def set_team_role(connection: Connection, account_id: AccountId, user_id: UserId, team_role: TeamRole) -> None:
    await connection.execute(QUERIES.set_team_role, account_id, user_id, team_role)


async def delete_member(connection: Connection, account_id: AccountId, user_id: UserId) -> None:
    await connection.execute(QUERIES.delete_member, account_id, user_id)

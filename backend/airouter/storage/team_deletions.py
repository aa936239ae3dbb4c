"""Deletions of teams that are not empty."""

from datetime import datetime, timedelta

import msgspec

from airouter.domain.ids import AccountId, UserId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("team_deletions")


class TeamDeletionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deletion that was asked for: by an operator, or by an owner of the team."""

    account_id: AccountId
    requested_at: datetime
    is_by_operator: bool
    due_at: datetime
    ends_keys_now: bool


class OwnerRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An owner who is written to."""

    email: str
    locale: str | None


async def put_team_deletion(
    connection: Connection,
    account_id: AccountId,
    requested_by: UserId,
    grace: timedelta,
    *,
    is_by_operator: bool,
    ends_keys_now: bool,
) -> None:
    """A later request takes the place of the one before."""
    await connection.execute(QUERIES.put_team_deletion, account_id, requested_by, is_by_operator, grace, ends_keys_now)


async def find_team_deletion(connection: Connection, account_id: AccountId) -> TeamDeletionRow | None:
    """None: the team stays, or is gone."""
    record = await connection.fetchrow(QUERIES.find_team_deletion, account_id)
    return record and row_as(TeamDeletionRow, record)


async def cancel_team_deletion(connection: Connection, account_id: AccountId) -> bool:
    """False: there is none that could still be cancelled."""
    return await connection.fetchval(QUERIES.cancel_team_deletion, account_id) is not None


async def due_team_deletions(connection: Connection) -> list[TeamDeletionRow]:
    return [row_as(TeamDeletionRow, record) for record in await connection.fetch(QUERIES.due_team_deletions)]


async def lock_team_deletion(connection: Connection, account_id: AccountId) -> None:
    """The first lock of whoever ends a team, or asks for its end. No row is no lock."""
    await connection.execute(QUERIES.lock_team_deletion, account_id)


async def lock_due_team_deletion(connection: Connection, account_id: AccountId) -> TeamDeletionRow | None:
    """None: it was cancelled, or finished by another process."""
    record = await connection.fetchrow(QUERIES.lock_due_team_deletion, account_id)
    return record and row_as(TeamDeletionRow, record)


async def postpone_team_deletion(connection: Connection, account_id: AccountId, by: timedelta) -> None:
    await connection.execute(QUERIES.postpone_team_deletion, account_id, by)


async def finish_team_deletion(connection: Connection, account_id: AccountId) -> bool:
    """False: there was none, or another process finished it."""
    return await connection.fetchval(QUERIES.finish_team_deletion, account_id) is not None


async def owners_to_tell(connection: Connection, account_id: AccountId) -> list[OwnerRow]:
    """Those who can sign in."""
    return [row_as(OwnerRow, record) for record in await connection.fetch(QUERIES.owners_to_tell, account_id)]

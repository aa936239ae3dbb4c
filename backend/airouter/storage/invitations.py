"""Invitations into teams. Of their tokens only keyed hashes are kept."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, InvitationId, UserId
from airouter.domain.permission import TeamRole
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("invitations")


class NewInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation to be."""

    invitation_id: InvitationId
    account_id: AccountId
    email: str
    email_normal: str
    team_role: TeamRole
    token_hash: bytes
    is_mailed: bool
    invited_by: UserId
    lifetime: timedelta


class InvitationRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An invitation as the team sees it."""

    invitation_id: InvitationId
    account_id: AccountId
    email: str
    team_role: TeamRole
    is_mailed: bool
    invited_by: str
    created_at: datetime
    expires_at: datetime


class OfferRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An open invitation as whoever has its token sees it. `has_user`: somebody signs in with that address."""

    account_id: AccountId
    account_name: str
    email: str
    email_normal: str
    team_role: TeamRole
    is_mailed: bool
    invited_by: str
    expires_at: datetime
    has_user: bool


class RevokedInvitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it was, for the record."""

    email: str
    team_role: TeamRole


class AcceptedInvitation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an invitation is worth to the one who used it."""

    invitation_id: InvitationId
    account_id: AccountId
    team_role: TeamRole


async def put_invitation(connection: Connection, invitation: NewInvitation) -> None:
    """The only open one of its account and address."""
    await connection.execute(QUERIES.drop_open, invitation.account_id, invitation.email_normal)
    await connection.execute(QUERIES.insert_invitation, *msgspec.structs.astuple(invitation))


async def find_invitation(
    connection: Connection, invitation_id: InvitationId, account_id: AccountId
) -> InvitationRow | None:
    """Whatever became of it."""
    record = await connection.fetchrow(QUERIES.find_invitation, invitation_id, account_id)
    return record and row_as(InvitationRow, record)


async def open_invitations(
    connection: Connection, account_id: AccountId, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[InvitationRow]:
    """Newest first."""
    records = await connection.fetch(QUERIES.open_invitations, account_id, after_time, after_id, limit)
    return [row_as(InvitationRow, record) for record in records]


async def count_seats(connection: Connection, account_id: AccountId) -> int:
    """Members and open invitations together."""
    return value_as(int, await connection.fetchval(QUERIES.count_seats, account_id))


async def is_member(connection: Connection, account_id: AccountId, email_normal: str) -> bool:
    return value_as(bool, await connection.fetchval(QUERIES.is_member, account_id, email_normal))


async def revoke_invitation(
    connection: Connection, invitation_id: InvitationId, account_id: AccountId
) -> RevokedInvitation | None:
    """None: there is no open one."""
    record = await connection.fetchrow(QUERIES.revoke_invitation, invitation_id, account_id)
    return record and row_as(RevokedInvitation, record)


async def revoke_all(connection: Connection, account_id: AccountId) -> None:
    await connection.execute(QUERIES.revoke_all, account_id)


async def offer(connection: Connection, token_hashes: tuple[bytes, ...]) -> OfferRow | None:
    """None: unknown, used, revoked or too old."""
    record = await connection.fetchrow(QUERIES.offer, list(token_hashes))
    return record and row_as(OfferRow, record)


async def accept(connection: Connection, token_hashes: tuple[bytes, ...], user_id: UserId) -> AcceptedInvitation | None:
    """None: unknown, used, revoked or too old."""
    record = await connection.fetchrow(QUERIES.accept, list(token_hashes), user_id)
    return record and row_as(AcceptedInvitation, record)

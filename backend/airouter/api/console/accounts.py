"""Teams: making one, who belongs to it and as what. The account is the one in the address."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from airouter.api.callers import AccountHolder, Person
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import AccountId, InvitationId, UserId
from airouter.domain.permission import TeamRole
from airouter.services.audit_log import Actor
from airouter.services.invitations import Invitations
from airouter.services.team_deletions import TeamDeletions
from airouter.services.teams import Lead, TeamName, Teams
from airouter.storage.invitations import InvitationRow
from airouter.storage.teams import TeamMemberRow, TeamRow


class TeamDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: TeamName


class TeamView(msgspec.Struct, frozen=True, kw_only=True):
    """An account as those who belong to it see it; `team_role` is one's own."""

    id: UUID
    name: str
    kind: Literal["personal", "team"]
    group: str
    status: Literal["active", "paused"]
    team_role: TeamRole
    created_at: datetime


class TeamItem(msgspec.Struct, frozen=True, kw_only=True):
    """An account in the list of one's own; `team_role` is one's own."""

    id: UUID
    name: str
    kind: Literal["personal", "team"]
    team_role: TeamRole
    status: Literal["active", "paused"]


class TeamList(msgspec.Struct, frozen=True, kw_only=True):
    """`may_create`: whether one may make a team (policy `teams`)."""

    items: list[TeamItem]
    next_cursor: None
    may_create: bool


class MemberItem(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who belongs to the account. `keys`: active ones that they are responsible for."""

    user_id: UUID
    email: str
    status: Literal["active", "banned"]
    team_role: TeamRole
    joined_at: datetime
    keys: int


class MemberList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[MemberItem]
    next_cursor: str | None


class MemberChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    team_role: TeamRole


class Parted(msgspec.Struct, frozen=True, kw_only=True):
    """`keys_disabled`: keys that the member was responsible for; each can be handed over."""

    keys_disabled: list[UUID]


class InvitationDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=254, examples=["grace@example.com"])]
    team_role: TeamRole


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_mailed`: the link went to the address; otherwise whoever invited hands it on."""

    id: UUID
    email: str
    team_role: TeamRole
    is_mailed: bool
    invited_by: str
    created_at: datetime
    expires_at: datetime


class NewInvitationView(InvitationView, frozen=True, kw_only=True):
    """`link` is shown only now, and only where no mail is sent; null in a replayed answer."""

    link: str | None


class InvitationList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[InvitationView]
    next_cursor: str | None


class AccountsController(Controller):
    """Below /accounts."""

    path = "/accounts"
    tags = ("Teams",)

    @post(
        "/",
        operation_id="createTeam",
        permission="me.write",
        summary="Make a team and become its owner",
        responses=refusals(401, 403, 409, 422),
    )
    async def create(
        self,
        *,
        data: JSONBody[TeamDraft],
        person: NamedDependency[Person],
        teams: NamedDependency[Teams],
        new_id: NamedDependency[NewId],
        actor: NamedDependency[Actor],
    ) -> TeamView:
        """403 `teams_not_allowed` where the operator makes them (policy `teams`)."""
        team = await teams.create(person.user_id, person.role, data.name, AccountId(new_id.value), actor)
        return _team(team, "owner")

    @get(
        "/",
        operation_id="listTeams",
        permission="me.read",
        summary="The accounts that one belongs to, one's own first",
        responses=refusals(401, 403),
    )
    async def accounts(self, person: NamedDependency[Person], teams: NamedDependency[Teams]) -> TeamList:
        """A management token belongs to one."""
        items = [
            TeamItem(id=m.account_id, name=m.name, kind=m.kind, team_role=m.team_role, status=m.status)
            for m in person.memberships
        ]
        may_create = person.token_id is None and await teams.may_create(person.role)
        return TeamList(items=items, next_cursor=None, may_create=may_create)

    @get(
        "/{account_id:uuid}",
        operation_id="getTeam",
        permission="me.read",
        summary="An account that one belongs to",
        responses=refusals(401, 403, 404),
    )
    async def team(
        self, account_id: FromPath[UUID], holder: NamedDependency[AccountHolder], teams: NamedDependency[Teams]
    ) -> TeamView:
        del account_id
        return _team(await teams.get(holder.account_id), holder.team_role)

    @patch(
        "/{account_id:uuid}",
        operation_id="updateTeam",
        permission="account.write",
        summary="Rename an account",
        responses=refusals(401, 403, 404, 422),
    )
    async def rename(
        self,
        *,
        account_id: FromPath[UUID],
        data: JSONBody[TeamDraft],
        holder: NamedDependency[AccountHolder],
        teams: NamedDependency[Teams],
        actor: NamedDependency[Actor],
    ) -> TeamView:
        del account_id
        return _team(await teams.rename(holder.account_id, data.name, actor), holder.team_role)

    @delete(
        "/{account_id:uuid}",
        operation_id="deleteTeam",
        permission="account.write",
        summary="Delete a team whose wallets are empty",
        responses=refusals(401, 403, 404, 409),
    )
    async def delete_team(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        team_deletions: NamedDependency[TeamDeletions],
        actor: NamedDependency[Actor],
    ) -> None:
        """At once: its members, keys, tokens and invitations end with it; usage and transfers stay in the books.
        409 `account_not_empty` while there is something in it: then `POST /accounts/{id}/deletion`.
        """
        del account_id
        await team_deletions.delete_empty(holder.account_id, actor)

    @get(
        "/{account_id:uuid}/members",
        operation_id="listMembers",
        permission="members.read",
        summary="Who belongs to an account",
        responses=refusals(401, 403, 404, 422),
    )
    async def members(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        teams: NamedDependency[Teams],
    ) -> MemberList:
        """In the order in which they joined."""
        del account_id
        found = await teams.members(
            holder.account_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return MemberList(
            items=[_member(row) for row in shown], next_cursor=last and cursor_of(last.joined_at, last.user_id)
        )

    @patch(
        "/{account_id:uuid}/members/{user_id:uuid}",
        operation_id="updateMember",
        permission="members.write",
        summary="Give a member another role",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def change(
        self,
        *,
        account_id: FromPath[UUID],
        user_id: FromPath[UUID],
        data: JSONBody[MemberChanges],
        holder: NamedDependency[AccountHolder],
        teams: NamedDependency[Teams],
        actor: NamedDependency[Actor],
    ) -> MemberItem:
        """Only owners make owners and change them; 409 `last_owner` when nobody would be left who is one."""
        del account_id
        return _member(await teams.set_role(_lead(holder), UserId(user_id), data.team_role, actor))

    @delete(
        "/{account_id:uuid}/members/me",
        operation_id="leaveTeam",
        permission="account.leave",
        summary="Leave a team",
        status_code=200,
        responses=refusals(401, 403, 404, 409),
    )
    async def leave(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        teams: NamedDependency[Teams],
        actor: NamedDependency[Actor],
    ) -> Parted:
        """One's keys there are disabled and one's tokens for it revoked, everywhere within a second."""
        del account_id
        return Parted(keys_disabled=list(await teams.remove(_lead(holder), holder.user_id, actor)))

    @delete(
        "/{account_id:uuid}/members/{user_id:uuid}",
        operation_id="removeMember",
        permission="members.write",
        summary="Remove a member; their keys are disabled within a second",
        status_code=200,
        responses=refusals(401, 403, 404, 409),
    )
    async def remove(
        self,
        account_id: FromPath[UUID],
        user_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        teams: NamedDependency[Teams],
        actor: NamedDependency[Actor],
    ) -> Parted:
        """Only owners remove owners; 409 `last_owner` when nobody would be left who is one."""
        del account_id
        return Parted(keys_disabled=list(await teams.remove(_lead(holder), UserId(user_id), actor)))

    @post(
        "/{account_id:uuid}/invitations",
        operation_id="inviteMember",
        permission="members.write",
        summary="Invite somebody by e-mail address; it replaces an open invitation for the same address",
        responses=refusals(401, 403, 404, 409, 422, 429),
        opt={"secret_fields": ("link",)},
    )
    async def invite(
        self,
        *,
        account_id: FromPath[UUID],
        data: JSONBody[InvitationDraft],
        holder: NamedDependency[AccountHolder],
        invitations: NamedDependency[Invitations],
        new_id: NamedDependency[NewId],
        actor: NamedDependency[Actor],
    ) -> NewInvitationView:
        """Works while sign-up is closed. Where no mail is sent, the answer has the link, this once."""
        del account_id
        sent = await invitations.invite(_lead(holder), data.email, data.team_role, InvitationId(new_id.value), actor)
        return NewInvitationView(**msgspec.structs.asdict(_invitation(sent.invitation)), link=sent.link)

    @get(
        "/{account_id:uuid}/invitations",
        operation_id="listInvitations",
        permission="members.read",
        summary="Open invitations, newest first",
        responses=refusals(401, 403, 404, 422),
    )
    async def invited(
        self,
        account_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        invitations: NamedDependency[Invitations],
    ) -> InvitationList:
        del account_id
        found = await invitations.list(
            holder.account_id, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(found)
        return InvitationList(
            items=[_invitation(row) for row in shown],
            next_cursor=last and cursor_of(last.created_at, last.invitation_id),
        )

    @delete(
        "/{account_id:uuid}/invitations/{invitation_id:uuid}",
        operation_id="revokeInvitation",
        permission="members.write",
        summary="Take an invitation back",
        responses=refusals(401, 403, 404),
    )
    async def uninvite(
        self,
        account_id: FromPath[UUID],
        invitation_id: FromPath[UUID],
        holder: NamedDependency[AccountHolder],
        invitations: NamedDependency[Invitations],
        actor: NamedDependency[Actor],
    ) -> None:
        del account_id
        await invitations.revoke(holder.account_id, InvitationId(invitation_id), actor)


def _lead(holder: AccountHolder) -> Lead:
    return Lead(account_id=holder.account_id, user_id=holder.user_id, team_role=holder.team_role)


def _team(team: TeamRow, team_role: TeamRole) -> TeamView:
    return TeamView(
        id=team.account_id,
        name=team.name,
        kind=team.kind,
        group=team.group_name,
        status=team.status,
        team_role=team_role,
        created_at=team.created_at,
    )


def _member(row: TeamMemberRow) -> MemberItem:
    return MemberItem(
        user_id=row.user_id,
        email=row.email,
        status=row.status,
        team_role=row.team_role,
        joined_at=row.joined_at,
        keys=row.keys,
    )


def _invitation(row: InvitationRow) -> InvitationView:
    return InvitationView(
        id=row.invitation_id,
        email=row.email,
        team_role=row.team_role,
        is_mailed=row.is_mailed,
        invited_by=row.invited_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )

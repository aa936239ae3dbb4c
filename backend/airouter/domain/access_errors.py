"""Refusals around teams, invitations and management tokens."""

from airouter.domain.errors import Conflict, NotAllowed


class TokenNotAllowed(NotAllowed):
    code = "token_not_allowed"
    default_message = "A management token cannot do this; sign in."


class ScopeRequired(NotAllowed):
    """`scope` names what the token lacks."""

    code = "scope_required"
    default_message = "This token was not given the scope that this needs."


class TeamsNotAllowed(NotAllowed):
    code = "teams_not_allowed"
    default_message = "Teams are made by the operator here."


class LastOwner(Conflict):
    code = "last_owner"
    default_message = "Somebody has to remain who is an owner. Make somebody else an owner first."


class TeamFull(Conflict):
    code = "team_full"
    default_message = "This team has as many members and invitations as it may have."


class AccountNotEmpty(Conflict):
    """`balance` is what is left."""

    code = "account_not_empty"
    default_message = "There is still quota in this account."


class AlreadyMember(Conflict):
    code = "already_member"
    default_message = "This person belongs to the team already."


class NotATeam(Conflict):
    code = "not_a_team"
    default_message = "This is somebody's own account. Make a team to work with others."


class InvitationForAnother(NotAllowed):
    code = "invitation_for_another"
    default_message = "This invitation is for another e-mail address. Sign in with that one, or ask for another."

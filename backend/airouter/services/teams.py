"""Teams: accounts with several members and one wallet. Who belongs to them, and as what.

Whoever changes members locks the account's row first, so that of two owners who leave at once one remains. When a
member goes, their keys in the account are disabled and their tokens for it revoked in the same transaction.
"""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from airouter.domain.access_errors import LastOwner, TeamsNotAllowed
from airouter.domain.errors import Conflict, NotFound, RoleRequired
from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.domain.permission import Role, TeamRole
from airouter.domain.policies.teams import Teams as TeamRules
from airouter.domain.shown_name import shown_name
from airouter.services.audit_log import Act, Actor, record
from airouter.services.policies import policy_in_force
from airouter.storage import accounts, keys, tokens
from airouter.storage import teams as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.teams import TeamMemberRow, TeamRow

TeamName = Annotated[str, Meta(min_length=1, max_length=120, examples=["Research"])]

_KEYS_ANNOUNCED_MAX: Final = 50


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """Who changes a team, and as what they do."""

    account_id: AccountId
    user_id: UserId
    team_role: TeamRole


class Teams:
    """The verbs of those who belong to an account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user_id: UserId, role: Role, name: str, account_id: AccountId, actor: Actor) -> TeamRow:
        """A team with its wallets and its maker as owner. The same `account_id` once more gives the same team.

        Raises:
            InvalidRequest: the name cannot be read.
            TeamsNotAllowed: policy `teams` says who may.
            Conflict: they own as many as they may make.
        """
        name = shown_name(name)
        async with self._database.transaction() as connection:
            rules = await policy_in_force(connection, TeamRules)
            if not _may_create(rules, role):
                raise TeamsNotAllowed
            if await rows.insert_team(connection, account_id, name, rules.group):
                if await rows.count_owned(connection, user_id) >= rules.owned_max:
                    raise Conflict(f"You own {rules.owned_max} teams, and that is as many as one person makes here.")
                await accounts.insert_wallets(connection, account_id)
                await rows.insert_member(connection, account_id, user_id, "owner")
                await announce(connection, "accounts", account_id)
                await record(connection, actor, _act("account.created", account_id, after={"name": name}))
            team = await rows.find_team(connection, account_id)
        if team is None:
            raise NotFound
        return team

    async def may_create(self, role: Role) -> bool:
        """Whether somebody with this role may make teams."""
        async with self._database.connection() as connection:
            return _may_create(await policy_in_force(connection, TeamRules), role)

    async def get(self, account_id: AccountId) -> TeamRow:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            team = await rows.find_team(connection, account_id)
        if team is None:
            raise NotFound
        return team

    async def rename(self, account_id: AccountId, name: str, actor: Actor) -> TeamRow:
        """Raises NotFound, InvalidRequest: the name cannot be read."""
        name = shown_name(name)
        async with self._database.transaction() as connection:
            team = await _locked(connection, account_id)
            if team.name != name:
                await rows.rename_team(connection, account_id, name)
                await announce(connection, "accounts", account_id)
                act = _act("account.renamed", account_id, before={"name": team.name}, after={"name": name})
                await record(connection, actor, act)
        return msgspec.structs.replace(team, name=name)

    async def members(
        self, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[TeamMemberRow]:
        """In the order in which they joined."""
        async with self._database.connection() as connection:
            return await rows.members_of(connection, account_id, after_time, after_id, limit)

    async def set_role(self, lead: Lead, user_id: UserId, team_role: TeamRole, actor: Actor) -> TeamMemberRow:
        """Another role for a member, everywhere within a second.

        Raises:
            NotFound: they do not belong to the account.
            RoleRequired: only owners make owners, and touch them.
            LastOwner
        """
        async with self._database.transaction() as connection:
            await _locked(connection, lead.account_id)
            member = await _touchable(connection, lead, user_id)
            if team_role == "owner" and lead.team_role != "owner":
                raise RoleRequired("Only an owner makes somebody an owner.")
            if team_role != member.team_role:
                await rows.set_team_role(connection, lead.account_id, user_id, team_role)
                await _keep_an_owner(connection, lead.account_id, member)
                await announce(connection, "accounts", lead.account_id)
                before, after = ({"user_id": user_id, "team_role": one} for one in (member.team_role, team_role))
                await record(connection, actor, _act("member.changed", lead.account_id, before=before, after=after))
        return msgspec.structs.replace(member, team_role=team_role)

    async def remove(self, lead: Lead, user_id: UserId, actor: Actor) -> list[KeyId]:
        """Somebody belongs to the account no more; which of their keys were disabled. To remove oneself is to leave.

        Raises:
            NotFound: they do not belong to the account.
            RoleRequired: only owners remove owners.
            LastOwner
        """
        async with self._database.transaction() as connection:
            await _locked(connection, lead.account_id)
            member = await _touchable(connection, lead, user_id)
            disabled = await _part(connection, lead.account_id, user_id)
            await _keep_an_owner(connection, lead.account_id, member)
            await announce(connection, "accounts", lead.account_id)
            action = "member.left" if user_id == lead.user_id else "member.removed"
            before = {"user_id": user_id, "team_role": member.team_role, "keys_disabled": disabled}
            await record(connection, actor, _act(action, lead.account_id, before=before))
        return disabled


async def _part(connection: Connection, account_id: AccountId, user_id: UserId) -> list[KeyId]:
    """First the membership: whoever makes a key just now has held it, and is waited for."""
    await rows.delete_member(connection, account_id, user_id)
    disabled = await keys.disable_keys_of(connection, account_id, user_id)
    if len(disabled) > _KEYS_ANNOUNCED_MAX:
        await announce(connection, "keys")
    else:
        for key_id in disabled:
            await announce(connection, "keys", key_id)
    for token_id in await tokens.revoke_tokens_in(connection, account_id, user_id):
        await announce(connection, "sessions", token_id)
    return disabled


async def _locked(connection: Connection, account_id: AccountId) -> TeamRow:
    team = await rows.lock_team(connection, account_id)
    if team is None:
        raise NotFound
    return team


async def _touchable(connection: Connection, lead: Lead, user_id: UserId) -> TeamMemberRow:
    member = await rows.find_member(connection, lead.account_id, user_id)
    if member is None:
        raise NotFound("Nobody with this id belongs to the account.")
    if member.team_role == "owner" and lead.team_role != "owner":
        raise RoleRequired("Only an owner changes or removes an owner.")
    return member


async def _keep_an_owner(connection: Connection, account_id: AccountId, before: TeamMemberRow) -> None:
    if before.team_role == "owner" and not await rows.count_owners(connection, account_id):
        raise LastOwner


def _may_create(rules: TeamRules, role: Role) -> bool:
    return rules.created_by == "users" or (rules.created_by == "operators" and role != "user")


def _act(action: str, account_id: AccountId, *, before: object = None, after: object = None) -> Act:
    subject = action.partition(".")[0]
    return Act(
        action=action, subject=subject, subject_id=str(account_id), account_id=account_id, before=before, after=after
    )

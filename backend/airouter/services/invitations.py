"""Invitations into teams: for one address, with a role, used once. They work while sign-up is closed.

The token travels by mail, or (where no mail is sent) by whoever invites. Only the address that was invited accepts:
somebody who has an account signs in with it, somebody new chooses a password and joins with it.
"""

import base64
import os
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.access_errors import AlreadyMember, InvitationForAnother, NotATeam, TeamFull
from airouter.domain.email_address import normal
from airouter.domain.errors import EmailTaken, InvalidToken, NotFound, RoleRequired
from airouter.domain.ids import AccountId, InvitationId, UserId
from airouter.domain.permission import TeamRole
from airouter.domain.policies.teams import Teams as TeamRules
from airouter.domain.policy import SignUp
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.links import check_email
from airouter.services.mailbox import Mailbox
from airouter.services.passwords import Passwords
from airouter.services.policies import policy_in_force
from airouter.services.sign_ins import Client, Opened, SignIns
from airouter.services.teams import Lead
from airouter.services.users import LINK_BY_ADDRESS, check_locale, join
from airouter.services.vault import Vault
from airouter.services.welcome import welcome
from airouter.storage import invitations as rows
from airouter.storage import teams, users
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.invitations import InvitationRow, NewInvitation, OfferRow

INVITATIONS_BY_ACCOUNT: Final = Budget(scope="invitation.account", failures_max=200, window=timedelta(days=1))
_TOKEN_BYTES: Final = 32
_PURPOSE: Final = "invitation"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation on its way. `link` where no mail goes out: whoever invites hands it on, this once."""

    invitation: InvitationRow
    link: str | None


class Invitations:
    """Makes them, and lets each be used once."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        passwords: Passwords,
        attempts: Attempts,
        *,
        sign_ins: SignIns,
        mailbox: Mailbox,
        console_url: str,
    ) -> None:
        self._database = database
        self._vault = vault
        self._passwords = passwords
        self._attempts = attempts
        self._sign_ins = sign_ins
        self._mailbox = mailbox
        self._console_url = console_url

    async def invite(
        self, lead: Lead, email: str, team_role: TeamRole, invitation_id: InvitationId, actor: Actor
    ) -> Sent:
        """An invitation for an address, which replaces an open one for the same address. The letter goes out by itself.

        Raises:
            InvalidRequest: that is no e-mail address. NotFound, NotATeam
            RoleRequired: only owners invite owners. AlreadyMember. TeamFull: policy `teams.members_max`.
            TooManyAttempts: too many for one day.
        """
        check_email(email)
        if team_role == "owner" and lead.team_role != "owner":
            raise RoleRequired("Only an owner makes somebody an owner.")
        await self._attempts.take(INVITATIONS_BY_ACCOUNT, str(lead.account_id))
        token = base64.urlsafe_b64encode(os.urandom(_TOKEN_BYTES)).decode().rstrip("=")
        link = f"{self._console_url}/invitation#{token}"  # behind the #: no server sees it, and no log
        email = email.strip()
        async with self._database.transaction() as connection:
            team = await teams.lock_team(connection, lead.account_id)  # seats are counted by one at a time
            if team is None:
                raise NotFound
            if team.kind != "team":
                raise NotATeam
            known = await rows.find_invitation(connection, invitation_id, lead.account_id)
            if known is not None:  # the same request once more
                return Sent(invitation=known, link=None)
            if await rows.is_member(connection, lead.account_id, normal(email)):
                raise AlreadyMember
            rules = await policy_in_force(connection, TeamRules)
            await rows.put_invitation(
                connection,
                NewInvitation(
                    invitation_id=invitation_id,
                    account_id=lead.account_id,
                    email=email,
                    email_normal=normal(email),
                    team_role=team_role,
                    token_hash=self._hashes(token)[0],
                    is_mailed=self._mailbox.is_configured,
                    invited_by=lead.user_id,
                    lifetime=timedelta(days=rules.invitation_days),
                ),
            )
            if await rows.count_seats(connection, lead.account_id) > rules.members_max:
                raise TeamFull(members_max=rules.members_max)
            invitation = await rows.find_invitation(connection, invitation_id, lead.account_id)
            assert invitation is not None  # it was made above
            if self._mailbox.is_configured:
                await self._post(connection, lead, invitation, team.name, link=link, days=rules.invitation_days)
            after = {"email": email, "team_role": team_role}
            await record(connection, actor, _act("member.invited", lead.account_id, invitation_id, after=after))
        return Sent(invitation=invitation, link=None if invitation.is_mailed else link)

    async def list(
        self, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[InvitationRow]:
        """Open ones, newest first."""
        async with self._database.connection() as connection:
            return await rows.open_invitations(connection, account_id, after_time, after_id, limit)

    async def revoke(self, account_id: AccountId, invitation_id: InvitationId, actor: Actor) -> None:
        """Its link opens nothing any more. Raises NotFound."""
        async with self._database.transaction() as connection:
            revoked = await rows.revoke_invitation(connection, invitation_id, account_id)
            if revoked is None:
                raise NotFound
            await record(connection, actor, _act("invitation.revoked", account_id, invitation_id, before=revoked))

    async def offer(self, token: str, client_address: str) -> OfferRow:
        """What an open invitation says, for whoever has its token.

        Raises:
            InvalidToken, TooManyAttempts
        """
        network = neighbourhood(client_address)
        await self._attempts.take(LINK_BY_ADDRESS, network)
        offer = await self._offer(token)
        await self._attempts.give_back(LINK_BY_ADDRESS, network)
        return offer

    async def accept(self, token: str, user_id: UserId, email: str, actor: Actor) -> OfferRow:
        """Somebody who is signed in joins the team; who belongs to it already keeps their role.

        Raises:
            InvalidToken: unknown, used, revoked or too old.
            InvitationForAnother: it is for another address.
        """
        offer = await self._offer(token)
        if offer.email_normal != normal(email):
            raise InvitationForAnother(email=offer.email)
        async with self._database.transaction() as connection:
            await self._use(connection, token, user_id, actor)
        return offer

    async def join(self, token: str, password: str, locale: str | None, client: Client) -> Opened:
        """Somebody new joins the place and the team, also while sign-up is closed.

        Raises:
            InvalidToken, TooManyAttempts, WeakPassword, InvalidRequest
            EmailTaken: somebody signs in with this address; they do, and then accept.
        """
        offer = await self.offer(token, client.address)
        if offer.has_user:
            raise EmailTaken("Somebody has an account with this address. Sign in, and accept the invitation then.")
        check_locale(locale)
        await self._passwords.check_strength(password, offer.email)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            policy = await policy_in_force(connection, SignUp)
            joined = await join(connection, offer.email, password_hash, locale=locale, group_name=policy.group)
            if offer.is_mailed:  # whoever has the token reads that mailbox
                await welcome(
                    connection,
                    self._vault,
                    policy,
                    user_id=joined.user_id,
                    account_id=joined.account_id,
                    email=offer.email,
                )
            await self._use(connection, token, joined.user_id, client.actor(joined.user_id))
            return await self._sign_ins.open(connection, joined.user_id, client, "link")

    async def _use(self, connection: Connection, token: str, user_id: UserId, actor: Actor) -> None:
        accepted = await rows.accept(connection, self._hashes(token), user_id)
        if accepted is None:
            raise InvalidToken
        if await teams.insert_member(connection, accepted.account_id, user_id, accepted.team_role):
            await announce(connection, "accounts", accepted.account_id)
            after = {"user_id": user_id, "team_role": accepted.team_role, "invitation_id": accepted.invitation_id}
            act = _act("member.joined", accepted.account_id, accepted.invitation_id, after=after)
            await record(connection, actor, act)

    async def _offer(self, token: str) -> OfferRow:
        async with self._database.connection() as connection:
            offer = await rows.offer(connection, self._hashes(token))
        if offer is None:
            raise InvalidToken
        return offer

    async def _post(
        self, connection: Connection, lead: Lead, invitation: InvitationRow, team: str, *, link: str, days: int
    ) -> None:
        """In the language of whoever is invited, if they are known here, else in that of whoever invites."""
        invited = await users.find_user_by_email(connection, invitation.email)
        inviter = await users.find_user(connection, lead.user_id)
        locale = invited.locale if invited is not None else inviter and inviter.locale
        await self._mailbox.post(
            connection,
            to=invitation.email,
            locale=locale,
            letter="invitation",
            facts={"team": team, "inviter": invitation.invited_by, "days": days, "link": link},
            once=f"invitation/{invitation.invitation_id}",
            lifetime=timedelta(days=days),
        )

    def _hashes(self, token: str) -> tuple[bytes, ...]:
        return self._vault.macs(_PURPOSE, token.encode())


def _act(
    action: str, account_id: AccountId, invitation_id: InvitationId, *, before: object = None, after: object = None
) -> Act:
    return Act(
        action=action,
        subject="invitation",
        subject_id=str(invitation_id),
        account_id=account_id,
        before=before,
        after=after,
    )

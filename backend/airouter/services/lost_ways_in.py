"""Somebody lost a way into their account, and no mail can help: an operator who knows that it is them does.

A second factor with its recovery codes is taken away. For a password there is a link to hand over, with which the
person chooses one; it goes the way of the links that are mailed, but does not show who reads the mail of an address.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from airouter.domain.errors import Conflict, InvalidRequest, NotFound, RoleRequired
from airouter.domain.ids import UserId
from airouter.domain.policy import SignInRules
from airouter.domain.sign_in_errors import LastWayIn
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.mailed_tokens import MailedTokens
from airouter.services.policies import policy_in_force
from airouter.services.security_letters import SecurityLetters
from airouter.services.sessions import Sessions
from airouter.services.ways_in import refuse_where_passwords_are_off
from airouter.storage import factors as rows
from airouter.storage import passkeys, registrations, users
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.registrations import MailedLinkRow
from airouter.storage.users import UserRow
from airouter.world import now

PASSWORD_LINK_LIFETIME: Final = timedelta(hours=24)


class PasswordLink(msgspec.Struct, frozen=True, kw_only=True):
    """To hand over to the person; it is shown this once, and works once."""

    link: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "PasswordLink()"


class LostWaysIn:
    """Helps others."""

    def __init__(
        self, database: Database, sessions: Sessions, *, tokens: MailedTokens, letters: SecurityLetters
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._tokens = tokens
        self._letters = letters

    async def password_link(
        self, user_id: UserId, *, made_by: UserId, may_touch_operators: bool, actor: Actor
    ) -> PasswordLink:
        """A link with which they choose a password, in place of an earlier one; until it is followed, all stays as it
        is. They have a letter, where mail is sent.

        Raises:
            NotFound
            InvalidRequest: it is one's own, which is changed in the settings.
            RoleRequired: those who run the place are an owner's business.
            PasswordDisabled: nobody signs in with one. Conflict: they are banned.
        """
        if user_id == made_by:
            raise InvalidRequest("Your own password is changed in your settings.", field="user_id")
        token, token_hash = self._tokens.new()
        async with self._database.transaction() as connection:
            person = await _find(connection, user_id, made_by, may_touch_operators=may_touch_operators)
            if person.status != "active":
                raise Conflict("They are banned. Let them in again first.")
            await refuse_where_passwords_are_off(connection)
            expires_at = now() + PASSWORD_LINK_LIFETIME
            link = MailedLinkRow(user_id=user_id, email=person.email, purpose="handed_password")
            await registrations.put_mailed_link(connection, token_hash, link, PASSWORD_LINK_LIFETIME)
            act = Act(
                action="user.password_link_made",
                subject="user",
                subject_id=str(user_id),
                after={"expires_at": expires_at},
            )
            await record(connection, actor, act)
            await self._letters.password_link_made(connection, user_id)
        return PasswordLink(link=self._tokens.link("reset", token), expires_at=expires_at)

    async def withdraw(
        self, user_id: UserId, *, made_by: UserId | None, may_touch_operators: bool, actor: Actor = SYSTEM
    ) -> bool:
        """Their authenticator app, passkeys and recovery codes are gone, every session has ended, and they have a
        letter. False, and nothing of it: they have no second factor. `made_by` None: whoever runs the machine.

        Raises:
            NotFound
            InvalidRequest: it is one's own, which is removed in the settings.
            RoleRequired: those who run the place are an owner's business.
            LastWayIn: passkeys are all they sign in with, as long as passwords are off.
        """
        if user_id == made_by:
            raise InvalidRequest("Your own second factor is removed in your settings.", field="user_id")
        async with self._database.transaction() as connection:
            await _find(connection, user_id, made_by, may_touch_operators=may_touch_operators)
            before = await rows.ways_in(connection, user_id)
            assert before is not None, "the person is there"
            if not (before.has_totp or before.passkeys):
                return False
            await self._take(connection, user_id)
            await self._sessions.end_all(connection, user_id)
            await announce(connection, "sessions")  # whether they lack a factor is remembered beside those
            await record(connection, actor, _withdrawn(user_id, before))
            await self._letters.second_factor_withdrawn(connection, user_id)
        self._sessions.forget()
        return True

    async def withdraw_from(self, email: str) -> bool:
        """The same for whoever runs the machine: the one way for an owner when no other is left."""
        async with self._database.connection() as connection:
            person = await users.find_user_by_email(connection, email)
        if person is None:
            raise NotFound("There is no user with this address.")
        return await self.withdraw(person.user_id, made_by=None, may_touch_operators=True)

    async def _take(self, connection: Connection, user_id: UserId) -> None:
        # The codes last: an app that is confirmed at this moment holds its row until its codes are there.
        await rows.drop_totp(connection, user_id)
        await passkeys.drop_passkeys(connection, user_id)
        await rows.replace_recovery_codes(connection, user_id, [])
        left = await rows.ways_in(connection, user_id)
        assert left is not None, "the person is there"
        policy = await policy_in_force(connection, SignInRules)
        if not policy.password_enabled and not left.identities:
            raise LastWayIn("Passwords are off: with nothing but passkeys, this person could not come in any more.")


async def _find(
    connection: Connection, user_id: UserId, made_by: UserId | None, *, may_touch_operators: bool
) -> UserRow:
    """The person, held. Whoever helps is looked at again: this may have waited for who dismissed them."""
    person = await users.lock_user(connection, user_id)
    if person is None:
        raise NotFound("There is no such user.")
    maker = None if made_by is None else await users.find_user(connection, made_by)
    if maker is not None and (maker.status != "active" or maker.role == "user"):
        raise RoleRequired("This needs the role operator.")
    is_owner = maker is None or maker.role == "owner"
    if person.role != "user" and not (may_touch_operators and is_owner):
        raise RoleRequired("This needs the role owner.")
    return person


def _withdrawn(user_id: UserId, before: rows.WaysInRow) -> Act:
    facts = {"totp": before.has_totp, "passkeys": before.passkeys, "codes_left": before.recovery_codes_left}
    return Act(
        action="user.second_factor_withdrawn",
        subject="user",
        subject_id=str(user_id),
        before=facts,
        after={"totp": False, "passkeys": 0, "codes_left": 0},
    )

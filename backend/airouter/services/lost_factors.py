"""Somebody lost their second factor and its recovery codes: an operator who knows that it is them takes it away."""

from airouter.domain.errors import InvalidRequest, NotFound, RoleRequired
from airouter.domain.ids import UserId
from airouter.domain.policy import SignInRules
from airouter.domain.sign_in_errors import LastWayIn
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.policies import policy_in_force
from airouter.services.security_letters import SecurityLetters
from airouter.services.sessions import Sessions
from airouter.storage import factors as rows
from airouter.storage import passkeys, users
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database


class LostFactors:
    """Takes second factors away from others."""

    def __init__(self, database: Database, sessions: Sessions, *, letters: SecurityLetters) -> None:
        self._database = database
        self._sessions = sessions
        self._letters = letters

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
            person = await users.lock_user(connection, user_id)
            if person is None:
                raise NotFound("There is no such user.")
            if person.role != "user" and not may_touch_operators:
                raise RoleRequired("This needs the role owner.")
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


def _withdrawn(user_id: UserId, before: rows.WaysInRow) -> Act:
    facts = {"totp": before.has_totp, "passkeys": before.passkeys, "codes_left": before.recovery_codes_left}
    return Act(
        action="user.second_factor_withdrawn",
        subject="user",
        subject_id=str(user_id),
        before=facts,
        after={"totp": False, "passkeys": 0, "codes_left": 0},
    )

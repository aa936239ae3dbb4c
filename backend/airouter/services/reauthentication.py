"""Proving once more who one is, within a session: what `step_up` asks for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from airouter.domain.email_address import normal
from airouter.domain.errors import InvalidRequest, SessionExpired
from airouter.domain.ids import SessionId, UserId
from airouter.domain.policy import SignInRules
from airouter.domain.sign_in_errors import PasskeyRefused, WrongProof
from airouter.services.attempts import Attempts, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.factors import CodeMethod, Factors
from airouter.services.passkeys import Passkeys
from airouter.services.passwords import Passwords
from airouter.services.policies import policy_in_force
from airouter.services.step_up import ProofMethod, proof_methods
from airouter.services.users import SIGN_IN_BY_EMAIL
from airouter.storage import factors as factor_rows
from airouter.storage import sessions as rows
from airouter.storage import users
from airouter.storage.database import Connection, Database


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody offers. `value` is the password or the code; `credential` the answer of a passkey."""

    method: ProofMethod
    value: str = ""
    credential: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Proof(method={self.method!r})"


class Reauthentication:
    """Takes proofs. Each is budgeted like the sign-in that it stands for."""

    def __init__(
        self, database: Database, passwords: Passwords, attempts: Attempts, *, factors: Factors, passkeys: Passkeys
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._factors = factors
        self._passkeys = passkeys

    async def passkey_options(self, user_id: UserId, session_id: SessionId) -> dict[str, Any]:
        """What the browser asks the person's authenticators with. Raises NotSupportedYet."""
        return await self._passkeys.request_options(user_id, _subject(session_id))

    async def prove(self, user_id: UserId, session_id: SessionId, proof: Proof, actor: Actor) -> None:
        """From now on the session counts as freshly authenticated.

        Raises:
            WrongProof: it does not hold, or is of a kind that is not enough for this person.
            TooManyAttempts, SessionExpired
        """
        async with self._database.connection() as connection:
            ways = await factor_rows.ways_in(connection, user_id)
            rules = await policy_in_force(connection, SignInRules)
            user = await users.find_user(connection, user_id)
        if ways is None or user is None:
            raise SessionExpired
        allowed = proof_methods(ways, rules)
        if proof.method not in allowed or proof.method == "identity":
            raise InvalidRequest(f"method: one of {', '.join(allowed)} proves that it is you.", field="method")
        network = neighbourhood(actor.address or "")
        if proof.method == "password":
            await self._attempts.take(SIGN_IN_BY_EMAIL, normal(user.email))
            if not await self._passwords.verify(user.password_hash, proof.value):
                raise WrongProof("value: this is not your password.", field="value")
            await self._attempts.clear(SIGN_IN_BY_EMAIL, normal(user.email))
            async with self._database.transaction() as connection:
                return await self.mark(connection, user_id, session_id, "password", actor)
        await self._factors.take_attempt(user_id, network, actor)
        async with self._database.transaction() as connection:
            if not await self._holds(connection, user_id, session_id, proof):
                raise WrongProof(field="credential" if proof.method == "passkey" else "value")
            await self.mark(connection, user_id, session_id, proof.method, actor)
        await self._factors.forgive(user_id, network)
        return None

    async def mark(
        self, connection: Connection, user_id: UserId, session_id: SessionId, method: ProofMethod, actor: Actor
    ) -> None:
        """The proof was seen, here or by an identity provider. Raises SessionExpired."""
        if not await rows.authenticate_session(connection, session_id, user_id):
            raise SessionExpired
        act = Act(
            action="session.reauthenticated", subject="session", subject_id=str(session_id), after={"method": method}
        )
        await record(connection, actor, act)

    async def _holds(self, connection: Connection, user_id: UserId, session_id: SessionId, proof: Proof) -> bool:
        if proof.method == "passkey":
            try:
                await self._passkeys.prove(connection, proof.credential or {}, _subject(session_id), user_id=user_id)
            except PasskeyRefused:
                return False
            return True
        code_method: CodeMethod = "totp" if proof.method == "totp" else "recovery_code"
        return await self._factors.proves(connection, user_id, code_method, proof.value)


def _subject(session_id: SessionId) -> str:
    return f"prove:{session_id}"

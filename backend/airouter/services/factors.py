"""Second factors: an authenticator app (RFC 6238) and the recovery codes beside it.

A code is taken once: the step it belongs to is remembered by a guarded update, so of two who send the same code at the
same time one is let in. Guessing is budgeted by person and by network.
"""

import hmac
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal

import msgspec
from pyotp import random_base32
from pyotp.totp import TOTP

from airouter.domain.errors import AlreadyExists, InvalidRequest, NotFound
from airouter.domain.ids import UserId
from airouter.domain.sign_in_errors import CodeWrong
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.recovery_codes import RecoveryCodes
from airouter.services.security_letters import SecurityLetters
from airouter.services.sessions import Tokens
from airouter.services.sign_ins import Client, SignIns
from airouter.services.vault import Vault
from airouter.services.ways_in import adding_way_in
from airouter.storage import factors as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.factors import WaysInRow

STEP_SECONDS: Final = 30
STEPS_AROUND: Final = (0, -1, 1)
"""A code of the step before or after is taken too: clocks differ, people type."""
SECOND_STEP: Final = Budget(scope="second_step.user", failures_max=10, window=timedelta(minutes=15))
SECOND_STEP_BY_ADDRESS: Final = Budget(scope="second_step.address", failures_max=100, window=timedelta(minutes=15))
_PURPOSE: Final = "totp"
_TABLE: Final = "totp_factors"
_TOTP: Final = {"factor": "totp"}

CodeMethod = Literal["totp", "recovery_code"]


class TotpDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What the authenticator app is given, once."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "TotpDraft()"


class Factors:
    """Adds, proves and removes them. `clock` gives Unix seconds."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        attempts: Attempts,
        sign_ins: SignIns,
        *,
        letters: SecurityLetters,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._vault = vault
        self._attempts = attempts
        self._sign_ins = sign_ins
        self._letters = letters
        self._codes = RecoveryCodes(vault)
        self._clock = clock

    async def ways_in(self, user_id: UserId) -> WaysInRow:
        """What somebody can sign in with. Raises NotFound."""
        async with self._database.connection() as connection:
            found = await rows.ways_in(connection, user_id)
        if found is None:
            raise NotFound
        return found

    async def begin_totp(self, user_id: UserId, email: str, issuer: str) -> TotpDraft:
        """A secret to be scanned; it counts from the first code that proves it.

        Raises:
            AlreadyExists: there is one in use; remove it first.
        """
        secret = random_base32()
        sealed = self._vault.encrypt(_PURPOSE, _TABLE, user_id, secret)
        async with self._database.transaction() as connection:
            if not await rows.begin_totp(connection, user_id, sealed):
                raise AlreadyExists("There is an authenticator app already. Remove it to set up another one.")
        return TotpDraft(secret=secret, uri=TOTP(secret).provisioning_uri(name=email, issuer_name=issuer))

    async def confirm_totp(self, user_id: UserId, code: str, actor: Actor) -> list[str] | None:
        """From now on it is asked for. The recovery codes, if these are the first; they are not shown again.

        Raises:
            InvalidRequest: the code is not of the secret that was shown. NotFound: none was shown. AlreadyExists.
            TooManyAttempts, SessionExpired
        """
        await self._attempts.take(SECOND_STEP, str(user_id))
        async with self._database.transaction() as connection, adding_way_in(connection, actor):
            found = await rows.find_totp(connection, user_id)
            if found is None:
                raise NotFound("Begin with a new secret.")
            if found.is_confirmed:
                raise AlreadyExists
            step = self._step_of(self._secret(user_id, found.secret), code)
            if step is None:
                raise InvalidRequest("code: this is not the code that the app shows now.", field="code")
            if not await rows.confirm_totp(connection, user_id, found.secret, step):
                raise AlreadyExists
            codes = await self._codes.make_if_none(connection, user_id)
            await announce(connection, "sessions")
            await record(connection, actor, _act("factor.added", user_id, after=_TOTP))
            await self._letters.factor_added(connection, user_id, "TOTP")
        await self._attempts.clear(SECOND_STEP, str(user_id))
        return codes

    async def remove_totp(self, user_id: UserId, actor: Actor) -> None:
        """Takes it away; without another factor the recovery codes go, too. Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.remove_totp(connection, user_id):
                raise NotFound("There is no authenticator app.")
            await self._codes.drop_if_idle(connection, user_id)
            await announce(connection, "sessions")
            await record(connection, actor, _act("factor.removed", user_id, before=_TOTP))
            await self._letters.factor_removed(connection, user_id, "TOTP")

    async def new_recovery_codes(self, user_id: UserId, actor: Actor) -> list[str]:
        """Ten fresh ones; the old ones do not work any more.

        Raises:
            NotFound: there is no second factor. SessionExpired
        """
        async with self._database.transaction() as connection, adding_way_in(connection, actor):
            ways = await rows.ways_in(connection, user_id)
            if ways is None or not (ways.has_totp or ways.passkeys):
                raise NotFound("Recovery codes come with a second factor.")
            await record(connection, actor, _act("recovery_codes.renewed", user_id))
            return await self._codes.make(connection, user_id)

    async def complete(self, mfa_token: str, method: CodeMethod, code: str, client: Client) -> Tokens:
        """The session for whoever proves the second factor after the first.

        Raises:
            SignInExpired, CodeWrong, TooManyAttempts, InvalidCredentials, PasswordDisabled
        """
        first = self._sign_ins.first_step(mfa_token)
        network = neighbourhood(client.address)
        await self.take_attempt(first.user_id, network, client.actor(first.user_id))
        async with self._database.transaction() as connection:
            await self._sign_ins.resume(connection, first)
            if not await self.proves(connection, first.user_id, method, code):
                raise CodeWrong
            tokens = await self._sign_ins.finish(connection, first, client, method)
        await self.forgive(first.user_id, network)
        return tokens

    async def take_attempt(self, user_id: UserId, network: str, actor: Actor) -> None:
        """Counts a second step before it is tried. Raises TooManyAttempts."""
        await self._attempts.take(SECOND_STEP_BY_ADDRESS, network)
        act = Act(action="sign_in.budget_exhausted", subject="user", subject_id=str(user_id), after={"step": "second"})
        await self._attempts.take(SECOND_STEP, str(user_id), actor=actor, when_exhausted=act)

    async def forgive(self, user_id: UserId, network: str) -> None:
        """The second step was right."""
        await self._attempts.clear(SECOND_STEP, str(user_id))
        await self._attempts.give_back(SECOND_STEP_BY_ADDRESS, network)

    async def proves(self, connection: Connection, user_id: UserId, method: CodeMethod, code: str) -> bool:
        """Whether the code is theirs and fresh; it is used up when the transaction commits."""
        if method == "recovery_code":
            if not await self._codes.use(connection, user_id, code):
                return False
            left = await rows.ways_in(connection, user_id)
            await self._letters.recovery_code_used(connection, user_id, left.recovery_codes_left if left else 0)
            return True
        found = await rows.find_totp(connection, user_id)
        if found is None or not found.is_confirmed:
            return False
        step = self._step_of(self._secret(user_id, found.secret), code)
        return step is not None and await rows.use_totp_step(connection, user_id, step)

    def _secret(self, user_id: UserId, sealed: bytes) -> str:
        return self._vault.decrypt(_PURPOSE, _TABLE, user_id, sealed)

    def _step_of(self, secret: str, code: str) -> int | None:
        """The step that the code belongs to, near the present one."""
        typed = "".join(part for part in code if part.isalnum()).encode()
        present, totp = int(self._clock()) // STEP_SECONDS, TOTP(secret)
        fitting = [
            present + away
            for away in STEPS_AROUND
            if hmac.compare_digest(totp.generate_otp(present + away).encode(), typed)
        ]
        return fitting[0] if fitting else None


def _act(action: str, user_id: UserId, *, before: Any = None, after: Any = None) -> Act:
    return Act(action=action, subject="user", subject_id=str(user_id), before=before, after=after)

"""Acts that matter need a fresh proof of who acts: the session alone may lie open on a desk.

    await step_up.require(connection, person)              # removing a factor, changing a password
    await step_up.require_above(person, abs(amount))       # an operator's money acts, by policy `sign_in`

The refusal is `reauthentication_required`; the console asks, `POST /auth/reauthenticate` proves, and the request is
sent again.
"""

from datetime import timedelta
from typing import Literal, Protocol

from airouter.domain.ids import SessionId, UserId
from airouter.domain.policy import SignInRules
from airouter.domain.sign_in_errors import ReauthenticationRequired
from airouter.services.policies import policy_in_force
from airouter.storage import factors
from airouter.storage import sessions as rows
from airouter.storage.database import Connection, Database
from airouter.storage.factors import WaysInRow

ProofMethod = Literal["password", "totp", "recovery_code", "passkey", "identity"]


class Someone(Protocol):
    """Who acts. `session` None: a management token, which cannot prove anything more than itself."""

    @property
    def session(self) -> SessionId | None: ...
    @property
    def user_id(self) -> UserId: ...


class StepUp:
    """Asks for a fresh proof where one is needed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require(self, connection: Connection | None, person: Someone) -> None:
        """Returns when the person proved who they are within policy `sign_in.reauthenticate_minutes`.

        Raises:
            ReauthenticationRequired
        """
        if connection is None:
            async with self._database.connection() as own:
                await self._require(own, person)
        else:
            await self._require(connection, person)

    async def require_above(self, person: Someone, quota: int, connection: Connection | None = None) -> None:
        """The same, where more than policy `sign_in.reauthenticate_above` is moved at once.

        Raises:
            ReauthenticationRequired
        """
        if connection is None:
            async with self._database.connection() as own:
                return await self.require_above(person, quota, own)
        policy = await policy_in_force(connection, SignInRules)
        if policy.reauthenticate_above is not None and abs(quota) > policy.reauthenticate_above:
            await self._require(connection, person, policy)
        return None

    async def _require(self, connection: Connection, person: Someone, policy: SignInRules | None = None) -> None:
        if person.session is None:
            raise ReauthenticationRequired("This needs a person who has just proved who they are; a token cannot.")
        policy = policy or await policy_in_force(connection, SignInRules)
        ago = await rows.authenticated_ago(connection, person.session, person.user_id)
        if ago is None or ago > timedelta(minutes=policy.reauthenticate_minutes):
            ways = await factors.ways_in(connection, person.user_id)
            raise ReauthenticationRequired(methods=list(proof_methods(ways, policy)) if ways else [])


def proof_methods(ways: WaysInRow, policy: SignInRules) -> tuple[ProofMethod, ...]:
    """How somebody can prove that it is them: with their second factor where they have one, else as they sign in."""
    found: list[ProofMethod] = []
    if ways.passkeys:
        found.append("passkey")
    if ways.has_totp:
        found.append("totp")
    if found:
        return (*found, "recovery_code") if ways.recovery_codes_left else tuple(found)
    if ways.password_hash is not None and policy.password_enabled:
        found.append("password")
    if ways.identities:
        found.append("identity")
    return tuple(found)

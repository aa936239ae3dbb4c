"""Where every way in ends: a session, or the question for a second factor.

    opened = await sign_ins.open(connection, user_id, client, "password")        # Tokens | MfaPending

Password, registration, one-time links, password reset and identity providers come here; only a passkey that verified
its person is two factors at once and asks nothing more. Nothing is stored for a sign-in that waits for its second
step: what is known of it stands in a short-lived token, which is worth one session.
"""

import hashlib
import os
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import jwt
import msgspec

from airouter.domain.errors import InvalidCredentials
from airouter.domain.ids import SessionId, UserId
from airouter.domain.sign_in_errors import MfaRequired, SignInExpired
from airouter.services.audit_log import Actor
from airouter.services.sessions import Sessions, Tokens
from airouter.services.vault import Vault
from airouter.services.ways_in import refuse_where_passwords_are_off
from airouter.storage import factors as rows
from airouter.storage import users
from airouter.storage.database import Connection
from airouter.storage.factors import WaysInRow
from airouter.storage.sessions import Method, SecondMethod
from airouter.world import new_id

MFA_LIFETIME: Final = timedelta(minutes=5)
_PURPOSE: Final = "mfa-token"
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "airouter-mfa"

FactorMethod = Literal["totp", "recovery_code", "passkey"]


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Where a session is opened from: what its owner recognises it by."""

    address: str
    user_agent: str

    def actor(self, user_id: UserId | None = None) -> Actor:
        """For the audit log, when they did something before they were signed in."""
        return Actor(user_id=user_id, address=self.address)


class MfaPending(msgspec.Struct, frozen=True, kw_only=True):
    """The first step is done; a second factor is asked for."""

    mfa_token: str
    methods: tuple[FactorMethod, ...]
    expires_in_seconds: int

    def __repr__(self) -> str:
        return f"MfaPending(methods={self.methods})"

    def refusal(self) -> MfaRequired:
        """As the API answers it."""
        return MfaRequired(mfa_token=self.mfa_token, methods=list(self.methods), expires_in=self.expires_in_seconds)


Opened = Tokens | MfaPending


class FirstStep(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has done the first step of a sign-in."""

    user_id: UserId
    method: Method
    token_hash: bytes
    expires_at: datetime
    password_mark: str


class SignIns:
    """Opens sessions, once everything that is asked for has been proved."""

    def __init__(self, vault: Vault, sessions: Sessions) -> None:
        self._vault = vault
        self._sessions = sessions

    async def open(self, connection: Connection, user_id: UserId, client: Client, method: Method) -> Opened:
        """A session, or the question for a second factor where the person has one. Within the caller's transaction."""
        ways = await rows.ways_in(connection, user_id)
        assert ways is not None, "the transaction knows the person"
        methods = methods_of(ways)
        if methods and method != "passkey":
            return self._pending(user_id, method, methods, ways.password_hash)
        return await self._open(connection, user_id, client, method, None)

    def first_step(self, mfa_token: str) -> FirstStep:
        """Who a token says has done the first step.

        Raises:
            SignInExpired
        """
        try:
            key_id = jwt.get_unverified_header(mfa_token).get("kid", "")
            key = self._vault.verifying_key(_PURPOSE, key_id)
            if key is None:
                raise SignInExpired
            claims: dict[str, Any] = jwt.decode(
                mfa_token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp", "sub", "aud", "jti"]},
            )
            return FirstStep(
                user_id=UserId(UUID(claims["sub"])),
                method=claims["mth"],
                token_hash=hashlib.sha256(b"mfa:" + claims["jti"].encode()).digest(),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
                password_mark=claims["pwm"],
            )
        except (jwt.PyJWTError, ValueError, AttributeError, KeyError):
            raise SignInExpired from None

    async def resume(self, connection: Connection, first: FirstStep) -> None:
        """Begins the second step, in the transaction in which it is proved. Holds the person before what they prove it
        with: whoever changes their password, or bans them, comes before the session or ends it.

        Raises:
            SignInExpired: the password has been changed since the first step.
            InvalidCredentials: the person was banned meanwhile. PasswordDisabled: they were switched off meanwhile.
        """
        user = await users.lock_user(connection, first.user_id)
        if user is None or user.status != "active":
            raise InvalidCredentials
        if self._mark(user.user_id, user.password_hash) != first.password_mark:
            raise SignInExpired
        if first.method == "password":
            await refuse_where_passwords_are_off(connection)

    async def finish(
        self, connection: Connection, first: FirstStep, client: Client, second_method: SecondMethod
    ) -> Tokens:
        """The session, after the second factor was proved in the transaction that resumed. A first step is worth one.

        Raises:
            SignInExpired: it was used.
        """
        if not await rows.spend_proof(connection, first.token_hash, first.expires_at):
            raise SignInExpired
        return await self._open(connection, first.user_id, client, first.method, second_method)

    async def _open(
        self,
        connection: Connection,
        user_id: UserId,
        client: Client,
        method: Method,
        second_method: SecondMethod | None,
    ) -> Tokens:
        return await self._sessions.open(
            connection,
            user_id,
            SessionId(new_id()),
            user_agent=client.user_agent,
            address=client.address,
            method=method,
            second_method=second_method,
        )

    def _pending(
        self, user_id: UserId, method: Method, methods: tuple[FactorMethod, ...], password_hash: str | None
    ) -> MfaPending:
        key_id, key = self._vault.signing_key(_PURPOSE)
        claims = {
            "sub": str(user_id),
            "aud": _AUDIENCE,
            "exp": datetime.now(UTC) + MFA_LIFETIME,
            "jti": os.urandom(16).hex(),
            "mth": method,
            "pwm": self._mark(user_id, password_hash),
        }
        return MfaPending(
            mfa_token=jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": key_id}),
            methods=methods,
            expires_in_seconds=int(MFA_LIFETIME.total_seconds()),
        )

    def _mark(self, user_id: UserId, password_hash: str | None) -> str:
        """Differs as soon as the password does."""
        return self._vault.mac(_PURPOSE, f"{user_id}:{password_hash or ''}".encode()).hex()[:32]


def methods_of(ways: WaysInRow) -> tuple[FactorMethod, ...]:
    """What a second step can be done with; empty: the person has no second factor."""
    found: list[FactorMethod] = []
    if ways.has_totp:
        found.append("totp")
    if ways.passkeys:
        found.append("passkey")
    if found and ways.recovery_codes_left:
        found.append("recovery_code")
    return tuple(found)

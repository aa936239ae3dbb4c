"""Being signed in: short access tokens, the rotating refresh token, and what a session lets its holder do right now.

An access token names a session; whether that session still holds, and with which role, is asked of Postgres and
remembered until Postgres says that it changed. So a revoked session, a ban or a lost role holds everywhere within a
second.
"""

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final
from uuid import UUID

import jwt
import msgspec

from airouter.domain.errors import SessionExpired, Unauthenticated
from airouter.domain.ids import AccountId, SessionId, UserId
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.vault import Vault
from airouter.storage import sessions as rows
from airouter.storage import users
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.sessions import OPERATORS, Membership, Method, Role, SecondMethod, SessionRow

ACCESS_LIFETIME: Final = timedelta(minutes=15)
REFRESH_LIFETIME: Final = timedelta(days=30)
REUSE_GRACE: Final = timedelta(seconds=20)
"""Two tabs that refresh at once, or an answer lost on its way, are no theft."""

_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "airouter-management"
_PURPOSE: Final = "access-token"
_REFRESH: Final = "refresh-token"
_REMEMBERED_MAX: Final = 10_000
_DEAF_SECONDS: Final = 1.0
"""How long something is remembered while no listener would tell us that it changed."""
_HEARING_SECONDS: Final = 300.0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling, as of now."""

    session_id: SessionId
    user_id: UserId
    email: str
    role: Role
    locale: str | None
    expires_at: datetime
    lacks_factor: bool
    """An operator who may not act as one before they have added a second factor (policy `sign_in`)."""
    memberships: tuple[Membership, ...]

    @property
    def is_operator(self) -> bool:
        return self.role in OPERATORS

    def membership(self, account_id: AccountId | None) -> Membership | None:
        """In the account that is asked for; without one, in the personal account."""
        if account_id is None:
            return self.memberships[0] if self.memberships else None
        return next((m for m in self.memberships if m.account_id == account_id), None)


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What signing in gives. The refresh token only ever travels in its cookie."""

    access_token: str
    expires_in_seconds: int
    refresh_token: str
    session_id: SessionId

    def __repr__(self) -> str:
        return f"Tokens(session_id={self.session_id})"


class Standings:
    """What is remembered of sessions. Cleared by what Postgres announces; short-lived while nobody listens."""

    def __init__(self, is_listening: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_listening = is_listening
        self._clock = clock
        self._known: dict[SessionId, tuple[float, Standing]] = {}
        self._epoch = 0

    @property
    def epoch(self) -> int:
        """Moves on with every change: what was read before a change is not remembered after it."""
        return self._epoch

    def on_session(self, subject: str | None) -> None:
        """A session changed, or (None) any of them: roles and bans are announced this way."""
        self._epoch += 1
        if subject is None:
            self._known.clear()
        else:
            self._known.pop(SessionId(UUID(subject)), None)

    def on_account(self, _subject: str | None) -> None:
        """An account changed, or somebody joined or left it: rare enough to forget everything."""
        self._epoch += 1
        self._known.clear()

    def find(self, session_id: SessionId) -> Standing | None:
        found = self._known.get(session_id)
        if found is None:
            return None
        lifetime = _HEARING_SECONDS if self._is_listening() else _DEAF_SECONDS
        return found[1] if self._clock() - found[0] < lifetime else None

    def remember(self, standing: Standing, epoch: int) -> None:
        """Unless something changed since `epoch`, when the reading began."""
        if epoch != self._epoch:
            return
        while len(self._known) >= _REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
        self._known.pop(standing.session_id, None)
        self._known[standing.session_id] = (self._clock(), standing)


class Sessions:
    """Opens, refreshes, checks and ends sessions."""

    def __init__(self, database: Database, vault: Vault, standings: Standings) -> None:
        self._database = database
        self._vault = vault
        self._standings = standings

    async def open(
        self,
        connection: Connection,
        user_id: UserId,
        session_id: SessionId,
        *,
        user_agent: str,
        address: str,
        method: Method = "password",
        second_method: SecondMethod | None = None,
    ) -> Tokens:
        """A new session, within the transaction that decided to allow it. Every way in asks services/sign_ins.py."""
        await rows.open_session(
            connection,
            session_id,
            user_id,
            lifetime=REFRESH_LIFETIME,
            user_agent=user_agent,
            address=_address(address),
            method=method,
            second_method=second_method,
        )
        how = {"method": method} if second_method is None else {"method": method, "second_method": second_method}
        await record(connection, Actor(user_id=user_id, address=address), _act("opened", session_id, how))
        return self._tokens(session_id, user_id, 0)

    async def refresh(self, refresh_token: str) -> Tokens:
        """The successor of a refresh token.

        A token that was used a moment ago gets the same successor again; one used later than that is a copy in somebody
        else's hands, so the session ends.

        Raises:
            SessionExpired: the token is unknown, or its session is over.
        """
        session_id, rotation = self._read_refresh_token(refresh_token)
        was_stolen = False
        async with self._database.transaction() as connection:
            session = await rows.lock_session(connection, session_id)
            if session is None or not session.is_live or rotation > session.rotation:
                raise SessionExpired
            if rotation == session.rotation:
                session_rotation = await rows.rotate_session(connection, session_id, REFRESH_LIFETIME)
                await announce(connection, "sessions", session_id)
            elif rotation == session.rotation - 1 and session.rotated_ago <= REUSE_GRACE:
                session_rotation = session.rotation
            else:
                was_stolen = True
                session_rotation = session.rotation
                await self._revoke(connection, session_id)
                said = {"user_id": session.user_id, "reason": "an old refresh token was used again"}
                await record(connection, SYSTEM, _act("ended", session_id, said))
        if was_stolen:
            raise SessionExpired("This session was ended because an old sign-in token was used again. Sign in again.")
        return self._tokens(session_id, session.user_id, session_rotation)

    async def standing(self, access_token: str) -> Standing:
        """Who calls with this token, as of now.

        Raises:
            Unauthenticated: it is no token of ours, or too old.
            SessionExpired: its session was revoked or ran out, or the person was banned.
        """
        session_id = self._read_access_token(access_token)
        found = self._standings.find(session_id)
        if found is None:
            epoch = self._standings.epoch
            async with self._database.connection() as connection:
                read = await rows.standing(connection, session_id)
            if read is None or not read[0].is_live:
                raise SessionExpired
            person, memberships = read
            found = Standing(
                session_id=person.session_id,
                user_id=person.user_id,
                email=person.email,
                role=person.role,
                locale=person.locale,
                expires_at=person.expires_at,
                lacks_factor=person.lacks_factor,
                memberships=memberships,
            )
            self._standings.remember(found, epoch)
        if found.expires_at <= datetime.now(UTC):
            raise SessionExpired
        return found

    async def end_by_refresh_token(self, refresh_token: str, actor: Actor = SYSTEM) -> None:
        """Signs out. A token that is nobody's ends nothing, and is no error: the person is signed out either way."""
        try:
            session_id, _ = self._read_refresh_token(refresh_token)
        except SessionExpired:
            return
        async with self._database.transaction() as connection:
            session = await rows.lock_session(connection, session_id)
            if session is None or not session.is_live:
                return
            await self._revoke(connection, session_id)
            whoever = msgspec.structs.replace(actor, user_id=session.user_id)
            await record(connection, whoever, _act("ended", session_id, {"reason": "signed out"}))

    async def end(self, user_id: UserId, session_id: SessionId, actor: Actor = SYSTEM) -> bool:
        """Ends one of a person's sessions; False when they have no such live one."""
        async with self._database.transaction() as connection:
            if not await rows.revoke_session(connection, session_id, user_id):
                return False
            await announce(connection, "sessions", session_id)
            await record(connection, actor, _act("ended", session_id))
        self._standings.on_session(str(session_id))
        return True

    async def end_others(self, user_id: UserId, but: SessionId, actor: Actor = SYSTEM) -> None:
        """Signs out everywhere else."""
        async with self._database.transaction() as connection:
            await users.lock_user(connection, user_id)
            await self.end_all(connection, user_id, but)
            await record(connection, actor, _act("others_ended", but))

    async def end_all(self, connection: Connection, user_id: UserId, but: SessionId | None = None) -> None:
        """Ends a person's sessions, within the transaction of what made that necessary; it holds the person."""
        if await rows.revoke_sessions_of(connection, user_id, but):
            await announce(connection, "sessions")
        self._standings.on_session(None)

    async def of(
        self, user_id: UserId, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[SessionRow]:
        """A person's live sessions, newest first."""
        async with self._database.connection() as connection:
            return await rows.sessions_of(connection, user_id, after_time, after_id, limit)

    def forget(self) -> None:
        """Somebody changed in this process: what is remembered here goes at once, the others hear of it."""
        self._standings.on_session(None)

    async def _revoke(self, connection: Connection, session_id: SessionId) -> None:
        if await rows.revoke_session(connection, session_id):
            await announce(connection, "sessions", session_id)
        self._standings.on_session(str(session_id))

    def _tokens(self, session_id: SessionId, user_id: UserId, rotation: int) -> Tokens:
        issued_at = datetime.now(UTC)
        key_id, key = self._vault.signing_key(_PURPOSE)
        claims = {
            "sub": str(user_id),
            "sid": str(session_id),
            "aud": _AUDIENCE,
            "iat": issued_at,
            "exp": issued_at + ACCESS_LIFETIME,
        }
        return Tokens(
            access_token=jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": key_id}),
            expires_in_seconds=int(ACCESS_LIFETIME.total_seconds()),
            refresh_token=self._refresh_token(session_id, rotation),
            session_id=session_id,
        )

    def _read_access_token(self, token: str) -> SessionId:
        try:
            key_id = jwt.get_unverified_header(token).get("kid", "")
            key = self._vault.verifying_key(_PURPOSE, key_id)
            if key is None:
                raise Unauthenticated
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp", "sid", "sub", "aud"]},
            )
            return SessionId(UUID(claims["sid"]))
        except jwt.ExpiredSignatureError:
            raise SessionExpired("The access token has expired. Refresh it, or sign in again.") from None
        except (jwt.PyJWTError, ValueError, AttributeError):
            raise Unauthenticated from None

    def _refresh_token(self, session_id: SessionId, rotation: int) -> str:
        """`<session>.<rotation>.<mac>`: derived, so that Postgres keeps nothing that signs in, and repeatable."""
        return f"{session_id}.{rotation}.{_text(self._vault.mac(_REFRESH, _subject(session_id, rotation)))}"

    def _read_refresh_token(self, token: str) -> tuple[SessionId, int]:
        try:
            session_text, rotation_text, mac_text = token.split(".")
            session_id, rotation = SessionId(UUID(session_text)), int(rotation_text)
            mac = base64.urlsafe_b64decode(mac_text + "=" * (-len(mac_text) % 4))
        except ValueError:
            raise SessionExpired from None
        if not self._vault.verifies(_REFRESH, _subject(session_id, rotation), mac):
            raise SessionExpired
        return session_id, rotation


def _act(done: str, session_id: SessionId, after: object = None) -> Act:
    return Act(action=f"session.{done}", subject="session", subject_id=str(session_id), after=after)


def _subject(session_id: SessionId, rotation: int) -> bytes:
    return f"{session_id}.{rotation}".encode()


def _text(mac: bytes) -> str:
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None

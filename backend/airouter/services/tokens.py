"""Management tokens: what scripts use in place of a session. Scoped, bound to one account, hashed, shown once.

A token never exceeds what its maker may do at the moment: who is behind it is asked of Postgres and remembered until
Postgres says that something changed. So a revoked token, a ban, a lost role or a left team holds everywhere within a
second.
"""

import hashlib
import re
import secrets
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from airouter.domain.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from airouter.domain.ids import AccountId, TokenId, UserId
from airouter.domain.permission import PERMISSIONS, SCOPES, Role, TeamRole
from airouter.domain.shown_name import shown_name
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.ways_in import adding_way_in
from airouter.storage import keys
from airouter.storage import tokens as rows
from airouter.storage.changes import announce
from airouter.storage.database import Database
from airouter.storage.tokens import NewToken, TokenRow, TokenStandingRow
from airouter.world import now

SECRET_PREFIX: Final = "air-mt-"  # noqa: S105 - how every secret begins is none
_ALPHABET: Final = string.ascii_letters + string.digits
_SECRET_LENGTH: Final = 40
"""238 random bits."""
_SECRET: Final = re.compile(rf"{SECRET_PREFIX}[A-Za-z0-9]{{{_SECRET_LENGTH}}}")
_SHOWN_LENGTH: Final = len(SECRET_PREFIX) + 4

TOKEN_BY_ADDRESS: Final = Budget(scope="token.address", failures_max=100, window=timedelta(minutes=15))
TOKENS_MAX: Final = 100
"""Live ones of one person."""

_REMEMBERED_MAX: Final = 10_000
_DEAF_SECONDS: Final = 1.0
"""How long something is remembered while no listener would tell us that it changed."""
_HEARING_SECONDS: Final = 300.0
_USED_SECONDS: Final = 60.0
"""How often it is noted that a token is in use."""


class TokenDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be. `scopes` are permissions; without `expires_at` it holds until it is revoked."""

    name: Annotated[str, Meta(min_length=1, max_length=120, examples=["nightly report"])]
    scopes: Annotated[
        list[Annotated[str, Meta(max_length=64)]],
        Meta(min_length=1, max_length=64, examples=[["usage.read"]], description=", ".join(SCOPES)),
    ]
    expires_at: datetime | None = None


class TokenMaker(msgspec.Struct, frozen=True, kw_only=True):
    """Who makes a token, and for which account."""

    user_id: UserId
    role: Role
    account_id: AccountId
    team_role: TeamRole


class TokenStandings:
    """What is remembered of tokens. Cleared by what Postgres announces; short-lived while nobody listens."""

    def __init__(self, is_listening: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_listening = is_listening
        self._clock = clock
        self._known: dict[bytes, tuple[float, TokenStandingRow]] = {}
        self._used: dict[TokenId, float] = {}
        self.epoch = 0
        """Moves on with every change: what was read before a change is not remembered after it."""

    def on_session(self, subject: str | None) -> None:
        """A token or a session changed, or (None) any of them: roles and bans are announced this way."""
        self.epoch += 1
        if subject is None:
            self._known.clear()
            return
        for secret_hash in [digest for digest, (_, one) in self._known.items() if str(one.token_id) == subject]:
            del self._known[secret_hash]

    def on_account(self, _subject: str | None) -> None:
        """An account changed, or somebody joined or left it: rare enough to forget everything."""
        self.on_session(None)

    def find(self, secret_hash: bytes) -> TokenStandingRow | None:
        found = self._known.get(secret_hash)
        if found is None:
            return None
        lifetime = _HEARING_SECONDS if self._is_listening() else _DEAF_SECONDS
        return found[1] if self._clock() - found[0] < lifetime else None

    def remember(self, secret_hash: bytes, standing: TokenStandingRow, epoch: int) -> None:
        """Unless something changed since `epoch`, when the reading began."""
        if epoch != self.epoch:
            return
        while len(self._known) >= _REMEMBERED_MAX:
            del self._known[next(iter(self._known))]
        self._known[secret_hash] = (self._clock(), standing)

    def is_use_to_note(self, token_id: TokenId) -> bool:
        """True once a minute for each token."""
        noted, at = self._used.get(token_id), self._clock()
        if noted is not None and at - noted < _USED_SECONDS:
            return False
        while len(self._used) >= _REMEMBERED_MAX:
            del self._used[next(iter(self._used))]
        self._used[token_id] = at
        return True


class ManagementTokens:
    """Makes, lists, revokes and recognises them."""

    def __init__(self, database: Database, attempts: Attempts, standings: TokenStandings) -> None:
        self._database = database
        self._attempts = attempts
        self._standings = standings

    async def create(
        self, maker: TokenMaker, draft: TokenDraft, token_id: TokenId, actor: Actor
    ) -> tuple[TokenRow, str | None]:
        """The token and its secret. The same `token_id` once more gives the same token, without the secret.

        Raises:
            InvalidRequest: a name that cannot be read; a scope that does not exist, or that the maker does not have; a
                time that is over.
            Conflict: they have too many. NotFound: they left the account a moment ago. SessionExpired
        """
        name = shown_name(draft.name)
        scopes = _checked_scopes(draft.scopes, maker)
        _check_expiry(draft.expires_at)
        secret = new_secret()
        async with self._database.transaction() as connection, adding_way_in(connection, actor):
            if not await keys.hold_membership(connection, maker.account_id, maker.user_id):
                raise NotFound("You are not a member of an account with this id.")
            if await rows.count_tokens(connection, maker.user_id) >= TOKENS_MAX:
                raise Conflict(f"You have {TOKENS_MAX} tokens. Revoke those that nothing uses.")
            is_new = await rows.insert_token(
                connection,
                NewToken(
                    token_id=token_id,
                    account_id=maker.account_id,
                    user_id=maker.user_id,
                    name=name,
                    secret_hash=hash_secret(secret),
                    prefix=secret[:_SHOWN_LENGTH],
                    scopes=scopes,
                    expires_at=draft.expires_at,
                ),
            )
            token = await rows.find_token(connection, token_id, maker.user_id)
            if token is None:
                raise NotFound
            if is_new:
                await record(connection, actor, _act("token.created", token.token_id, token.account_id, after=token))
        return token, secret if is_new else None

    async def list(
        self, user_id: UserId, *, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[TokenRow]:
        """A person's own, newest first."""
        async with self._database.connection() as connection:
            return await rows.tokens_of(connection, user_id, after_time, after_id, limit)

    async def revoke(self, user_id: UserId, token_id: TokenId, actor: Actor) -> None:
        """It stops working everywhere within a second. Raises NotFound."""
        async with self._database.transaction() as connection:
            token = await rows.revoke_token(connection, token_id, user_id)
            if token is None:
                raise NotFound
            await announce(connection, "sessions", token_id)
            await record(connection, actor, _act("token.revoked", token_id, token.account_id, before=token))
        self._standings.on_session(str(token_id))

    async def standing(self, secret: str, address: str) -> TokenStandingRow:
        """Who is behind a token, as of now.

        Raises:
            Unauthenticated: no token of ours, or it is over, or its maker may not act for its account any more.
            TooManyAttempts: too many wrong ones from this network.
        """
        if not _SECRET.fullmatch(secret):
            raise Unauthenticated
        secret_hash = hash_secret(secret)
        found = self._standings.find(secret_hash)
        if found is None:
            found = await self._look_up(secret_hash, neighbourhood(address))
        if found.expires_at is not None and found.expires_at <= datetime.now(UTC):
            raise Unauthenticated("This token has expired.")
        if self._standings.is_use_to_note(found.token_id):
            async with self._database.connection() as connection:
                await rows.mark_used(connection, found.token_id)
        return found

    async def _look_up(self, secret_hash: bytes, network: str) -> TokenStandingRow:
        await self._attempts.take(TOKEN_BY_ADDRESS, network)
        epoch = self._standings.epoch
        async with self._database.connection() as connection:
            found = await rows.token_standing(connection, secret_hash)
        if found is None:
            raise Unauthenticated("This token is unknown, expired or revoked.")
        await self._attempts.give_back(TOKEN_BY_ADDRESS, network)
        self._standings.remember(secret_hash, found, epoch)
        return found


def new_secret() -> str:
    """Letters and digits only, so that a double click selects all of it."""
    return SECRET_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))


def hash_secret(secret: str) -> bytes:
    """Enough for a secret of 238 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def scopes_for(role: Role, team_role: TeamRole) -> list[str]:
    """What somebody may give to a token."""
    return [name for name in SCOPES if PERMISSIONS[name].allows(role, team_role)]


def _checked_scopes(asked: list[str], maker: TokenMaker) -> tuple[str, ...]:
    for number, name in enumerate(asked):
        field = f"scopes[{number}]"
        if name not in SCOPES:
            raise InvalidRequest(f"{field}: {name!r} is no scope.", field=field)
        if not PERMISSIONS[name].allows(maker.role, maker.team_role):
            raise InvalidRequest(f"{field}: you may not do this yourself: {name}.", field=field)
    return tuple(name for name in SCOPES if name in asked)


def _check_expiry(expires_at: datetime | None) -> None:
    if expires_at is None:
        return
    if expires_at.tzinfo is None:
        raise InvalidRequest("expires_at: say the time zone, as in 2030-01-31T12:00:00Z.", field="expires_at")
    if expires_at <= now():
        raise InvalidRequest("expires_at: this time is over.", field="expires_at")


def _act(action: str, token_id: TokenId, account_id: AccountId, *, before: object = None, after: object = None) -> Act:
    return Act(
        action=action, subject="token", subject_id=str(token_id), account_id=account_id, before=before, after=after
    )

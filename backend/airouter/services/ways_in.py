"""The ways into somebody's account: which there are, who may add one, and that nobody takes away their own last one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from airouter.domain.errors import SessionExpired
from airouter.domain.ids import UserId
from airouter.domain.policy import SignInRules
from airouter.domain.sign_in_errors import LastWayIn, PasswordDisabled
from airouter.services.audit_log import Actor
from airouter.services.policies import policy_in_force
from airouter.storage import factors, sessions, users
from airouter.storage.database import Connection
from airouter.storage.users import UserRow


@asynccontextmanager
async def adding_way_in(connection: Connection, actor: Actor) -> AsyncGenerator[UserRow]:
    """Around what gives somebody another way into their account, or changes one: the person, as they are now.

    Whoever resets a password, bans or signs out ends sessions, so that nobody stays in: a request that was recognised
    the moment before adds nothing after it. Holds the person first and their session last, as storage/ asks.

    Raises:
        SessionExpired: the session has ended meanwhile; nothing of it may be committed.
    """
    assert actor.user_id is not None, "a way in is somebody's"
    assert actor.session_id is not None, "a token adds no way in"
    person = await users.lock_user(connection, actor.user_id)
    if person is None:
        raise SessionExpired
    yield person
    if not await sessions.hold_session(connection, actor.session_id, actor.user_id):
        raise SessionExpired


async def refuse_where_passwords_are_off(connection: Connection) -> None:
    """For what a password lets in, at each step of it: the policy may have changed since the one before.

    Raises:
        PasswordDisabled
    """
    if not (await policy_in_force(connection, SignInRules)).password_enabled:
        raise PasswordDisabled


async def refuse_last_way_in(connection: Connection, user_id: UserId) -> None:
    """After something was taken away, before that is committed. The caller holds the person's row.

    Raises:
        LastWayIn: neither a password (where those are used), nor a passkey, nor a linked identity is left.
    """
    ways = await factors.ways_in(connection, user_id)
    assert ways is not None, "the caller holds the person"
    rules = await policy_in_force(connection, SignInRules)
    has_password = ways.password_hash is not None and rules.password_enabled
    if not (has_password or ways.passkeys or ways.identities):
        raise LastWayIn

"""Connections to Postgres. Two ways in: a pool for short transactions, and single direct connections for LISTEN, sync
and locks.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, TypeVar

import asyncpg
import msgspec

from airouter.domain.errors import DatabaseUnavailable, InvalidRequest

SERVE_ROLE: Final = "airouter_serve"
"""Cannot UPDATE or DELETE transfers; made by migration 0005."""

CONNECT_SECONDS: Final = 3
_SESSION: Final = {
    "application_name": "airouter",
    "lock_timeout": "2s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "10s",
    "timezone": "UTC",
}

Connection = asyncpg.Connection
Struct = TypeVar("Struct", bound=msgspec.Struct)
Value = TypeVar("Value")

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What asyncpg raises when Postgres cannot be reached, as opposed to when it refuses a statement."""

UNSTORABLE: Final = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What Postgres says to a NUL inside a text or a JSON text."""

BUSY: Final = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError)
"""A statement or the wait for a lock took too long, or had no end: nothing was done, and later it may work."""


_PUT_OFF: Final[dict[Connection, set[tuple[str, str]]]] = {}
"""Of each transaction that is under way in this process: (statement, subject) that come last in it."""


async def connect(dsn: str, *, as_owner: bool = False, command_seconds: float = 15.0) -> Connection:
    """A direct connection, in the serving role unless `as_owner`."""
    connection = await _reach(dsn, timeout=CONNECT_SECONDS, command_timeout=command_seconds, server_settings=_SESSION)
    await _speak_json(connection)
    if not as_owner:
        await _assume_role(connection)
    return connection


async def _reach(*where: Any, **how: Any) -> Connection:
    """A database that is closed for maintenance is away; the same error of a statement would be one of ours."""
    try:
        return await asyncpg.connect(*where, **how)
    except asyncpg.ObjectNotInPrerequisiteStateError as error:
        raise ConnectionRefusedError(str(error)) from error


async def _speak_json(connection: Connection) -> None:
    """Jsonb columns are Python values on our side."""
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode)


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _prepare_connection(connection: Connection) -> None:
    await _speak_json(connection)
    await _assume_role(connection)


async def _assume_role(connection: Connection) -> None:
    """SET ROLE, where the migration could make the role and we may use it."""
    may = await connection.fetchval(
        "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1 AND pg_has_role(session_user, oid, 'MEMBER'))",
        SERVE_ROLE,
    )
    if may:
        await connection.execute(f"SET ROLE {SERVE_ROLE}")


class Database:
    """The pool. A connection is held for one transaction, never while bytes flow to a client."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, dsn: str, *, size_max: int = 10) -> "Database":
        """Connects lazily: a Postgres that is away at this moment is an error of the first use, not of the start."""
        pool = await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=size_max,
            timeout=CONNECT_SECONDS,
            command_timeout=15.0,
            server_settings=_SESSION,
            connect=_reach,
            init=_prepare_connection,
            reset=_keep_role,
        )
        return cls(pool)

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), 5)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection for single statements.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
            InvalidRequest: a text cannot be stored.
        """
        try:
            async with self._pool.acquire(timeout=CONNECT_SECONDS + 2) as connection:
                assert isinstance(connection, Connection), "the pool's stand-in counts as one"
                yield connection
        except AWAY as error:
            raise DatabaseUnavailable from error
        except BUSY as error:
            raise DatabaseUnavailable("The database is busy. Try again shortly.") from error
        except UNSTORABLE:  # only a client's text can be the reason
            raise InvalidRequest("The request contains a character (NUL) that no text can have.") from None

    @asynccontextmanager
    async def transaction(self, *, is_read_only: bool = False) -> AsyncGenerator[Connection]:
        """A READ COMMITTED transaction; read-only ones see one snapshot (REPEATABLE READ)."""
        async with self.connection() as connection:
            isolation = "repeatable_read" if is_read_only else "read_committed"
            async with connection.transaction(isolation=isolation, readonly=is_read_only):
                _PUT_OFF[connection] = put_off = set[tuple[str, str]]()
                try:
                    yield connection
                    for statement, subject in sorted(put_off):
                        await connection.execute(statement, subject)
                finally:
                    del _PUT_OFF[connection]

    @asynccontextmanager
    async def summing(self) -> AsyncGenerator[Connection]:
        """A read-only transaction for sums over many records. They are planned for the span and the filters that are
        asked for: a plan for any of them reads every partition and ignores indexes.
        """
        async with self.transaction(is_read_only=True) as connection:
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            yield connection


async def put_off(connection: Connection, statement: str, subject: str) -> None:
    """Do this last in the transaction, once, and after all that was put off of smaller subjects: it locks a row that
    everybody wants. Outside of the pool's transactions it is done now.
    """
    later = _PUT_OFF.get(connection)
    if later is None:
        await connection.execute(statement, subject)
    else:
        later.add((statement, subject))


async def _keep_role(connection: Connection) -> None:
    """Between two uses: give back locks and listeners, but stay in the serving role."""
    await connection.execute("SELECT pg_advisory_unlock_all()")


def row_as(struct: type[Struct], record: Mapping[str, object] | None) -> Struct:
    """A row as its struct: a missing, misnamed or wrongly typed column is an error here, not a surprise later.

    None is for statements that always answer with a row.
    """
    assert record is not None, f"a statement that must return a {struct.__name__} returned no row"
    return msgspec.convert(dict(record), struct)


def value_as(kind: type[Value], value: object) -> Value:
    """The value of a statement that always answers with one of this kind."""
    assert isinstance(value, kind), f"a statement that must return {kind.__name__} returned {value!r}"
    return value


def said_of(error: asyncpg.PostgresError, field: Literal["sqlstate", "constraint_name", "table_name"]) -> str:
    """What Postgres says of an error, empty where it says nothing: the driver declares none of these fields."""
    return getattr(error, field, None) or ""

"""Changes are heard in every process within a second, and nothing that was missed stays missed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from airouter.storage import changes
from airouter.storage.listener import Heard, Listener
from tests.patience import PATIENCE_SECONDS


class Ear:
    """Remembers what a listener told."""

    def __init__(self, listener: Listener, *names: Heard) -> None:
        self.heard: list[tuple[str, str | None]] = []
        self._something = asyncio.Event()
        for name in names:
            listener.on(name, self._note(name))

    def _note(self, name: str) -> Callable[[str | None], None]:
        def note(subject: str | None) -> None:
            self.heard.append((name, subject))
            self._something.set()

        return note

    async def hears(self, name: str, subject: str | None) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (name, subject) not in self.heard:
                self._something.clear()
                await self._something.wait()


@asynccontextmanager
async def listening(dsn: str, *names: Heard, silence_seconds: float = 600) -> AsyncIterator[tuple[Listener, Ear]]:
    """A connected listener whose first "everything may have changed" is forgotten already."""
    listener = Listener(dsn, silence_seconds=silence_seconds)
    ear = Ear(listener, *names)
    await listener.start(wait_seconds=PATIENCE_SECONDS)
    assert listener.is_connected
    ear.heard.clear()
    try:
        yield listener, ear
    finally:
        await listener.stop()


async def cut_listeners(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'airouter'"
    )


async def test_each_of_three_listeners_hears_a_change_with_its_subject(database: str, pool: asyncpg.Pool) -> None:
    async with (
        listening(database, "keys") as (_, first),
        listening(database, "keys") as (_, second),
        listening(database, "keys") as (_, third),
    ):
        async with pool.acquire() as connection, connection.transaction():
            await changes.announce(connection, "keys", "the-key")
        for ear in (first, second, third):
            await ear.hears("keys", "the-key")
            assert ear.heard == [("keys", "the-key")]


async def test_a_change_that_is_rolled_back_is_not_heard(database: str, pool: asyncpg.Pool) -> None:
    async with listening(database, "keys", "accounts") as (_, ear), pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await changes.announce(connection, "keys", "never")
        await transaction.rollback()
        async with connection.transaction():
            await changes.announce(connection, "accounts", "committed")
        await ear.hears("accounts", "committed")
        assert ear.heard == [("accounts", "committed")]


async def test_wallets_recalls_and_the_catalogue_are_heard(database: str, pool: asyncpg.Pool) -> None:
    async with listening(database, "catalogue", "wallet", "recall") as (_, ear), pool.acquire() as connection:
        await changes.announce_wallet(connection, 117)
        await changes.recall(connection, "w117")
        await changes.announce(connection, "catalogue")
        await ear.hears("wallet", "117")
        await ear.hears("recall", "w117")
        await ear.hears("catalogue", None)


async def test_a_change_missed_while_disconnected_is_made_up_for_after_the_reconnect(
    database: str, pool: asyncpg.Pool
) -> None:
    async with listening(database, "catalogue", "keys", "sessions") as (listener, ear), pool.acquire() as connection:
        await connection.execute("UPDATE versions SET version = version + 1 WHERE name = 'keys'")  # nobody was notified
        await cut_listeners(connection)
        await ear.hears("keys", None)
        assert ear.heard == [("keys", None)], "what did not change is still remembered"
        await changes.announce(connection, "sessions", "later")
        await ear.hears("sessions", "later")
        assert listener.is_connected


async def test_wallets_and_recalls_may_have_been_missed_by_every_reconnect(database: str, pool: asyncpg.Pool) -> None:
    async with listening(database, "wallet", "recall") as (_, ear), pool.acquire() as connection:
        await cut_listeners(connection)
        await ear.hears("wallet", None)
        await ear.hears("recall", None)


async def test_a_version_that_moved_in_silence_is_noticed(database: str, pool: asyncpg.Pool) -> None:
    async with listening(database, "accounts", silence_seconds=0.05) as (_, ear):
        await pool.execute("UPDATE versions SET version = version + 1 WHERE name = 'accounts'")
        await ear.hears("accounts", None)


async def test_what_was_heard_is_not_taken_for_missed_in_the_silence_after_it(
    database: str, pool: asyncpg.Pool
) -> None:
    async with listening(database, "accounts", "keys") as (listener, ear), pool.acquire() as connection:
        await changes.announce(connection, "accounts", "one")
        await ear.hears("accounts", "one")
        listener._silence_seconds = 0.05  # a comparison right at the announcement may see it before it is heard
        await changes.announce(connection, "sessions")
        await connection.execute("UPDATE versions SET version = version + 1 WHERE name = 'keys'")
        await ear.hears("keys", None)  # so a comparison has been made
        assert ("accounts", None) not in ear.heard


async def test_one_failing_callback_keeps_nobody_else_from_hearing(
    database: str, pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener(database)

    def fail(_subject: str | None) -> None:
        raise RuntimeError("a bug of somebody")

    listener.on("keys", fail)
    ear = Ear(listener, "keys")
    await listener.start(wait_seconds=PATIENCE_SECONDS)
    try:
        async with pool.acquire() as connection:
            await changes.announce(connection, "keys", "x")
        await ear.hears("keys", "x")
        assert "listener.callback_failed" in caplog.text
    finally:
        await listener.stop()


async def test_a_start_without_postgres_does_not_fail_and_connects_when_it_is_there(
    database: str, pool: asyncpg.Pool
) -> None:
    name = await pool.fetchval("SELECT current_database()")
    later = f"{name}_later"
    listener = Listener(database.replace(name, later))
    ear = Ear(listener, "keys")
    await listener.start(wait_seconds=0.05)
    try:
        assert not listener.is_connected
        await pool.close()  # a template has no guests
        administrator = await asyncpg.connect(database.replace(name, "postgres"))
        await administrator.execute(f"CREATE DATABASE {later} TEMPLATE {name}")
        await ear.hears("keys", None)
    finally:
        await listener.stop()
        await administrator.execute(f"DROP DATABASE {later} WITH (FORCE)")
        await administrator.close()

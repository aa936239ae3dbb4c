"""Transactions that meet on the same rows wait for each other, in whatever order their work comes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from airouter.storage.changes import Versioned, announce, versions
from airouter.storage.database import Connection, Database


@pytest.fixture
async def opened(database: str) -> AsyncIterator[Database]:
    made = await Database.open(database)
    yield made
    await made.close()


async def test_changes_are_announced_by_two_in_opposite_orders(opened: Database) -> None:
    async with opened.connection() as connection:
        before = await versions(connection)
    met = asyncio.Barrier(2)

    async def work(first: Versioned, second: Versioned) -> None:
        async with opened.transaction() as connection:
            await announce(connection, first)
            await met.wait()
            await announce(connection, second)
            await announce(connection, first)

    await asyncio.gather(work("keys", "sessions"), work("sessions", "keys"))
    async with opened.connection() as connection:
        after = await versions(connection)
    assert after["keys"] - before["keys"] == after["sessions"] - before["sessions"] == 2
    assert after["accounts"] == before["accounts"]


async def test_what_was_announced_is_not_counted_when_its_transaction_fails(opened: Database) -> None:
    async with opened.connection() as connection:
        before = await versions(connection)

    async def fail(connection: Connection) -> None:
        await announce(connection, "keys")
        raise LookupError

    with pytest.raises(LookupError):
        async with opened.transaction() as connection:
            await fail(connection)
    async with opened.connection() as connection:
        assert await versions(connection) == before
        await announce(connection, "keys")  # outside of a transaction: at once
        assert (await versions(connection))["keys"] == before["keys"] + 1

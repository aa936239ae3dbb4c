"""A database that an operator closed for maintenance: as one that is away, on both ways in."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from airouter.domain.errors import DatabaseUnavailable
from airouter.storage.database import AWAY, Database, connect
from tests import postgres


@pytest.fixture
async def closed_database(postgres_server: str, database: str) -> AsyncIterator[str]:
    """URL of a database that takes no connections while the test runs."""
    admin = await asyncpg.connect(postgres.at(postgres_server, postgres.ADMIN_DATABASE))
    asked = await asyncpg.connect(database)
    name = await asked.fetchval("SELECT current_database()")
    await asked.close()
    await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
    try:
        yield database
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await admin.close()


async def test_the_pool_says_that_the_database_is_unavailable(closed_database: str) -> None:
    opened = await Database.open(closed_database)
    with pytest.raises(DatabaseUnavailable):
        async with opened.connection():
            pass
    await opened.close()


async def test_a_connection_of_its_own_fails_as_one_to_a_postgres_that_is_away(closed_database: str) -> None:
    with pytest.raises(AWAY):
        await connect(closed_database)

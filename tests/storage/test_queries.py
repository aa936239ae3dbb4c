"""Every named query fits the migrated schema."""

import asyncpg
import pytest

from airouter.storage.queries import every_query


async def test_every_query_can_be_prepared(database: str) -> None:
    connection = await asyncpg.connect(database)
    wrong = []
    try:
        for noun, name, sql in every_query():
            try:
                await connection.prepare(sql)
            except asyncpg.PostgresError as error:
                wrong.append(f"{noun}.{name}: {error}")
    finally:
        await connection.close()
    assert not wrong, "\n".join(wrong)


async def test_there_is_no_statement_that_rewrites_history() -> None:
    for noun, name, sql in every_query():
        words = " ".join(sql.upper().split())
        for table in ("TRANSFERS", "USAGE_TRANSFERS", "RATE_CARDS"):
            if f"UPDATE {table} " in words or f"DELETE FROM {table} " in words:
                pytest.fail(f"{noun}.{name} changes {table.lower()}")

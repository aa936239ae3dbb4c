"""Partitions are there before their first row, whoever makes them, and take over what the default one caught."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from airouter.services.partitions import make_partitions
from airouter.storage import partitions
from airouter.storage.database import connect
from airouter.storage.migrate import migrate


async def names(dsn: str, table: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return {row["name"] for row in await connection.fetch(partitions.QUERIES.partitions_of, table)}
    finally:
        await connection.close()


async def test_two_weeks_of_days_and_two_months_are_made_ahead_once(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, moment = empty_database, datetime.now(UTC)
    monkeypatch.setattr("airouter.services.partitions.now", lambda: moment)
    await migrate(database)
    made = await asyncio.gather(*(make_partitions(database) for _ in range(4)))
    today = moment.date()
    days = {f"usage_records_{today + timedelta(days=n):%Y%m%d}" for n in range(-1, 15)}
    assert days <= await names(database, "usage_records")
    assert f"usage_transfers_{partitions.next_month(partitions.next_month(today.replace(day=1))):%Y%m}" in await names(
        database, "usage_transfers"
    )
    all_made = [name for some in made for name in some]
    assert len(all_made) == len(set(all_made)) >= len(days)
    assert await make_partitions(database) == []


async def test_rows_that_came_too_early_move_to_their_partition(database: str) -> None:
    connection = await connect(database, as_owner=True)
    try:
        day = datetime(2031, 5, 31, 12, tzinfo=UTC)
        await connection.execute(
            "INSERT INTO usage_transfers VALUES ($1, gen_random_uuid(), 'overrun', 'x', 4, 3, 1, NULL)", day
        )
        assert (await partitions.rows_in_default(connection))["usage_transfers"] == 1
        assert "usage_transfers_203105" in await partitions.make(connection, day)
        assert (await partitions.rows_in_default(connection))["usage_transfers"] == 0
        assert await connection.fetchval("SELECT count(*) FROM usage_transfers_203105") == 1
        trigger = (
            "SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'usage_transfers_default'::regclass AND NOT tgisinternal"
        )
        assert {row[0] for row in await connection.fetch(trigger)} == {b"O"}
        await connection.execute("TRUNCATE usage_transfers_203105")
    finally:
        await connection.close()


def test_every_day_of_a_year_has_its_month_and_the_two_after_it() -> None:
    day = date(2028, 1, 1)
    for _ in range(366):
        months = [p.first for p in partitions.wanted(day) if p.table == "usage_transfers"]
        assert day.replace(day=1) in months
        assert partitions.next_month(partitions.next_month(day.replace(day=1))) in months
        assert all(
            a.end == b.first
            for a, b in zip(partitions.wanted(day), partitions.wanted(day)[1:], strict=False)
            if a.table == b.table
        )
        day += timedelta(days=1)

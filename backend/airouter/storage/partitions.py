"""Day partitions of usage records and month partitions of usage transfers, made ahead of time by the owner."""

from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from airouter.storage.database import SERVE_ROLE, Connection
from airouter.storage.queries import load

QUERIES = load("partitions")

DAYS_AHEAD: Final = 14
MONTHS_AHEAD: Final = 2


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a table: rows from `first` until the day before `end`."""

    table: str
    first: date
    end: date
    is_immutable: bool

    @property
    def name(self) -> str:
        return (
            f"{self.table}_{self.first:%Y%m%d}"
            if self.end - self.first == timedelta(days=1)
            else f"{self.table}_{self.first:%Y%m}"
        )


def wanted(today: date) -> list[Partition]:
    """Yesterday (a call that began before midnight) to two weeks ahead; this month and the next two."""
    days = [today + timedelta(days=n) for n in range(-1, DAYS_AHEAD + 1)]
    month = (today - timedelta(days=1)).replace(day=1)
    months = [month]
    for _ in range(MONTHS_AHEAD + 1):
        months.append(next_month(months[-1]))
    return [
        *(Partition(table="usage_records", first=d, end=d + timedelta(days=1), is_immutable=False) for d in days),
        *(Partition(table="usage_transfers", first=m, end=next_month(m), is_immutable=True) for m in months),
    ]


def next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


async def make(connection: Connection, now: datetime) -> list[str]:
    """Make what is missing and answer the names. Any number of processes may try at once; the connection is the
    owner's.

    Rows that the default partition caught meanwhile move to where they belong.
    """
    made: list[str] = []
    existing: dict[str, set[str]] = {}
    for partition in wanted(now.date()):
        if partition.table not in existing:
            existing[partition.table] = await _names(connection, partition.table)
        if partition.name not in existing[partition.table] and await _make_one(connection, partition):
            made.append(partition.name)
    return made


async def _names(connection: Connection, table: str) -> set[str]:
    return {row["name"] for row in await connection.fetch(QUERIES.partitions_of, table)}


async def _make_one(connection: Connection, partition: Partition) -> bool:
    table, name, default = partition.table, partition.name, f"{partition.table}_default"
    span = f"created_at >= '{partition.first}T00:00Z' AND created_at < '{partition.end}T00:00Z'"
    async with connection.transaction():
        await connection.fetchval(QUERIES.lock_makers)
        if name in await _names(connection, table):
            return False
        await connection.execute(f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE")
        await connection.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
        if await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {default} WHERE {span})"):  # noqa: S608 - our own names
            if partition.is_immutable:
                await connection.execute(f"ALTER TABLE {default} DISABLE TRIGGER USER")
            await connection.execute(f"INSERT INTO {name} SELECT * FROM {default} WHERE {span}")  # noqa: S608
            await connection.execute(f"DELETE FROM {default} WHERE {span}")  # noqa: S608
            if partition.is_immutable:
                await connection.execute(f"ALTER TABLE {default} ENABLE TRIGGER USER")
        await connection.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{partition.first}T00:00Z') TO ('{partition.end}T00:00Z')"
        )
        if partition.is_immutable and await connection.fetchval(QUERIES.serve_role_exists):
            await connection.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {name} FROM {SERVE_ROLE}")
    return True


async def rows_in_default(connection: Connection) -> dict[str, int]:
    """How many rows found no partition of their own, by table."""
    row = await connection.fetchrow(QUERIES.rows_in_default)
    return dict(row) if row is not None else {}

"""Forward-only migrations: storage/migrations/NNNN_name.sql, each in one transaction, under an advisory lock, with
checksums.
"""

import hashlib
import re
from pathlib import Path

import asyncpg
import msgspec

from airouter.storage.database import connect
from airouter.world import new_id

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x6169726F75746572 & 0x7FFFFFFFFFFFFFFF
_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
  number integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)"""


class MigrationError(Exception):
    """The database and this version of the code do not fit, or the installation is another one."""


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def every_migration() -> list[Migration]:
    """The files in their order."""
    found = []
    for path in sorted(_FOLDER.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        if not match:
            raise MigrationError(f"{path.name} is not named NNNN_name.sql")
        found.append(Migration(number=int(match[1]), name=match[2], sql=path.read_text()))
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise MigrationError("the migrations are not numbered 1, 2, 3 …")
    return found


async def migrate(dsn: str, *, currency: str = "USD", is_demo: bool = False) -> list[str]:
    """Brings the database up to this version and answers the names of what was applied.

    Safe to run from several processes at once: an advisory lock lets one through.

    Raises:
        MigrationError: an applied file was changed, the database is newer than the code, or its currency is another.
    """
    connection = await connect(dsn, as_owner=True, command_seconds=600)
    try:
        await connection.execute("SET lock_timeout = '60s'; SET statement_timeout = '600s'")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        applied = await _apply(connection)
        await _install(connection, currency, is_demo=is_demo)
        return applied
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(_TABLE)
    known = {row["number"]: row for row in await connection.fetch("SELECT number, name, checksum FROM migrations")}
    files = every_migration()
    newer = sorted(set(known) - {m.number for m in files})
    if newer:
        raise MigrationError(
            f"the database has migration {newer[-1]}, this version knows {len(files)}: start a newer version"
        )
    applied = []
    for migration in files:
        row = known.get(migration.number)
        if row is not None:
            if row["checksum"] != migration.checksum:
                raise MigrationError(
                    f"migration {migration.number:04d}_{migration.name} was changed after it had been applied"
                )
            continue
        async with connection.transaction():
            await connection.execute(migration.sql)
            await connection.execute(
                "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number, migration.name, migration.checksum,
            )  # fmt: skip
        applied.append(f"{migration.number:04d}_{migration.name}")
    return applied


async def _install(connection: asyncpg.Connection, currency: str, *, is_demo: bool) -> None:
    await connection.execute(
        "INSERT INTO installation (installation_id, currency, is_demo) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        new_id(), currency, is_demo,
    )  # fmt: skip
    row = await connection.fetchrow("SELECT currency, is_demo FROM installation")
    assert row is not None  # inserted above
    if row["currency"] != currency:
        raise MigrationError(
            f"this database keeps its books in {row['currency']}, AIROUTER_CURRENCY says {currency}: "
            "the ledger currency cannot change"
        )
    if row["is_demo"] and not is_demo:
        raise MigrationError(
            "this database was seeded as a demo, and production refuses to start on it: give it an empty database"
        )


async def pending(connection: asyncpg.Connection) -> list[str]:
    """The names of what a start would have to apply first."""
    try:
        known = {row["number"] for row in await connection.fetch("SELECT number FROM migrations")}
    except asyncpg.UndefinedTableError:
        known = set()
    return [f"{m.number:04d}_{m.name}" for m in every_migration() if m.number not in known]

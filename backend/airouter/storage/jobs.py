"""Rows of recurring work: who is at it, and when it is due again."""

from datetime import datetime, timedelta

from airouter.storage.database import Connection
from airouter.storage.queries import load

QUERIES = load("jobs")


async def announce_job(connection: Connection, name: str) -> None:
    """Make the job known; one that is known stays as it is."""
    await connection.execute(QUERIES.announce_job, name)


async def claim_job(connection: Connection, name: str, patience: timedelta) -> datetime | None:
    """Until when nobody but this process may do it; None: it is not due, or somebody is at it."""
    return await connection.fetchval(QUERIES.claim_job, name, patience)


async def finish_job(
    connection: Connection, name: str, claimed_until: datetime, *, pause: timedelta, error: str | None
) -> None:
    """What was claimed is done, well or (with what went wrong) not, and due again after `pause`."""
    await connection.execute(QUERIES.finish_job, name, claimed_until, pause, error)


async def hurry_job(connection: Connection, name: str) -> None:
    """It is due at once."""
    await connection.execute(QUERIES.hurry_job, name)

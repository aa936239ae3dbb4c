"""Rows of recurring work: who is at it, and when it is due again."""

from datetime import timedelta

from airouter.storage.database import Connection
from airouter.storage.queries import load

QUERIES = load("jobs")


async def announce_job(connection: Connection, name: str) -> None:
    """Make the job known; one that is known stays as it is."""
    await connection.execute(QUERIES.announce_job, name)


async def claim_job(connection: Connection, name: str, patience: timedelta) -> bool:
    """Whether it is due and this process may do it; nobody else may until `patience` is over."""
    return await connection.fetchval(QUERIES.claim_job, name, patience) is not None


async def finish_job(connection: Connection, name: str, pause: timedelta, error: str | None) -> None:
    """It is done, well or (with what went wrong) not, and due again after `pause`."""
    await connection.execute(QUERIES.finish_job, name, pause, error)


async def hurry_job(connection: Connection, name: str) -> None:
    """It is due at once."""
    await connection.execute(QUERIES.hurry_job, name)

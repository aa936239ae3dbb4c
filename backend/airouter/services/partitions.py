"""Room for what is to come: partitions are made ahead, at start and hourly."""

import asyncpg

from airouter.storage import partitions
from airouter.storage.database import AWAY, connect
from airouter.world import now


class PartitionsMissing(Exception):
    """They could not be made. The default partitions catch the rows meanwhile, and the audit reports them."""


async def make_partitions(dsn: str) -> list[str]:
    """Make every partition that the coming days need, as the owner. Answers the names of the new ones."""
    try:
        connection = await connect(dsn, as_owner=True)
        try:
            return await partitions.make(connection, now())
        finally:
            await connection.close()
    except (asyncpg.PostgresError, *AWAY) as error:
        raise PartitionsMissing(f"{type(error).__name__}: {error}") from error

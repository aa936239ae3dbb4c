"""Taking away what processes have leased: ask for it back, try again for a while, then give up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from airouter.domain.lease import PurseId, purse_name
from airouter.storage import changes
from airouter.storage.database import Connection, Database

RECALL_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.05

Result = TypeVar("Result")


async def with_recall(
    database: Database,
    purse_id: PurseId,
    attempt: Callable[[Connection], Awaitable[Result | None]],
    *,
    wait_seconds: float = RECALL_SECONDS,
) -> Result | None:
    """What `attempt` answers, each time in a transaction of its own; None: it was still in use after `wait_seconds`.

    `attempt` is one guarded change of the purse and answers None when too much of it is leased. Then every process is
    asked to return what it does not use, exactly as for a waiting call, and the attempt is repeated.
    """
    end = asyncio.get_running_loop().time() + wait_seconds
    while True:
        async with database.transaction() as connection:
            result = await attempt(connection)
            if result is not None:
                return result
            await changes.recall(connection, purse_name(purse_id))
        if asyncio.get_running_loop().time() >= end:
            return None
        await asyncio.sleep(_PAUSE_SECONDS)

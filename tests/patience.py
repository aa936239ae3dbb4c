"""Waiting for what happens soon, elsewhere."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 60.0
"""What a busy machine takes for what a quiet one does at once."""


PATIENCE_WITH_PROCESSES_SECONDS = 300.0
"""The same where a process has to start first: it reads a thousand modules from a busy disk."""


async def until(condition: Callable[[], Awaitable[bool] | bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Returns when the condition holds; fails when it does not within a minute, or within `seconds`."""
    async with asyncio.timeout(seconds):
        while not await _holds(condition):
            await asyncio.sleep(0.01)


async def _holds(condition: Callable[[], Awaitable[bool] | bool]) -> bool:
    found = condition()
    return await found if inspect.isawaitable(found) else found

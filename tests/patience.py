"""Waiting for what happens soon, elsewhere."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 60.0
"""What a busy machine takes for what a quiet one does at once."""


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Returns when the condition holds; fails when it does not within a minute."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await _holds(condition):
            await asyncio.sleep(0.01)


async def _holds(condition: Callable[[], Awaitable[bool] | bool]) -> bool:
    found = condition()
    return await found if inspect.isawaitable(found) else found

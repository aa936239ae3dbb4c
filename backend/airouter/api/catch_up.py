"""Whoever changed something can use it with the next request: a change is answered when this process works by it.

The other processes hear of it within a second at most, usually within milliseconds.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from airouter.storage.changes import ANNOUNCED, Announced


class CatchUp:
    """ASGI layer: before the answer to a change leaves, this process hears of the change itself."""

    def __init__(self, app: Any, catch_up: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._catch_up = catch_up

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        announced = Announced()
        token = ANNOUNCED.set(announced)

        async def send_later(message: Any) -> None:
            if message["type"] == "http.response.start" and announced.is_any:
                announced.is_any = False
                await self._catch_up()
            await send(message)

        try:
            await self._app(scope, receive, send_later)
        finally:
            ANNOUNCED.reset(token)

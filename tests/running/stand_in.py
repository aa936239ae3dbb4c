"""An application small enough to watch workers with: `create_app(settings)` as `airouter.app` has it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]


async def _answer(send: Callable[[Message], Awaitable[None]], status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


def create_app(_settings: object) -> Any:
    async def application(scope: Message, receive: Callable[[], Awaitable[Message]], send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if os.environ.get("STAND_IN_FAILS"):
                raise RuntimeError("no")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["path"] == "/slow":
            await asyncio.sleep(1.0)
            await _answer(send, 200, b"slow")
        elif scope["path"] == "/readyz":
            await _answer(send, 200, b"yes")
        else:
            await _answer(send, 200, str(os.getpid()).encode())

    return application

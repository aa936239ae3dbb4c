"""An application small enough to watch workers with: `create_app(settings)` as `airouter.app` has it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
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
        elif scope["path"] == "/slow":  # half an answer, and the rest once somebody made the file
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"slow", "more_body": True})
            while not Path(os.environ["STAND_IN_WAITS_FOR"]).exists():
                await asyncio.sleep(0.02)
            await send({"type": "http.response.body", "body": b"ly"})
        elif scope["path"] == "/readyz":
            await _answer(send, 200, b"yes")
        else:
            await _answer(send, 200, str(os.getpid()).encode())

    return application

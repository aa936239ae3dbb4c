"""A whole API as a process that dies at a chosen point: `python -m tests.payments.server DSN HOME PORT`.

While the file `die` lies in HOME, the next notice kills the process (SIGKILL): with `before` in it when the notice is
kept and not acted upon, with `after` when everything is committed and the answer is not sent. The file goes first.
"""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from airouter.api.hot import HotProtocol
from airouter.app import create_app
from airouter.services.payment_inbox import PaymentInbox
from airouter.services.webhooks import Webhooks
from tests.settings import settings_for


def die_if_told(home: Path, point: str) -> None:
    order = home / "die"
    if order.exists() and order.read_text() == point:
        order.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def arm(home: Path) -> None:
    act, receive = PaymentInbox.act, Webhooks.receive

    async def act_or_die(self: PaymentInbox, *arguments: Any, **more: Any) -> Any:
        die_if_told(home, "before")
        return await act(self, *arguments, **more)

    async def receive_and_die(self: Webhooks, *arguments: Any, **more: Any) -> Any:
        answer = await receive(self, *arguments, **more)
        die_if_told(home, "after")
        return answer

    PaymentInbox.act = act_or_die  # type: ignore[method-assign]
    Webhooks.receive = receive_and_die  # type: ignore[method-assign]


async def main(dsn: str, home: Path, port: int) -> None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as the workers do
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    url = f"http://127.0.0.1:{port}"
    config = uvicorn.Config(
        create_app(settings_for(dsn, home, public_url=url, console_url=url)),
        http=HotProtocol,
        ws="none",
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await serving


if __name__ == "__main__":
    dsn, folder, port = sys.argv[1:]
    arm(Path(folder))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(dsn, Path(folder), int(port)))

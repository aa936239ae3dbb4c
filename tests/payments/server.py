"""A whole API as a process that dies at a chosen point: `python -m tests.payments.server DSN HOME PORT`.

While the file `die` lies in HOME, the next notice kills the process (SIGKILL): with `before` in it when the notice is
kept and not acted upon, with `after` when everything is committed and the answer is not sent. The file goes first.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from airouter.services.payment_inbox import PaymentInbox
from airouter.services.webhooks import Webhooks
from tests.crash.server import serve
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


if __name__ == "__main__":
    dsn, folder, port = sys.argv[1:]
    arm(Path(folder))
    url = f"http://127.0.0.1:{port}"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings_for(dsn, Path(folder), public_url=url, console_url=url), int(port)))

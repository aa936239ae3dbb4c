"""A whole gateway as a process that may be killed: `python -m tests.crash.server DSN HOME PORT`."""

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop

from airouter.api.hot import HotProtocol
from airouter.app import create_app
from airouter.running.worker import KEEP_ALIVE_SECONDS
from airouter.settings import Settings
from tests.settings import settings_for


async def serve(settings: Settings, port: int) -> None:
    """Until killed; says `ready` when it takes requests."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # as the workers do
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # whoever starts us may keep the port for us
    bound.bind(("127.0.0.1", port))
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=HotProtocol,
        ws="none",
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    while not serving.done() and (not server.started or await app._house.services().readiness.reasons()):
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await serving


if __name__ == "__main__":
    dsn, home, port = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings_for(dsn, Path(home)), int(port)))

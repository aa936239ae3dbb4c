"""`airouter console`: the built console alone, for an API on another address of the same site."""

from pathlib import Path

import uvicorn

from airouter.running.console import ConsoleFiles, api_base
from airouter.running.workers import reserve
from airouter.settings import Settings


def serve_console(settings: Settings, directory: Path) -> None:
    """Serve until told to stop. The page is told AIROUTER_PUBLIC_URL as the API's address.

    Raises: PortTaken.
    """
    bound = reserve(settings.host, settings.port)
    files = ConsoleFiles(
        None, directory, base=api_base(settings.public_url, settings.console_url), challenge=settings.challenge_origin
    )
    config = uvicorn.Config(
        files, interface="asgi3", lifespan="off", ws="none", access_log=False, server_header=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    host, port = bound.getsockname()[:2]
    print(f"console on http://{host}:{port} for the API at {settings.public_url}", flush=True)
    server.run(sockets=[bound])

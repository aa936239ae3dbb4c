"""One serving process: the application on its own SO_REUSEPORT socket, until it is told to drain.

Started by `workers.py` as `python -m airouter.running.worker`. Its standard input is its lifeline: when that ends, the
supervisor is gone and the worker drains. It writes one line to its standard output when it may take traffic.
"""

import argparse
import asyncio
import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from airouter import settings as environment
from airouter.running.console import Application, ConsoleFiles, Receive, Scope, Send, api_base

READY = b"ready\n"
KEEP_ALIVE_SECONDS = 75  # longer than the usual 60 s of proxies, so that it is never us who close under their request
READY_POLL_SECONDS = 0.05
HTTP_OK = 200

logger = logging.getLogger("airouter.worker")


class Draining:
    """Says no at /readyz once draining has begun; everything else goes on to the application."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner
        self._has_begun = False

    @property
    def doors(self) -> object:
        """The gateway's doors, which the server's protocol looks for on the application it serves."""
        return getattr(self._inner, "doors", None)

    def begin(self) -> None:
        """From now on this process wants no more traffic."""
        self._has_begun = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._has_begun and scope["type"] == "http" and scope["path"] == "/readyz":
            headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send(
                {"type": "http.response.body", "body": b'{"status":"not ready","reasons":{"process":"draining"}}'}
            )
            return
        await self._inner(scope, receive, send)


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket that shares its port with those of the other workers; it listens only when it is served."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By the protocol's name asyncio knows that small writes are not to wait for one another (uvloop never lets them).
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    bound.setblocking(False)
    return bound


class Worker:
    """Serves `application` and tells the supervisor when it is ready."""

    def __init__(
        self,
        application: Application,
        bound: socket.socket,
        *,
        http: type[asyncio.Protocol] | str,
        drain_notice_seconds: float,
        drain_seconds: float,
    ) -> None:
        self._application = Draining(application)
        self._socket = bound
        self._notice_seconds = drain_notice_seconds
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._application,
                http=http,  # type: ignore[arg-type]  # uvicorn takes a protocol class, its annotation a name
                loop="uvloop",
                ws="none",
                interface="asgi3",
                lifespan="on",
                proxy_headers=False,  # the application decides whom to believe, counting from the right
                server_header=False,
                access_log=False,  # request lines carry secrets in their query; the application logs its own events
                log_config=None,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=int(drain_seconds),
            )
        )
        self._drain: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Until SIGTERM, SIGINT or the end of standard input, and the calls in flight after it."""
        attending = asyncio.create_task(self._attend())
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            attending.cancel()

    async def _attend(self) -> None:
        while not self._server.started:
            await asyncio.sleep(0.005)
        # uvicorn installed its own handlers while starting; they would close the socket without notice.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._begin_drain)
        _watch_lifeline(self._begin_drain)
        while await status_of(self._application, "/readyz") != HTTP_OK:
            await asyncio.sleep(READY_POLL_SECONDS)
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()

    def _begin_drain(self) -> None:
        if self._drain is None:
            logger.info("draining")
            self._application.begin()
            self._drain = asyncio.create_task(self._close_after_notice())
        else:  # asked twice: now
            self._server.should_exit = True
            self._server.force_exit = True

    async def _close_after_notice(self) -> None:
        # Load balancers look at /readyz every second or so; what they still send meanwhile is served.
        await asyncio.sleep(self._notice_seconds)
        self._server.should_exit = True


async def status_of(application: Application, path: str) -> int:
    """What `application` itself answers to GET `path`; the port is shared, so a request could reach another worker."""
    status = 0

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
        "state": {},
    }
    try:
        await application(scope, receive, send)
    except Exception:
        logger.exception("readiness could not be asked")
        return 0
    return status


def _watch_lifeline(on_end: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    lifeline = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(lifeline, 64):
            loop.remove_reader(lifeline)
            on_end()

    loop.add_reader(lifeline, readable)


def start_logging(level: str) -> None:
    """One line an event on standard error."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel("WARNING")
    logging.getLogger("httpx").setLevel("WARNING")  # logs whole URLs


def _application(name: str, settings: environment.Settings, console: Path | None) -> Application:
    module, _, attribute = name.partition(":")
    factory: Callable[[environment.Settings], Application] = getattr(importlib.import_module(module), attribute)
    application = factory(settings)
    if console is None:
        return application
    return ConsoleFiles(
        application,
        console,
        base=api_base(settings.public_url, settings.console_url),
        challenge=settings.challenge_origin,
    )


def _protocol(name: str) -> type[asyncio.Protocol] | str:
    module, colon, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute) if colon else name


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve as the supervisor asks."""
    parser = argparse.ArgumentParser(prog="airouter worker")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--application", required=True)
    parser.add_argument("--http", required=True)
    parser.add_argument("--console", type=Path)
    asked = parser.parse_args(arguments)
    settings = environment.load()
    start_logging(settings.log_level)
    worker = Worker(
        _application(asked.application, settings, asked.console),
        listening_socket(asked.host, asked.port),
        http=_protocol(asked.http),
        drain_notice_seconds=settings.drain_notice_seconds,
        drain_seconds=settings.drain_seconds,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(worker.serve())


if __name__ == "__main__":
    main()

"""The doors as ordinary ASGI routes: for servers without the hot protocol, and for what the hot route leaves over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import asgi
from litestar.handlers import ASGIRouteHandler

from airouter.api.arrivals import arrival_of
from airouter.api.doors.service import Doors, dialect_headers, encoding_of, refuse, secret_in, too_large
from airouter.domain.errors import DomainError, MethodNotAllowed
from airouter.domain.ids import RequestId
from airouter.gateway.door import PLAIN, Door, Found, spellings
from airouter.gateway.exchange import Headers

log = logging.getLogger("airouter.doors")


class AsgiExchange:
    """An exchange over ASGI. Writes are queued and sent by one task, because the pipeline does not wait to write."""

    def __init__(self, found: Found, scope: Any, send: Any) -> None:
        arrival = arrival_of(scope)
        self.door = found.door
        self.named = found.named
        self._query: bytes = scope["query_string"]
        self.body = b""
        self.address = arrival.address
        self.client_request_id = arrival.client_request_id
        self.request_id: RequestId = arrival.request_id
        self.has_begun = False
        self.is_gone = False
        self._headers: Headers = scope["headers"]
        self._send = send
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=0)
        self._act_when_gone: Callable[[], None] | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._is_over = False

    @property
    def secret(self) -> str | None:
        return secret_in(self._headers, self._query)

    @property
    def encoding(self) -> str | None:
        return encoding_of(self._headers)

    @property
    def declared_bytes(self) -> int:
        """The length of the body as its head says it; 0: it does not."""
        said = next((value for name, value in self._headers if name == b"content-length"), b"0")
        return int(said) if said.isdigit() else 0

    @property
    def dialect_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        return dialect_headers(self.door, self._headers)

    @property
    def is_slow(self) -> bool:
        return not self._room.is_set() and not self.is_gone

    async def drain(self) -> None:
        await self._room.wait()

    def when_gone(self, act: Callable[[], None]) -> None:
        if self.is_gone:
            act()
        else:
            self._act_when_gone = act

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        if not self._is_over:
            self._start(status, [*headers, (b"content-length", b"%d" % len(body))])
            self._put({"type": "http.response.body", "body": body, "more_body": False})
            self._close()

    def begin(self, status: int, headers: Headers, first: bytes) -> None:
        self.has_begun = True
        self._start(status, list(headers))
        self.write(first)

    def write(self, data: bytes) -> None:
        if data and not self._is_over:
            self._put({"type": "http.response.body", "body": data, "more_body": True})

    def end(self) -> None:
        if not self._is_over:
            if not self.has_begun:
                self.begin(200, (), b"")
            self._put({"type": "http.response.body", "body": b"", "more_body": False})
            self._close()

    def close(self) -> None:
        """Nothing more will be written: a call that its client left before the answer began ends without one."""
        if not self._is_over:
            self._close()

    def hung_up(self) -> None:
        """The client is gone."""
        if not self._is_over and not self.is_gone:
            self.is_gone = True
            self._room.set()
            act, self._act_when_gone = self._act_when_gone, None
            if act is not None:
                act()

    async def deliver(self) -> None:
        """Sends what the pipeline wrote, in order, until the end. Where the server cannot send, the client is gone."""
        while (message := await self._queue.get()) is not None:
            if not self.is_gone:
                try:
                    await self._send(message)
                except Exception as error:  # noqa: BLE001 - servers differ in what they raise then
                    log.info("door.unsent request=%s error=%r", self.request_id, error)
                    self.hung_up()
            if self._queue.empty():
                self._room.set()

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self._put({"type": "http.response.start", "status": status, "headers": headers})

    def _put(self, message: dict[str, Any]) -> None:
        self._queue.put_nowait(message)
        if self._queue.qsize() > 16:
            self._room.clear()

    def _close(self) -> None:
        self._is_over = True
        self._act_when_gone = None
        self._queue.put_nowait(None)


def door_routes(doors: Callable[[], Doors]) -> list[ASGIRouteHandler]:
    """One route handler for each row of the table, under all its spellings."""
    return [_route(door, doors) for door in PLAIN]


def _route(door: Door, doors: Callable[[], Doors]) -> ASGIRouteHandler:
    paths = sorted({spelling.rstrip("/") for spelling in spellings(door.path)})

    @asgi(paths, name=door.operation_id, copy_scope=False)
    async def serve_door(scope: Any, receive: Any, send: Any) -> None:
        await serve(Found(door=door), doors, scope, receive, send)

    return serve_door


async def serve(found: Found, doors: Callable[[], Doors], scope: Any, receive: Any, send: Any) -> None:
    """One call at a door, to its end."""
    door, exchange = found.door, AsgiExchange(found, scope, send)
    if scope["method"] != door.method:
        refuse(exchange, MethodNotAllowed(f"Use {door.method} at {door.path}.", allow=door.method))
        await exchange.deliver()
    else:
        await answered(exchange, doors().serve, doors().body_bytes_max, receive)


async def answered(
    exchange: AsgiExchange, act: Callable[[AsgiExchange], Awaitable[None]], body_bytes_max: int, receive: Any
) -> None:
    """Reads the request, and lets `act` answer it; `act` never raises. Half a request is none: nobody waits for it."""
    try:
        if exchange.declared_bytes > body_bytes_max:
            raise too_large(body_bytes_max)
        body = await _read(receive, body_bytes_max)
    except DomainError as error:
        refuse(exchange, error)
        await exchange.deliver()
        return
    if body is None:
        return
    exchange.body = body
    delivery = asyncio.create_task(exchange.deliver())
    work = asyncio.ensure_future(act(exchange))
    watch = asyncio.create_task(_watch(receive, exchange))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:  # the server stops: the call still settles before the books are closed
        work.cancel()
        await asyncio.wait({work})
        raise
    finally:
        watch.cancel()
        exchange.close()
    await delivery


async def _read(receive: Any, bytes_max: int) -> bytes | None:
    """The request body; None: its client left before it was whole.

    Raises:
        BodyTooLarge
        RequestTimedOut: it takes too long to come.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > bytes_max:
            raise too_large(bytes_max)
        if not message.get("more_body"):
            return b"".join(parts)


async def _watch(receive: Any, exchange: AsgiExchange) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    exchange.hung_up()

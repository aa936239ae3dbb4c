"""An upstream that does what a test tells it to, well or badly."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import msgspec

from tests.listening import listening


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it arrived."""

    connection: int
    """Connections are numbered from 0 in the order they were accepted."""
    nth: int
    """0 for the first request of its connection."""
    line: str
    headers: dict[str, str]
    body: bytes


class Line:
    """The server's end of one connection, while it answers one request."""

    def __init__(self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received = received
        self._reader = reader
        self.sent_bytes = 0
        self._writer = writer

    async def raw(self, data: bytes) -> None:
        if self._writer.transport.is_closing():
            raise ConnectionResetError  # uvloop would raise RuntimeError
        self._writer.write(data)
        self.sent_bytes += len(data)
        await self._writer.drain()

    async def json(self, body: bytes, *headers: bytes) -> None:
        lines = b"".join(header + b"\r\n" for header in (b"Content-Type: application/json", *headers))
        await self.raw(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (lines, len(body), body))

    async def stream(self) -> None:
        await self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    async def close(self) -> None:
        self._writer.close()

    async def gone(self) -> None:
        """Return when the client has closed the connection, in whatever way."""
        with suppress(ConnectionError):
            while await self._reader.read(1024):
                pass

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()


Script = Callable[[Line], Awaitable[None]]


class Upstream:
    """Runs `script` for each request. Counts what it sees."""

    def __init__(self, script: Script, greeting: bytes, *, reads_bodies: bool) -> None:
        self.script = script
        self._greeting = greeting
        self._reads_bodies = reads_bodies
        self.port = 0
        self.accepted = 0
        self.open = 0
        self.received: list[Received] = []
        self.failures: list[BaseException] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number, self.accepted, self.open = self.accepted, self.accepted + 1, self.open + 1
        nth = 0
        try:
            writer.write(self._greeting)
            while True:
                received = await _receive(reader, number, nth, reads_body=self._reads_bodies)
                self.received.append(received)
                await self.script(Line(received, reader, writer))
                nth += 1
        except (EOFError, OSError, asyncio.CancelledError):
            pass
        except Exception as failure:  # noqa: BLE001 - shown at the end of the test
            self.failures.append(failure)
        finally:
            self.open -= 1
            writer.transport.abort()


async def _receive(reader: asyncio.StreamReader, connection: int, nth: int, *, reads_body: bool) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (header.partition(": ") for header in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")) if reads_body else 0)
    return Received(connection=connection, nth=nth, line=line, headers=headers, body=body)


@asynccontextmanager
async def running(
    script: Script, tls: ssl.SSLContext | None = None, *, greeting: bytes = b"", reads_bodies: bool = True
) -> AsyncIterator[Upstream]:
    """An upstream on a free port of 127.0.0.1; `greeting` is what it says before it is asked."""
    upstream = Upstream(script, greeting, reads_bodies=reads_bodies)
    async with listening(upstream.serve, tls) as upstream.port:
        yield upstream
    if upstream.failures:
        raise upstream.failures[0]


@asynccontextmanager
async def black_hole(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """A port whose queue of waiting connections is full: another attempt gets no answer at all."""
    sockets: list[socket.socket] = []
    try:
        listener = socket.create_server((host, port), backlog=0)
        sockets.append(listener)
        for _ in range(4):
            filler = socket.socket()
            sockets.append(filler)
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
    finally:
        for opened in sockets:
            opened.close()

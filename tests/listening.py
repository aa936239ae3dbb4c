"""A server inside a test that leaves nothing open, whatever its clients are about when the test ends."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port on 127.0.0.1. Each connection is closed when it was served, and cut when the server ends.

    (asyncio's own server forgets a connection that is accepted while it closes, and says so in some later test.)
    """
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def connected(accepted: socket.socket) -> None:
        reader = asyncio.StreamReader(limit=2**20)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, accepted, ssl=tls)
        except OSError:  # no handshake
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        writers.append(writer)
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    def accept() -> None:
        with suppress(OSError):
            accepted, _ = listener.accept()
            task = loop.create_task(connected(accepted))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setblocking(False)
    loop.add_reader(listener, accept)
    try:
        yield listener.getsockname()[1]
    finally:
        loop.remove_reader(listener)
        listener.close()
        await asyncio.sleep(0)  # a task that is cancelled before it began would leave its connection open
        while tasks:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1)
        for writer in writers:
            writer.transport.abort()

"""The floor: a bare forwarder. It parses both sides, passes bytes on, and knows nothing of keys, money or failure.

python -m tests.bench.forwarder UPSTREAM_PORT         prints its port
"""

import asyncio
import sys

import httptools
import uvloop


class Upstream(asyncio.Protocol):
    """A kept-alive connection to the provider."""

    def __init__(self) -> None:
        self.client: Client | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.parser = httptools.HttpResponseParser(self)
        self.is_whole = False

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)
        client = self.client
        if client is not None:
            client.transport.write(data)
            if self.is_whole:
                self.is_whole, self.client = False, None
                client.idle.append(self)

    def on_message_complete(self) -> None:
        self.is_whole = True
        self.parser = httptools.HttpResponseParser(self)


class Client(asyncio.Protocol):
    """One connection of the load generator."""

    def __init__(self, port: int, idle: list[Upstream]) -> None:
        self._port = port
        self.idle = idle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: upstream\r\ncontent-type: application/json\r\n"
        request = head + b"content-length: %d\r\n\r\n" % len(body) + body
        if self.idle:
            self._send(self.idle.pop(), request)
        else:
            asyncio.get_running_loop().create_task(self._connect(request))

    async def _connect(self, request: bytes) -> None:
        _, upstream = await asyncio.get_running_loop().create_connection(Upstream, "127.0.0.1", self._port)
        self._send(upstream, request)

    def _send(self, upstream: Upstream, request: bytes) -> None:
        upstream.client = self
        upstream.transport.write(request)


async def main(port: int) -> None:
    idle: list[Upstream] = []
    server = await asyncio.get_running_loop().create_server(lambda: Client(port, idle), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))

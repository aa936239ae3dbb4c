"""CPU per call of the upstream client, alone: `python -m tests.bench.upstream_client`.

An upstream in a process of its own answers with bytes made beforehand; what is counted is user and system time of the
client's process (uvloop, keep-alive, answers with the headers of a real provider). Rounds of the kinds are interleaved,
so that a noisy neighbour meets all of them. Reported, never asserted: the machine decides.
"""

import argparse
import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import uvloop

from airouter.upstream.address import AddressClass, AddressGuard, AddressPolicy
from airouter.upstream.contract import Origin, Timeouts, UpstreamClient, UpstreamRequest
from airouter.upstream.http1 import Http1Client
from airouter.upstream.httpx_client import HttpxClient

TIMEOUTS = Timeouts(connect_seconds=5, first_byte_seconds=60, idle_seconds=60)
REQUEST_HEADERS = (
    (b"authorization", b"Bearer sk-0123456789abcdef0123456789abcdef"),
    (b"content-type", b"application/json"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"airouter"),
)
REQUEST_BODY = b'{"model":"demo","messages":[{"role":"user","content":"%b"}]}' % (b"How long is a call? " * 40)

ANSWER_HEADERS = b"".join(
    b"%b: %b\r\n" % header
    for header in [
        (b"Date", b"Sun, 22 Nov 2026 04:00:00 GMT"),
        (b"Server", b"bench"),
        (b"Openai-Organization", b"org-0123456789"),
        (b"Openai-Processing-Ms", b"412"),
        (b"Openai-Version", b"2020-10-01"),
        (b"X-Ratelimit-Limit-Requests", b"10000"),
        (b"X-Ratelimit-Limit-Tokens", b"200000"),
        (b"X-Ratelimit-Remaining-Requests", b"9999"),
        (b"X-Ratelimit-Remaining-Tokens", b"199800"),
        (b"X-Request-Id", b"req_0123456789abcdef0123456789abcdef"),
        (b"Strict-Transport-Security", b"max-age=31536000; includeSubDomains"),
        (b"Connection", b"keep-alive"),
    ]
)
JSON_BODY = b'{"id":"chatcmpl-1","choices":[{"message":{"content":"%b"}}]}' % (b"An answer of usual length. " * 50)
JSON_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (
    len(JSON_BODY),
    ANSWER_HEADERS,
    JSON_BODY,
)
EVENT = b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}%b\n\n' % (
    b" " * 150
)
STREAM_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n%b\r\n" % ANSWER_HEADERS
    + b"%x\r\n%b\r\n" % (len(EVENT), EVENT) * 100
    + b"0\r\n\r\n"
)


class Answering(asyncio.Protocol):
    """Counts the bytes of requests instead of parsing them; a path that starts with /s asks for the stream."""

    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._seen.endswith(REQUEST_BODY[-20:]):
            answer = STREAM_ANSWER if self._seen.startswith(b"POST /s") else JSON_ANSWER
            self._seen = b""
            self._transport.write(answer)  # type: ignore[attr-defined]


def serve(ready: Connection) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(forever())


async def json_call(client: UpstreamClient, origin: Origin) -> None:
    answer = await client.send(
        UpstreamRequest(origin=origin, method="POST", path="/j", headers=REQUEST_HEADERS, body=REQUEST_BODY), TIMEOUTS
    )
    assert len(await answer.read(100_000)) == len(JSON_BODY)
    answer.close()


async def stream_call(client: UpstreamClient, origin: Origin) -> None:
    answer = await client.send(
        UpstreamRequest(origin=origin, method="POST", path="/s", headers=REQUEST_HEADERS, body=REQUEST_BODY), TIMEOUTS
    )
    size = 0
    while data := await answer.chunk():
        size += len(data)
    assert size == len(EVENT) * 100
    answer.close()


async def cpu_us_per_call(call: Callable[[], Awaitable[None]], calls: int, in_flight: int) -> float:
    async def worker() -> None:
        for _ in range(calls // in_flight):
            await call()

    before = time.process_time()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return (time.process_time() - before) / (calls // in_flight * in_flight) * 1e6


async def measure(port: int, options: argparse.Namespace) -> None:
    guard = AddressGuard(AddressClass.OPERATOR, AddressPolicy(private_allowed=True))
    origin = Origin("http", "127.0.0.1", port)
    http1 = Http1Client(guard)
    kinds: dict[str, tuple[Callable[[], Awaitable[None]], int]] = {
        "http1, JSON": (lambda: json_call(http1, origin), options.calls),
        "http1, 100-chunk stream in one write": (lambda: stream_call(http1, origin), options.calls // 4),
    }
    clients: list[UpstreamClient] = [http1]
    if options.httpx:
        over_httpx = HttpxClient(guard)
        clients.append(over_httpx)
        kinds["httpx, JSON"] = (lambda: json_call(over_httpx, origin), options.calls // 40)
    figures: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind, (call, _) in kinds.items():
        await cpu_us_per_call(call, 500, options.in_flight)
        assert not figures[kind]
    for _ in range(options.rounds):
        for kind, (call, calls) in kinds.items():
            figures[kind].append(await cpu_us_per_call(call, calls, options.in_flight))
    print(f"{options.in_flight} in flight, {options.rounds} rounds; CPU us per call of the client's process")
    for kind, values in figures.items():
        print(f"{kind:40} median {statistics.median(values):8.1f}   from {min(values):.1f} to {max(values):.1f}")
    for client in clients:
        await client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000, help="per round, for JSON; fewer for slower kinds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--httpx", action="store_true", help="measure the client over httpx as well")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        uvloop.run(measure(here.recv(), options))
    finally:
        process.terminate()
        process.join()


if __name__ == "__main__":
    main()

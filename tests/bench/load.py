"""The load generator where there is no C compiler: the same figures, at a price that distorts throughput and latency.

python -m tests.bench.load PORT REQUEST_FILE CONNECTIONS CALLS
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import httptools
import uvloop


class Line(asyncio.Protocol):
    """One kept-alive connection, asking again as soon as it is answered."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.ask()

    def ask(self) -> None:
        if self._run.asked < self._run.calls:
            self._run.asked += 1
            self._parser = httptools.HttpResponseParser(self)
            self._began = time.perf_counter()
            self._transport.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._run.note(self._parser.get_status_code(), time.perf_counter() - self._began)
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class names it
        self._run.lost()


class Run:
    """All connections together."""

    def __init__(self, request: bytes, calls: int) -> None:
        self.request = request
        self.calls = calls
        self.asked = self.refused = self.broken = 0
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def note(self, status: int, seconds: float) -> None:
        self.latencies.append(seconds)
        self.refused += status != 200
        self._check()

    def lost(self) -> None:
        if not self.done.done():
            self.broken += 1
            self._check()

    def _check(self) -> None:
        if len(self.latencies) + self.broken >= self.calls and not self.done.done():
            self.done.set_result(None)


async def main(port: int, request: bytes, connections: int, calls: int) -> dict[str, float]:
    run = Run(request, calls)
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    lines = [await loop.create_connection(lambda: Line(run), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.wait_for(run.done, 120)
    seconds = time.perf_counter() - began
    for transport, _ in lines:
        transport.close()
    micros = sorted(int(seconds * 1e6) for seconds in run.latencies)
    return {
        "answered": len(micros),
        "refused": run.refused,
        "broken": run.broken,
        "seconds": round(seconds, 3),
        "p50_us": micros[len(micros) // 2],
        "p99_us": micros[len(micros) * 99 // 100],
    }


if __name__ == "__main__":
    port, file, connections, calls = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(main(int(port), Path(file).read_bytes(), int(connections), int(calls)))
    print(json.dumps(figures))

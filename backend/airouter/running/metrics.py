"""`/metrics` on its own address: what the supervisor knows of its workers, in Prometheus' text format.

What a call costs and how long it takes is in the usage records; here is what a machine is watched by.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from airouter.running.workers import Say, Workers
from airouter.settings import Address

REQUEST_BYTES_MAX = 8192
REQUEST_SECONDS_MAX = 5.0


def render(workers: Workers) -> str:
    """The page. CPU and memory come from /proc, and are left out where there is none."""
    running = workers.running
    lines = [
        "# HELP airouter_workers Serving processes that run.",
        "# TYPE airouter_workers gauge",
        f"airouter_workers {len(running)}",
        "# HELP airouter_worker_failures_total Serving processes that ended unasked.",
        "# TYPE airouter_worker_failures_total counter",
        f"airouter_worker_failures_total {workers.failures}",
    ]
    used = {slot: seen for slot, pid in running.items() if (seen := _used_by(pid)) is not None}
    if used:
        lines += [
            "# HELP airouter_worker_cpu_seconds_total User and system time of a serving process.",
            "# TYPE airouter_worker_cpu_seconds_total counter",
            *(f'airouter_worker_cpu_seconds_total{{worker="{slot}"}} {cpu:.2f}' for slot, (cpu, _) in used.items()),
            "# HELP airouter_worker_resident_bytes Memory of a serving process.",
            "# TYPE airouter_worker_resident_bytes gauge",
            *(f'airouter_worker_resident_bytes{{worker="{slot}"}} {rss}' for slot, (_, rss) in used.items()),
        ]
    return "\n".join(lines) + "\n"


def _used_by(pid: int) -> tuple[float, int] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])  # utime, stime; rss (man 5 proc_pid_stat)
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def metrics_served(address: Address | None, workers: Workers, say: Say) -> AsyncGenerator[Address | None]:
    """Answers GET /metrics within the block, at the address that it yields (port 0 takes any). An address in use is
    said, and no reason not to serve.
    """
    if address is None:
        yield None
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_SECONDS_MAX)
            found = head.startswith((b"GET /metrics ", b"GET /metrics?"))
            body = render(workers).encode() if found else b"GET /metrics\n"
            status = b"200 OK" if found else b"404 Not Found"
            kind = b"text/plain; version=0.0.4; charset=utf-8"
            parts = (status, kind, len(body), body)
            writer.write(
                b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % parts
            )
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks badly gets nothing
        finally:
            writer.close()

    try:
        server = await asyncio.start_server(answer, address.host, address.port, limit=REQUEST_BYTES_MAX)
    except OSError as error:
        say(f"no metrics: {address} cannot be listened on ({error.strerror}); see AIROUTER_METRICS_ADDR")
        yield None
        return
    async with server:
        yield Address(host=address.host, port=server.sockets[0].getsockname()[1])

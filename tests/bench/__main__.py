"""`make bench`: what a call costs in CPU, beside a bare forwarder, with everything on. One table.

The gateway runs as in production (its own processes, durable Postgres, key, limits, hold, journal, settlement) on one
core; load and provider share the other. CPU is user and system time of all gateway processes per call; rounds are
interleaved, so that a noisy moment hits everybody alike. A figure is printed only if every call of its round was
answered and is in the books at its exact cost.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from airouter.domain.policy import Network
from airouter.running.postgres import EmbeddedPostgres
from airouter.services.books import audit
from airouter.storage.database import connect
from airouter.storage.migrate import migrate
from tests.bench.upstream import COMPLETION_TOKENS, PROMPT_TOKENS
from tests.live import RATES, Furniture, Holder

ROUNDS: Final = int(os.environ.get("AIROUTER_BENCH_ROUNDS", "5"))
CONNECTIONS: Final = 16
TRANSLATED_MAX: Final = 5
"""A translated call may cost so many times what the same call costs where bytes pass through."""
POSTGRES_BUDGET_US: Final = 30
GATEWAY_CORE, OTHER_CORE = 0, 1
COST: Final = -(-(PROMPT_TOKENS * RATES["input"] + COMPLETION_TOKENS * RATES["output"]) // 1_000_000) + RATES["request"]
PORT: Final = 18999
FLOOR: Final = "bare forwarder"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of call. `like` names the kind that passes through, for one that is translated."""

    calls: int
    path: str = "/v1/chat/completions"
    is_stream: bool = False
    budget_us: int | None = None
    like: str | None = None


KINDS: Final = {
    "JSON call": Kind(calls=4000, budget_us=150),
    "100-chunk stream": Kind(calls=2000, is_stream=True, budget_us=250),
    "JSON translated": Kind(calls=2000, path="/v1/messages", like="JSON call"),
    "stream translated": Kind(calls=1000, path="/v1/messages", is_stream=True, like="100-chunk stream"),
}
"""The provider speaks chat completions; the translated calls come from a client of Anthropic's dialect."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one subject did in one round of one kind of call."""

    cpu_us: float
    postgres_us: float
    per_second: float
    p50_us: int
    p99_us: int


def main() -> None:
    """Everything, in a scratch folder."""
    with tempfile.TemporaryDirectory(prefix="airouter-bench-") as scratch:
        os.chmod(scratch, 0o755)
        asyncio.run(bench(Path(scratch)))


async def bench(scratch: Path) -> None:
    load = load_generator(scratch)
    postgres = EmbeddedPostgres(scratch / "postgres")
    await postgres.start()
    dsn = postgres.dsn("postgres")
    try:
        with (
            started("tests.bench.upstream") as (_, upstream),
            started("tests.bench.forwarder", upstream) as (floor, port),
        ):
            await migrate(dsn)
            holder = await furnish(dsn, upstream)
            with serving(scratch, dsn) as gateway:
                await until_ready()
                subjects = {FLOOR: (floor.pid, int(port)), "AI Router": (gateway.pid, PORT)}
                figures = await measure(load, subjects, scratch, dsn, holder)
            connection = await connect(dsn, as_owner=True)
            books = await audit(connection)
            await connection.close()
            if not books.ok:
                sys.exit(f"the books do not balance, so there are no figures: {books.problems}")
            report(figures, is_python=load[0] == sys.executable)
    finally:
        await postgres.stop()


async def measure(
    load: list[str], subjects: dict[str, tuple[int, int]], scratch: Path, dsn: str, holder: Holder
) -> dict[tuple[str, str], list[Round]]:
    """Interleaved rounds; the first of each subject warms up and is not counted."""
    figures: dict[tuple[str, str], list[Round]] = {}
    books = await asyncpg.connect(dsn)
    settled = 0
    for number in range(ROUNDS + 1):
        for kind, of in KINDS.items():
            for name, (pid, port) in subjects.items():
                calls = of.calls
                if name == FLOOR and of.like is not None:  # it forwards bytes and translates nothing
                    continue
                request = scratch / "request"
                request.write_bytes(http_request(holder.key, is_stream=of.is_stream, path=of.path))
                before, postgres_before = cpu_ns(pid), postgres_ns()
                done = await run_load(load, port, request, calls)
                if name != FLOOR:
                    settled += done["answered"]
                    await reconcile(books, settled)
                after, postgres_after = cpu_ns(pid), postgres_ns()
                if done["answered"] != calls or done["refused"]:
                    sys.exit(f"{name}: not every call was answered, so there is no figure: {done}")
                if number:
                    figures.setdefault((kind, name), []).append(
                        Round(
                            cpu_us=(after - before) / calls / 1000,
                            postgres_us=(postgres_after - postgres_before) / calls / 1000,
                            per_second=calls / done["seconds"],
                            p50_us=done["p50_us"],
                            p99_us=done["p99_us"],
                        )
                    )
    await books.close()
    return figures


async def reconcile(books: asyncpg.Connection, calls: int) -> None:
    """Waits until every call so far is in the books, at its exact cost."""
    for _ in range(1000):
        count, charged = await books.fetchrow("SELECT count(*), coalesce(sum(charged), 0) FROM usage_records")
        if count == calls:
            if charged != calls * COST:
                sys.exit(f"{calls} calls were charged {charged}, not {calls * COST}: there are no figures")
            return
        await asyncio.sleep(0.01)
    sys.exit(f"{count} of {calls} calls are in the books after ten seconds: there are no figures")


def report(figures: dict[tuple[str, str], list[Round]], *, is_python: bool) -> None:
    """The table."""
    print(
        f"\n{ROUNDS} interleaved rounds, {CONNECTIONS} connections, closed loop, gateway on one core; medians (min-max)"
    )
    if is_python:
        print("load generator: Python (no C compiler found), so throughput and latency are those of the generator")
    heads = ("CPU us per call", 22), ("budget", 10), ("Postgres us", 13), ("calls/s", 10), ("p50 us", 9), ("p99 us", 9)
    print("\n" + " " * 35 + "".join(f"{head:>{width}}" for head, width in heads))
    for (kind, name), rounds in figures.items():
        cpu = [one.cpu_us for one in rounds]
        spread = f"{statistics.median(cpu):.0f} ({min(cpu):.0f}-{max(cpu):.0f})"
        is_ours = name != FLOOR
        database = f"{_median(rounds, 'postgres_us'):.0f}/{POSTGRES_BUDGET_US}" if is_ours else ""
        print(
            f"{kind:18}{name:17}{spread:>22}{_budget(kind, figures) if is_ours else '':>10}{database:>13}"
            f"{_median(rounds, 'per_second'):>10.0f}{_median(rounds, 'p50_us'):>9.0f}{_median(rounds, 'p99_us'):>9.0f}"
        )
    print("\nEvery call was charged exactly, and the audit found no drift.")


def _budget(kind: str, figures: dict[tuple[str, str], list[Round]]) -> str:
    """Microseconds; for a translated call, what it may cost and does cost in multiples of the one it is like."""
    of = KINDS[kind]
    if of.like is None:
        return str(of.budget_us)
    ours, like = (_median(figures[one, "AI Router"], "cpu_us") for one in (kind, of.like))
    return f"{ours / like:.1f}x/{TRANSLATED_MAX}x"


def _median(rounds: list[Round], figure: str) -> float:
    return statistics.median(getattr(one, figure) for one in rounds)


# -- processes


def load_generator(scratch: Path) -> list[str]:
    """The C one where there is a compiler, else the Python one."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return [sys.executable, "-m", "tests.bench.load"]
    made = scratch / "load"
    subprocess.run([compiler, "-O2", "-o", made, Path(__file__).parent / "load.c"], check=True)
    return [str(made)]


async def run_load(load: list[str], port: int, request: Path, calls: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *load, str(port), str(request), str(CONNECTIONS), str(calls), stdout=subprocess.PIPE
    )
    pin(process.pid, OTHER_CORE)
    out, _ = await process.communicate()
    if process.returncode:
        sys.exit(f"the load generator failed with {process.returncode}")
    return json.loads(out)


@contextmanager
def started(module: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A helper process and the port it prints."""
    core = GATEWAY_CORE if module.endswith("forwarder") else OTHER_CORE
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    pin(process.pid, core)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def serving(scratch: Path, dsn: str) -> Iterator[subprocess.Popen[bytes]]:
    """The gateway as in production, one worker."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIROUTER_")},
        "AIROUTER_MODE": "production",
        "AIROUTER_HOME": str(scratch / "home"),
        "AIROUTER_DATABASE_URL": dsn,
        "AIROUTER_SECRET_KEYS": Furniture.SECRET_KEYS,
        "AIROUTER_PUBLIC_URL": f"http://127.0.0.1:{PORT}",
        "AIROUTER_PORT": str(PORT),
        "AIROUTER_METRICS_ADDR": "off",
        "AIROUTER_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen([sys.executable, "-m", "airouter", "serve"], env=environment)
    pin(process.pid, GATEWAY_CORE)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


async def until_ready() -> None:
    for _ in range(300):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            writer.write(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")
            status = await reader.readline()
            writer.close()
            if b" 200 " in status:
                return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    sys.exit("the gateway did not become ready")


async def furnish(dsn: str, upstream: str) -> Holder:
    """A model at the tests' rates, a channel to the provider, an account with enough."""
    furniture = Furniture(dsn)
    await furniture.policy(Network(allow_private=True))
    await furniture.model("bench")
    await furniture.channel(
        "bench",
        "openai-compatible",
        base_url=f"http://127.0.0.1:{upstream}/v1",
        credentials=["sk-up"],
        models=["bench"],
    )
    holder = await furniture.holder(quota=10**15)
    await furniture.close()
    return holder


def http_request(key: str, *, is_stream: bool, path: str = "/v1/chat/completions") -> bytes:
    """What an SDK sends. Its few members mean the same in both dialects, but for the maximum that one of them wants."""
    message = {"role": "user", "content": "Summarise the following text in one sentence. " * 20}
    asked: dict[str, Any] = {"model": "bench", "messages": [message], "temperature": 0.2}
    if path == "/v1/messages":
        asked["max_tokens"] = 4096
    if is_stream:
        asked["stream"] = True
    body = json.dumps(asked, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        "User-Agent: OpenAI/Python 3.0.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Runtime: CPython\r\n"
        "X-Stainless-OS: Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Async: async:asyncio\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# -- CPU time


def pin(pid: int, core: int) -> None:
    """Keeps a process that was just started, and what it will start, on this core, if the machine has it."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(pid, {core})


def cpu_ns(pid: int) -> int:
    """Nanoseconds on a CPU of a process and its children."""
    return sum(_own_ns(one) for one in _family(pid))


def postgres_ns() -> int:
    """Nanoseconds of every Postgres process on this machine, those that ended within the round left out."""
    found = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "comm").read_text().startswith("postgres"):
                    found += _own_ns(int(entry.name))
            except OSError:
                continue
    return found


def _own_ns(pid: int) -> int:
    try:
        return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    except OSError:
        return 0


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


if __name__ == "__main__":
    main()

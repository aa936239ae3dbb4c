"""Workers share a port, come back when they die, and leave without losing a call."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from airouter.running.errors import CannotStart, PortTaken
from airouter.running.metrics import metrics_served
from airouter.running.workers import Workers, reserve
from airouter.settings import Address
from tests.patience import PATIENCE_SECONDS, PATIENCE_WITH_PROCESSES_SECONDS, until

ROOT = Path(__file__).parents[2]
ENVIRON = {**os.environ, "AIROUTER_MODE": "demo", "PYTHONPATH": str(ROOT)}
LONG_SECONDS = 600
"""Never over while a test runs."""


@pytest.fixture
def said() -> list[str]:
    return []


@contextlib.asynccontextmanager
async def running(said: list[str], count: int = 1, **environ: str) -> AsyncIterator[Workers]:
    workers = Workers(
        host="127.0.0.1",
        port=0,
        count=count,
        stop_seconds=LONG_SECONDS,
        say=said.append,
        environ={**ENVIRON, **environ},
        application="tests.running.stand_in:create_app",
        http="httptools",
    )
    try:
        await workers.start()
        yield workers
    finally:
        await workers.stop()


def client_of(workers: Workers) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{workers.port}", timeout=PATIENCE_SECONDS)


async def get(workers: Workers, path: str) -> httpx.Response:
    async with client_of(workers) as client:
        return await client.get(path)


async def test_every_worker_answers_on_the_shared_port(said: list[str]) -> None:
    async with running(said, count=2) as workers:
        seen: set[int] = set()
        while len(seen) < 2:
            seen.add(int((await get(workers, "/")).text))
        assert seen == set(workers.pids)


async def test_a_killed_worker_is_started_again_and_that_is_said(said: list[str]) -> None:
    async with running(said) as workers:
        (killed,) = workers.pids
        os.kill(killed, signal.SIGKILL)

        async def another_answers() -> bool:
            try:
                return int((await get(workers, "/")).text) != killed
            except httpx.TransportError:
                return False

        await until(another_answers, PATIENCE_WITH_PROCESSES_SECONDS)
        assert any("SIGKILL" in line and "starting again" in line for line in said)


async def test_metrics_tell_of_workers_and_their_failures_on_an_address_of_their_own(said: list[str]) -> None:
    anywhere = Address(host="127.0.0.1", port=0)
    async with running(said, count=2) as workers, metrics_served(anywhere, workers, said.append) as address:
        os.kill(workers.running[0], signal.SIGKILL)
        await until(lambda: workers.failures == 1)
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            page = (await client.get(f"http://{address}/metrics")).text
            assert (await client.get(f"http://{address}/")).status_code == 404
    assert "airouter_worker_failures_total 1" in page
    assert re.search(r'airouter_worker_resident_bytes\{worker="1"\} \d{7,}', page)


async def test_an_address_in_use_for_metrics_is_said_and_does_not_stop_serving(said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(host="127.0.0.1", port=taken.getsockname()[1])
        async with running(said) as workers, metrics_served(address, workers, said.append):
            assert (await get(workers, "/")).status_code == 200
    assert any("AIROUTER_METRICS_ADDR" in line for line in said)


async def test_a_call_in_flight_is_answered_before_the_process_ends(said: list[str], tmp_path: Path) -> None:
    wait_for = tmp_path / "go on"
    async with (
        running(said, STAND_IN_WAITS_FOR=str(wait_for), AIROUTER_DRAIN_SECONDS=str(LONG_SECONDS)) as workers,
        client_of(workers) as client,
        client.stream("GET", "/slow") as answer,
    ):
        parts = answer.aiter_text()
        text = await anext(parts)
        stopping = asyncio.create_task(workers.stop())

        async def takes_no_more() -> bool:
            try:
                await get(workers, "/")
            except httpx.TransportError as error:
                return isinstance(error, httpx.ConnectError)
            return False

        await until(takes_no_more)
        assert text == "slow", "it is not over"
        wait_for.touch()
        assert text + "".join([part async for part in parts]) == "slowly"
        await stopping
    assert said == []


async def test_a_draining_worker_says_not_ready_first_and_still_serves(said: list[str]) -> None:
    async with running(said, AIROUTER_DRAIN_NOTICE_SECONDS=str(LONG_SECONDS)) as workers:
        stopping = asyncio.create_task(workers.stop())
        while (ready := await get(workers, "/readyz")).status_code == 200:
            await asyncio.sleep(0.01)
        assert ready.status_code == 503
        assert "draining" in ready.text
        assert (await get(workers, "/")).status_code == 200
        workers.hurry()
        await stopping
        with pytest.raises(httpx.ConnectError):
            await get(workers, "/")


async def test_a_worker_that_cannot_start_is_an_error_of_the_start(said: list[str]) -> None:
    with pytest.raises(CannotStart, match="ended before it was ready"):
        async with running(said, STAND_IN_FAILS="1"):
            pass


def test_a_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} .*AIROUTER_PORT="):
            reserve("127.0.0.1", port)


def test_a_second_instance_does_not_share_the_port_silently() -> None:
    first = reserve("127.0.0.1", 0)
    try:
        with pytest.raises(PortTaken):
            reserve("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()


def test_an_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(CannotStart, match=r"Cannot listen on 192\.0\.2\.1"):
        reserve("192.0.2.1", 0)


SUPERVISOR = """
import asyncio
from airouter.running.workers import Workers

async def main():
    workers = Workers(host="127.0.0.1", port=0, count=1, stop_seconds=5, say=print,
                      application="tests.running.stand_in:create_app", http="httptools")
    await workers.start()
    print(workers.pids[0], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_workers_end_when_their_supervisor_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, env=ENVIRON, cwd=ROOT
    ) as supervisor:
        assert supervisor.stdout is not None
        worker = int(supervisor.stdout.readline())
        supervisor.kill()

    def is_gone() -> bool:
        try:
            return "Z" in Path(f"/proc/{worker}/stat").read_text().split(")")[1][:3]
        except (FileNotFoundError, ProcessLookupError):
            return True

    await until(is_gone)

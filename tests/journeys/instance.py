"""An instance as somebody gets it who types `make run`: its own Postgres, the demo, the API and the built console."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.builders import PASSWORD, grant, person
from tests.leaks import HEARD
from tests.patience import PATIENCE_SECONDS
from tests.ports import kept_port

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("airouter")
START_SECONDS = 180
STOP_SECONDS = 120
CATCH_UP_SECONDS = 1.0
"""The shorter of the two waits in the answer to a change; see airouter.app, whose figure is another one in tests."""
CONSOLE = Path(os.environ.get("AIROUTER_TEST_CONSOLE", ROOT / "frontend" / "dist"))
"""The built console; `make test` builds it first. Another build can be named while working on one."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can sign in."""

    email: str
    password: str


class Process:
    """One command of ours, with everything it said in a file."""

    def __init__(self, home: Path, *words: str, **environ: str) -> None:
        self.home = home
        self._log = home.parent / f"{words[0]}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AIROUTER_")}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.lifeline", *words],
                cwd=ROOT,
                env={**clean, "AIROUTER_HOME": str(home), "AIROUTER_METRICS_ADDR": "off", **environ},
                stdin=subprocess.PIPE,  # closed by our death, however it comes
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    async def wait_for(self, url: str) -> None:
        """Until it answers there."""
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient() as client:
            while True:
                assert self._process.poll() is None, self.said
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(url)).status_code == 200:
                        return
                await asyncio.sleep(0.05)

    async def wait_for_file(self, name: str) -> bytes:
        """Until it has written this file into its home."""
        async with asyncio.timeout(START_SECONDS):
            while not (self.home / name).exists():
                assert self._process.poll() is None, self.said
                await asyncio.sleep(0.05)
        return (self.home / name).read_bytes()

    async def end(self) -> None:
        """As Ctrl-C does, then for good. Whoever it talks to at the last may be a task of ours."""
        self._process.send_signal(signal.SIGINT)
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        HEARD.add(self.said)


class Instance:
    """A running instance and its people."""

    def __init__(self, process: Process, card: dict[str, Any], dsn: str) -> None:
        self.process = process
        self.console_url: str = card["console_url"]
        self.base_url: str = card["base_url"]
        self.model: str = card["model"]
        self.operator = Account(**card["operator"])
        self.dsn = dsn

    async def person(self, *, quota: int = 0, **who: Any) -> Account:
        """A new account holder, with this much on the wallet."""
        email, joined = await person(self.dsn, **who)
        if quota:
            await grant(self.dsn, joined.account_id, quota)
        return Account(email=email, password=PASSWORD)

    @asynccontextmanager
    async def api(self, who: Account) -> AsyncIterator[httpx.AsyncClient]:
        """The management API, asked by this person."""
        async with httpx.AsyncClient(base_url=f"{self.console_url}/api/v1/", timeout=PATIENCE_SECONDS) as client:
            answer = await client.post("auth/login", json={"email": who.email, "password": who.password})
            assert answer.status_code == 200, answer.text
            client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
            yield client

    async def policy(self, topic: str) -> dict[str, Any]:
        async with self.api(self.operator) as operator:
            return (await operator.get(f"admin/policies/{topic}")).json()

    async def set_policy(self, topic: str, value: dict[str, Any]) -> None:
        async with self.api(self.operator) as operator:
            answer = await operator.put(f"admin/policies/{topic}", json=value)
            assert answer.status_code == 200, answer.text
        await self.in_force()

    async def in_force(self) -> None:
        """Returns when the instance works by everything that was committed before.

        The answer to a change waits for that, but not for long: the one that comes sooner has seen it.
        """
        async with asyncio.timeout(PATIENCE_SECONDS), self.api(self.operator) as operator:
            address = "admin/policies/routing"
            routing = (await operator.get(address)).json()
            answer = await operator.put(address, json=routing)
            while answer.elapsed.total_seconds() >= CATCH_UP_SECONDS:
                answer = await operator.put(address, json=routing)
            assert answer.status_code == 200, answer.text

    async def audit(self) -> dict[str, Any]:
        """What `airouter audit --json` says beside the running instance."""
        audit = await asyncio.create_subprocess_exec(
            str(PROGRAM), "audit", "--json", "--full",
            cwd=ROOT,
            env={**os.environ, "AIROUTER_HOME": str(self.process.home)},
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await audit.communicate()
        return {**json.loads(said), "exit": audit.returncode}


async def receipt(api: httpx.AsyncClient, request_id: str) -> dict[str, Any]:
    """Of a call that was answered; Postgres has it a moment later."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (answer := await api.get(f"usage/{request_id}")).status_code == 404:
            await asyncio.sleep(0.05)
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextmanager
def folder() -> Iterator[Path]:
    """A place for a home, which Postgres' own user can get into; pytest's folders are closed to it."""
    made = Path(tempfile.mkdtemp(prefix="airouter-journeys-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@asynccontextmanager
async def started(**more: str) -> AsyncIterator[Instance]:
    """`airouter up` in demo mode on a free port, with these variables besides; at the end its books are audited."""
    assert (CONSOLE / "index.html").exists(), f"{CONSOLE} has no console: `make test` builds it"
    with folder() as place:
        environ = {"AIROUTER_MODE": "demo", "AIROUTER_PORT": "0", **more}
        process = Process(place / "home", "up", "--console", str(CONSOLE), **environ)
        try:
            card = json.loads(await process.wait_for_file("demo.json"))
            dsn = json.loads(await process.wait_for_file("instance.json"))["database_url"]
            running = Instance(process, card, dsn)
            yield running
            report = await running.audit()
            assert (report["exit"], report["ok"], report["drift"]) == (0, True, 0), report
        finally:
            await process.end()


@asynccontextmanager
async def served_apart(instance: Instance, host: str) -> AsyncIterator[tuple[str, str]]:
    """(address of the API, of the console) of a second server on the instance's database: `airouter serve` and
    `airouter console`, under this name of the machine.
    """
    with kept_port() as api_port, kept_port() as console_port, folder() as place:
        api, console, home = f"http://{host}:{api_port}", f"http://{host}:{console_port}", place / "home"
        common = {
            "AIROUTER_MODE": "demo",
            "AIROUTER_PUBLIC_URL": api,
            "AIROUTER_CONSOLE_URL": console,
            "AIROUTER_DATABASE_URL": instance.dsn,
            "AIROUTER_SECRET_KEYS": (instance.process.home / "secret-keys").read_text().strip(),
        }
        processes = [
            Process(home, "serve", **common, AIROUTER_PORT=str(api_port)),
            Process(home, "console", "--console", str(CONSOLE), **common, AIROUTER_PORT=str(console_port)),
        ]
        try:
            await processes[0].wait_for(f"http://127.0.0.1:{api_port}/readyz")
            await processes[1].wait_for(f"http://127.0.0.1:{console_port}/config.json")
            yield api, console
        finally:
            for process in processes:
                await process.end()

"""Keeps the serving processes: as many as asked for, each on its own socket, started again when one dies.

Several processes on one shared socket leave new connections hanging while one of them drains; with SO_REUSEPORT each
has a socket of its own and closes it first.
"""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from airouter.running.errors import CannotStart, PortTaken
from airouter.running.worker import READY

APPLICATION = "airouter.app:create_app"
PROTOCOL = "airouter.api.hot:HotProtocol"
BACK_OFF_SECONDS = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
HEALTHY_AFTER_SECONDS = 60.0  # a worker that lasted this long starts its back-off anew
KILL_AFTER_SECONDS = 5.0  # beyond what draining may take

Say = Callable[[str], None]


def reserve(host: str, port: int) -> socket.socket:
    """Find out whether the address is free and keep it for our workers; port 0 takes any.

    The socket returned never listens, so no connection goes to it; while it is open nobody without SO_REUSEPORT gets
    the port, and a second instance of ours is told.

    Raises: PortTaken, CannotStart.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # Without SO_REUSEPORT first: with it we would silently share the port with another instance of our own.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
            port = probe.getsockname()[1]
        return _placeholder(family, host, port)
    except socket.gaierror as error:
        raise CannotStart(f"AIROUTER_HOST {host!r} is not an address of this machine ({error.strerror}).") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"Port {port} on {host} is in use by another program. Stop that one, or choose another port: "
                f"AIROUTER_PORT={port + 1 if port < 65535 else 8080} make run"
            ) from error
        if error.errno == errno.EACCES:
            raise CannotStart(
                f"Port {port} needs privileges that we do not have; set AIROUTER_PORT to 1024 or more."
            ) from error
        raise CannotStart(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


def _placeholder(family: int, host: str, port: int) -> socket.socket:
    held = socket.socket(family, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        # Without SO_REUSEADDR: where both sides had it, the probe of a second instance would be let in.
        held.bind((host, port))
    except OSError:
        # Connections of another program's past are still winding down here.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind((host, port))
    return held


class Workers:
    """The serving processes of one instance."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        count: int,
        stop_seconds: float,
        say: Say,
        environ: Mapping[str, str] | None = None,
        console: Path | None = None,
        application: str = APPLICATION,
        http: str = PROTOCOL,
    ) -> None:
        self._reserved = reserve(host, port)
        self.host, self.port = host, int(self._reserved.getsockname()[1])
        self._count = count
        self._environ = dict(os.environ if environ is None else environ)
        self._stop_seconds = stop_seconds
        self._say = say
        self._command = [sys.executable, "-m", "airouter.running.worker", "--host", host, "--port", str(self.port)]
        self._command += ["--application", application, "--http", http]
        if console is not None:
            self._command += ["--console", str(console)]
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self.failures = 0
        """How often a worker ended unasked."""

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        return [process.pid for process in self._processes.values()]

    @property
    def running(self) -> dict[int, int]:
        """Process ids by worker."""
        return {slot: process.pid for slot, process in self._processes.items()}

    def set_environment(self, environ: Mapping[str, str]) -> None:
        """What workers started from now on inherit."""
        self._environ = dict(environ)

    async def start(self) -> None:
        """Start every worker and return when all of them may take traffic.

        Raises: CannotStart when one ends before it was ready.
        """
        first: list[asyncio.Future[None]] = []
        for slot in range(self._count):
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            first.append(ready)
            self._keepers.append(asyncio.create_task(self._keep(slot, ready)))
        try:
            await asyncio.gather(*first)
        except BaseException:
            for future in first:
                future.cancel()
            raise

    def release(self) -> None:
        """Give the port back."""
        self._reserved.close()

    async def stop(self) -> None:
        """Let every worker drain; end those that do not finish in time. Safe to call more than once."""
        self._is_stopping = True
        for process in self._processes.values():
            _signal(process, signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.gather(*self._keepers), self._stop_seconds + KILL_AFTER_SECONDS)
        except TimeoutError:
            self._say("workers did not finish in time and are ended")
        finally:
            for process in self._processes.values():
                _signal(process, signal.SIGKILL)
            for keeper in self._keepers:
                keeper.cancel()
            self.release()

    def hurry(self) -> None:
        """End the workers without waiting for calls in flight."""
        for process in self._processes.values():
            _signal(process, signal.SIGTERM)

    def restart(self) -> None:
        """Replace every worker: each drains, and its keeper starts the next."""
        for process in self._processes.values():
            _signal(process, signal.SIGTERM)

    async def _keep(self, slot: int, first_ready: "asyncio.Future[None]") -> None:
        failures = 0
        while not self._is_stopping:
            started = time.monotonic()
            process = await self._spawn(slot)
            is_ready = await self._wait_ready(process, first_ready)
            code = await process.wait()
            self._processes.pop(slot, None)
            if self._is_stopping:
                break
            if not first_ready.done():
                first_ready.set_exception(
                    CannotStart(f"A worker ended before it was ready ({_ending(code)}); see above.")
                )
                break
            if code == 0 and is_ready:  # drained on request
                continue
            failures = 1 if time.monotonic() - started > HEALTHY_AFTER_SECONDS else failures + 1
            self.failures += 1
            pause_seconds = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS)) - 1]
            self._say(f"worker {slot} ended ({_ending(code)}); starting again in {pause_seconds:g} s")
            await asyncio.sleep(pause_seconds)

    async def _spawn(self, slot: int) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,  # closed by our death, however it comes
            stdout=asyncio.subprocess.PIPE,
            env={**self._environ, "AIROUTER_WORKER": str(slot)},
            start_new_session=True,  # Ctrl-C in a terminal reaches us alone, and we stop them in order
        )
        self._processes[slot] = process
        if self._is_stopping:
            _signal(process, signal.SIGTERM)
        return process

    @staticmethod
    async def _wait_ready(process: asyncio.subprocess.Process, first_ready: "asyncio.Future[None]") -> bool:
        assert process.stdout is not None
        is_ready = await process.stdout.readline() == READY
        if is_ready and not first_ready.done():
            first_ready.set_result(None)
        return is_ready


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _ending(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit {code}"

"""The Postgres that `airouter up` and the tests bring along.

One server per place, reachable only through a socket in a directory that nobody else may enter, hence without a
password. It outlives us when we are killed; the next start adopts it. A place looks like this:

    data/           made by initdb beside it and renamed, so that it is there whole or not at all
    run/            the socket (in a short temporary directory instead where the path would be too long)
    binaries/       a copy of the programs, only where the server's user cannot read the installed ones
    postgres.log
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from airouter.running.binaries import Binaries, ServerUser, find_binaries, server_user
from airouter.running.errors import CannotStart, OtherPostgresMajor

DATABASE = "airouter"
SUPERUSER = "postgres"
PORT = 5432  # only part of the socket's name
SOCKET_PATH_BYTES_MAX = 100  # sun_path holds 108 on Linux, 104 on macOS
LOG_BYTES_MAX = 10_000_000
START_TIMEOUT_SECONDS = 120.0  # a crash recovery may take its time
STOP_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.01

DURABLE = ("max_connections=200",)
# For tests: what a power cut would lose may be lost. A kill -9 must still lose nothing, hence no word here of
# synchronous_commit or full_page_writes.
NOT_DURABLE = (
    *DURABLE, "fsync=off", "checkpoint_timeout=1h", "max_wal_size=1GB", "autovacuum_naptime=5min", "jit=off",
)  # fmt: skip


class _Running(msgspec.Struct, frozen=True, kw_only=True):
    """What postmaster.pid says."""

    pid: int
    socket_directory: str
    is_ready: bool


class EmbeddedPostgres:
    """Starts, adopts and stops the server of one place. Not for two processes at once: the caller holds the lock."""

    def __init__(
        self,
        place: Path,
        *,
        options: tuple[str, ...] = DURABLE,
        binaries: Binaries | None = None,
        user: ServerUser | None = None,
    ) -> None:
        self._place = place.absolute()
        self._options = options
        self._user = user or server_user()
        self._installed = binaries or find_binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._socket_directory: Path | None = None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._place / "data"

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self._place / "postgres.log"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._pid

    def dsn(self, database: str = DATABASE) -> str:
        """Connection URL of `database`; the socket's directory is its only secret."""
        if self._socket_directory is None:
            message = "the server was not started"
            raise RuntimeError(message)
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self._socket_directory), safe='/')}&port={PORT}"

    async def start(self) -> None:
        """Make the data directory where there is none, adopt a server left behind or start one; return when ready.

        May be cancelled at any point; what was begun is then taken down again.

        Raises: OtherPostgresMajor, CannotStart.
        """
        self._prepare_place()
        if not await self.adopt():
            self._refuse_other_major()
            binaries = self._installed.readable_for(self._user, self._place)
            if not self.data.is_dir():
                await self._make_data(binaries)
            await self._clear_stale_lock()
            self._launch(binaries)
        try:
            await self._wait_ready()
        except BaseException:
            await asyncio.shield(self.stop())
            raise

    async def stop(self) -> None:
        """Stop the server: fast, then hard. Nothing happens where none runs."""
        pid, self._pid = self._pid, None
        if pid is not None:
            for sent, patience_seconds in ((signal.SIGINT, STOP_TIMEOUT_SECONDS), (signal.SIGQUIT, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sent)
                if await self._gone(pid, patience_seconds):
                    break
        if self._socket_directory is not None and self._socket_directory != self._place / "run":
            shutil.rmtree(self._socket_directory, ignore_errors=True)
        self._process = None

    def is_alive(self) -> bool:
        """Whether the server that was started or adopted still runs."""
        return self._pid is not None and not self._has_ended(self._pid)

    # -- making ------------------------------------------------------------------------------------------------

    def _prepare_place(self) -> None:
        self._place.mkdir(parents=True, exist_ok=True)
        self._place.chmod(0o711 if self._user.uid is not None else 0o700)
        for left_over in self._place.glob("data.unfinished-*"):
            shutil.rmtree(left_over, ignore_errors=True)

    def _refuse_other_major(self) -> None:
        try:
            written_by = (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            if self.data.is_dir():
                raise CannotStart(
                    f"{self.data} is not a Postgres data directory; move it away and start again."
                ) from None
            return
        if written_by != str(self._installed.major):
            raise OtherPostgresMajor(
                f"The data in {self.data} was written by PostgreSQL {written_by}, which the PostgreSQL "
                f"{self._installed.major} here cannot read: move that directory away (or `make clean-data`) to start "
                f"afresh, or serve it with PostgreSQL {written_by} and set AIROUTER_DATABASE_URL."
            )

    async def _make_data(self, binaries: Binaries) -> None:
        unfinished = self._place / f"data.unfinished-{os.getpid()}"
        unfinished.mkdir(mode=0o700)
        self._user.own(unfinished)
        try:
            await self._run(
                [binaries.initdb, "-D", unfinished, "-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "-k"]
                + ["--auth-local=trust", "--auth-host=reject", "--no-instructions"]
                + (["--no-sync"] if "fsync=off" in self._options else [])
            )
            create = f"CREATE DATABASE {DATABASE};\n".encode()
            await self._run([binaries.postgres, "--single", "-D", unfinished, "postgres"], create)
            unfinished.rename(self.data)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    async def _run(self, command: Sequence[str | Path], stdin: bytes = b"") -> None:
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for us to handle
                cwd="/",
                env=self._environment(),
                **self._user.spawn_options(),
            )
            try:
                assert process.stdin is not None
                process.stdin.write(stdin)
                process.stdin.close()
                while process.poll() is None:
                    await asyncio.sleep(POLL_SECONDS)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            if process.returncode:
                told.seek(0)
                text = told.read().decode(errors="replace").strip()
                raise CannotStart(f"{Path(command[0]).name} failed (exit {process.returncode}):\n{text[-2000:]}")

    # -- starting ----------------------------------------------------------------------------------------------

    def _launch(self, binaries: Binaries) -> None:
        self._socket_directory = self._make_socket_directory()
        options = (
            *self._options,
            "listen_addresses=",
            f"unix_socket_directories={self._socket_directory}",
            "unix_socket_permissions=0700",
            "timezone=UTC",
            "log_timezone=UTC",
        )
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.unlink()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [binaries.postgres, "-D", self.data, "-p", str(PORT), *(w for o in options for w in ("-c", o))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env=self._environment(),
                **self._user.spawn_options(),
            )
        self._pid = self._process.pid

    def _make_socket_directory(self) -> Path:
        if self._socket_directory is not None and self._socket_directory.is_dir():
            return self._socket_directory  # after a crash: whoever was connected finds the new server where the old was
        directory = self._place / "run"
        socket = directory / f".s.PGSQL.{PORT}.lock"
        # A space or a comma would be read as a list of directories.
        if len(os.fsencode(socket)) > SOCKET_PATH_BYTES_MAX or set(str(directory)) & set(" ,\"'"):
            parent = "/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir()  # noqa: S108 - mkdtemp makes it ours
            directory = Path(tempfile.mkdtemp(prefix="airouter-", dir=parent))
        directory.mkdir(mode=0o700, exist_ok=True)
        directory.chmod(0o700)
        self._user.own(directory)
        for left_over in directory.glob(".s.PGSQL.*"):
            left_over.unlink(missing_ok=True)
        return directory

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    async def _wait_ready(self) -> None:
        give_up = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            running = self._read_lock()
            if running is not None and running.pid == self._pid and running.is_ready:
                return
            if self._pid is None or self._has_ended(self._pid) or time.monotonic() > give_up:
                raise CannotStart(f"Postgres did not start. The end of {self.log}:\n{self._log_tail()}")
            await asyncio.sleep(POLL_SECONDS)

    def _log_tail(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        except FileNotFoundError:
            return "(empty)"

    # -- the one left behind -----------------------------------------------------------------------------------

    def _read_lock(self) -> _Running | None:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            status = lines[7].strip() if len(lines) > 7 else ""
            return _Running(pid=abs(int(lines[0])), socket_directory=lines[4], is_ready=status == "ready")
        except (FileNotFoundError, ValueError, IndexError):
            return None

    async def adopt(self) -> bool:
        """Take over the server of our data directory that somebody left running; one without its socket is stopped."""
        lock = self._read_lock()
        if lock is None or not self._is_our_server(lock.pid):
            return False
        self._pid = lock.pid
        if Path(lock.socket_directory).is_dir():
            self._socket_directory = Path(lock.socket_directory)
            return True
        await self.stop()
        return False

    def _is_our_server(self, pid: int) -> bool:
        """Whether `pid` is a Postgres working in our data directory, and not a stranger with a recycled number."""
        try:
            return os.readlink(f"/proc/{pid}/cwd") == str(self.data.resolve())
        except FileNotFoundError:
            if os.path.isdir("/proc/self"):
                return False
        except PermissionError:
            return False
        asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return "postgres" in asked.stdout and str(self.data) in asked.stdout

    async def _clear_stale_lock(self) -> None:
        """Remove the lock of a server that died.

        Postgres does so itself, but believes a lock whose number now belongs to some other process. What the lock
        protects from, children that outlived their server, is therefore waited for here.
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        give_up = time.monotonic() + STOP_TIMEOUT_SECONDS
        while children := [pid for pid in _process_ids() if self._is_our_server(pid)]:
            if time.monotonic() > give_up:
                raise CannotStart(
                    f"A Postgres that died left processes behind in {self.data}: {children}. End them first."
                )
            await asyncio.sleep(POLL_SECONDS)
        lock.unlink(missing_ok=True)

    # -- stopping ----------------------------------------------------------------------------------------------

    async def _gone(self, pid: int, patience_seconds: float) -> bool:
        give_up = time.monotonic() + patience_seconds
        while not self._has_ended(pid):
            if time.monotonic() > give_up:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def _has_ended(self, pid: int) -> bool:
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is not None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return not self._is_our_server(pid) if os.path.isdir("/proc/self") else False


async def stop_left_behind(place: Path) -> None:
    """Stop the server of `place` where one runs without its starter."""
    if (place / "data").is_dir():
        postgres = EmbeddedPostgres(place)
        await postgres.adopt()
        await postgres.stop()


def _process_ids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if os.path.isdir("/proc/self") else []

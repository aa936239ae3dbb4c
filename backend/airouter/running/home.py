"""AIROUTER_HOME: what an instance keeps on disk beside Postgres' rows.

lock               held while an instance runs
instance.json      how `airouter audit` reaches the running instance (0600)
demo.json          what a demo's visitor needs (0600); there while it may be used
demo-secrets.json  what the seeding of a demo made up (0600)
secret-keys        a demo's AIROUTER_SECRET_KEYS (0600)
postgres/          the embedded server, or postgres.json where it had to go elsewhere
journal/           charges not yet in Postgres
demo-payments/     what a demo's pretended payment company remembers (0600)
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TypeVar

import msgspec

from airouter.running.binaries import ServerUser
from airouter.running.errors import AlreadyRunning, CannotStart

# For root, where the project lies below a directory that Postgres' user may not enter.
Kind = TypeVar("Kind", bound=msgspec.Struct)
PLACES_ELSEWHERE = (Path("/var/lib/airouter"), Path("/var/tmp/airouter"))  # noqa: S108 - checked to be ours


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A running instance as its neighbours see it."""

    pid: int
    database_url: str
    base_url: str


class _Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    place: str


class Home:
    """One AIROUTER_HOME."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def prepare(self) -> None:
        """Make the directory.

        Raises: CannotStart where that is impossible.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # Root's Postgres runs as somebody else, who must get through but need not look around.
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        except OSError as error:
            raise CannotStart(f"AIROUTER_HOME {self.path} cannot be used: {error.strerror}.") from error

    def take(self) -> None:
        """Make this home ours until the process ends.

        Raises: AlreadyRunning.
        """
        self.prepare()
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
            os.close(lock)
            raise AlreadyRunning(
                f"AI Router already runs in {self.path} (process {holder}). Stop it first, or give this one another "
                "AIROUTER_HOME and AIROUTER_PORT."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        self._lock = lock

    def postgres_place(self, user: ServerUser) -> Path:
        """Where the embedded server lives: here, or where its user can get to."""
        recorded = self.read("postgres.json", _Elsewhere)
        if recorded is not None:
            return Path(recorded.place)
        here = self.path / "postgres"
        if user.uid is None or here.is_dir() or user.can("x", self.path):
            return here
        place = self._make_place_elsewhere()
        self.write("postgres.json", _Elsewhere(place=str(place)))
        return place

    def _make_place_elsewhere(self) -> Path:
        for parent in PLACES_ELSEWHERE:
            try:
                parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                if parent.stat().st_uid == os.geteuid():
                    return Path(tempfile.mkdtemp(dir=parent, prefix="postgres-"))
            except OSError:
                continue
        tried = " nor ".join(map(str, PLACES_ELSEWHERE))
        raise CannotStart(
            f"Postgres may not run as root, its user cannot get into {self.path}, and neither {tried} can be made: "
            "move the project out of the closed directory, or set AIROUTER_DATABASE_URL."
        )

    def read(self, name: str, kind: type[Kind]) -> Kind | None:
        """A file of this home, or None where there is none or it is not what it should be."""
        try:
            return msgspec.json.decode((self.path / name).read_bytes(), type=kind)
        except (FileNotFoundError, PermissionError, msgspec.MsgspecError):
            return None

    def write(self, name: str, content: msgspec.Struct) -> None:
        """Write a file that only its owner may read, whole or not at all."""
        text = json.dumps(msgspec.to_builtins(content), indent=2) + "\n"
        self.write_text(name, text)

    def write_text(self, name: str, text: str) -> None:
        """Write a file that only its owner may read, whole or not at all."""
        unfinished = self.path / f"{name}.unfinished"
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path / name)

    def forget(self, *names: str) -> None:
        """Remove files."""
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def running_instance(self) -> Instance | None:
        """The instance that runs here, if one does."""
        instance = self.read("instance.json", Instance)
        if instance is None:
            return None
        try:
            os.kill(instance.pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass
        return instance

    def wipe(self) -> None:
        """Remove everything an instance keeps here, and nothing else. The caller holds the lock; no server may run."""
        elsewhere = self.read("postgres.json", _Elsewhere)
        if elsewhere is not None:
            shutil.rmtree(elsewhere.place, ignore_errors=True)
        for folder in ("postgres", "journal", "demo-payments"):
            shutil.rmtree(self.path / folder, ignore_errors=True)
        self.forget("postgres.json", "instance.json", "demo.json", "demo-secrets.json", "secret-keys", "lock")
        with contextlib.suppress(OSError):  # somebody else's files are in it
            self.path.rmdir()

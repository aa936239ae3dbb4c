"""The journals of processes that are gone: whoever gets a journal's lock brings its records in."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from airouter.domain.ids import NodeId
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.journal import MAKING, remove_folder
from airouter.gateway.leases.quarantine import QUARANTINE, keep_file, keep_folder, keep_record
from airouter.gateway.leases.segment import read_segment


class JournalLocked(Exception):
    """Another process holds this journal, so its owner lives."""


class Orphan:
    """The journal of a process that is gone: this process holds its lock now."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.node_id = NodeId(UUID(folder.name))
        self._folder = folder
        self._lock = lock

    @classmethod
    def take(cls, folder: Path) -> "Orphan":
        """Raises JournalLocked while its owner lives, FileNotFoundError when somebody else brought it in."""
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(folder / "lock").st_ino != os.fstat(lock).st_ino:
                raise FileNotFoundError(str(folder))
        except BlockingIOError as error:
            os.close(lock)
            raise JournalLocked(str(folder)) from error
        except OSError:
            os.close(lock)
            raise
        return cls(folder, lock)

    def chunks(self, size: int) -> Iterator[list[UsageRecord]]:
        """Its records in the order they were written. Damage is copied to the quarantine, and ends that segment."""
        chunk: list[UsageRecord] = []
        for path in sorted(self._folder.glob("*.log"), key=lambda path: int(path.stem)):
            records, damage = read_segment(path)
            if damage:
                keep_file(self._folder.parent, self.node_id, path)
            for record in records:
                chunk.append(record)
                if len(chunk) == size:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk

    def remove(self) -> None:
        """Its records are in Postgres."""
        remove_folder(self._folder)

    def set_aside(self) -> Path:
        """A journal of a node that Postgres never heard of: kept for a person, never charged."""
        return keep_folder(self._folder, self.node_id)

    def keep(self, record: UsageRecord) -> Path:
        """Put aside one record that Postgres refuses."""
        return keep_record(self._folder.parent, self.node_id, record)

    def release(self) -> None:
        os.close(self._lock)


def orphan_folders(directory: Path) -> list[Path]:
    """Every journal folder on this machine. Whether it is an orphan shows when its lock is tried."""
    found = []
    for folder in directory.iterdir() if directory.is_dir() else ():
        if folder.name.startswith(MAKING):
            _clear_unfinished(folder)
        elif folder.name != QUARANTINE and folder.is_dir() and _is_node_id(folder.name):
            if (folder / "lock").exists():
                found.append(folder)
            else:
                with contextlib.suppress(OSError):
                    folder.rmdir()  # its removal was interrupted: the lock goes last
    return sorted(found)


def _is_node_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


def _clear_unfinished(folder: Path) -> None:
    """A process died between making its folder and naming it. Nothing was written there."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > 60:
            shutil.rmtree(folder)

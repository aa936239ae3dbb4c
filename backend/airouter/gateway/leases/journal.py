"""The journal: what this process charged and Postgres has not confirmed yet. One directory per machine, on a local
disk.

    <directory>/<node_id>/lock       held with flock for the life of the book; whoever gets it may bring the journal in
    <directory>/<node_id>/<n>.log    segments, one record after the other (`segment.py`)
    <directory>/quarantine/          what could not be read or charged, for a person to look at (`quarantine.py`)

What a process leaves behind is brought in by another (`orphan.py`).
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.quarantine import keep_record
from airouter.gateway.leases.segment import NOTHING, Segment
from airouter.gateway.leases.settings import CreditSettings

MAKING: Final = ".making-"
"""How the name of a folder begins until its lock is held."""

_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")


class JournalFailed(Exception):
    """The disk refused the record. It will be settled from memory; the answer's last byte waits for
    `Credit.confirmed`.
    """

    def __init__(self, record: UsageRecord | None, cause: OSError) -> None:
        self.record = record
        super().__init__(f"the journal cannot be written: {cause}")


class Journal:
    """The journal of one book, written by its process alone."""

    def __init__(self, directory: Path, node_id: NodeId, settings: CreditSettings) -> None:
        self.node_id = node_id
        self.failure: OSError | None = None
        """Why nothing can be written at the moment."""
        self._settings = settings
        self._folder = directory / str(node_id)
        self._always = settings.journal_sync == "always"
        self._segments: list[Segment] = []
        self._number = 0
        self._guard = threading.Lock()  # between this thread and that of fdatasync: descriptors are not closed under it
        _make_directory(directory)
        making = directory / f"{MAKING}{node_id}"
        making.mkdir(mode=0o700)
        self._lock = os.open(making / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        making.rename(self._folder)  # appears with the lock held, so nobody can take it for an orphan
        _sync_directory(directory)
        self._open_segment()

    @property
    def size_bytes(self) -> int:
        """What all segments take on disk."""
        return sum(segment.size_bytes for segment in self._segments)

    @property
    def unconfirmed_bytes(self) -> int:
        """What segments with unconfirmed records take: the backlog."""
        return sum(segment.size_bytes for segment in self._segments if segment.unconfirmed)

    def append(self, record: UsageRecord) -> Segment:
        """Write one record. It survives the end of this process as soon as this returns.

        Raises:
            JournalFailed: the disk is full or broken. Nothing was written.
            UnicodeEncodeError: a text of the record is none; nothing was written either.
        """
        payload = _encoder.encode(record)
        try:
            segment = self._segments[-1]
            if segment.size_bytes >= self._settings.journal_segment_bytes or segment.is_sealed:
                segment = self._open_segment()
            segment.write(payload, self._always)
        except OSError as error:
            self.failure = error
            raise JournalFailed(record, error) from error
        segment.unconfirmed += 1
        return segment

    def probe(self) -> bool:
        """Whether the disk takes records again after a failure."""
        try:
            if self._segments[-1].is_sealed:
                self._open_segment()
            self._segments[-1].write(NOTHING, self._always)
            os.fdatasync(self._segments[-1].descriptor)
        except OSError as error:
            self.failure = error
            return False
        self.failure = None
        return True

    def confirmed(self, segment: Segment) -> None:
        """One record of this segment is in Postgres for good."""
        segment.unconfirmed -= 1

    def trim(self) -> None:
        """Remove segments whose records are all confirmed, once they are old enough."""
        now = time.monotonic()
        if (
            self._segments[-1].size_bytes
            and not self._segments[-1].unconfirmed
            and now - self._segments[-1].opened_at > self._settings.journal_keep_ms / 1000
        ):
            with contextlib.suppress(OSError):
                self._open_segment()
        for segment in self._segments[:-1]:
            if not segment.unconfirmed and now - segment.opened_at > self._settings.journal_keep_ms / 1000:
                segment.path.unlink(missing_ok=True)
                self._close(segment)
                self._segments.remove(segment)

    def sync_to_disk(self) -> None:
        """Fdatasync what was written since the last time. Runs in a thread."""
        for segment in list(self._segments):
            if not segment.is_dirty:
                continue
            with self._guard:
                if segment.descriptor < 0:
                    continue
                segment.is_dirty = False
                try:
                    os.fdatasync(segment.descriptor)
                except OSError as error:  # the kernel may have dropped the pages: nothing after them counts as written
                    segment.is_sealed = True
                    self.failure = error

    def release(self) -> None:
        """Let go of the lock: from now on the journal is an orphan, and whoever finds it brings it in."""
        for segment in self._segments:
            self._close(segment)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def remove(self) -> None:
        """The node is closed: nothing in here is needed any more."""
        remove_folder(self._folder)
        self.release()

    def quarantine(self, record: UsageRecord) -> Path:
        """Keep a record that Postgres refuses where a person can find it."""
        return keep_record(self._folder.parent, self.node_id, record)

    def _open_segment(self) -> Segment:
        segment = Segment(self._folder / f"{self._number + 1}.log", time.monotonic())
        self._number += 1
        if self._segments:
            self._segments[-1].is_sealed = True
        self._segments.append(segment)
        _sync_directory(self._folder)
        return segment

    def _close(self, segment: Segment) -> None:
        with self._guard:
            if segment.descriptor >= 0:
                os.close(segment.descriptor)
                segment.descriptor = -1


def without_texts(record: UsageRecord) -> UsageRecord:
    """The record without what others wrote into it."""
    return msgspec.structs.replace(record, error=None, client_request_id=None, upstream_model=None, attempts=())


class DiskSync:
    """The thread that brings journals to the disk every few milliseconds."""

    def __init__(self, interval_ms: int, journals: Callable[[], list[Journal]]) -> None:
        self._interval_seconds = interval_ms / 1000
        self._journals = journals
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(2)

    def _run(self) -> None:
        while not self._stop.wait(self._interval_seconds):
            for journal in self._journals():
                journal.sync_to_disk()


def remove_folder(folder: Path) -> None:
    """The lock goes last: a folder without one holds no records."""
    for path in folder.glob("*.log"):
        path.unlink(missing_ok=True)
    (folder / "lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _make_directory(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

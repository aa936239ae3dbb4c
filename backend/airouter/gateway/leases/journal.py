"""The journal: what this process charged and Postgres has not confirmed yet. One directory per machine, on a local
disk.

    <directory>/<node_id>/lock       held with flock for the life of the book; whoever gets it may bring the journal in
    <directory>/<node_id>/<n>.log    records: u32 length, u32 crc32, msgpack of a UsageRecord
    <directory>/quarantine/          what could not be read or charged, for a person to look at

A record is one write to a descriptor in append mode, before the last byte of the answer: kill -9 loses nothing. A
power cut
can lose what the last fdatasync had not reached.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.settings import CreditSettings

QUARANTINE: Final = "quarantine"
_HEADER: Final = struct.Struct("<II")
_MAKING: Final = ".making-"
_NOTHING: Final = b"\xc0"
"""The payload of a probe: msgpack's nil."""
_RECORD_BYTES_MAX: Final = 1 << 20

_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(UsageRecord)


class JournalFailed(Exception):
    """The disk refused the record. It will be settled from memory; the answer's last byte waits for
    `Credit.confirmed`.
    """

    def __init__(self, record: UsageRecord | None, cause: OSError) -> None:
        self.record = record
        super().__init__(f"the journal cannot be written: {cause}")


class JournalLocked(Exception):
    """Another process holds this journal, so its owner lives."""


class Segment:
    """One file of the journal, open for appending."""

    __slots__ = ("descriptor", "is_dirty", "is_sealed", "opened_at", "path", "size_bytes", "unconfirmed")

    def __init__(self, path: Path, opened_at: float) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.opened_at = opened_at
        self.size_bytes = 0
        self.unconfirmed = 0
        self.is_dirty = False
        self.is_sealed = False


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
        making = directory / f"{_MAKING}{node_id}"
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
            self._write(segment, payload)
        except OSError as error:
            self.failure = error
            raise JournalFailed(record, error) from error
        segment.unconfirmed += 1
        return segment

    def _write(self, segment: Segment, payload: bytes) -> None:
        line = _HEADER.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            _write_whole(segment.descriptor, line)
            if self._always:
                os.fdatasync(segment.descriptor)
        except OSError:
            segment.is_sealed = True  # whatever follows half a record would never be read
            with contextlib.suppress(OSError):
                os.ftruncate(segment.descriptor, segment.size_bytes)
                segment.is_sealed = False
            raise
        segment.size_bytes += len(line)
        segment.is_dirty = not self._always

    def probe(self) -> bool:
        """Whether the disk takes records again after a failure."""
        try:
            if self._segments[-1].is_sealed:
                self._open_segment()
            self._write(self._segments[-1], _NOTHING)
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
        _remove_folder(self._folder)
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
                _copy_to_quarantine(self._folder.parent, path, f"{self.node_id}-{path.name}")
            for record in records:
                chunk.append(record)
                if len(chunk) == size:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk

    def remove(self) -> None:
        """Its records are in Postgres."""
        _remove_folder(self._folder)

    def set_aside(self) -> Path:
        """A journal of a node that Postgres never heard of: kept for a person, never charged."""
        target = self._folder.parent / QUARANTINE / f"{self.node_id}-unknown"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(self._folder, target)
        return target

    def keep(self, record: UsageRecord) -> Path:
        """Put aside one record that Postgres refuses."""
        return keep_record(self._folder.parent, self.node_id, record)

    def release(self) -> None:
        os.close(self._lock)


def orphan_folders(directory: Path) -> list[Path]:
    """Every journal folder on this machine. Whether it is an orphan shows when its lock is tried."""
    found = []
    for folder in directory.iterdir() if directory.is_dir() else ():
        if folder.name.startswith(_MAKING):
            _clear_unfinished(folder)
        elif folder.name != QUARANTINE and folder.is_dir() and _is_node_id(folder.name):
            if (folder / "lock").exists():
                found.append(folder)
            else:
                with contextlib.suppress(OSError):
                    folder.rmdir()  # its removal was interrupted: the lock goes last
    return sorted(found)


def read_segment(path: Path) -> tuple[list[UsageRecord], bool]:
    """The records up to the first short or bad one, and whether more lies behind it than a write that was cut off."""
    data = path.read_bytes()
    records: list[UsageRecord] = []
    at, is_damaged = 0, False
    while (line := _line_at(data, at)) is not None:
        at += _HEADER.size + len(line)
        if line == _NOTHING:
            continue
        try:
            records.append(_decoder.decode(line))
        except msgspec.MsgspecError:
            is_damaged = True
    if at < len(data) and not is_damaged:
        is_damaged = any(_line_at(data, later) for later in range(at + 1, min(len(data), at + _RECORD_BYTES_MAX)))
    return records, is_damaged


def _line_at(data: bytes, at: int) -> bytes | None:
    if at + _HEADER.size > len(data):
        return None
    length, checksum = _HEADER.unpack_from(data, at)
    payload_at = at + _HEADER.size
    if not 0 < length <= _RECORD_BYTES_MAX or payload_at + length > len(data):
        return None
    payload = data[payload_at : payload_at + length]
    return payload if zlib.crc32(payload) == checksum else None


def without_texts(record: UsageRecord) -> UsageRecord:
    """The record without what others wrote into it."""
    return msgspec.structs.replace(record, error=None, client_request_id=None, upstream_model=None, attempts=())


def keep_record(directory: Path, node_id: NodeId, record: UsageRecord) -> Path:
    """Write one record to the quarantine, as JSON for a person."""
    target = directory / QUARANTINE / f"{node_id}-{record.request_id}.json"
    target.parent.mkdir(mode=0o700, exist_ok=True)
    target.write_bytes(msgspec.json.encode(record))
    return target


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


def _write_whole(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, "the disk took only a part of the record")


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


def _remove_folder(folder: Path) -> None:
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


def _copy_to_quarantine(directory: Path, path: Path, name: str) -> None:
    target = directory / QUARANTINE / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(path, target)

"""A segment: one file of the journal.

    u32 length, u32 crc32, msgpack of a UsageRecord        again and again

A record is one write to a descriptor in append mode, before the last byte of the answer: kill -9 loses nothing. A power
cut can lose what the last fdatasync had not reached.
"""

import contextlib
import errno
import os
import struct
import zlib
from pathlib import Path
from typing import Final

import msgspec

from airouter.domain.usage import UsageRecord

NOTHING: Final = b"\xc0"
"""The payload of a probe: msgpack's nil. Readers pass it over."""
_HEADER: Final = struct.Struct("<II")
_RECORD_BYTES_MAX: Final = 1 << 20

_decoder = msgspec.msgpack.Decoder(UsageRecord)


class Segment:
    """Open for appending."""

    __slots__ = ("descriptor", "is_dirty", "is_sealed", "opened_at", "path", "size_bytes", "unconfirmed")

    def __init__(self, path: Path, opened_at: float) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.opened_at = opened_at
        self.size_bytes = 0
        self.unconfirmed = 0
        """Records that Postgres does not have for good yet."""
        self.is_dirty = False
        """Something was written since the last fdatasync."""
        self.is_sealed = False
        """Nothing may follow any more."""

    def write(self, payload: bytes, is_synced: bool) -> None:  # noqa: FBT001 - positional, for speed
        """Append one payload whole or not at all; `is_synced`: and wait until the disk has it.

        Raises:
            OSError: the disk is full or broken.
        """
        line = _HEADER.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            _write_whole(self.descriptor, line)
            if is_synced:
                os.fdatasync(self.descriptor)
        except OSError:
            self.is_sealed = True  # whatever follows half a record would never be read
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, self.size_bytes)
                self.is_sealed = False
            raise
        self.size_bytes += len(line)
        self.is_dirty = not is_synced


def read_segment(path: Path) -> tuple[list[UsageRecord], bool]:
    """The records up to the first short or bad one, and whether more lies behind it than a write that was cut off."""
    data = path.read_bytes()
    records: list[UsageRecord] = []
    at, is_damaged = 0, False
    while (line := _line_at(data, at)) is not None:
        at += _HEADER.size + len(line)
        if line == NOTHING:
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


def _write_whole(descriptor: int, line: bytes) -> None:
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, "the disk took only a part of the record")

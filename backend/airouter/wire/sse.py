"""Server-sent events, as far as the dialects use them (WHATWG HTML, 9.2): lines, and an empty line at the end."""

import re
from collections.abc import Iterator
from typing import Final

DONE: Final = b"data: [DONE]\n\n"
BLANK_LINES: Final = (b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n")
"""How an event can end. Upstreams use the first; lines may as well end with CR LF or CR."""

_BLANK_LINE: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_SEAM: Final = 3
"""So many bytes before new ones may belong to an empty line that ends in the new ones."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def whole_events_end(data: bytes | bytearray, start: int = 0) -> int:
    """Where the last complete event in `data` ends, its empty line searched from `start` on; 0 if none is complete."""
    end = data.rfind(b"\n\n", start) + 2
    if data.find(b"\r", start) >= 0:
        end = max(end, data.rfind(b"\n\r\n", start) + 3, data.rfind(b"\r\r", start) + 2)
    # A find that failed left its own length - 1 here, which is not the end of anything.
    return end if data.endswith(BLANK_LINES, start, max(end, start)) else 0


def first_event_end(data: bytes) -> int:
    """Where the first event in `data` ends; 0 if it is not complete."""
    found = _BLANK_LINE.search(data)
    return found.end() if found else 0


def split_events(block: bytes) -> Iterator[bytes]:
    """The events of a block with the empty lines that end them: joined again, they are the block."""
    start = 0
    for found in _BLANK_LINE.finditer(block):
        yield block[start : found.end()]
        start = found.end()
    if start < len(block):
        yield block[start:]


def event_data(event: bytes) -> bytes:
    """What an event says: its `data` lines, joined; empty for comments and for events without data."""
    if event.startswith(b"data: ") and event.endswith(b"\n\n") and event.find(b"\n") == len(event) - 2:
        return event[6:-2].rstrip(b"\r")
    lines = []
    for line in _LINE_END.split(event.removeprefix(_BYTE_ORDER_MARK)):
        name, colon, value = line.partition(b":")
        if name == b"data" and (colon or not value):
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines)


def plain_data(block: bytes) -> list[bytes] | None:
    """The data of each event of a block, quickly, where all have the usual shape: one `data` line, perhaps after an
    `event` line. None: something else is among them.
    """
    if b"\r" in block or not block.endswith(b"\n\n"):
        return None
    found: list[bytes] = []
    for event in block[:-2].split(b"\n\n"):
        start = event.rfind(b"\n") + 1
        if start and not (event.startswith(b"event: ") and event.find(b"\n") == start - 1):
            return None
        if event[start : start + 6] != b"data: ":
            return None
        if len(event) > start + 6:
            found.append(event[start + 6 :])
    return found


def data_event(data: bytes) -> bytes:
    """One event with that data, which must not contain a line break."""
    return b"data: %b\n\n" % data


class Framer:
    """Puts whole events together from reads that begin and end anywhere.

    An event of more than `bytes_max` is thrown away as it comes, so that a stream without boundaries costs no memory;
    `has_cut` says that this happened.
    """

    __slots__ = ("_bytes_max", "_is_cutting", "_tail", "has_cut")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._tail = bytearray()
        self._is_cutting = False
        self.has_cut = False

    def feed(self, data: bytes) -> bytes:
        """The events that are whole now, their empty lines included; may be empty."""
        tail = self._tail
        known = len(tail)
        tail += data
        end = whole_events_end(tail, max(known - _SEAM, 0))
        if not end:
            if len(tail) > self._bytes_max or self._is_cutting:
                self._is_cutting = self.has_cut = True
                del tail[:-_SEAM]
            return b""
        block = bytes(memoryview(tail)[:end])
        self._tail = tail[end:]
        if self._is_cutting:
            self._is_cutting = False
            return block[first_event_end(block) :]
        return block

    def rest(self) -> bytes:
        """What has come of an event without its end, once."""
        rest = b"" if self._is_cutting else bytes(self._tail)
        self._tail, self._is_cutting = bytearray(), False
        return rest

    @property
    def is_within(self) -> bool:
        """Part of an event has come."""
        return bool(self._tail)

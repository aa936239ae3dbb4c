"""AWS's binary event streams (`application/vnd.amazon.eventstream`), decoded message by message.

A message, integers big-endian (Smithy specification, "Amazon Event Stream", 2026):

    length 4 | length of headers 4 | CRC-32 of these eight bytes 4 | headers | payload | CRC-32 of all before 4

A header is a name (one byte of length before it), a byte for the type of its value, and the value. What happened stands
in the headers, what it says in the payload; both become one JSON object of the shape that AWS's references give the
union, `{"contentBlockDelta": {…}}`, so that readers need to know nothing of headers.
"""

import struct
from typing import Final
from zlib import crc32

import msgspec

from airouter.wire.framing import EVENT_BYTES_MAX

_PRELUDE: Final = struct.Struct(">III")
_CRC: Final = struct.Struct(">I")
_LENGTH: Final = struct.Struct(">H")
_SMALLEST: Final = _PRELUDE.size + _CRC.size
HEADER_BYTES_MAX: Final = 128 * 1024
"""The specification's own bound."""
_BYTES, _STRING = 6, 7
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a value by its type: true, false, byte, short, integer, long, timestamp, UUID."""


class _Damaged(Exception):
    """The bytes are no message."""


class EventStreamFraming:
    """See `framing.Framing`. After the first damaged message nothing is read: where the next begins is unknown."""

    __slots__ = ("_bytes_max", "_fault", "_tail")

    def __init__(self, bytes_max: int = EVENT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._tail = bytearray()
        self._fault: str | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now, as JSON."""
        if self._fault is not None:
            return []
        tail, said = self._tail, list[bytes]()
        tail += data
        at = 0
        try:
            while len(tail) - at >= _PRELUDE.size:
                length = self._length(tail, at)
                if len(tail) - at < length:
                    break
                said.append(_message(bytes(tail[at : at + length])))
                at += length
        except _Damaged as damage:
            self._fault = f"The provider's stream is damaged: {damage}."
            tail.clear()
            return said
        del tail[:at]
        return said

    def rest(self) -> list[bytes]:
        """Part of a message says nothing: its checksum has not come."""
        self._tail.clear()
        return []

    @property
    def fault(self) -> str | None:
        """What was wrong with the first message that was no message."""
        return self._fault

    def _length(self, tail: bytearray, at: int) -> int:
        """The length of the message that begins there, believed only with its checksum: nothing is collected for a lie.

        Raises:
            _Damaged: it cannot be true, or is more than may be held.
        """
        length, headers_length, checksum = _PRELUDE.unpack_from(tail, at)
        if crc32(tail[at : at + 8]) != checksum:
            raise _Damaged("a prelude's checksum is wrong")
        if length < _SMALLEST + headers_length or headers_length > HEADER_BYTES_MAX:
            raise _Damaged("a length is impossible")
        if length > self._bytes_max:
            raise _Damaged("a message is too long to be held")
        return length


def _message(message: bytes) -> bytes:
    if crc32(message[: -_CRC.size]) != _CRC.unpack_from(message, len(message) - _CRC.size)[0]:
        raise _Damaged("a message's checksum is wrong")
    end = _PRELUDE.size + _PRELUDE.unpack_from(message)[1]
    headers = _headers(message, _PRELUDE.size, end)
    payload = message[end : -_CRC.size]
    match headers.get(":message-type", "event"):
        case "error":
            name, payload = "error", _words(headers.get(":error-message") or headers.get(":error-code") or "")
        case "exception":
            name = headers.get(":exception-type") or "exception"
            payload = payload if payload[:1] == b"{" else _words(payload.decode("utf-8", "replace"))
        case _:
            name = headers.get(":event-type") or "event"
    return b"{%b:%b}" % (msgspec.json.encode(name), payload or b"{}")


def _words(message: str) -> bytes:
    return msgspec.json.encode({"message": message})


def _headers(message: bytes, at: int, end: int) -> dict[str, str]:
    """The headers that are strings; the others are stepped over.

    Raises:
        _Damaged: they do not fit into their length.
    """
    found: dict[str, str] = {}
    try:
        while at < end:
            name = message[at + 1 : at + 1 + message[at]].decode()
            at += 1 + message[at]
            kind, at = message[at], at + 1
            if kind in {_BYTES, _STRING}:
                size = _LENGTH.unpack_from(message, at)[0]
                at += _LENGTH.size
            else:
                size = _SIZES[kind]
            if kind == _STRING:
                found[name] = message[at : at + size].decode()
            at += size
    except (IndexError, KeyError, UnicodeDecodeError, struct.error) as error:
        raise _Damaged("headers are malformed") from error
    if at != end:
        raise _Damaged("headers are malformed")
    return found

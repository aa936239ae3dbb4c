"""AWS's binary messages, written by hand from the specification: what the gateway only ever reads."""

import json
import struct
from typing import Any
from zlib import crc32

EVENT_STREAM = "application/vnd.amazon.eventstream"


def header(name: str, value: str) -> bytes:
    """A header whose value is a string."""
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()


def message(headers: bytes, payload: bytes) -> bytes:
    """A whole message with both checksums."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = prelude + struct.pack(">I", crc32(prelude)) + headers + payload
    return body + struct.pack(">I", crc32(body))


def event(kind: str, said: dict[str, Any]) -> bytes:
    """An event, as Bedrock sends them."""
    headers = header(":event-type", kind) + header(":content-type", "application/json")
    return message(headers + header(":message-type", "event"), json.dumps(said).encode())


def exception(kind: str, said: dict[str, Any]) -> bytes:
    """An exception inside a stream."""
    headers = header(":exception-type", kind) + header(":content-type", "application/json")
    return message(headers + header(":message-type", "exception"), json.dumps(said).encode())

"""Headers at the doors: which of an upstream's may reach a client, and what kind of body is coming."""

from collections.abc import Iterable
from typing import Final

Header = tuple[bytes, bytes]

EVENT_STREAM: Final[Header] = (b"content-type", b"text/event-stream; charset=utf-8")
JSON: Final[Header] = (b"content-type", b"application/json")
NO_STORE: Final[Header] = (b"cache-control", b"no-store")
NO_BUFFERING: Final[Header] = (b"x-accel-buffering", b"no")
"""Asks a proxy in front of us (nginx reads it) not to collect a stream."""

FORWARDED: Final = frozenset({b"content-type", b"openai-version", b"retry-after", b"retry-after-ms"})
"""What a client may see of an upstream's headers. The rest tells about the operator's account (organisation, its
limits, cookies), about the connection (hop by hop), or is ours to say (request id, rate limits, processing time)."""


def forwarded(headers: Iterable[Header]) -> list[Header]:
    """The upstream's headers (names in lower case) that go on to the client."""
    return [header for header in headers if header[0] in FORWARDED]


def content_type(headers: Iterable[Header]) -> bytes:
    """The media type of a body in lower case, without parameters; empty where none is said."""
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


STREAMS: Final = frozenset({b"text/event-stream", b"application/vnd.amazon.eventstream"})
"""Server-sent events, and AWS's own binary ones."""


def is_encoded(headers: Iterable[Header]) -> bool:
    """Whether the body is compressed."""
    return any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in headers)


def is_event_stream(headers: Iterable[Header]) -> bool:
    """Whether the body is an event stream."""
    return content_type(headers) in STREAMS

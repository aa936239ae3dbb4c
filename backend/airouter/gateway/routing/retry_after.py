"""When a provider asks to come back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from airouter.wire.decoding import read_or_none
from airouter.wire.http import Header

_ANY: Final = msgspec.json.Decoder()
_EPOCH_MS_DIGITS: Final = 13
"""Until the year 2286."""


def retry_after_seconds(headers: Iterable[Header], wall_clock: datetime, at_most: int) -> int | None:
    """Of `retry-after-ms` or `retry-after`, in seconds or as an HTTP date, rounded up; None: nothing is said, or
    nothing that can be read.
    """
    said: dict[bytes, bytes] = {name: value for name, value in headers if name.startswith(b"retry-after")}
    try:
        if b"retry-after-ms" in said:
            seconds = float(said[b"retry-after-ms"]) / 1000
        elif b"retry-after" in said:
            seconds = _seconds(said[b"retry-after"].strip(), wall_clock)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return _bounded(seconds, at_most)


def retry_after_within(body: bytes, wall_clock: datetime, at_most: int) -> int | None:
    """The same of an error whose `metadata` says it, as OpenRouter's does of whom it asked: `retry_after_seconds`, or
    among `headers` `Retry-After` or, of a limit of its own, `X-RateLimit-Reset` in milliseconds since 1970.
    """
    match read_or_none(_ANY, body):
        case {"error": {"metadata": dict(metadata)}}:
            pass
        case _:
            return None
    stated = metadata.get("retry_after_seconds")
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return _bounded(stated, at_most)
    headers: Any = metadata.get("headers")
    if not isinstance(headers, dict):
        return None
    said = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    if "retry-after" in said:
        return retry_after_seconds(((b"retry-after", said["retry-after"].encode()),), wall_clock, at_most)
    reset_ms = said.get("x-ratelimit-reset", "")
    if not (reset_ms.isascii() and reset_ms.isdigit() and len(reset_ms) == _EPOCH_MS_DIGITS):
        return None
    return _bounded(max(0.0, int(reset_ms) / 1000 - wall_clock.timestamp()), at_most)


def _bounded(seconds: float, at_most: int) -> int | None:
    if not 0 <= seconds < float("inf"):  # nan is neither
        return 0 if seconds < 0 else None
    return min(at_most, -int(-seconds // 1))


def _seconds(value: bytes, wall_clock: datetime) -> float:
    if value[:1].isdigit():
        return float(value)
    date = parsedate_to_datetime(value.decode("latin-1"))
    if date.tzinfo is None:  # "-0000": the zone is not known, and HTTP dates are in GMT
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - wall_clock).total_seconds())

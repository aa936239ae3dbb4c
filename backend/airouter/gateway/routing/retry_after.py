"""When a provider asks to come back."""

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from airouter.wire.http import Header


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

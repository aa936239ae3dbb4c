"""Where time and chance come in. Everything below takes them as arguments, so that tests can decide them."""

import os
import time
from datetime import UTC, datetime
from uuid import UUID

from airouter.domain.ids import uuid7


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A fresh UUIDv7: sortable by the millisecond it was minted in."""
    return uuid7(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10), "big"))

"""Requests per minute and concurrency of a key, exact on one process.

A window is the last 60 s, not a calendar minute: the bound holds over any 60 s. The check and the count are one step
without an await between them, so parallel calls cannot slip through together.
"""

from collections import deque
from typing import Final

from airouter.domain.errors import RateLimitExceeded
from airouter.domain.ids import KeyId
from airouter.domain.key import Caller

WINDOW_SECONDS: Final = 60.0
NO_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = ()


class Slot:
    """A call's place within its key's limits; leave it exactly once."""

    __slots__ = ("_key_id", "_limits", "headers")

    def __init__(self, limits: "RateLimits", key_id: KeyId | None, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._limits = limits
        self._key_id = key_id
        self.headers = headers

    def leave(self) -> None:
        """The call is over."""
        if self._key_id is not None:
            self._limits.leave(self._key_id)
            self._key_id = None


class RateLimits:
    """What each limited key did in the last minute, and what it is doing now."""

    def __init__(self) -> None:
        self._recent: dict[KeyId, deque[float]] = {}
        self._running: dict[KeyId, int] = {}

    def enter(self, caller: Caller, now: float) -> Slot:
        """Takes a place, or says when there will be one.

        Raises:
            RateLimitExceeded: with `retry_after_seconds` and the limit that was hit.
        """
        per_minute, at_once = caller.requests_per_minute, caller.concurrency
        if per_minute is None and at_once is None:
            return Slot(self, None, NO_HEADERS)
        key_id = caller.key_id
        headers = NO_HEADERS
        recent = None
        if per_minute is not None:
            recent = self._window(key_id, now)
            if len(recent) >= per_minute:
                wait = recent[-per_minute] + WINDOW_SECONDS - now
                raise RateLimitExceeded(
                    f"This key may make {per_minute} requests a minute; the next is possible in {wait:.1f} s.",
                    retry_after_seconds=max(1, -int(-wait // 1)),
                    headers=_headers(per_minute, 0, wait),
                )
            reset = recent[0] + WINDOW_SECONDS - now if recent else WINDOW_SECONDS
            headers = _headers(per_minute, per_minute - len(recent) - 1, reset)
        if at_once is not None and self._running.get(key_id, 0) >= at_once:
            raise RateLimitExceeded(
                f"This key may have {at_once} requests in flight at once, and has them now.",
                retry_after_seconds=1,
                headers=headers,
            )
        if recent is not None:
            recent.append(now)
        self._running[key_id] = self._running.get(key_id, 0) + 1
        return Slot(self, key_id, headers)

    def leave(self, key_id: KeyId) -> None:
        """One call of this key is over."""
        left = self._running[key_id] - 1
        if left:
            self._running[key_id] = left
        else:
            del self._running[key_id]

    def _window(self, key_id: KeyId, now: float) -> deque[float]:
        recent = self._recent.get(key_id)
        if recent is None:
            self._sweep(now)
            recent = self._recent[key_id] = deque()
        while recent and recent[0] <= now - WINDOW_SECONDS:
            recent.popleft()
        return recent

    def _sweep(self, now: float) -> None:
        """Forget keys that were silent for a whole window, whenever a new one comes and there are many."""
        if len(self._recent) >= 10_000:
            for key_id in [k for k, times in self._recent.items() if not times or times[-1] <= now - WINDOW_SECONDS]:
                del self._recent[key_id]


def _headers(limit: int, remaining: int, reset_seconds: float) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"x-ratelimit-limit-requests", b"%d" % limit),
        (b"x-ratelimit-remaining-requests", b"%d" % remaining),
        (b"x-ratelimit-reset-requests", b"%dms" % max(0, int(reset_seconds * 1000))),
    )

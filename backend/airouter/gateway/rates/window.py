"""How much was counted within the last 60 s, in bounded memory.

What is counted within half a second of the first of its bucket shares that bucket, and leaves with the last of it: so
no 60 s ever hold more than was allowed, and nothing is remembered for more than half a second too long. A window has at
most 121 buckets, whatever the limit.
"""

from collections import deque
from typing import Final

from airouter.domain.rate_limit import WINDOW_SECONDS

GRAIN_SECONDS: Final = 0.5


class Bucket:
    """What was counted between two moments."""

    __slots__ = ("amount", "began", "is_gone", "last")

    def __init__(self, at: float, amount: int) -> None:
        self.began = self.last = at
        self.amount = amount
        self.is_gone = False


class Window:
    """A sliding minute of one limit. `now` is seconds of a clock that never runs faster than time."""

    __slots__ = ("_buckets", "_total")

    def __init__(self) -> None:
        self._buckets: deque[Bucket] = deque()
        self._total = 0

    def __len__(self) -> int:
        return len(self._buckets)

    def total(self, now: float) -> int:
        """What counts at this moment."""
        buckets, horizon = self._buckets, now - WINDOW_SECONDS
        while buckets and buckets[0].last <= horizon:
            gone = buckets.popleft()
            gone.is_gone = True
            self._total -= gone.amount
        return self._total

    def add(self, now: float, amount: int) -> Bucket:
        """Counts something. The bucket is for `correct`."""
        self._total += amount
        if self._buckets:
            newest = self._buckets[-1]
            if now - newest.began < GRAIN_SECONDS:
                newest.last = max(newest.last, now)
                newest.amount += amount
                return newest
        bucket = Bucket(now, amount)
        self._buckets.append(bucket)
        return bucket

    def correct(self, bucket: Bucket, difference: int, now: float) -> None:
        """What was counted was more or less by so much. What has left the window needs no correction downwards; more
        than was foreseen counts from now on.
        """
        self.total(now)
        if not bucket.is_gone:
            bucket.amount += difference
            self._total += difference
        elif difference > 0:
            self.add(now, difference)

    def seconds_until_left(self, amount: int, now: float) -> float:
        """How long until so much of what counts now has left; the whole window if that is less than asked for."""
        left = 0
        for bucket in self._buckets:
            left += bucket.amount
            if left >= amount:
                return max(0.0, bucket.last + WINDOW_SECONDS - now)
        return float(WINDOW_SECONDS)

"""What each lease should be: what runs low asks for more, what is idle goes back, what is empty is forgotten.

A part of the book: no input or output, no clock of its own. Times are nanoseconds.
"""

from collections.abc import Container
from typing import Final

from airouter.domain.lease import Level, Purse, PurseId
from airouter.gateway.leases.settings import MILLISECOND, CreditSettings

_NEVER: Final = -(2**62)


class Levels:
    """Decides for the purses of one book, and remembers which of them the next sync should look at."""

    def __init__(self, purses: dict[PurseId, Purse], settings: CreditSettings) -> None:
        self._purses = purses
        self._due: dict[PurseId, None] = {}
        self._looked_at = _NEVER
        self._every = settings.scan_ms * MILLISECOND
        self._forget = settings.forget_ms * MILLISECOND
        self._half_life = settings.half_life_ms * MILLISECOND
        self._horizon = settings.horizon_ms * MILLISECOND
        self._idle_return = settings.idle_return_ms * MILLISECOND

    @property
    def is_any_due(self) -> bool:
        return bool(self._due)

    def look_at(self, purse_id: PurseId) -> None:
        """The next sync should, whatever the purse looks like."""
        self._due[purse_id] = None

    def is_time(self, now: int) -> bool:
        """Whether every purse should be looked at again."""
        return now - self._looked_at >= self._every

    def look_around(self, now: int, asked: Container[PurseId], *, is_draining: bool) -> None:
        """Look at every purse. Those that a waiting call has `asked` for are not forgotten."""
        self._looked_at = now
        forget = now - self._forget
        forgotten: list[PurseId] = []
        for purse_id, purse in self._purses.items():
            idle = purse.idle
            if self._is_stale(purse, now, is_draining):
                if idle > 0:
                    self._due[purse_id] = None
                elif purse.used_at < forget and purse.is_empty and purse_id not in asked:
                    forgotten.append(purse_id)
            elif 2 * idle < purse.head_room(now, self._half_life, self._horizon):
                self._due[purse_id] = None
        for purse_id in forgotten:
            del self._purses[purse_id]

    def take_due(self, most: int, mentioned: Container[PurseId]) -> list[Purse]:
        """Up to `most` purses that are due and not `mentioned` anyway. They are due no longer; the rest is."""
        taken: list[Purse] = []
        for purse_id in list(self._due):
            if len(taken) >= most:
                break
            del self._due[purse_id]
            purse = self._purses.get(purse_id)
            if purse is not None and purse_id not in mentioned:
                taken.append(purse)
        return taken

    def decide(self, purse: Purse, asked: int, now: int, *, is_draining: bool) -> Level:
        """What the purse's lease should be, and from here on what goes back. Waiting calls need `asked` of it."""
        after = purse.leased - purse.batched
        busy = purse.held + purse.unsettled - purse.batched
        want = after
        if self._is_stale(purse, now, is_draining):
            want = busy
        else:
            head = purse.head_room(now, self._half_life, self._horizon)
            if 2 * (after - busy) < head:
                want = max(after, busy + head)
        purse.returning = max(0, after - want)
        purse.returning += min(max(0, purse.idle), asked)  # so that newcomers do not overtake calls that wait
        return Level(busy, want)

    def _is_stale(self, purse: Purse, now: int, is_draining: bool) -> bool:  # noqa: FBT001 - private
        return is_draining or now < purse.tight_until or now - purse.used_at > self._idle_return

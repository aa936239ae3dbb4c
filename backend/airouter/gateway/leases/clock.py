"""The clock of leases. Not CLOCK_MONOTONIC: it stands still while a machine is suspended, and a lease does not."""

import time
from typing import Protocol

_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has only the latter


class Clock(Protocol):
    """Nanoseconds since whenever."""

    def now(self) -> int: ...

    def rebase(self) -> None: ...


class LeaseClock:
    """The faster of CLOCK_BOOTTIME and CLOCK_REALTIME since the last `rebase`, so that a stopped clock is never
    believed.
    """

    def __init__(self) -> None:
        self._base = 0
        self._boot = time.clock_gettime_ns(_BOOT)
        self._real = time.time_ns()

    def now(self) -> int:
        return self._base + max(time.clock_gettime_ns(_BOOT) - self._boot, time.time_ns() - self._real)

    def rebase(self) -> None:
        """Called with each confirmed sync: a step of the wall clock counts until then, and no longer."""
        boot, real = time.clock_gettime_ns(_BOOT), time.time_ns()
        self._base += max(boot - self._boot, real - self._real)
        self._boot, self._real = boot, real

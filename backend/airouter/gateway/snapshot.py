"""The picture of the catalogue that this process works from: read whole, swapped whole, kept when reading fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final, Literal, Protocol

from airouter.domain.catalogue import Catalogue
from airouter.domain.errors import Unavailable

RETRY_SECONDS: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
DUE_AGAIN_SECONDS: Final = 0.05
"""The shortest wait for a card that should be in force by our clock and is not yet by Postgres'."""
CLOCK_CHECK_SECONDS: Final = 600.0
"""The longest wait for a card of the future: the two clocks may drift apart in the meantime."""

Read = Callable[[datetime, Catalogue | None], Awaitable[Catalogue]]
"""Reads the catalogue; given the time and the catalogue before, whose rows stand in for malformed ones."""

logger = logging.getLogger(__name__)


class Changes(Protocol):
    """Who tells when the catalogue changed."""

    def on(self, name: Literal["catalogue"], callback: Callable[[str | None], None]) -> None: ...


class Snapshot:
    """Holds the catalogue. Read `current` once per call and keep it: the next call may meet another."""

    def __init__(self, read: Read, now: Callable[[], datetime]) -> None:
        self._read = read
        self._now = now
        self._current: Catalogue | None = None
        self._stale = asyncio.Event()
        self._refreshed = asyncio.Event()
        self._asked = 0
        """How often a new reading was asked for."""
        self._read_until = 0
        """How many of those the current catalogue answers."""
        self._swapped = asyncio.Event()
        self._swap_callbacks: list[Callable[[Catalogue], None]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> Catalogue:
        """The catalogue as of the last change this process heard of.

        Raises:
            Unavailable: it was never read; `/readyz` says so until it is.
        """
        if self._current is None:
            raise Unavailable("The catalogue has not been read yet.")
        return self._current

    @property
    def is_ready(self) -> bool:
        """Whether there is a catalogue to work from."""
        return self._current is not None

    def on_swap(self, callback: Callable[[Catalogue], None]) -> None:
        """Calls `callback` with every new catalogue, after it became `current`."""
        self._swap_callbacks.append(callback)

    async def start(self, changes: Changes, *, wait_seconds: float = 5.0) -> None:
        """Reads the catalogue and keeps it up to date, in the background if Postgres is away for longer than that."""
        changes.on("catalogue", lambda _subject: self.refresh())
        self._task = asyncio.create_task(self._keep_fresh(), name="snapshot")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._refreshed.wait(), wait_seconds)

    async def stop(self) -> None:
        """Keeps what it has and follows no further changes."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def refresh(self) -> None:
        """Asks for a new reading; several before it begins are one."""
        self._asked += 1
        self._stale.set()

    async def catch_up(self, *, wait_seconds: float) -> None:
        """Returns when the catalogue is at least as new as the last `refresh`, or after so long without one."""
        wanted = self._asked
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                while self._read_until < wanted:
                    self._swapped.clear()
                    await self._swapped.wait()

    async def _keep_fresh(self) -> None:
        failures = 0
        while True:
            self._stale.clear()  # before reading: what changes from here on asks for another reading
            asked = self._asked
            try:
                self._swap(await self._read(self._now(), self._current))
                self._read_until = asked
                self._swapped.set()
                failures, wait_seconds = 0, self._seconds_until_change()
            except Exception:
                wait_seconds = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                logger.exception("catalogue.not_read", extra={"failures": failures})
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_seconds):  # before 3.12 wait_for can swallow a cancellation
                    await self._stale.wait()

    def _swap(self, catalogue: Catalogue) -> None:
        self._current = catalogue
        self._refreshed.set()
        for callback in self._swap_callbacks:
            try:
                callback(catalogue)
            except Exception:
                logger.exception("catalogue.swap_callback_failed")

    def _seconds_until_change(self) -> float | None:
        due = self.current.next_change_at
        return (
            None
            if due is None
            else min(CLOCK_CHECK_SECONDS, max(DUE_AGAIN_SECONDS, (due - self._now()).total_seconds()))
        )

"""A node's part of limits that several nodes share: it asks Postgres ahead of need, and gives back what others miss.

What calls wait for is asked for at once, everything else within a quarter of a second, in one transaction at a time. A
node without limited calls asks nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, Protocol

from airouter.domain.errors import Unavailable
from airouter.domain.ids import NodeId
from airouter.domain.rate_limit import Ask
from airouter.gateway.leases.clock import Clock
from airouter.gateway.leases.settings import SECOND
from airouter.gateway.rates.book import Part, RateBook
from airouter.gateway.rates.gauge import Gauge
from airouter.services.rate_shares import Exchanged

log = logging.getLogger("airouter.rates")

LEASE_SECONDS: Final = 6.0
"""How long shares may be used after the last word with Postgres."""
MARGIN_SECONDS: Final = 0.5
"""A node stops so much earlier than others count it out: clocks differ in pace."""
BEAT_SECONDS: Final = 1.0
TICK_SECONDS: Final = 0.25
GATHER_SECONDS: Final = 0.001
"""Calls that come together are asked for together."""
EXCHANGE_SECONDS: Final = 3.0
ADRIFT_SECONDS: Final = 0.5
"""How long Postgres has to be away before a node goes on without it."""
ASKS_MAX: Final = 200
_LEASE: Final = timedelta(seconds=LEASE_SECONDS)


class Register(Protocol):
    """Where shares stand (services/rate_shares.py)."""

    async def exchange(self, node_id: NodeId, asks: Sequence[Ask], lease: timedelta) -> Exchanged: ...

    async def leave(self, node_id: NodeId, used: Sequence[tuple[str, int]]) -> None: ...


class Shares(Protocol):
    """What the limiter needs to know about other nodes."""

    book: RateBook

    @property
    def is_lease_over(self) -> bool:
        """Nothing may be used without asking again."""
        ...

    async def more_of(self, parts: Sequence[Part], gauges: Sequence[Gauge], seconds: float) -> None:
        """Asks for more of these, and returns when there is an answer, or after so long."""
        ...


class Alone:
    """There are no other nodes."""

    def __init__(self) -> None:
        self.book = RateBook(is_alone=True)

    @property
    def is_lease_over(self) -> bool:
        return False

    async def more_of(self, parts: Sequence[Part], gauges: Sequence[Gauge], seconds: float) -> None:
        del parts, gauges, seconds
        raise AssertionError("a node that is alone has everything")


class SharedLimits:
    """One per gateway process. `clock` is seconds that never run fast; `lease_clock` is one that never runs slow."""

    def __init__(self, register: Register, node_id: NodeId, *, clock: Callable[[], float], lease_clock: Clock) -> None:
        self.book = RateBook()
        self._register = register
        self._node_id = node_id
        self._clock = clock
        self._lease_clock = lease_clock
        self._deadline: int | None = None
        """Nanoseconds of the lease clock."""
        self._roused = asyncio.Event()
        self._answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked_at = -BEAT_SECONDS
        self._failing_since: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="rate-shares")

    async def stop(self) -> None:
        """Gives everything back but what counts for the rest of its minute. Calls have ended by now."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        used = self.book.usage(self._clock())
        if used:
            try:
                async with asyncio.timeout(EXCHANGE_SECONDS):
                    await self._register.leave(self._node_id, used)
            except (Unavailable, TimeoutError):
                log.info("rates.not_given_back node=%s", self._node_id)  # they end with the lease

    # -- for the limiter

    @property
    def is_lease_over(self) -> bool:
        return self._deadline is None or self._lease_clock.now() >= self._deadline

    async def more_of(self, parts: Sequence[Part], gauges: Sequence[Gauge], seconds: float) -> None:
        wanted = self.book.wait(parts, gauges)
        self._roused.set()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, TICK_SECONDS)):
                    await asyncio.shield(self._answer)
        finally:
            self.book.waited(wanted)

    def heard(self, message: str | None) -> None:
        """`want|free <node> <subject>` from another node, or None: something may have been missed."""
        if message is None:
            self.book.recalled(None)
        else:
            what, node, subject = message.split(" ", 2)
            if node == str(self._node_id):
                return
            if what == "want":
                self.book.recalled(subject)
            else:
                self.book.freed(subject)
        if self.book.urgent:
            self._roused.set()

    # -- the conversation

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS if len(self.book) else None):
                    await self._roused.wait()
                    await asyncio.sleep(GATHER_SECONDS)
            self._roused.clear()
            now = self._clock()
            self.book.sweep(now)
            is_beat_due = now - self._asked_at >= BEAT_SECONDS and self.book.holds_anything()
            if self.book.has_asks or is_beat_due:
                await self.exchange()

    async def exchange(self) -> None:
        """One transaction: what is urgent, what will be short, or only the beat."""
        now, sent = self._clock(), self._lease_clock.now()
        if self.is_lease_over and self._deadline is not None:
            self.book.lapse()
        self._asked_at = now
        asks = self.book.asks(now, most=ASKS_MAX)
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS):
                done = await self._register.exchange(self._node_id, asks, _LEASE)
        except (Unavailable, TimeoutError) as error:
            self._failed(asks, error)
            await self._pause()
        except Exception as error:
            log.exception("rates.failed")
            self._failed(asks, error)
            await self._pause()
        else:
            self._accept(done, sent)
        self._tell()

    def _accept(self, done: Exchanged, sent: int) -> None:
        had_lease, book = self._deadline is not None, self.book
        if had_lease and (self.is_lease_over or not done.was_running):
            book.lapse()  # whatever was not asked for just now may be somebody else's
        self._deadline = sent + int((LEASE_SECONDS - MARGIN_SECONDS) * SECOND)
        book.is_adrift, self._failing_since = False, None
        book.answered(done.verdicts, self._clock())
        for subject in done.wanted:
            book.recalled(subject)
        if book.urgent:
            self._roused.set()

    def _failed(self, asks: Sequence[Ask], error: Exception) -> None:
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        self.book.unanswered(asks)
        if not self.book.is_adrift and now - self._failing_since >= ADRIFT_SECONDS:
            log.warning("rates.adrift error=%r", error)
            self.book.is_adrift = True

    async def _pause(self) -> None:
        """Whoever waits need not: there will be no other answer."""
        self._tell()
        await asyncio.sleep(TICK_SECONDS)

    def _tell(self) -> None:
        answer, self._answer = self._answer, asyncio.get_running_loop().create_future()
        answer.set_result(None)

"""Credit: what calls hold, extend and settle against in this process, without a database round trip.

`Credit` is the shell around the book: it writes the journal, keeps the one conversation with Postgres, and tells
waiting calls what became of them. `try_hold`, `extend`, `settle` and `release` never wait.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Final

import msgspec

from airouter.domain.errors import LedgerUnavailable, QuotaInUse, ShuttingDown
from airouter.domain.ids import KeyId, NodeId, WalletId
from airouter.domain.lease import SyncAnswer, purse_id_of
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.book import Book
from airouter.gateway.leases.clock import LeaseClock
from airouter.gateway.leases.conversation import Conversation
from airouter.gateway.leases.custody import Custody
from airouter.gateway.leases.figures import CreditFigures
from airouter.gateway.leases.hold import Flight, Hold, Waiting
from airouter.gateway.leases.journal import DiskSync, Journal, JournalFailed, without_texts
from airouter.gateway.leases.settings import CreditSettings
from airouter.gateway.leases.unjournaled import Unjournaled
from airouter.gateway.leases.upkeep import look_after
from airouter.world import new_id

__all__ = ["Credit", "CreditFigures", "CreditSettings", "Hold", "JournalFailed"]

log = logging.getLogger("airouter.credit")

_READY_WAIT_SECONDS: Final = 5.0
_CLOSING_SECONDS: Final = 10.0


class Credit:
    """One per gateway process."""

    def __init__(self, *, dsn: str, journal_directory: Path, host: str, settings: CreditSettings | None = None) -> None:
        self.settings = settings or CreditSettings()
        self._overrun_max: int | None = None
        self._directory = journal_directory
        self._clock = LeaseClock()
        self._figures = CreditFigures()
        self._book = Book(NodeId(new_id()), self.settings)  # admits nothing; `start` opens the first real one
        self._ended: list[Book] = []
        """Books that are over, with calls still running."""
        self._custody = Custody(
            dsn=dsn,
            journal_directory=journal_directory,
            settings=self.settings,
            clock=self._clock,
            own_node=lambda: self._book.node_id,
        )
        self._conversation = Conversation(dsn=dsn, host=host, settings=self.settings, clock=self._clock, desk=self)
        self._disk = DiskSync(self.settings.journal_sync_ms, self._journals)
        self._tasks: list[asyncio.Task[None]] = []
        self._unjournaled = Unjournaled(self.settings.confirm_max_ms)
        self._is_stopping = False
        self._is_closed = False
        self._ready = asyncio.Event()

    # -- start and stop

    async def start(self) -> None:
        """Open the journal, then register. Returns when ready, or after a few seconds with the reason in `not_ready`.

        Raises:
            OSError: the journal's directory cannot be used.
        """
        self.open_book()
        if self.settings.journal_sync == "interval":
            self._disk.start()
        self._tasks = [
            asyncio.create_task(self._conversation.run(), name="credit-sync"),
            asyncio.create_task(self._keep_house(), name="credit-house"),
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_WAIT_SECONDS):
                await self._ready.wait()

    async def stop(self, drain_seconds: float = 60.0) -> None:
        """Refuse new calls, let running ones end, settle everything, give every lease back, and close the node.

        What cannot be finished in time stays in the journal, and is brought in by whoever starts here next.
        """
        self._is_stopping = True
        book = self._book
        book.is_draining = True
        for waiting in list(book.waiting):
            book.give_up(waiting)
            self._wake(waiting)
        loop = asyncio.get_running_loop()
        end = loop.time() + drain_seconds
        while self._running() and loop.time() < end:
            await asyncio.sleep(0.02)
        end = loop.time() + _CLOSING_SECONDS
        self._conversation.rouse(is_urgent=True)
        while self._book.pending or not (self._is_closed or self._book.running):
            if loop.time() > end or self._book.is_over or not self._book.is_registered or self._tasks[0].done():
                break
            await asyncio.sleep(0.005)
        while unfinished := [task for task in self._tasks if not task.done()]:
            for task in unfinished:  # again and again: the driver may swallow one on its way out of a query
                task.cancel()
            await asyncio.wait(unfinished, timeout=0.5)
        await asyncio.to_thread(self._disk.stop)
        for journal in self._journals():
            journal.sync_to_disk()
            journal.release()
        self._conversation.hang_up()

    def _running(self) -> int:
        return self._book.running + sum(book.running for book in self._ended)

    # -- what others ask and tell

    @property
    def not_ready(self) -> str | None:
        """Why this process should get no calls, or None."""
        if self._is_stopping:
            return "this process is stopping"
        if self._book.is_over or not self._book.is_registered:
            return f"the ledger is not ready: {self._conversation.trouble}"
        journal = self._book.journal
        if journal is not None and journal.failure is not None:
            return f"the journal cannot be written: {journal.failure}"
        if self._book.is_barred:
            return "too many charges wait for Postgres"
        if self._clock.now() >= self._book.deadline:
            return f"Postgres was not reached for too long: {self._conversation.trouble}"
        return None

    @property
    def book(self) -> Book:
        """The present registration's."""
        return self._book

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    @property
    def node_id(self) -> NodeId:
        """The present registration."""
        return self._book.node_id

    @property
    def overrun_max(self) -> int | None:
        """Policy `limits.overrun_max`: what an account may owe to overruns before it is refused. None: no bound."""
        return self._overrun_max

    @overrun_max.setter
    def overrun_max(self, bound: int | None) -> None:
        self._overrun_max = self._book.overrun_max = bound

    def figures(self) -> CreditFigures:
        """A copy of the counters, with the present state."""
        custody, talk = self._custody.figures, self._conversation.figures
        return msgspec.structs.replace(
            self._figures,
            pending=len(self._book.pending),
            waiting=len(self._book.waiting),
            running=self._running(),
            journal_bytes=sum(journal.size_bytes for journal in self._journals()),
            sweeps=custody.sweeps,
            adoptions=custody.adoptions,
            overrun_swept=custody.adopted_unpaid,
            retries=talk.retries,
            sync_seconds=talk.sync_seconds,
            quarantined=talk.quarantined + custody.quarantined,
        )

    def recalled(self, purse: str) -> None:
        """Heard on `credit_recall`: somebody needs what we do not use of `w<wallet_id>` or `k<key_id>`."""
        with contextlib.suppress(ValueError):
            self._book.recalled(purse_id_of(purse), self._clock.now())
            self._conversation.rouse(is_urgent=True)

    def wallet_changed(self, wallet_id: WalletId) -> None:
        """Heard on `airouter_changed`: money came in."""
        self._book.changed(wallet_id)

    def key_changed(self, key_id: KeyId) -> None:
        """Heard on `airouter_changed`: its limit may be another."""
        self._book.changed(key_id)

    # -- calls

    def try_hold(self, wallet_id: WalletId, key_id: KeyId, is_limited: bool, amount: int) -> Hold | None:  # noqa: FBT001
        """Hold `amount` against idle leased credit. None: not enough here, or not now; then `hold` waits."""
        return self._book.try_hold(wallet_id, key_id, is_limited, amount, self._clock.now())

    async def hold(self, wallet_id: WalletId, key_id: KeyId, is_limited: bool, amount: int) -> Hold:  # noqa: FBT001
        """Hold `amount`, leasing more if need be.

        Raises:
            InsufficientQuota, KeyLimitReached: not enough even with nothing in flight (`needed`, `available`).
            QuotaInUse: enough, but held by other calls for longer than one waits.
            LedgerUnavailable: Postgres or the journal is away.
            ShuttingDown
        """
        book, now = self._book, self._clock.now()
        if (held := book.try_hold(wallet_id, key_id, is_limited, amount, now)) is not None:
            return held
        waiting = Waiting(wallet_id, key_id, is_limited=is_limited, amount=amount)
        if not book.may_admit(now):
            raise self._refusal_without_answer()
        if (missing := book.known_missing(waiting, now)) is not None:
            raise missing.refusal()
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.wake = wake
        book.wait(waiting, now)
        self._conversation.rouse(is_urgent=True)
        try:
            await self._patiently(waiting, wake)
        except asyncio.CancelledError:
            if isinstance(waiting.outcome, Hold):
                self.release(waiting.outcome)
            raise
        finally:
            book.give_up(waiting)
        if isinstance(waiting.outcome, Hold):
            return waiting.outcome
        if waiting.outcome is not None:
            raise waiting.outcome.refusal()
        if self._is_stopping or book.is_over or self._conversation.trouble or not waiting.is_answered:
            raise self._refusal_without_answer()
        raise QuotaInUse(retry_after_seconds=1)

    async def _patiently(self, waiting: Waiting, wake: asyncio.Future[None]) -> None:
        """Wait for credit that others hold as long as calls wait; for a Postgres that has not said anything about it
        yet, as long as a sync may take. Slow books are no reason to tell a customer that the quota is in use.
        """
        for milliseconds in (self.settings.wait_max_ms, self.settings.sync_timeout_ms):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(milliseconds / 1000):
                    await asyncio.shield(wake)
            if wake.done() or waiting.is_answered:
                return

    def _refusal_without_answer(self) -> ShuttingDown | LedgerUnavailable:
        return ShuttingDown() if self._is_stopping else LedgerUnavailable(retry_after_seconds=1)

    def try_extend(self, hold: Hold, more: int) -> bool:
        """Hold `more` for a running call, from idle credit. False: not enough here, and nobody is asked."""
        return hold.book.try_extend(hold, more)

    def extend(self, hold: Hold, more: int) -> bool:
        """A stream outgrows its hold: hold `more`. False: not now; Postgres is asked, and what it grants is kept."""
        if hold.book.extend(hold, more):
            return True
        self._conversation.rouse(is_urgent=True)
        return False

    def overdraw(self, hold: Hold, more: int) -> bool:
        """A stream goes on beyond its hold at the operator's expense. False: the account's bound would be exceeded."""
        return hold.book.overdraw(hold, more)

    def settle(self, hold: Hold, record: UsageRecord) -> UsageRecord:
        """The call has ended. Its record is in the journal when this returns, and goes to Postgres with the next sync.

        Answers the record with the part of its cost that was covered.

        Raises:
            JournalFailed: the disk refused it. It will be settled from memory: the last byte waits for `confirmed`.
        """
        assert hold.is_open, "a hold is settled or released once"
        book = hold.book
        record = msgspec.structs.replace(
            record, covered=book.cover(hold, record.cost), key_is_limited=hold.key is not None
        )
        assert book.journal is not None
        try:
            try:
                hold.segment = book.journal.append(record)
            except UnicodeEncodeError:  # half a character, from somebody: the charge matters more than the text
                record = without_texts(record)
                hold.segment = book.journal.append(record)
        except JournalFailed:
            self._journal_failed(hold, record)
            raise
        book.finish(hold, record, self._clock.now())
        self._conversation.rouse(is_urgent=book.wants_sync)
        if book.is_over:
            self._end_ended(book)
        return record

    def release(self, hold: Hold) -> None:
        """The call is given up without a record and costs nothing."""
        book = hold.book
        book.release(hold, self._clock.now())
        if book.wants_sync:
            self._conversation.rouse(is_urgent=True)
        if book.is_over:
            self._end_ended(book)

    async def confirmed(self, record: UsageRecord) -> None:
        """Wait until Postgres has a record that the journal could not take.

        Raises:
            JournalFailed: not in time. The record stays in memory and will be settled.
        """
        self._conversation.rouse(is_urgent=True)
        await self._unjournaled.settled(record)

    def _journal_failed(self, hold: Hold, record: UsageRecord) -> None:
        book, now = hold.book, self._clock.now()
        log.error("journal.failed request=%s", record.request_id)
        self._unjournaled.expect(record)
        book.finish(hold, record, now)
        if book.is_over:  # nobody will adopt what is not in its journal
            self._book.add(msgspec.structs.replace(record, covered=0), now)
            self._end_ended(book)
        self._book.is_barred = True
        self._conversation.rouse(is_urgent=True)

    # -- books

    def open_book(self) -> None:
        book = Book(NodeId(new_id()), self.settings)
        book.journal = Journal(self._directory, book.node_id, self.settings)
        book.overrun_max = self._overrun_max
        before, self._book = self._book, book
        for hold in before.pending:  # what its journal could not take, nobody adopts
            if hold.segment is None and hold.record is not None:
                book.add(msgspec.structs.replace(hold.record, covered=0), self._clock.now())

    def end_book(self, reason: str) -> None:
        """This registration is over: running calls finish into its journal, and whoever adopts it settles it."""
        book = self._book
        log.warning("node.fenced node=%s reason=%s", book.node_id, reason)
        self._figures.fenced += 1
        for waiting in book.end():
            self._wake(waiting)
        self._ended.append(book)
        if self._is_stopping:
            self._end_ended(book)
            return
        self._end_ended(book)
        with contextlib.suppress(OSError):  # the conversation tries again until the disk takes a journal
            self.open_book()

    def _end_ended(self, book: Book) -> None:
        if not book.running and book in self._ended:
            self._ended.remove(book)
            if book.journal is not None:
                book.journal.release()
            self._custody.hurry()

    def _journals(self) -> list[Journal]:
        return [book.journal for book in (*self._ended, self._book) if book.journal is not None]

    async def registered(self) -> None:
        """The first time: bring in what an earlier process on this machine left, then take calls."""
        if not self._ready.is_set():
            await self._custody.round()
            self._tasks.append(asyncio.create_task(self._custody.run(), name="credit-custody"))
            self._ready.set()

    def confirmed_sync(self, book: Book, flight: Flight, answer: SyncAnswer) -> None:
        """Postgres has answered: tell the journal, and whoever waits."""
        settled, done = book.confirmed(answer, self._clock.now())
        journal = book.journal
        assert journal is not None
        for hold in settled:
            if hold.segment is not None:
                journal.confirmed(hold.segment)
        self._unjournaled.tell(settled)
        for waiting in done:
            self._wake(waiting)
        figures = self._figures
        figures.syncs += 1
        figures.settled_records += len(settled)
        figures.recalls += len(answer.recalled)
        if answer.unpaid:
            figures.overrun_above_hold += answer.unpaid
            log.warning("overrun.above_hold node=%s seq=%s quota=%s", book.node_id, book.seq, answer.unpaid)
        if flight.request.closes:
            self._is_closed = True
            journal.remove()

    def _wake(self, waiting: Waiting) -> None:
        """Its outcome is known. A caller that left at this very moment gives back what it got."""
        wake = waiting.wake
        assert wake is not None
        if not wake.done():
            wake.set_result(None)
        elif isinstance(waiting.outcome, Hold):
            self.release(waiting.outcome)
            waiting.outcome = None

    async def _keep_house(self) -> None:
        """Once a second."""
        while True:
            await asyncio.sleep(self.settings.beat_ms / 1000)
            if not self._book.is_over and not self._is_closed:
                look_after(self._book, self.settings)

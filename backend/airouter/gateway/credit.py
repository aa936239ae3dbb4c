"""Credit: what calls hold, extend and settle against in this process, without a database round trip.

`Credit` is the shell around the book: it writes the journal, keeps the one conversation with Postgres, and tells waiting
calls what became of them. `try_hold`, `extend`, `settle` and `release` never wait.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from airouter.domain.errors import (
    InsufficientQuota,
    KeyLimitReached,
    LedgerUnavailable,
    OutOfQuota,
    QuotaInUse,
    ShuttingDown,
)
from airouter.domain.ids import KeyId, NodeId, RequestId, WalletId
from airouter.domain.lease import SyncAnswer, purse_id_of
from airouter.domain.usage import UsageRecord
from airouter.gateway.book import Book, Flight, Hold, Missing, Waiting
from airouter.gateway.clock import LeaseClock
from airouter.gateway.credit_settings import CreditSettings
from airouter.gateway.custody import Custody
from airouter.gateway.journal import DiskSync, Journal, JournalFailed
from airouter.services import partitions, settlement
from airouter.services.settlement import ContentRefused, NodeRefused, NotCommitted, OutcomeUnknown, RecordsKnown
from airouter.storage.database import AWAY, Connection, connect
from airouter.world import new_id

__all__ = ["Credit", "CreditFigures", "CreditSettings", "Hold", "JournalFailed"]

log = logging.getLogger("airouter.credit")

_READY_WAIT_SECONDS: Final = 5.0
_CLOSING_SECONDS: Final = 10.0


class CreditFigures(msgspec.Struct):
    """What happened since this process began, and how things stand. For /metrics."""

    syncs: int = 0
    retries: int = 0
    recalls: int = 0
    fenced: int = 0
    quarantined: int = 0
    settled_records: int = 0
    overrun_above_hold: int = 0
    overrun_swept: int = 0
    sweeps: int = 0
    adoptions: int = 0
    sync_seconds: float = 0.0
    pending: int = 0
    waiting: int = 0
    running: int = 0
    journal_bytes: int = 0


class Credit:
    """One per gateway process."""

    def __init__(self, *, dsn: str, journal_directory: Path, host: str, settings: CreditSettings | None = None) -> None:
        self.settings = settings or CreditSettings()
        self._overrun_max: int | None = None
        self._dsn = dsn
        self._directory = journal_directory
        self._host = host
        self._clock = LeaseClock()
        self._figures = CreditFigures()
        self._book: Book
        self._ended: list[Book] = []
        """Books that are over, with calls still running."""
        self._custody = Custody(
            dsn=dsn,
            journal_directory=journal_directory,
            settings=self.settings,
            clock=self._clock,
            own_node=lambda: self._book.node_id,
        )
        self._disk = DiskSync(self.settings.journal_sync_ms, self._journals)
        self._connection: Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._nap: asyncio.Future[None] | None = None
        self._nap_is_light = False
        self._awaited: dict[RequestId, asyncio.Future[None]] = {}
        self._trouble: str | None = "it has not reached Postgres yet"
        self._is_stopping = False
        self._is_closed = False
        self._ready = asyncio.Event()

    # -- start and stop

    async def start(self) -> None:
        """Open the journal, then register. Returns when ready, or after a few seconds with the reason in `not_ready`.

        Raises:
            OSError: the journal's directory cannot be used.
        """
        self._open_book()
        if self.settings.journal_sync == "interval":
            self._disk.start()
        self._tasks = [
            asyncio.create_task(self._converse(), name="credit-sync"),
            asyncio.create_task(self._keep_house(), name="credit-house"),
        ]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), _READY_WAIT_SECONDS)

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
        self._rouse(is_urgent=True)
        while self._book.pending or not (self._is_closed or self._book.running):
            if loop.time() > end or self._book.is_over or self._tasks[0].done():
                break
            await asyncio.sleep(0.005)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._disk.stop)
        for journal in self._journals():
            journal.sync_to_disk()
            journal.release()
        if self._connection is not None:
            self._connection.terminate()

    def _running(self) -> int:
        return self._book.running + sum(book.running for book in self._ended)

    # -- what others ask and tell

    @property
    def not_ready(self) -> str | None:
        """Why this process should get no calls, or None."""
        if self._is_stopping:
            return "this process is stopping"
        if self._trouble and not self._book.is_registered:
            return f"the ledger is not ready: {self._trouble}"
        journal = self._book.journal
        if journal is not None and journal.failure is not None:
            return f"the journal cannot be written: {journal.failure}"
        if self._book.is_barred:
            return "too many charges wait for Postgres"
        if self._clock.now() >= self._book.deadline:
            return f"Postgres was not reached for too long: {self._trouble}"
        return None

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
        custody = self._custody.figures
        return msgspec.structs.replace(
            self._figures,
            pending=len(self._book.pending),
            waiting=len(self._book.waiting),
            running=self._running(),
            journal_bytes=sum(journal.size_bytes for journal in self._journals()),
            sweeps=custody.sweeps,
            adoptions=custody.adoptions,
            overrun_swept=custody.adopted_unpaid,
            quarantined=self._figures.quarantined + custody.quarantined,
        )

    def recalled(self, purse: str) -> None:
        """Heard on `credit_recall`: somebody needs what we do not use of `w<wallet_id>` or `k<key_id>`."""
        with contextlib.suppress(ValueError):
            self._book.recalled(purse_id_of(purse), self._clock.now())
            self._rouse(is_urgent=True)

    def wallet_changed(self, wallet_id: WalletId) -> None:
        """Heard on `airouter_changed`: money came in."""
        self._book.changed(wallet_id)

    def key_changed(self, key_id: KeyId) -> None:
        """Heard on `airouter_changed`: its limit may be another."""
        self._book.changed(key_id)

    # -- calls

    def try_hold(self, wallet_id: WalletId, key_id: KeyId, is_limited: bool, amount: int) -> Hold | None:  # noqa: FBT001
        """Hold `amount` against idle credit that is leased already. None: not enough here, or not now; then `hold` waits."""
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
            raise _out_of_quota(missing)
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.wake = wake
        book.wait(waiting, now)
        self._rouse(is_urgent=True)
        try:
            async with asyncio.timeout(self.settings.wait_max_ms / 1000):
                await wake
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            if isinstance(waiting.outcome, Hold):
                self.release(waiting.outcome)
            raise
        finally:
            book.give_up(waiting)
        if isinstance(waiting.outcome, Hold):
            return waiting.outcome
        if waiting.outcome is not None:
            raise _out_of_quota(waiting.outcome)
        if self._is_stopping or book.is_over or self._trouble:
            raise self._refusal_without_answer()
        raise QuotaInUse(retry_after_seconds=1)

    def _refusal_without_answer(self) -> ShuttingDown | LedgerUnavailable:
        return ShuttingDown() if self._is_stopping else LedgerUnavailable(retry_after_seconds=1)

    def extend(self, hold: Hold, more: int) -> bool:
        """A stream outgrows its hold: hold `more`, from idle credit. False: not now; Postgres is asked, try again later."""
        if hold.book.extend(hold, more):
            return True
        self._rouse(is_urgent=True)
        return False

    def overdraw(self, hold: Hold, more: int) -> bool:
        """A stream goes on beyond its hold at the operator's expense. False: the account's bound would be exceeded."""
        return hold.book.overdraw(hold, more)

    def settle(self, hold: Hold, record: UsageRecord) -> UsageRecord:
        """The call has ended. Its record is in the journal when this returns, and goes to Postgres with the next sync.

        Answers the record with the part of its cost that was covered.

        Raises:
            JournalFailed: the disk refused it. It will be settled from memory: give the last byte away after `confirmed`.
        """
        assert hold.is_open, "a hold is settled or released once"
        book = hold.book
        record = msgspec.structs.replace(
            record, covered=book.cover(hold, record.cost), key_is_limited=hold.key is not None
        )
        assert book.journal is not None
        try:
            hold.segment = book.journal.append(record)
        except JournalFailed:
            self._journal_failed(hold, record)
            raise
        book.finish(hold, record, self._clock.now())
        if self._nap is not None:
            self._rouse(is_urgent=book.wants_sync)
        if book.is_over:
            self._end_ended(book)
        return record

    def release(self, hold: Hold) -> None:
        """The call is given up without a record and costs nothing."""
        book = hold.book
        book.release(hold, self._clock.now())
        if book.wants_sync:
            self._rouse(is_urgent=True)
        if book.is_over:
            self._end_ended(book)

    async def confirmed(self, record: UsageRecord) -> None:
        """Wait until Postgres has a record that the journal could not take.

        Raises:
            JournalFailed: not in time. The record stays in memory and will be settled.
        """
        future = self._awaited.setdefault(record.request_id, asyncio.get_running_loop().create_future())
        self._rouse(is_urgent=True)
        try:
            async with asyncio.timeout(self.settings.confirm_max_ms / 1000):
                await asyncio.shield(future)
        except TimeoutError as error:
            raise JournalFailed(record, OSError("neither the journal nor Postgres took the record in time")) from error
        finally:
            self._awaited.pop(record.request_id, None)

    def _journal_failed(self, hold: Hold, record: UsageRecord) -> None:
        book, now = hold.book, self._clock.now()
        log.error("journal.failed request=%s", record.request_id)
        self._awaited[record.request_id] = asyncio.get_running_loop().create_future()
        book.finish(hold, record, now)
        if book.is_over:  # nobody will adopt what is not in its journal
            self._book.add(msgspec.structs.replace(record, covered=0), now)
            self._end_ended(book)
        self._book.is_barred = True
        self._rouse(is_urgent=True)

    # -- books

    def _open_book(self) -> None:
        book = Book(NodeId(new_id()), self.settings)
        book.journal = Journal(self._directory, book.node_id, self.settings)
        book.overrun_max = self._overrun_max
        self._book = book

    def _end_book(self, reason: str) -> None:
        """This registration is over: running calls finish into its journal, and whoever adopts it settles it."""
        book, now = self._book, self._clock.now()
        log.warning("node.fenced node=%s reason=%s", book.node_id, reason)
        self._figures.fenced += 1
        self._trouble = reason
        for waiting in book.end():
            self._wake(waiting)
        self._ended.append(book)
        if self._is_stopping:
            self._end_ended(book)
            return
        self._open_book()
        for hold in book.pending:
            if hold.segment is None and hold.record is not None:
                self._book.add(msgspec.structs.replace(hold.record, covered=0), now)
        self._end_ended(book)

    def _end_ended(self, book: Book) -> None:
        if not book.running and book in self._ended:
            self._ended.remove(book)
            if book.journal is not None:
                book.journal.release()
            self._custody.hurry()

    def _journals(self) -> list[Journal]:
        return [book.journal for book in (*self._ended, self._book) if book.journal is not None]

    # -- the conversation

    async def _converse(self) -> None:
        """Until the node is closed: register, then one sync after the other."""
        while not self._is_closed:
            book = self._book
            try:
                if book.is_over:
                    if self._is_stopping:
                        return
                    self._open_book()
                elif not book.is_registered:
                    await self._register(book)
                else:
                    await self._turn(book)
            except NodeRefused as error:
                self._end_book(str(error))
            except OSError as error:  # no journal for a new book
                self._trouble = str(error)
                await asyncio.sleep(1)
            except Exception as error:
                log.exception("credit.failed")
                await asyncio.sleep(0.1)
                if not book.is_over:
                    self._end_book(f"{type(error).__name__}: {error}")

    async def _register(self, book: Book) -> None:
        first_sent: int | None = None
        delay = self.settings.reconnect_min_ms
        while not book.is_registered:
            if self._is_stopping:
                await asyncio.sleep(1)
                continue
            try:
                connection = await self._connected()
                self._check_clock(await settlement.server_time(connection))
                if not self._ready.is_set():
                    await self._prepare_ground()
                first_sent = first_sent if first_sent is not None else self._clock.now()
                await settlement.register(connection, book.node_id, self._host)
                book.registered(first_sent)
                log.info("node.registered node=%s", book.node_id)
            except (OutcomeUnknown, NotCommitted, _WallClockWrong, *AWAY) as error:
                self._away(error)
                await asyncio.sleep(delay / 1000)
                delay = min(2 * delay, self.settings.reconnect_max_ms)
        if not self._ready.is_set():
            await self._custody.round()
            self._tasks.append(asyncio.create_task(self._custody.run(), name="credit-custody"))
        self._trouble = None
        self._ready.set()

    async def _prepare_ground(self) -> None:
        """Before the first record can be written, its partition should be there."""
        try:
            await partitions.make_partitions(self._dsn)
        except partitions.PartitionsMissing as error:
            log.error("partitions.missing error=%s", error)  # noqa: TRY400 - the cause is in the message

    def _check_clock(self, server: datetime) -> None:
        difference = abs((datetime.now(UTC) - server).total_seconds())
        if difference * 1000 > self.settings.wall_clock_difference_max_ms:
            raise _WallClockWrong(f"this machine's clock is {difference:.0f} s away from Postgres'")

    async def _turn(self, book: Book) -> None:
        """Wait until there is something to say, then say it."""
        if not book.needs_sync(self._clock.now()):
            await self._sleep(self.settings.scan_ms, is_light=True)
            return
        crowd = self.settings.records_per_sync // 2
        if book.pending and not (book.wants_sync or book.waiting or book.is_draining) and len(book.pending) < crowd:
            await self._sleep(self.settings.sync_delay_ms, is_light=False)
            if book.is_over:
                return
        flight = book.build(self._clock.now())
        answer = await self._resolve(book, flight)
        if answer is not None:
            self._confirmed(book, flight, answer)
            if book.waiting and not book.wants_sync:
                await self._sleep(self.settings.retry_waiting_ms, is_light=False)

    async def _resolve(self, book: Book, flight: Flight) -> SyncAnswer | None:
        """Send until the outcome is known. None: rolled back, and the book will say less."""
        delay = self.settings.reconnect_min_ms
        while True:
            is_sent = False
            try:
                connection = await self._connected()
                is_sent = True
                started = asyncio.get_running_loop().time()
                answer = await settlement.sync(connection, flight.request)
                self._figures.sync_seconds += asyncio.get_running_loop().time() - started
                self._trouble = None
                return answer
            except RecordsKnown as error:
                if not await self._drop_known(book, flight):
                    return self._refuse_content(book, flight, error)
            except ContentRefused as error:
                return self._refuse_content(book, flight, error)
            except NotCommitted as error:
                log.info("sync.postponed error=%s", error)
                self._trouble = str(error)
            except (OutcomeUnknown, *AWAY) as error:
                flight.is_uncertain |= is_sent
                self._away(error)
            self._figures.retries += 1
            await asyncio.sleep(delay / 1000)
            delay = min(2 * delay, self.settings.reconnect_max_ms)

    async def _drop_known(self, book: Book, flight: Flight) -> bool:
        """False: Postgres knows none of them, so it was something else."""
        try:
            known = await settlement.known_requests(await self._connected(), flight.request.records)
        except (OutcomeUnknown, NotCommitted, *AWAY) as error:
            self._away(error)
            return True
        log.error("record.known requests=%s", sorted(map(str, known)))
        book.without_known(known)
        return bool(known)

    def _refuse_content(self, book: Book, flight: Flight, error: Exception) -> None:
        log.error(
            "sync.refused node=%s seq=%s records=%s error=%s",
            book.node_id,
            flight.request.seq,
            len(flight.holds),
            error,
        )
        if flight.is_uncertain:  # an attempt with this content may still commit, so no other may take its number
            raise NodeRefused(f"refused after an unknown outcome: {error}")
        record = book.content_refused(self._clock.now())
        if record is not None:
            assert book.journal is not None
            self._figures.quarantined += 1
            log.error("record.quarantined request=%s kept=%s", record.request_id, book.journal.quarantine(record))

    def _confirmed(self, book: Book, flight: Flight, answer: SyncAnswer) -> None:
        self._clock.rebase()
        settled, done = book.confirmed(answer, self._clock.now())
        journal = book.journal
        assert journal is not None
        for hold in settled:
            if hold.segment is not None:
                journal.confirmed(hold.segment)
        if self._awaited:
            for hold in settled:
                if (
                    hold.record is not None
                    and (future := self._awaited.get(hold.record.request_id))
                    and not future.done()
                ):
                    future.set_result(None)
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
        assert isinstance(wake, asyncio.Future)
        if not wake.done():
            wake.set_result(None)
        elif isinstance(waiting.outcome, Hold) and wake.cancelled():
            self.release(waiting.outcome)
            waiting.outcome = None

    async def _keep_house(self) -> None:
        """Once a second: old segments go, a journal that failed is tried again, the backlog is bounded."""
        while True:
            await asyncio.sleep(self.settings.beat_ms / 1000)
            book = self._book
            journal = book.journal
            if journal is None or book.is_over or self._is_closed:
                continue
            if journal.failure is not None and journal.probe():
                self._journal_again(book, journal)
            with contextlib.suppress(OSError):
                journal.trim()
            is_full = (
                len(book.pending) >= self.settings.backlog_records_max
                or journal.unconfirmed_bytes >= self.settings.backlog_bytes_max
            )
            book.is_barred = is_full or journal.failure is not None

    def _journal_again(self, book: Book, journal: Journal) -> None:
        """The disk takes records again: first those that it had refused."""
        with contextlib.suppress(JournalFailed):
            for hold in book.pending:
                if hold.segment is None and hold.record is not None:
                    hold.segment = journal.append(hold.record)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, command_seconds=self.settings.sync_timeout_ms / 1000)
        return self._connection

    def _away(self, error: Exception) -> None:
        log.warning("postgres.away error=%s", error)
        self._trouble = str(error) or type(error).__name__
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _sleep(self, milliseconds: int, *, is_light: bool) -> None:
        """Light: anything ends it. Otherwise only what is urgent does, others may gather meanwhile."""
        loop = asyncio.get_running_loop()
        nap: asyncio.Future[None] = loop.create_future()
        self._nap, self._nap_is_light = nap, is_light
        timer = loop.call_later(milliseconds / 1000, _end_nap, nap)
        try:
            await nap
        finally:
            timer.cancel()
            self._nap = None

    def _rouse(self, *, is_urgent: bool) -> None:
        nap = self._nap
        if nap is not None and (is_urgent or self._nap_is_light) and not nap.done():
            nap.set_result(None)


class _WallClockWrong(Exception):
    """Records would be dated wrongly."""


def _end_nap(nap: asyncio.Future[None]) -> None:
    if not nap.done():
        nap.set_result(None)


def _out_of_quota(missing: Missing) -> OutOfQuota:
    needed, available = missing.needed, missing.available
    if missing.is_overrun:
        return InsufficientQuota(
            f"Earlier calls used {available} quota more than the balance could pay. Top up to go on.",
            needed=needed,
            available=0,
        )
    if isinstance(missing.purse_id, int):
        return InsufficientQuota(
            f"This call can cost up to {needed} quota and the balance is {available}. Top up, or ask for fewer output tokens.",
            needed=needed,
            available=available,
        )
    return KeyLimitReached(
        f"This call can cost up to {needed} quota and this key's spend limit leaves {available}."
        " Raise the limit in the console under API keys, or ask for fewer output tokens.",
        needed=needed,
        available=available,
    )

"""The one conversation of a process with Postgres about credit: register, then one numbered sync after the other."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from airouter.domain.lease import SyncAnswer
from airouter.gateway.leases.book import Book
from airouter.gateway.leases.clock import Clock
from airouter.gateway.leases.hold import Flight
from airouter.gateway.leases.settings import CreditSettings
from airouter.services import partitions, settlement
from airouter.services.settlement import ContentRefused, NodeRefused, NotCommitted, OutcomeUnknown, RecordsKnown
from airouter.storage.database import AWAY, Connection, connect

log = logging.getLogger("airouter.credit")


class WallClockWrong(Exception):
    """Records would be dated wrongly."""


class Desk(Protocol):
    """Whose books they are: what the conversation reports to."""

    @property
    def book(self) -> Book: ...

    @property
    def is_stopping(self) -> bool: ...

    def open_book(self) -> None:
        """A new registration, after the last one is over."""

    def end_book(self, reason: str) -> None:
        """The registration is over; a new one opens at once."""

    async def registered(self) -> None: ...

    def confirmed_sync(self, book: Book, flight: Flight, answer: SyncAnswer) -> None: ...


class ConversationFigures(msgspec.Struct):
    """What happened since this process began."""

    retries: int = 0
    quarantined: int = 0
    sync_seconds: float = 0.0


class Conversation:
    """Never two syncs in flight; an unknown outcome is resolved by sending the same again."""

    def __init__(self, *, dsn: str, host: str, settings: CreditSettings, clock: Clock, desk: Desk) -> None:
        self.figures = ConversationFigures()
        self.trouble: str | None = "it has not reached Postgres yet"
        """Why the last attempt failed; None: it did not."""
        self._dsn = dsn
        self._host = host
        self._settings = settings
        self._clock = clock
        self._desk = desk
        self._connection: Connection | None = None
        self._nap: asyncio.Future[None] | None = None
        self._nap_is_light = False
        self._is_ground_prepared = False

    async def run(self) -> None:
        """Until the node is closed, or the book is over while stopping."""
        while True:
            book = self._desk.book
            try:
                if book.is_over:
                    if self._desk.is_stopping:
                        return
                    self._desk.open_book()
                elif not book.is_registered:
                    await self._register(book)
                elif await self._turn(book):
                    return
            except NodeRefused as error:
                self.trouble = str(error)
                self._desk.end_book(str(error))
            except OSError as error:  # no journal for a new book
                self.trouble = str(error)
                await asyncio.sleep(1)
            except Exception as error:
                log.exception("credit.failed")
                await asyncio.sleep(0.1)
                if not book.is_over:
                    self._desk.end_book(f"{type(error).__name__}: {error}")

    def rouse(self, *, is_urgent: bool) -> None:
        """There is something to say; urgently, if somebody waits for it."""
        nap = self._nap
        if nap is not None and (is_urgent or self._nap_is_light) and not nap.done():
            nap.set_result(None)

    def hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _register(self, book: Book) -> None:
        first_sent: int | None = None
        delay = self._settings.reconnect_min_ms
        while not book.is_registered:
            try:
                connection = await self._connected()
                self._check_clock(await settlement.server_time(connection))
                await self._prepare_ground()
                first_sent = first_sent if first_sent is not None else self._clock.now()
                await settlement.register(connection, book.node_id, self._host)
                book.registered(first_sent)
            except (OutcomeUnknown, NotCommitted, WallClockWrong, *AWAY) as error:
                self._away(error)
                await asyncio.sleep(delay / 1000)
                delay = min(2 * delay, self._settings.reconnect_max_ms)
        log.info("node.registered node=%s", book.node_id)
        self.trouble = None
        await self._desk.registered()

    async def _prepare_ground(self) -> None:
        """Before the first record can be written, its partition should be there."""
        if self._is_ground_prepared:
            return
        try:
            await partitions.make_partitions(self._dsn)
        except partitions.PartitionsMissing as error:
            log.error("partitions.missing error=%s", error)  # noqa: TRY400 - the cause is in the message
        self._is_ground_prepared = True

    def _check_clock(self, server: datetime) -> None:
        difference = abs((datetime.now(UTC) - server).total_seconds())
        if difference * 1000 > self._settings.wall_clock_difference_max_ms:
            raise WallClockWrong(f"this machine's clock is {difference:.0f} s away from Postgres'")

    async def _turn(self, book: Book) -> bool:
        """Wait until there is something to say, then say it. True: that was the last word."""
        if not book.needs_sync(self._clock.now()):
            await self._sleep(self._settings.scan_ms, is_light=True)
            return False
        crowd = self._settings.records_per_sync // 2
        if book.pending and not (book.wants_sync or book.waiting or book.is_draining) and len(book.pending) < crowd:
            await self._sleep(self._settings.sync_delay_ms, is_light=False)
        flight = book.build(self._clock.now())
        answer = await self._resolve(book, flight)
        if answer is None:
            return False
        self._clock.rebase()
        self._desk.confirmed_sync(book, flight, answer)
        if flight.request.closes:
            return True
        if book.waiting and not book.wants_sync:
            await self._sleep(self._settings.retry_waiting_ms, is_light=False)
        elif book.is_draining and not book.pending:
            await self._sleep(self._settings.retry_waiting_ms, is_light=True)
        return False

    async def _resolve(self, book: Book, flight: Flight) -> SyncAnswer | None:
        """Send until the outcome is known. None: rolled back, and the book will say less."""
        delay = self._settings.reconnect_min_ms
        while True:
            is_sent = False
            try:
                connection = await self._connected()
                is_sent = True
                return await self._send(connection, flight)
            except RecordsKnown as error:
                if not await self._drop_known(book, flight):
                    self._refuse_content(book, flight, error)
                    return None
            except ContentRefused as error:
                self._refuse_content(book, flight, error)
                return None
            except NotCommitted as error:
                log.info("sync.postponed error=%s", error)
                self.trouble = str(error)
            except (OutcomeUnknown, *AWAY) as error:
                flight.is_uncertain |= is_sent
                self._away(error)
            self.figures.retries += 1
            await asyncio.sleep(delay / 1000)
            delay = min(2 * delay, self._settings.reconnect_max_ms)

    async def _send(self, connection: Connection, flight: Flight) -> SyncAnswer:
        started = self._clock.now()
        answer = await settlement.sync(connection, flight.request)
        self.figures.sync_seconds += (self._clock.now() - started) / 1_000_000_000
        self.trouble = None
        return answer

    async def _drop_known(self, book: Book, flight: Flight) -> bool:
        """Take out of the sync what Postgres has already. False: that was nothing, so the error meant something
        else.
        """
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
            book.node_id, flight.request.seq, len(flight.holds), error,
        )  # fmt: skip
        if flight.is_uncertain:  # an attempt with this content may still commit, so no other may take its number
            raise NodeRefused(f"refused after an unknown outcome: {error}")
        hold = book.content_refused()
        if hold is not None:
            record = hold.record
            assert record is not None
            assert book.journal is not None
            if hold.segment is not None:
                book.journal.confirmed(hold.segment)
            self.figures.quarantined += 1
            try:
                log.error("record.quarantined request=%s kept=%s", record.request_id, book.journal.quarantine(record))
            except OSError as unkept:  # then the log is where it is kept
                log.critical("record.quarantined record=%r error=%s", record, unkept)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, command_seconds=self._settings.sync_timeout_ms / 1000)
        return self._connection

    def _away(self, error: Exception) -> None:
        log.warning("postgres.away error=%s", error)
        self.trouble = str(error) or type(error).__name__
        self.hang_up()

    async def _sleep(self, milliseconds: int, *, is_light: bool) -> None:
        """Light: anything ends it. Otherwise only what is urgent does, and others may gather meanwhile."""
        loop = asyncio.get_running_loop()
        nap: asyncio.Future[None] = loop.create_future()
        self._nap, self._nap_is_light = nap, is_light
        timer = loop.call_later(milliseconds / 1000, _end_nap, nap)
        try:
            await nap
        finally:
            timer.cancel()
            self._nap = None


def _end_nap(nap: asyncio.Future[None]) -> None:
    if not nap.done():
        nap.set_result(None)

"""A gateway process of the simulation: the production book, observer and settlement, in a shell without a network."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airouter.domain.usage import UsageRecord
from tests.simulation.postgres import UUID, uuid_of

if TYPE_CHECKING:
    from tests.simulation.world import World

SECOND = 1_000_000_000
CARD = uuid_of(1)


class Journal:
    """Shared by the processes of a machine; `owner` is who holds the lock."""

    def __init__(self, node_id: UUID, owner: "Process") -> None:
        self.node_id = node_id
        self.owner: Process | None = owner
        self.records: list[UsageRecord] = []


class Machine:
    def __init__(self) -> None:
        self.journals: dict[UUID, Journal] = {}


class Process:
    def __init__(self, world: "World", machine: Machine, name: str) -> None:
        self.world, self.machine, self.name = world, machine, name
        self.code: SimpleNamespace = world.code
        self.rate = 1 + world.rng.uniform(-world.drift, world.drift)
        self.origin = world.rng.uniform(0, 1000)
        self.alive = True
        self.draining = False
        self.paused_until = self.cut_until = 0.0
        self.observer = self.code.observer.Observer(world.settings)
        self.adopting: tuple[UUID, int] | None = None
        self.read_at = -(2**62)
        self.reading: int | None = None
        self.books: list[Any] = []
        self.open_book()

    def clock(self) -> int:
        """Monotonic, counts suspension, runs at a slightly wrong rate."""
        return int((self.origin + self.world.now * self.rate) * SECOND)

    @property
    def book(self) -> Any:
        return self.books[-1]

    def open_book(self) -> None:
        node_id = self.world.node_id()
        book = self.code.book.Book(node_id, self.world.settings)
        book.journal = self.machine.journals[node_id] = Journal(node_id, self)
        book.sent_at = None
        book.register_first_sent = None
        self.books.append(book)

    # -- calls

    def arrive(self, request: Any) -> None:
        book, now = self.book, self.clock()
        hold = book.try_hold(request.wallet, request.key, request.is_limited, request.amount, now)
        if hold is not None:
            self.world.started(self, request, hold)
            return
        waiting = self.code.hold.Waiting(
            request.wallet, request.key, is_limited=request.is_limited, amount=request.amount
        )
        if not book.may_admit(now):
            self.world.count["refused 503"] += 1
        elif book.known_missing(waiting, now) is not None:
            self.world.count["refused 402 from memory"] += 1
        else:
            waiting.wake = (request, now)
            book.wait(waiting, now)
            self.hurry()

    def extend(self, hold: Any, more: int) -> None:
        if hold.is_open:
            self.world.count["extended" if hold.book.extend(hold, more) else "not extended"] += 1
            self.hurry()

    def finish(self, request: Any, hold: Any, cost: int | None) -> None:
        """The call is over. None: it failed and is given up without a record."""
        book, now = hold.book, self.clock()
        if cost is None:
            book.release(hold, now)
        else:
            record = UsageRecord(
                request_id=request.request_id,
                account_id=CARD,
                wallet_id=request.wallet,
                key_id=request.key,
                model="m",
                endpoint="e",
                status="ok",
                usage_source="provider",
                quantities={},
                rate_card_id=CARD,
                multiplier_micros=1,
                group="g",
                cost=cost,
                covered=book.cover(hold, cost),
                key_is_limited=hold.key is not None,
            )
            if self.world.error != "journal after the answer":
                book.journal.records.append(record)
            self.world.answered(self, record)
            book.finish(hold, record, now)
        if book.wants_sync:
            self.hurry()
        if book.is_over and not book.running:
            book.journal.owner = None  # an orphan like any other

    # -- talking to Postgres

    def hurry(self) -> None:
        self.world.after(0.005, self.tick, self)

    def tick(self) -> None:
        self.adopt_orphans()
        book, now = self.book, self.clock()
        book.is_draining = self.draining
        timeout = self.world.settings.sync_timeout_ms * 1_000_000
        if not book.is_registered:
            if book.sent_at is None or now - book.sent_at > timeout:
                book.sent_at = now
                book.register_first_sent = book.register_first_sent or now
                self.world.send(
                    self,
                    lambda db: self.code.settlement.register(db, book.node_id, ""),
                    lambda answer: self.on_registered(book, answer),
                )
            return
        for waiting in list(book.waiting):
            if now - waiting.wake[1] > self.world.settings.wait_max_ms * 1_000_000 or not book.may_admit(now):
                book.give_up(waiting)
                self.world.count["refused 429"] += 1
        if book.flight is not None:
            if now - book.sent_at > timeout:
                book.flight.is_uncertain = True
                if self.world.error == "the deadline counts from a retry":
                    book.flight.first_sent = now
                self.transmit(book, book.flight)
        elif book.needs_sync(now):
            self.transmit(book, book.build(now))

    def transmit(self, book: Any, flight: Any) -> None:
        book.sent_at = self.clock()
        request = flight.request
        self.world.send(
            self,
            lambda db: self.code.settlement.sync(db, request),
            lambda answer: self.on_synced(book, flight, request, answer),
        )

    def on_registered(self, book: Any, answer: Any) -> None:
        if book.is_over or book.is_registered:
            return
        if isinstance(answer, Exception):
            self.end(book)
        else:
            book.registered(book.register_first_sent)

    def on_synced(self, book: Any, flight: Any, request: Any, answer: Any) -> None:
        if book.flight is not flight or flight.request is not request or book.is_over:
            return
        if isinstance(answer, self.code.settlement.NodeRefused):
            self.end(book)
            return
        if isinstance(answer, self.code.settlement.ContentRefused):
            self.content_refused(book, flight)
            return
        assert not isinstance(answer, Exception), repr(answer)
        settled, done = book.confirmed(answer, self.clock())
        if self.world.rng.random() < 0.5:  # segments are dropped late: replay must bear duplicates
            gone = {hold.record.request_id for hold in settled}
            book.journal.records = [record for record in book.journal.records if record.request_id not in gone]
        for waiting in done:
            if isinstance(waiting.outcome, self.code.hold.Hold):
                self.world.started(self, waiting.wake[0], waiting.outcome)
            else:
                self.world.count["refused 402"] += 1
        if request.closes:
            self.machine.journals.pop(book.node_id, None)
            self.leave()
            self.world.count["closed"] += 1
        elif book.waiting or book.wants_sync:
            self.world.after(0.025, self.tick, self)

    def content_refused(self, book: Any, flight: Any) -> None:
        if flight.is_uncertain:
            self.end(book)
            return
        hold = book.content_refused()
        if hold is not None:
            self.quarantine(book.journal, [hold.record])
        self.hurry()

    def quarantine(self, journal: Journal, records: list[UsageRecord]) -> None:
        for record in records:
            assert record.request_id in self.world.db.poison, "a good record went to quarantine"
            self.world.quarantined.add(record.request_id)
            self.world.count["quarantined"] += 1
        gone = {record.request_id for record in records}
        journal.records = [record for record in journal.records if record.request_id not in gone]

    def end(self, book: Any) -> None:
        """Declared dead: running calls finish into the old journal; start anew."""
        self.world.count["fenced"] += 1
        self.world.count["refused 503"] += len(book.end())
        if not book.running:
            book.journal.owner = None
        self.open_book()

    def on_recall(self, purse: str) -> None:
        self.book.recalled(self.code.lease.purse_id_of(purse), self.clock())
        self.hurry()

    # -- sweeping and adopting

    def observe(self) -> None:
        """A reading of the live nodes, once a second."""
        sent = self.clock()
        if self.reading is not None and sent - self.reading < 2 * SECOND:
            return
        self.reading = sent
        self.world.send(self, self.code.settlement.live_nodes, lambda answer: self.on_observed(sent, answer))

    def on_observed(self, sent: int, seqs: dict[UUID, int]) -> None:
        if self.reading != sent:
            return
        self.reading = None
        self.read_at = sent
        for node_id, seq in self.observer.read(seqs, sent, self.clock()):
            if node_id != self.book.node_id:
                self.world.count["sweeps sent"] += 1
                self.world.send(
                    self, lambda db, n=node_id, s=seq: self.code.settlement.sweep(db, n, s), lambda _answer: None
                )

    def adopt_orphans(self) -> None:
        now = self.clock()
        timeout = self.world.settings.sync_timeout_ms * 1_000_000
        if self.adopting and now - self.adopting[1] < timeout:
            return
        if self.adopting:  # no answer: let go of the lock, then try again, maybe another journal
            given_up, self.adopting = self.machine.journals.get(self.adopting[0]), None
            if given_up and given_up.owner is self:
                given_up.owner = None
        ignores_lock = self.world.error == "adoption without the lock"
        free = [
            journal
            for journal in self.machine.journals.values()
            if journal.owner is None or (ignores_lock and journal.owner is not self)
        ]
        if not free or not self.book.is_registered:
            return
        journal = free[0]
        journal.owner = self  # flock
        attempt = self.adopting = (journal.node_id, now)
        chunk = journal.records[: self.world.rng.choice([1, self.world.settings.records_per_sync])]
        is_last = len(chunk) == len(journal.records)
        self.world.send(
            self,
            lambda db: self.code.settlement.adopt(db, journal.node_id, chunk, is_last=is_last),
            lambda answer: self.on_adopted(attempt, journal, chunk, answer),
        )

    def on_adopted(self, attempt: Any, journal: Journal, chunk: list[UsageRecord], answer: Any) -> None:
        if self.adopting is not attempt:  # the answer to an attempt that was given up
            return
        self.adopting = None
        journal.owner = None
        if isinstance(answer, self.code.settlement.ContentRefused):
            bad = [record for record in chunk if record.request_id in self.world.db.poison]
            if len(chunk) == 1:
                self.quarantine(journal, bad)
            return
        assert not isinstance(answer, Exception), repr(answer)
        if answer.state in ("closed", "unknown"):
            assert answer.state == "closed" or not journal.records, "a journal with records belongs to a known node"
            self.machine.journals.pop(journal.node_id, None)
            self.world.count["adopted"] += 1
        else:
            gone = {record.request_id for record in chunk}
            journal.records = [record for record in journal.records if record.request_id not in gone]

    def leave(self) -> None:
        """kill -9, or the end of an orderly stop: the kernel drops the locks."""
        self.alive = False
        for journal in self.machine.journals.values():
            if journal.owner is self:
                journal.owner = None

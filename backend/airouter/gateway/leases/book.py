"""The book: one process' credit during one registration, in memory. No input or output, no clock of its own.

The shell around it (`credit.py`) writes the journal, talks to Postgres and tells the time; the simulation does the
same with neither. Nothing here awaits, so nothing happens between a check and its change. Times are nanoseconds.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from airouter.domain.ids import KeyId, NodeId, RequestId, WalletId
from airouter.domain.lease import Level, Purse, PurseId, Sync, SyncAnswer, Wish
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.batch import Batch
from airouter.gateway.leases.hold import Flight, Hold, Missing, Waiting
from airouter.gateway.leases.journal import Journal
from airouter.gateway.leases.levels import Levels
from airouter.gateway.leases.settings import MILLISECOND, CreditSettings

_NEVER: Final = -(2**62)


class Book:
    """Leases, holds, waiting calls and pending records of one node."""

    def __init__(self, node_id: NodeId, settings: CreditSettings) -> None:
        self.node_id = node_id
        self.settings = settings
        self.journal: Journal | None = None
        """Where the shell writes the records of this book, whichever book is current by then."""
        self.overrun_max: int | None = None
        """Policy `limits.overrun_max`; None: no bound."""
        self.seq = 0
        self.deadline = _NEVER
        """Nothing is admitted from here on, unless a sync is confirmed before."""
        self.is_registered = False
        self.is_over = False
        self.is_draining = False
        self.is_barred = False
        """The shell says that nothing may be admitted: the journal failed, or the backlog is full."""
        self.flight: Flight | None = None
        self.running = 0
        self.waiting: dict[Waiting, None] = {}
        self.pending: deque[Hold] = deque()
        self.purses: dict[PurseId, Purse] = {}
        self.synced_at = _NEVER
        self.wants_sync = False
        """Something happened that a sync should see at once."""
        self._levels = Levels(self.purses, settings)
        self._batch = Batch(settings.records_per_sync)
        self._extending: dict[Hold, int] = {}
        self._first_sent: int | None = None
        self._ttl = settings.ttl_ms * MILLISECOND
        self._margin = settings.margin_ms * MILLISECOND
        self._half_life = settings.half_life_ms * MILLISECOND

    # -- calls

    def may_admit(self, now: int) -> bool:
        """Only before the deadline: afterwards others may have swept our leases."""
        return now < self.deadline and self.is_registered and not (self.is_over or self.is_draining or self.is_barred)

    def try_hold(
        self,
        wallet_id: WalletId,
        key_id: KeyId,
        is_limited: bool,  # noqa: FBT001 - positional, for speed
        amount: int,
        now: int,
    ) -> Hold | None:
        """Hold `amount` against idle credit of every purse, or of none. None: not enough here, or not now."""
        if now >= self.deadline or not self.is_registered or self.is_over or self.is_draining or self.is_barred:
            return None
        wallet = self.purses.get(wallet_id) or self._open_purse(wallet_id, now)
        if wallet.leased - wallet.returning - wallet.held - wallet.unsettled < amount:
            return None
        if self.overrun_max is not None and wallet.overrun + wallet.overdrawn > self.overrun_max:
            return None
        key: Purse | None = None
        if is_limited:
            key = self.purses.get(key_id) or self._open_purse(key_id, now)
            if key.leased - key.returning - key.held - key.unsettled < amount:
                return None
            key.held += amount
            key.calls += 1
            key.used_at = now
        wallet.held += amount
        wallet.calls += 1
        wallet.used_at = now
        self.running += 1
        return Hold(self, wallet, key, wallet_id=wallet_id, key_id=key_id, amount=amount)

    def try_extend(self, hold: Hold, more: int) -> bool:
        """Let a running call hold `more`, from what was granted for it or is idle. False: there is not enough."""
        assert hold.is_open, "a call that has ended cannot hold more"
        if self.is_over or not self._reserve(hold, more):
            return False
        self._extending.pop(hold, None)
        hold.ahead -= more
        return True

    def extend(self, hold: Hold, more: int) -> bool:
        """The same, and when there is not enough the next sync asks for it: what Postgres grants is kept for the call
        until it comes again, however slowly it streams.
        """
        if self.try_extend(hold, more):
            return True
        self._extending[hold] = more
        self.wants_sync = True
        return False

    def _reserve(self, hold: Hold, more: int) -> bool:
        """Have so much held ahead. False: there is not enough."""
        lack = max(0, more - hold.ahead)
        if any(purse.idle < lack for purse in hold.purses):
            return False
        for purse in hold.purses:
            purse.held += lack
        hold.amount += lack
        hold.ahead += lack
        return True

    def overdraw(self, hold: Hold, more: int) -> bool:
        """Let a running call go `more` beyond its hold at the operator's expense, within the bound per account."""
        wallet = hold.wallet
        if self.overrun_max is not None and wallet.overrun + wallet.overdrawn + more > self.overrun_max:
            return False
        wallet.overdrawn += more
        hold.overdrawn += more
        return True

    def cover(self, hold: Hold, cost: int) -> int:
        """The part of the cost that is leased: from the hold, an excess from idle lease, never from others' holds."""
        if cost <= hold.amount:
            return cost
        idle = hold.wallet.idle if hold.key is None else min(hold.wallet.idle, hold.key.idle)
        return hold.amount + min(cost - hold.amount, max(0, idle))

    def finish(self, hold: Hold, record: UsageRecord, now: int) -> None:
        """The call has ended and its record is in the journal: what it covered stays spent until Postgres has it."""
        self._let_go(hold, now)
        hold.record = record
        half_life = self._half_life
        hold.wallet.unsettled += record.covered
        hold.wallet.used(now, record.cost, half_life)
        if hold.key is not None:
            hold.key.unsettled += record.covered
            hold.key.used(now, record.cost, half_life)
        if not self.is_over:
            self.pending.append(hold)

    def add(self, record: UsageRecord, now: int) -> None:
        """A record of an earlier book whose journal failed: nothing of it is covered here."""
        wallet = self._open_purse(record.wallet_id, now)
        hold = Hold(self, wallet, None, wallet_id=record.wallet_id, key_id=record.key_id, amount=0)
        hold.is_open = False
        hold.record = record
        self.pending.append(hold)

    def release(self, hold: Hold, now: int) -> None:
        """The call is given up and costs nothing."""
        self._let_go(hold, now)
        hold.wallet.overdrawn -= hold.overdrawn

    def _let_go(self, hold: Hold, now: int) -> None:
        assert hold.is_open, "a hold is settled or released once"
        hold.is_open = False
        self.running -= 1
        for purse in hold.purses:
            purse.held -= hold.amount
            purse.calls -= 1
            if now < purse.tight_until:
                self._hurry(purse)

    def _hurry(self, purse: Purse) -> None:
        """Somebody waits for what was just let go."""
        self._levels.look_at(purse.purse_id)
        self.wants_sync = True

    def _open_purse(self, purse_id: PurseId, now: int) -> Purse:
        purse = self.purses.get(purse_id)
        if purse is None:
            purse = self.purses[purse_id] = Purse(purse_id, now)
        return purse

    # -- waiting

    def wait(self, waiting: Waiting, now: int) -> None:
        """Queue a call that did not fit; the next sync asks for it."""
        for purse_id in waiting.purses:
            self._open_purse(purse_id, now)
        self.waiting[waiting] = None
        self.wants_sync = True

    def give_up(self, waiting: Waiting) -> None:
        self.waiting.pop(waiting, None)

    def known_missing(self, waiting: Waiting, now: int) -> Missing | None:
        """A refusal that Postgres gave a moment ago and that holds for this call, too."""
        for purse_id in waiting.purses:
            purse = self.purses.get(purse_id)
            if purse is not None and now < purse.refused_until and purse.total < waiting.amount:
                return Missing(purse_id, waiting.amount, purse.total, bound=purse.bound)
        return None

    def recalled(self, purse_id: PurseId, now: int) -> None:
        """Another process has a call that needs what we do not use."""
        purse = self.purses.get(purse_id)
        if purse is not None:
            purse.tight_until = now + self.settings.tight_ms * MILLISECOND
            self._hurry(purse)

    def changed(self, purse_id: PurseId) -> None:
        """Money came in: earlier refusals no longer hold."""
        purse = self.purses.get(purse_id)
        if purse is not None:
            purse.refused_until = _NEVER
            purse.overrun = 0

    # -- talking to Postgres

    def registered(self, first_sent: int) -> None:
        self.is_registered = True
        self.deadline = first_sent + self._ttl - self._margin

    def end(self) -> list[Waiting]:
        """Declared dead, or given up: nothing is spent under this book any more. Answers who waited in vain."""
        self.is_over = True
        waiting = list(self.waiting)
        self.waiting.clear()
        return waiting

    def needs_sync(self, now: int) -> bool:
        """Whether a sync has anything to say."""
        if self.wants_sync or self.waiting or self.pending or self._levels.is_any_due or self.is_draining:
            return True
        if now - self.synced_at >= self.settings.beat_ms * MILLISECOND:
            return True
        self._look_around(now)
        return self._levels.is_any_due

    def _look_around(self, now: int) -> None:
        if self._levels.is_time(now):
            asked = {purse_id for waiting in self.waiting for purse_id in waiting.purses}
            self._levels.look_around(now, asked, is_draining=self.is_draining)

    def build(self, now: int) -> Flight:
        """The next sync. What it returns is no longer idle from here on."""
        assert self.flight is None, "one sync at a time"
        assert self.is_registered
        assert not self.is_over
        self.wants_sync = False
        self._look_around(now)
        mentioned: dict[PurseId, Purse] = {}
        extending = self._take_extending()
        wishes, waiting, asked = self._take_wishes(extending, mentioned)
        holds = self._take_records(mentioned)
        levels = self._decide(mentioned, asked, now)
        closes = self.is_draining and not self.running and not self.waiting and len(holds) == len(self.pending)
        everything = self.purses if closes else mentioned
        if closes:
            for purse in everything.values():
                purse.returning = purse.leased - purse.batched
        request = Sync(
            node_id=self.node_id,
            seq=self.seq + 1,
            records=tuple(_record_of(hold) for hold in holds),
            wishes=tuple(wishes),
            levels=levels,
            mine={purse_id: purse.leased for purse_id, purse in everything.items()},
            recalled_lately=frozenset(p for p in asked if not self._may_recall(mentioned[p], now)),
            closes=closes,
        )
        if self._first_sent is None:
            self._first_sent = now
        self.flight = Flight(
            request, holds, list(everything.values()), self._first_sent, extending=extending, waiting=waiting
        )
        return self.flight

    def _take_extending(self) -> dict[Hold, int]:
        """Running calls that still need more."""
        if self._batch.is_bare:
            return {}
        asked, self._extending = self._extending, {}
        return {hold: more for hold, more in asked.items() if hold.is_open and hold.ahead < more}

    def _take_wishes(
        self, extending: dict[Hold, int], mentioned: dict[PurseId, Purse]
    ) -> tuple[list[Wish], list[Waiting], dict[PurseId, int]]:
        """What running and waiting calls need, in order, as many as fit; and how much waits for each purse."""
        wishes: list[Wish] = []
        taken: list[Waiting] = []
        asked: dict[PurseId, int] = {}
        if self._batch.is_bare:
            return wishes, taken, asked
        for hold, more in extending.items():
            for purse in hold.purses:
                mentioned[purse.purse_id] = purse
                asked.setdefault(purse.purse_id, 0)
            wishes.append(Wish(more - hold.ahead, tuple(purse.purse_id for purse in hold.purses)))
        for waiting in islice(self.waiting, self.settings.wishes_per_sync):
            if len(mentioned) >= self.settings.purses_per_sync // 2:
                break
            for purse_id in waiting.purses:
                mentioned[purse_id] = self.purses[purse_id]
                asked[purse_id] = asked.get(purse_id, 0) + waiting.amount
            wishes.append(Wish(waiting.amount, waiting.purses))
            taken.append(waiting)
        return wishes, taken, asked

    def _take_records(self, mentioned: dict[PurseId, Purse]) -> list[Hold]:
        """Pending records in journal order, as many as one sync can carry."""
        holds: list[Hold] = []
        most = self.settings.purses_per_sync
        for hold in islice(self.pending, self._batch.size_max):
            new = [purse for purse in hold.purses if purse.purse_id not in mentioned]
            if new and holds and len(mentioned) + len(new) > most:
                break
            for purse in new:
                mentioned[purse.purse_id] = self._open_purse(purse.purse_id, purse.used_at)
            covered = _record_of(hold).covered
            for purse in hold.purses:
                purse.batched += covered
            holds.append(hold)
        return holds

    def _decide(self, mentioned: dict[PurseId, Purse], asked: dict[PurseId, int], now: int) -> dict[PurseId, Level]:
        """The levels of purses that are mentioned, and of others that are due, as many as fit; the rest stays due."""
        levels: dict[PurseId, Level] = {}
        most = max(self.settings.purses_per_sync // 4, self.settings.purses_per_sync - len(mentioned))
        due = self._levels.take_due(most, mentioned)
        if self._batch.is_bare:
            return levels
        for purse in (*mentioned.values(), *due):
            level = self._levels.decide(purse, asked.get(purse.purse_id, 0), now, is_draining=self.is_draining)
            if purse.purse_id in asked or level.want != purse.leased - purse.batched:
                levels[purse.purse_id] = level
                mentioned[purse.purse_id] = purse
        return levels

    def _may_recall(self, purse: Purse, now: int) -> bool:
        return now - purse.recalled_at >= self.settings.recall_every_ms * MILLISECOND

    def confirmed(self, answer: SyncAnswer, now: int) -> tuple[list[Hold], list[Waiting]]:
        """Postgres has answered the sync in flight. Answers what is settled, and the calls that wait no longer."""
        flight = self.flight
        assert flight is not None
        self.flight = self._first_sent = None
        self.seq = flight.request.seq
        self.synced_at = now
        self.deadline = flight.first_sent + self._ttl - self._margin
        for hold in flight.holds:
            settled = self.pending.popleft()
            assert settled is hold, "records are settled in journal order"
            covered = _record_of(hold).covered
            hold.wallet.unsettled -= covered
            hold.wallet.overdrawn -= hold.overdrawn
            if hold.key is not None:
                hold.key.unsettled -= covered
        for purse in flight.purses:
            purse.leased = answer.leases.get(purse.purse_id, 0)
            purse.returning = purse.batched = 0
            if purse.purse_id in answer.totals:
                purse.total = answer.totals[purse.purse_id]
                purse.bound = answer.bounds.get(purse.purse_id)
            purse.overrun = answer.overruns.get(purse.purse_id, purse.overrun)
            assert purse.idle >= 0, "a lease is smaller than what is held and unsettled"
        for purse_id in answer.recalled:
            self.purses[purse_id].recalled_at = now
        self._batch.passed(len(flight.holds))
        return flight.holds, self._serve(flight, answer, now)

    def _serve(self, flight: Flight, answer: SyncAnswer, now: int) -> list[Waiting]:
        """Let running calls hold what they asked for, then admit waiting calls in order; refuse those whose purse
        cannot pay even with nothing in flight.
        """
        for hold, more in flight.extending.items():
            if hold.is_open:
                self._reserve(hold, more)
        done: list[Waiting] = []
        for waiting in list(self.waiting):
            waiting.outcome = self.try_hold(
                waiting.wallet_id, waiting.key_id, waiting.key is not None, waiting.amount, now
            )
            if waiting.outcome is not None:
                del self.waiting[waiting]
                done.append(waiting)
        if answer.totals:  # a repetition does not know them
            for waiting in flight.waiting:
                waiting.is_answered = True
                if waiting in self.waiting and (missing := self._missing(waiting, answer, now)):
                    waiting.outcome = missing
                    del self.waiting[waiting]
                    done.append(waiting)
        return done

    def _missing(self, waiting: Waiting, answer: SyncAnswer, now: int) -> Missing | None:
        for purse_id in waiting.purses:
            total = answer.totals[purse_id]
            if total < waiting.amount:
                self.purses[purse_id].refused_until = now + self.settings.refusal_memory_ms * MILLISECOND
                return Missing(purse_id, waiting.amount, total, bound=answer.bounds.get(purse_id))
        owed = answer.overruns.get(waiting.wallet_id, 0)
        if self.overrun_max is not None and owed > self.overrun_max:
            return Missing(waiting.wallet_id, waiting.amount, owed, is_overrun=True)
        return None

    # -- content that Postgres refuses

    def without_known(self, known: Iterable[RequestId]) -> None:
        """Some records of the flight stand in Postgres already: send the rest, settle all when it is confirmed."""
        assert self.flight is not None
        drop = set(known)
        request = self.flight.request
        self.flight.request = Sync(
            **{name: getattr(request, name) for name in request.__struct_fields__ if name != "records"},
            records=tuple(record for record in request.records if record.request_id not in drop),
        )

    def content_refused(self) -> Hold | None:
        """The sync in flight was rolled back because of its content: the next one, with the same seq, carries less.

        Answers the call whose record is proven bad and goes to quarantine: it is no longer pending.
        """
        flight = self.flight
        assert flight is not None
        assert not flight.is_uncertain
        self._retreat(flight)
        if not self._batch.refused([_record_of(hold).request_id for hold in flight.holds]):
            return None
        hold = self.pending.popleft()
        record = _record_of(hold)
        hold.wallet.unsettled -= record.covered
        hold.wallet.overdrawn -= hold.overdrawn
        if hold.key is not None:
            hold.key.unsettled -= record.covered
        return hold

    def _retreat(self, flight: Flight) -> None:
        self.flight = None
        for purse in flight.purses:
            purse.returning = purse.batched = 0
            self._levels.look_at(purse.purse_id)


def _record_of(hold: Hold) -> UsageRecord:
    assert hold.record is not None
    return hold.record

"""The rate book: every limit that one node has met lately, in memory. No input or output, no clock of its own.

The check of all limits of a call and the count are one step: nothing awaits between them, and a call that one limit
refuses is counted by none. The shell around it (`rate_shares.py`) talks to Postgres; the simulation does the same with
a pretended one.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from airouter.domain.rate_limit import Ask, RateLimits, Verdict
from airouter.gateway.rates.gauge import Gauge, Kind
from airouter.gateway.rates.window import Bucket

FORGET_SECONDS: Final = 120.0
"""A limit that nobody met for so long leaves the memory; what it holds of it goes back."""
SWEEP_SECONDS: Final = 30.0

Subject = tuple[str, object]
"""Whose limits: ("key", id), ("account", id), ("group", (name, account id)), ("model", name), ("channel", id)."""
Part = tuple[Gauge, int]
"""A limit, and how much of it a call takes."""
Taken = tuple[Gauge, int, Bucket | None]


class Limited:
    """The gauges of one subject, as its limits stand."""

    __slots__ = ("calls", "limits", "requests", "tokens")

    def __init__(self) -> None:
        self.limits: RateLimits | None = None
        self.requests: Gauge | None = None
        self.tokens: Gauge | None = None
        self.calls: Gauge | None = None

    def gauges(self) -> list[Gauge]:
        return [gauge for gauge in (self.requests, self.tokens, self.calls) if gauge is not None]


class Over(Exception):
    """A limit has no room for the call."""

    def __init__(self, gauge: Gauge, amount: int) -> None:
        self.gauge = gauge
        self.amount = amount


class RateBook:
    """`is_alone`: there is no other node to share with. Times are seconds of a clock that never runs fast."""

    def __init__(self, *, is_alone: bool = False) -> None:
        self.is_alone = is_alone
        self.is_adrift = False
        """Postgres cannot be asked: shares are used beyond the lease, and there are no others."""
        self.urgent: dict[Gauge, None] = {}
        """What calls or other nodes wait for."""
        self.low: dict[Gauge, None] = {}
        """What will be short soon."""
        self._subjects: dict[Subject, Limited] = {}
        self._gauges: dict[str, Gauge] = {}
        self._given_up: dict[str, Ask] = {}
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._gauges)

    # -- calls

    def limited(self, subject: Subject, limits: RateLimits, now: float) -> Limited:
        """The gauges of a subject whose limits are these now."""
        found = self._subjects.get(subject)
        if found is None:
            if self.is_alone:
                self.sweep(now)
            found = self._subjects[subject] = Limited()
        if found.limits is not limits:
            self._adjust(found, subject, limits)
        return found

    def take(self, parts: Sequence[Part], now: float, *, is_lease_over: bool) -> tuple[Taken, ...] | list[Gauge]:
        """Counts all of it; or nothing, and the answer is a list of the gauges whose shares have to be asked for.

        Raises:
            Over: there is no room.
        """
        short: list[Gauge] = []
        for gauge, amount in parts:
            used = gauge.used(now) + amount
            if used > gauge.limit:
                raise Over(gauge, amount)
            if self.is_alone:
                continue
            if gauge.is_valid and not is_lease_over:
                if used <= gauge.allowed:
                    continue
            elif self.is_adrift and used <= gauge.allowed:
                continue
            if gauge.refusing_until > now or self.is_adrift:
                raise Over(gauge, amount)
            short.append(gauge)
        if short:
            return short
        taken: list[Taken] = []
        for gauge, amount in parts:
            taken.append((gauge, amount, gauge.take(amount, now)))
            if not self.is_alone and gauge.is_low(now):
                self.low[gauge] = None
        return tuple(taken)

    def give_back(self, taken: Iterable[Taken], tokens: int | None, now: float, *, is_withdrawn: bool = False) -> None:
        """The call is over; it used so many tokens (None: as many as it took), or never was."""
        for gauge, amount, bucket in taken:
            if gauge.window is None or bucket is None:
                gauge.running -= 1
            elif is_withdrawn:
                gauge.window.correct(bucket, -amount, now)
            elif gauge.kind == "tokens" and tokens is not None and tokens != amount:
                gauge.window.correct(bucket, tokens - amount, now)

    def wait(self, parts: Iterable[Part], gauges: Iterable[Gauge]) -> list[Part]:
        """A call waits for more of these; what to give to `waited`."""
        amounts = dict(parts)
        wanted = [(gauge, amounts[gauge]) for gauge in gauges]
        for gauge, amount in wanted:
            gauge.waiting += amount
            self.urgent[gauge] = None
        return wanted

    def waited(self, wanted: Iterable[Part]) -> None:
        for gauge, amount in wanted:
            gauge.waiting -= amount

    # -- shares

    def asks(self, now: float, *, most: int) -> list[Ask]:
        """What to ask Postgres, the urgent first. Every one has to be `answered` or `unanswered`."""
        asks = list(self._given_up.values())[:most]
        for ask in asks:
            del self._given_up[ask.subject]
        for queue in (self.urgent, self.low):
            for gauge in list(queue):
                if len(asks) >= most:
                    return asks
                del queue[gauge]
                if not gauge.is_asked and gauge.subject in self._gauges:
                    asks.append(gauge.ask(now))
        return asks

    @property
    def has_asks(self) -> bool:
        return bool(self.urgent or self.low or self._given_up)

    def answered(self, verdicts: Iterable[Verdict], now: float) -> None:
        for verdict in verdicts:
            gauge = self._gauges.get(verdict.subject)
            if gauge is None:
                continue
            gauge.answered(verdict, now)
            if gauge.is_recalled:
                self.urgent[gauge] = None
            elif gauge.is_too_high:
                self.low[gauge] = None

    def unanswered(self, asks: Iterable[Ask]) -> None:
        """Nobody knows what became of them. What was given back stays given; what was asked for is not had."""
        for ask in asks:
            gauge = self._gauges.get(ask.subject)
            if gauge is None:
                self._given_up[ask.subject] = ask
            else:
                gauge.is_asked = False
                gauge.is_recalled = gauge.is_recalled or ask.is_answer
                self.urgent[gauge] = None

    def recalled(self, subject: str | None) -> None:
        """Others miss something of it; None: perhaps of anything."""
        for gauge in [self._gauges.get(subject)] if subject else self._gauges.values():
            if gauge is not None and (gauge.share or gauge.is_asked):
                gauge.is_recalled = True
                self.urgent[gauge] = None

    def freed(self, subject: str) -> None:
        """Others gave something back of it."""
        gauge = self._gauges.get(subject)
        if gauge is not None and gauge.waiting:
            self.urgent[gauge] = None

    def lapse(self) -> None:
        """The lease ended before it was renewed: others may hold what we held, so all is to be asked for anew."""
        for gauge in self._gauges.values():
            gauge.is_valid = False
            self.low[gauge] = None

    def holds_anything(self) -> bool:
        return any(gauge.share for gauge in self._gauges.values())

    def usage(self, now: float) -> list[tuple[str, int]]:
        """What is to be left behind of each window by a node that ends."""
        return [(g.subject, 0 if g.window is None else g.used(now)) for g in self._gauges.values()]

    # -- inside

    def _adjust(self, found: Limited, subject: Subject, limits: RateLimits) -> None:
        found.limits = limits
        found.requests = self._gauge(subject, "requests", limits.requests_per_minute)
        found.tokens = self._gauge(subject, "tokens", limits.tokens_per_minute)
        found.calls = self._gauge(subject, "calls", limits.concurrency)

    def _gauge(self, subject: Subject, kind: Kind, limit: int | None) -> Gauge | None:
        """A limit that was taken away and comes back finds what it counted, unless it was forgotten meanwhile."""
        if limit is None:
            return None
        name = f"{_name(subject)} {kind}"
        gauge = self._gauges.get(name)
        if gauge is None:
            self._given_up.pop(name, None)
            gauge = self._gauges[name] = Gauge(name, kind, subject[0], limit, is_alone=self.is_alone)
        elif gauge.limit != limit:
            gauge.limit = limit
            if self.is_alone:
                gauge.share = limit
            else:
                self.low[gauge] = None
        return gauge

    def sweep(self, now: float) -> None:
        """Forgets limits that nobody met for long, and gives back what is held of them. Now and then is enough."""
        if now - self._swept_at < SWEEP_SECONDS:
            return
        self._swept_at = now
        for subject, found in list(self._subjects.items()):
            gauges = found.gauges()
            if all(g.is_forgettable(now) and now - g.used_at >= FORGET_SECONDS for g in gauges):
                del self._subjects[subject]
        kept = {gauge.subject for found in self._subjects.values() for gauge in found.gauges()}
        for name, gauge in list(self._gauges.items()):
            if name in kept or not gauge.is_forgettable(now):
                continue
            del self._gauges[name]
            self.urgent.pop(gauge, None)
            self.low.pop(gauge, None)
            if not self.is_alone:
                self._given_up[name] = Ask(
                    subject=name, limit=gauge.limit, keeps_seconds=0, least=0, needed=0, wanted=0, is_answer=True
                )


def _name(subject: Subject) -> str:
    kind, which = subject
    return f"{kind} {' '.join(map(str, which)) if isinstance(which, tuple) else which}"

"""Several nodes that share limits, and a Postgres between them: it answers late, loses messages, and is away at times.

The nodes are the production code from the limiter down to the conversation with Postgres; the transaction is the
production decision (`divide`) on rows in memory. Time is virtual, and every seed is a world of its own.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from airouter.domain.errors import DatabaseUnavailable, LedgerUnavailable, RateLimitExceeded
from airouter.domain.ids import NodeId
from airouter.domain.rate_limit import WINDOW_SECONDS, Ask, Holding, RateLimits, divide
from airouter.gateway.leases.settings import SECOND
from airouter.gateway.rates.limits import RateLimiter
from airouter.gateway.rates.shares import SharedLimits
from airouter.services.rate_shares import Exchanged
from tests.gateway.limited import caller, terms

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, and how often."""

    delay_seconds_max: float = 0.02
    lost_requests: float = 0.0
    lost_answers: float = 0.0
    lost_notices: float = 0.0


class Postgres:
    """Rows of shares in memory."""

    def __init__(self, draw: random.Random, weather: Weather) -> None:
        self.draw = draw
        self.weather = weather
        self.is_away = False
        self.rows: dict[str, dict[UUID, Holding]] = {}
        self.until: dict[UUID, datetime] = {}
        self.nodes: dict[UUID, Node] = {}
        self.transactions = 0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time())

    async def exchange(self, node_id: NodeId, asks: Sequence[Ask], lease: timedelta) -> Exchanged:
        node, weather, draw = self.nodes[node_id], self.weather, self.draw
        await asyncio.sleep(draw.uniform(0, weather.delay_seconds_max))
        await node.goes_on.wait()
        if self.is_away or draw.random() < weather.lost_requests:
            raise DatabaseUnavailable
        done = self._transaction(node_id, asks, lease)
        await asyncio.sleep(draw.uniform(0, weather.delay_seconds_max))
        await node.goes_on.wait()
        if draw.random() < weather.lost_answers:
            raise DatabaseUnavailable
        return done

    def _transaction(self, node_id: NodeId, asks: Sequence[Ask], lease: timedelta) -> Exchanged:
        self.transactions += 1
        now = self.now()
        was_running = node_id in self.until and self.until[node_id] > now
        self.until[node_id] = now + lease
        verdicts = []
        for ask in asks:
            rows = self.rows.setdefault(ask.subject, {})
            held = [msgspec.structs.replace(row, until=self.until[row.node_id]) for row in rows.values()]
            verdict = divide(ask, held, node_id, now, was_running=was_running)
            rows[node_id] = Holding(
                node_id=node_id,
                share=verdict.share,
                missing=verdict.missing,
                missing_since=verdict.missing_since,
                answered_at=verdict.answered_at,
                until=now,
            )
            verdicts.append(verdict)
            if verdict.is_new_want:
                self._notify(f"want {node_id} {ask.subject}")
            if verdict.is_answered_want:
                self._notify(f"free {node_id} {ask.subject}")
        wanted = [] if asks else self._wanted_of(node_id, now)
        return Exchanged(verdicts=verdicts, was_running=was_running, wanted=wanted)

    def _wanted_of(self, node_id: UUID, now: datetime) -> list[str]:
        found = []
        for subject, rows in self.rows.items():
            mine = rows.get(node_id)
            if mine is None or not mine.share:
                continue
            for row in rows.values():
                is_live = row.node_id != node_id and self.until[row.node_id] > now
                if is_live and row.missing and (not mine.answered_at or (row.missing_since or now) >= mine.answered_at):
                    found.append(subject)
        return found

    def _notify(self, message: str) -> None:
        loop = asyncio.get_running_loop()
        for node in self.nodes.values():
            if not node.is_dead and self.draw.random() >= self.weather.lost_notices:
                loop.call_later(self.draw.uniform(0, self.weather.delay_seconds_max), node.hear, message)

    async def leave(self, node_id: NodeId, used: Sequence[tuple[str, int]]) -> None:
        now = self.now()
        if self.is_away:
            raise DatabaseUnavailable
        for subject, amount in used:
            self.rows[subject][node_id] = Holding(node_id=node_id, share=amount, until=now)
        self.until[node_id] = min(now, self.until.get(node_id, now))


class LeaseClock:
    """The loop's time in nanoseconds, a little fast or slow."""

    def __init__(self, pace: float) -> None:
        self._pace = pace

    def now(self) -> int:
        return int(asyncio.get_running_loop().time() * self._pace * SECOND)

    def rebase(self) -> None:
        """Nothing steps here."""


class Node:
    """A gateway process, as far as limits are concerned."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.node_id = NodeId(UUID(int=world.draw.getrandbits(128)))
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.is_dead = False
        world.postgres.nodes[self.node_id] = self
        clock = asyncio.get_running_loop().time
        pace = world.draw.uniform(0.999, 1.001)
        self.shares = SharedLimits(world.postgres, self.node_id, clock=clock, lease_clock=LeaseClock(pace))
        self.limiter = RateLimiter(clock, self.shares)
        self.shares.start()
        self.running = 0

    def hear(self, message: str) -> None:
        if not self.is_dead and self.goes_on.is_set():
            self.shares.heard(message)

    async def call(self, seconds: float, tokens: int) -> bool:
        """One call; whether it was admitted."""
        world, what = self.world, terms(input_tokens=tokens, output_tokens=0)
        try:
            slot = self.limiter.try_enter(world.who, what) or await self.limiter.enter(world.who, what)
        except (RateLimitExceeded, LedgerUnavailable):
            return False
        if self.is_dead:
            return False
        world.admitted(self, tokens)
        self.running += 1
        await asyncio.sleep(seconds)
        self.running -= 1
        slot.leave({"input": tokens})
        return True

    async def stop(self) -> None:
        """In order."""
        self.is_dead = True
        await self.shares.stop()

    def crash(self) -> None:
        """Without a word."""
        self.is_dead = True
        self.running = 0
        task = self.shares._task
        assert task is not None
        task.cancel()


class World:
    """One subject with limits, some nodes, and everything that was ever admitted."""

    def __init__(self, seed: int, limits: RateLimits, weather: Weather | None = None, *, nodes: int = 3) -> None:
        self.draw = random.Random(seed)
        self.limits = limits
        self.who = caller(limits=limits)
        self.postgres = Postgres(self.draw, weather or Weather())
        self.nodes = [Node(self) for _ in range(nodes)]
        self.recent: deque[tuple[float, int]] = deque()
        self.total = 0
        self.violations: list[str] = []
        self.peak = 0

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def admitted(self, node: Node, tokens: int) -> None:
        """Checks that the limits held over the last minute, at every node together."""
        now, limits = self.now(), self.limits
        self.recent.append((now, tokens))
        self.total += 1
        while self.recent[0][0] <= now - WINDOW_SECONDS:
            self.recent.popleft()
        if limits.requests_per_minute is not None and len(self.recent) > limits.requests_per_minute:
            self.violations.append(f"{now:.3f}: {len(self.recent)} requests in a minute, by {node.node_id}")
        used = sum(amount for _, amount in self.recent)
        if limits.tokens_per_minute is not None and used > limits.tokens_per_minute:
            self.violations.append(f"{now:.3f}: {used} tokens in a minute, by {node.node_id}")
        at_once = 1 + sum(one.running for one in self.nodes)
        self.peak = max(self.peak, at_once)
        if limits.concurrency is not None and at_once > limits.concurrency:
            self.violations.append(f"{now:.3f}: {at_once} calls at once, by {node.node_id}")

    async def demand(self, node: Node, per_second: float, seconds: float, tokens: int = 1) -> int:
        """Calls one node for so long; how many were admitted."""
        calls: list[asyncio.Task[bool]] = []
        until = self.now() + seconds
        while self.now() < until and not node.is_dead:
            if node.goes_on.is_set():
                calls.append(asyncio.ensure_future(node.call(self.draw.expovariate(5), self.draw.randint(1, tokens))))
            await asyncio.sleep(self.draw.expovariate(per_second))
        return sum(await asyncio.gather(*calls)) if calls else 0

    async def close(self) -> None:
        for node in self.nodes:
            node.goes_on.set()
            if not node.is_dead:
                await node.stop()

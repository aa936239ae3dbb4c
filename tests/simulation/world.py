"""One seed decides every delay, crash and amount; after every step the invariants of the books are checked.

Time is in seconds and compressed: a TTL is ten of them.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from airouter.gateway.leases.settings import CreditSettings
from tests.simulation.postgres import UUID, Budget, Key, Postgres, Wallet, call_id, lease_rows, uuid_of
from tests.simulation.process import SECOND, Machine, Process

FLUSH = 0.05
TTL = 10.0
SETTINGS = CreditSettings(
    ttl_ms=10_000,
    margin_ms=1_000,
    beat_ms=1_000,
    sync_timeout_ms=2_000,
    wait_max_ms=1_000,
    idle_return_ms=2_000,
    tight_ms=5_000,
    horizon_ms=2_000,
    scan_ms=100,
    forget_ms=3_000,
    records_per_sync=4,  # small, so that a backlog spans several syncs
    purses_per_sync=12,
)


class Violation(Exception):
    """An invariant does not hold."""


class World:
    def __init__(self, seed: int, code: SimpleNamespace, error: str | None = None, horizon: float = 25.0) -> None:
        self.seed, self.code, self.error, self.horizon = seed, code, error, horizon
        self.settings, self.drift = SETTINGS, 0.02
        self.rng = rng = random.Random(seed)
        self.now, self.steps, self.serial = 0.0, 0, 0
        self.queue: list[Any] = []
        self.count: dict[str, int] = defaultdict(int)
        self.quiet = False
        self.outage_until = 0.0
        self.db = Postgres(code, lambda: self.now)
        self.size = rng.choice([50, 200, 1000])  # a typical hold
        self.wallets: list[int] = []
        self.keys: dict[int, list[UUID]] = {}
        for number in range(rng.randint(1, 3)):
            wallet = 100 + number
            self.wallets.append(wallet)
            self.db.purses[wallet] = Wallet()
            self.db.top_up(f"first:{wallet}", wallet, rng.randint(1, 40) * self.size)
            self.keys[wallet] = [uuid_of(wallet * 10)]
            self.db.purses[self.keys[wallet][0]] = Key(None)
            for limited in range(rng.randint(0, 2)):
                key = uuid_of(wallet * 10 + 1 + limited)
                self.keys[wallet].append(key)
                self.db.purses[key] = Key(rng.randint(1, 20) * self.size)
        for _ in range(rng.choice([0, 0, 1, 2])):
            self.db.add_budget(self.budget())
        self.machines = [Machine() for _ in range(rng.randint(1, 3))]
        self.processes: list[Process] = []
        self.slots = rng.randint(2, 4)
        self.chaos = rng.choice([0.0, 0.3, 1.0, 2.0])
        self.poisonous = 0.02 if self.chaos and rng.random() < 0.3 else 0.0
        self.quarantined: set[UUID] = set()
        self.lost: set[UUID] = set()  # requests whose journal went with its machine
        self.answers: dict[UUID, Any] = {}
        self.at_machine: dict[UUID, Machine] = {}
        self.sums: dict[Any, int] = defaultdict(int)  # the checker's own books
        self.overrun = 0
        self.transfers_read = self.charges_read = 0
        self.charged: set[UUID] = set()
        self.servable: dict[Any, float] = {}
        for slot in range(self.slots):
            self.boot(slot)
        self.after(rng.uniform(0, 0.5), self.client)
        if self.chaos:
            self.after(rng.uniform(0, 2), self.fault)
        self.after(rng.uniform(0, 3), self.operator)

    def budget(self) -> Budget:
        """Of one key, or of several that one member is responsible for."""
        rng = self.rng
        keys = self.keys[rng.choice(self.wallets)]
        below = tuple(rng.sample(keys, rng.randint(1, len(keys))))
        return Budget(below, rng.randint(1, 20) * self.size, rng.choice([None, 3.0, 8.0]), self.now)

    def fresh(self) -> int:
        self.serial += 1
        return self.serial

    def node_id(self) -> UUID:
        return uuid_of((1 << 120) + self.fresh())

    def after(self, delay: float, action: Callable[[], None], process: Process | None = None) -> None:
        heapq.heappush(self.queue, (self.now + delay, self.fresh(), action, process))

    def boot(self, slot: int) -> None:
        process = Process(self, self.machines[slot % len(self.machines)], f"p{slot}")
        self.processes = [p for p in self.processes if p.alive] + [process]
        self.pulse(process)
        self.look(process)

    def pulse(self, process: Process) -> None:
        if process.alive:
            process.tick()
            is_busy = process.book.wants_sync or process.book.pending
            self.after(FLUSH if is_busy else self.rng.uniform(0.1, 0.4), lambda: self.pulse(process), process)

    def look(self, process: Process) -> None:
        if process.alive:
            process.observe()
            self.after(1.0, lambda: self.look(process), process)

    # -- the network and Postgres: slow, lossy, sometimes away; a transaction may commit long after its sender gave up

    def send(self, process: Process, transaction: Callable[..., Any], on_answer: Callable[[Any], None]) -> None:
        rng = self.rng
        bad = 0.0 if self.quiet else min(1.0, self.chaos)
        delay = rng.uniform(0.001, 0.02)
        if rng.random() < 0.03 * bad:
            delay = rng.uniform(0.5, 2.5 * TTL)  # an indefinite transaction
        answer_lost = rng.random() < 0.05 * bad
        if self.now < process.cut_until:
            if rng.random() < 0.7:
                return
            answer_lost = True

        def execute() -> None:
            if self.now < self.outage_until:
                return
            try:
                answer = self.db.run(transaction)
            except (self.code.settlement.NodeRefused, self.code.settlement.ContentRefused) as refused:
                answer = refused
            for purse in self.db.recalls:
                for p in self.processes:
                    if rng.random() > 0.1 * bad and self.now >= p.cut_until:
                        self.after(rng.uniform(0.001, 0.01), lambda p=p, purse=purse: p.on_recall(purse), p)
            self.db.recalls.clear()
            if not answer_lost:
                self.after(rng.uniform(0.001, 0.02), lambda: on_answer(answer), process)

        self.after(delay, execute)

    # -- people

    def client(self) -> None:
        rng = self.rng
        if self.quiet:
            return
        alive = [p for p in self.processes if p.alive]
        if alive:
            wallet = rng.choice(self.wallets)
            key = rng.choice(self.keys[wallet])
            is_limited = self.db.is_limited(key)
            if rng.random() < 0.02:
                is_limited = not is_limited  # what the process remembers of the key is out of date
            request = SimpleNamespace(
                request_id=call_id(self.fresh(), max(0.0, self.now + rng.uniform(-1.5, 1.5))),
                wallet=wallet,
                key=key,
                is_limited=is_limited,
                amount=rng.randint(0, 2 * self.size),
            )
            if rng.random() < self.poisonous:
                self.db.poison.add(request.request_id)
            process = rng.choice(alive)
            self.after(0, lambda: process.arrive(request), process)
        self.after(rng.expovariate(6), self.client)

    def started(self, process: Process, request: Any, hold: Any) -> None:
        self.count["admitted"] += 1
        self._check_book(process, hold.book, admits=True)
        rng = self.rng
        length = rng.expovariate(1) if rng.random() < 0.9 else rng.uniform(0, 1.5 * TTL)
        fate = rng.random()
        excess = rng.randint(1, self.size)
        if rng.random() < 0.1:
            more = rng.randint(1, self.size)
            self.after(length * 0.4, lambda: process.extend(hold, more), process)
            self.after(length * 0.7, lambda: process.extend(hold, more), process)

        def end() -> None:
            if fate < 0.1:
                cost = None
            elif fate < 0.15:
                cost = hold.amount + excess  # the provider ignored the maximum
            else:
                cost = rng.randint(0, hold.amount)
            process.finish(request, hold, cost)

        self.after(length, end, process)

    def answered(self, process: Process, record: Any) -> None:
        self.answers[record.request_id] = record
        self.at_machine[record.request_id] = process.machine

    def watch_waiting(self) -> None:
        """Without faults no call waits long for credit that nobody uses."""
        books = [book for p in self.processes if p.alive for book in p.books]
        waiting = [call for book in books for call in book.waiting]
        since, self.servable = self.servable, {}
        for call in waiting:
            pots = [((purse,), self.db.purses[purse].total) for purse in call.purses]
            pots += [(b.keys, self.db.left_of(b)) for b in self.db.budgets if any(p in b.keys for p in call.purses)]
            if all(
                total
                >= sum(b.purses[p].held + b.purses[p].unsettled for b in books for p in below if p in b.purses)
                + sum(other.amount for other in waiting if any(p in other.purses for p in below))
                for below, total in pots
            ):
                self.servable[call] = since.get(call, self.now)
                if self.now - self.servable[call] > 8 * FLUSH:
                    raise Violation(f"I10 a call still waits for {call.amount} of {call.purses} that nobody uses")

    def operator(self) -> None:
        rng = self.rng
        if self.quiet:
            return
        wallet = rng.choice(self.wallets)
        act = rng.random()
        if self.now >= self.outage_until:
            if act < 0.5:
                reference = f"pay:{self.fresh()}"
                for _ in range(rng.randint(1, 3)):  # webhooks come more than once
                    self.db.top_up(reference, wallet, rng.randint(1, 10) * self.size)
                for process in self.processes:
                    if rng.random() < 0.9:
                        process.book.changed(wallet)
            elif act < 0.8:
                amount = rng.randint(1, 10) * self.size
                self.db.adjust_down(f"adjust:{self.fresh()}", wallet, amount, must=rng.random() < 0.5)
            elif act < 0.9:
                self.budgeting()
            else:
                key = rng.choice(self.keys[wallet])
                self.db.set_limit(key, None if rng.random() < 0.15 else rng.randint(0, 20) * self.size)
        self.after(rng.expovariate(0.7), self.operator)

    def budgeting(self) -> None:
        """Budgets come, go, and change while calls run below them."""
        rng, budgets = self.rng, self.db.budgets
        act = rng.random()
        if act < 0.3 and len(budgets) < 3:
            self.db.add_budget(self.budget())
        elif act < 0.4 and budgets:
            self.db.drop_budget(rng.choice(budgets))
        elif budgets:
            self.db.set_budget(rng.choice(budgets), rng.randint(0, 20) * self.size)

    # -- faults

    def fault(self) -> None:
        rng = self.rng
        if self.quiet:
            return
        alive = [p for p in self.processes if p.alive]
        kind = rng.choice(["crash", "crash", "pause", "pause", "cut", "cut", "outage", "machine", "stop"])
        if alive:
            process = rng.choice(alive)
            slot = int(process.name[1:])
            span = rng.choice([rng.uniform(0.1, 2), rng.uniform(2, 2.5 * TTL)])
            self.count[kind] += 1
            if kind == "crash":
                process.leave()
                self.after(rng.choice([0.1, span]), lambda: self.boot(slot))
            elif kind == "machine":
                self.lose(process.machine, alive, span)
            elif kind == "pause":
                process.paused_until = self.now + span
            elif kind == "cut":
                process.cut_until = self.now + span
            elif kind == "outage":
                self.outage_until = self.now + span
            elif kind == "stop" and not process.draining:
                process.draining = True
                self.after(span, lambda: self.boot(slot))
        self.after(rng.expovariate(0.25 * self.chaos), self.fault)

    def lose(self, machine: Machine, alive: list[Process], span: float) -> None:
        for p in alive:
            if p.machine is machine:
                p.leave()
                self.after(span, lambda s=int(p.name[1:]): self.boot(s))
        machine.journals.clear()
        self.lost |= {r for r, m in self.at_machine.items() if m is machine and r not in self.db.usage}

    # -- run

    def run(self) -> None:
        try:
            self.until(self.horizon)
            self.quiet, self.outage_until = True, 0.0  # heal, then wait until everything has come to rest
            for p in self.processes:
                p.paused_until = p.cut_until = min(p.paused_until, self.now + 1)
            for slot, machine in enumerate(self.machines):  # every machine that still has a journal comes back
                if not any(p.alive and p.machine is machine and not p.draining for p in self.processes):
                    self.boot(slot)
            self.until(self.now + 4 * TTL)
            self.at_rest()
        except (Violation, AssertionError) as violation:
            raise Violation(f"seed {self.seed} step {self.steps} t={self.now:.3f}: {violation}") from violation

    def until(self, end: float) -> None:
        while self.queue and self.queue[0][0] <= end:
            when, _, action, process = heapq.heappop(self.queue)
            self.now = max(self.now, when)
            if process is not None:
                if not process.alive:
                    continue
                if self.now < process.paused_until:
                    heapq.heappush(self.queue, (process.paused_until, self.fresh(), action, process))
                    continue
            action()
            self.steps += 1
            self.check(process)
            if not self.chaos:
                self.watch_waiting()
        self.now = end

    # -- the invariants

    def check(self, acted: Process | None) -> None:
        """After a step: of what it can have changed. That all processes together may spend at most the balance follows
        from each book's bound by its lease rows, and theirs by `leased`."""
        if self.db.executed:
            self.db.executed = False
            self._check_rows()
            self._check_budgets()
            self._check_transfers()
            looked_at = self.processes
        else:
            looked_at = [] if acted is None else [acted]
        for process in looked_at:
            if process.alive:
                for book in process.books:
                    if not book.is_over:
                        self._check_book(process, book)

    def _check_rows(self) -> None:
        rows = lease_rows(self.db)
        for (node_id, purse_id), amount in self.db.leases.items():
            if amount < 0 or (amount and self.db.nodes[node_id].state != "live"):
                raise Violation(f"I2 {node_id} ({self.db.nodes[node_id].state}) leases {amount} of {purse_id}")
        for purse_id, purse in self.db.purses.items():
            if not 0 <= purse.leased <= purse.total:
                raise Violation(f"I1 {purse_id}: leased {purse.leased} of {purse.total}")
            if rows[purse_id] != purse.leased:
                raise Violation(f"I2 {purse_id}: leases {rows[purse_id]}, leased {purse.leased}")

    def _check_budgets(self) -> None:
        for budget in self.db.budgets:
            if budget.leased != sum(self.db.purses[key].leased for key in budget.keys):
                raise Violation(f"I11 a budget's leased {budget.leased} is not the sum of its keys' leases")
            if budget.spent < 0 or budget.excess < 0 or budget.spent + budget.leased > budget.limit + budget.excess:
                raise Violation(f"I11 a budget of {budget.limit}: spent {budget.spent}, leased {budget.leased}")
            if budget.excess > max(0, budget.spent + budget.leased - budget.limit):
                raise Violation(f"I11 a budget of {budget.limit} excuses {budget.excess} that nobody uses")
            counted = sum(
                amount
                for record, amount, _ in self.db.usage.values()
                if amount and record.key_id in budget.keys and record.created_at >= budget.window_start
            )
            if budget.spent != counted:
                raise Violation(f"I11 a budget spent {budget.spent}, the records of its window say {counted}")

    def _check_transfers(self) -> None:
        db = self.db
        for kind, debit, credit, amount in db.transfers[self.transfers_read :]:
            self.sums[debit] -= amount
            self.sums[credit] += amount
            self.overrun += amount if kind == "overrun" else 0
        self.transfers_read = len(db.transfers)
        if sum(self.sums.values()):
            raise Violation("I3 the transfers do not sum to zero")
        for wallet in self.wallets:
            if self.sums[wallet] != db.purses[wallet].balance:
                raise Violation(f"I3 {wallet}: transfers {self.sums[wallet]}, balance {db.purses[wallet].balance}")
        for request_id in db.charges[self.charges_read :]:
            if request_id in self.charged:
                raise Violation(f"I4 request {request_id.int} was charged twice")
            if request_id not in self.answers:
                raise Violation(f"I4 request {request_id.int} was charged without an answer")
            self.charged.add(request_id)
        self.charges_read = len(db.charges)

    def _check_book(self, process: Process, book: Any, *, admits: bool = False) -> None:
        """`admits`: it has just done so, and had better be before its deadline."""
        for purse in book.purses.values():
            if purse.idle < 0:
                raise Violation(f"I5 {purse.purse_id}: idle {purse.idle}")
        if not admits and not (book.is_registered and process.clock() < book.deadline):
            return
        unsettled: dict[Any, int] = defaultdict(int)
        for hold in book.pending:
            if hold.record.request_id not in self.db.usage:
                for purse in hold.purses:
                    unsettled[purse.purse_id] += hold.record.covered
        for purse_id, purse in book.purses.items():
            promised = purse.held + purse.idle + unsettled[purse_id]
            known = self.db.leases.get((book.node_id, purse_id), 0)
            if promised > known:
                raise Violation(f"I6 {book.node_id} {purse_id} may spend {promised}, Postgres knows {known}")

    def at_rest(self) -> None:
        db = self.db
        for purse_id, purse in db.purses.items():
            if purse.leased:
                raise Violation(f"I7 {purse_id}: {purse.leased} still leased at rest")
        for request_id in self.answers:
            if request_id not in db.usage and request_id not in self.lost and request_id not in self.quarantined:
                raise Violation(f"I8 request {request_id.int} was answered and never charged")
        cost = sum(record.cost for record, _, _ in db.usage.values())
        charged = sum(amount for _, amount, _ in db.usage.values())
        if cost != charged + self.overrun:
            raise Violation(f"I9 cost {cost}, charged {charged}, overrun {self.overrun}")
        for budget in db.budgets:
            if budget.leased:
                raise Violation(f"I11 a budget still has {budget.leased} leased at rest")
        for record, amount, state in db.usage.values():
            key = db.purses[record.key_id]
            unknown_limit = not record.key_is_limited and (key.limit is not None or key.limit_changed)
            if amount < min(record.cost, record.covered) and state == "live" and not unknown_limit:
                raise Violation(f"I9 request {record.request_id.int} was covered by a lease and went to overrun")
            outcome = "charged in full" if amount == record.cost else f"overrun, node {state}"
            self.count[outcome] += 1
        self.count["lost with their machine"] += len(self.lost)
        if any(p.alive and p.clock() - p.read_at > 20 * SECOND for p in self.processes):
            raise Violation("a process stopped observing")


def run_seed(seed: int, code: SimpleNamespace, error: str | None = None) -> tuple[int, dict[str, int], str | None]:
    """Steps, counts, and the violation if there was one."""
    world = World(seed, code, error)
    try:
        world.run()
    except Violation as violation:
        return world.steps, world.count, str(violation)
    return world.steps, world.count, None

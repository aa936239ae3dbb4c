"""A Postgres for the simulation: the rows in memory, and the functions of storage/ that settlement calls, over them.

Every transaction is atomic, as if it held all its locks; when one commits, late or twice, is the world's business.
"""

from collections import defaultdict
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

from asyncpg.pgproto.pgproto import UUID  # hashes faster than the standard library's

from airouter.storage.leases import Locked
from airouter.storage.nodes import NodeState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid_of(number: int) -> UUID:
    return UUID(number.to_bytes(16, "big"))


def moment(seconds: float) -> datetime:
    """The simulation's time on a wall clock."""
    return EPOCH + timedelta(milliseconds=int(seconds * 1000))


def call_id(serial: int, seconds: float) -> UUID:
    """An id that carries when its call began, as a UUIDv7 does."""
    return uuid_of((int(seconds * 1000) << 80) + serial)


class Wallet:
    def __init__(self) -> None:
        self.balance = self.leased = self.overrun = 0

    @property
    def total(self) -> int:
        return self.balance


class Key:
    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.spent = self.leased = 0
        self.limit_changed = False

    @property
    def total(self) -> int:
        return 2**62 if self.limit is None else self.limit - self.spent


class Budget:
    """What some keys may spend together in a window of so many seconds; without a length, at all."""

    def __init__(self, keys: tuple[UUID, ...], limit: int, length: float | None, start: float) -> None:
        self.keys = keys
        self.limit, self.length = limit, length
        self.spent = self.leased = self.excess = 0
        self.window_start = moment(start)
        self.window_end = None if length is None else self.next_end(start)

    def next_end(self, at: float) -> datetime:
        assert self.length is not None
        return moment((at // self.length + 1) * self.length)


class NodeRow:
    def __init__(self) -> None:
        self.state, self.seq = "live", 0


class Postgres:
    """`code` is the production code under test: its `settlement` runs against this."""

    def __init__(self, code: SimpleNamespace, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.code, self.clock = code, clock
        self.budgets: list[Budget] = []
        self.last_used: dict[UUID, datetime] = {}
        self.purses: dict[Any, Wallet | Key] = {}
        self.nodes: dict[UUID, NodeRow] = {}
        self.leases: dict[tuple[UUID, Any], int] = {}
        self.usage: dict[UUID, tuple[Any, int, str]] = {}
        self.charges: list[UUID] = []  # every charge ever made, in order; the checker reads on
        self.transfers: list[tuple[str, Any, Any, int]] = []
        self.references: set[str] = set()
        self.recalls: list[str] = []
        self.poison: set[UUID] = set()
        self.settling: UUID | None = None
        self.executed = True

    def run(self, transaction: Any) -> Any:
        """Drive one of settlement's coroutines to its end. It never waits here."""
        self.executed = True
        coroutine = transaction(self)
        try:
            coroutine.send(None)
        except StopIteration as answer:
            return answer.value
        raise AssertionError("a simulated transaction does not wait")

    @asynccontextmanager
    async def transaction(self) -> Any:
        nodes = {node_id: (row.state, row.seq) for node_id, row in self.nodes.items()}
        transfers, references, recalls = len(self.transfers), set(self.references), len(self.recalls)
        try:
            yield
        except BaseException:
            for node_id, (state, seq) in nodes.items():
                self.nodes[node_id].state, self.nodes[node_id].seq = state, seq
            del self.transfers[transfers:], self.recalls[recalls:]
            self.references = references
            raise

    def transfer(self, kind: str, reference: str, debit: Any, credit: Any, amount: int) -> bool:
        if f"{kind}:{reference}" in self.references:
            return False
        self.references.add(f"{kind}:{reference}")
        if amount:
            self.transfers.append((kind, debit, credit, amount))
        return True

    # -- what operators and customers do

    def top_up(self, reference: str, wallet: Any, amount: int) -> None:
        self.executed = True
        if self.transfer("top_up", reference, "sales", wallet, amount):
            self.purses[wallet].balance += amount
            self.purses[wallet].overrun = 0

    def adjust_down(self, reference: str, wallet: Any, amount: int, *, must: bool) -> bool:
        """All of it or nothing; `must` (a charge-back) takes what is free and the house bears the rest."""
        self.executed = True
        purse = self.purses[wallet]
        free = purse.balance - purse.leased
        if free < amount and not must:
            self.recalls.append(self.code.lease.purse_name(wallet))
            return False
        taken = min(amount, free)
        if self.transfer("refund", reference, wallet, "sales", taken):
            purse.balance -= taken
            self.transfer("loss", reference, "loss", "sales", amount - taken)
        return True

    def set_limit(self, key: Any, limit: int | None) -> bool:
        self.executed = True
        purse = self.purses[key]
        if limit is not None and limit < purse.spent + purse.leased:
            self.recalls.append(self.code.lease.purse_name(key))
            return False
        purse.limit_changed |= (purse.limit is None) != (limit is None)
        purse.limit = limit
        return True

    def set_budget(self, budget: Budget, limit: int) -> None:
        """Lower or raise it: it holds at once, and what is in use beyond it is excused."""
        self.executed = True
        budget.limit = limit
        budget.excess = max(0, budget.spent + budget.leased - limit)

    def add_budget(self, budget: Budget) -> None:
        """Above keys that have leases already."""
        self.executed = True
        used = [self.last_used[key] for key in budget.keys if key in self.last_used]
        budget.window_start = max(budget.window_start, *(at + timedelta(milliseconds=1) for at in used), EPOCH)
        budget.leased = sum(self.purses[key].leased for key in budget.keys)
        budget.excess = max(0, budget.leased - budget.limit)
        self.budgets.append(budget)
        for key in budget.keys:
            self.purses[key].limit_changed = True

    def drop_budget(self, budget: Budget) -> None:
        self.executed = True
        self.budgets.remove(budget)

    def is_limited(self, key: Any) -> bool:
        return self.purses[key].limit is not None or any(key in budget.keys for budget in self.budgets)

    def left_of(self, budget: Budget) -> int:
        """With nothing in flight, at this moment."""
        is_over = budget.window_end is not None and moment(self.clock()) >= budget.window_end
        return budget.limit - (0 if is_over else budget.spent)


def attach(code: SimpleNamespace) -> None:
    """Put the functions below in the place of storage/ in the settlement module under test."""
    settlement: ModuleType = code.settlement
    settlement.nodes = SimpleNamespace(
        register=_register, state_of=_state_of, advance=_advance, take_over=_take_over, declare_dead=_declare_dead,
        close=_close, live=_live,
    )  # fmt: skip
    settlement.leases = SimpleNamespace(
        lock=_lock, sharing=_sharing, write=_write, leases_of=_leases_of, release_all=_release_all, forget=_forget
    )
    settlement.usage_writes = SimpleNamespace(
        insert_transfers=_insert_transfers, insert_usage=_insert_usage, known_requests=_known_requests
    )
    settlement.changes = SimpleNamespace(recall=_recall)


async def _register(db: Postgres, node_id: UUID, _host: str) -> NodeState:
    db.nodes.setdefault(node_id, NodeRow())
    return NodeState(state=db.nodes[node_id].state, seq=db.nodes[node_id].seq)


async def _state_of(db: Postgres, node_id: UUID) -> NodeState | None:
    row = db.nodes.get(node_id)
    return None if row is None else NodeState(state=row.state, seq=row.seq)


async def _advance(db: Postgres, node_id: UUID, seq: int) -> bool:
    row = db.nodes[node_id]
    if row.state != "live" or row.seq != seq - 1:
        return False
    row.seq = seq
    db.settling = node_id
    return True


async def _take_over(db: Postgres, node_id: UUID) -> NodeState | None:
    row = db.nodes.get(node_id)
    if row is None:
        return None
    row.seq += 1
    db.settling = node_id
    return NodeState(state=row.state, seq=row.seq)


async def _declare_dead(db: Postgres, node_id: UUID, seq: int) -> bool:
    row = db.nodes[node_id]
    if row.state != "live" or row.seq != seq:
        return False
    row.state = "dead"
    return True


async def _close(db: Postgres, node_id: UUID) -> None:
    db.nodes[node_id].state = "closed"


async def _live(db: Postgres) -> dict[UUID, int]:
    return {node_id: row.seq for node_id, row in db.nodes.items() if row.state == "live"}


async def _lock(db: Postgres, wallets: Any, keys: Any, mine: Any, *, newest: datetime | None) -> Locked:
    fund = db.code.lease.Fund
    locked = Locked(wallets={}, keys={}, overruns={}, users={})
    for wallet_id in sorted(wallets):
        row = db.purses[wallet_id]
        locked.wallets[wallet_id] = fund(row.total, row.leased, mine.get(wallet_id, 0))
        locked.overruns[wallet_id] = row.overrun
    budgets = _lock_budgets(db, keys, newest)
    locked.budgets.extend(budgets.values())
    for key_id in sorted(keys):
        row = db.purses[key_id]
        above = tuple(budgets[n] for n, budget in enumerate(db.budgets) if key_id in budget.keys)
        is_limited = row.limit is not None or bool(above)
        locked.keys[key_id] = fund(row.total, row.leased, mine.get(key_id, 0), is_limited=is_limited, budgets=above)
    return locked


def _lock_budgets(db: Postgres, keys: Any, newest: datetime | None) -> dict[int, Any]:
    """By their place in the list; in the window of now."""
    funds = {}
    at = max(moment(db.clock()), newest or EPOCH)
    for number, row in enumerate(db.budgets):
        if not any(key in row.keys for key in keys):
            continue
        funds[number] = fund = db.code.budget.BudgetFund(
            uuid_of(number), whose="member", period="total" if row.length is None else "day", limit=row.limit,
            spent=row.spent, leased=row.leased, excess=row.excess, window_start=row.window_start,
            window_end=row.window_end,
        )  # fmt: skip
        if row.length is not None:
            seconds = (at - EPOCH).total_seconds()
            fund.begin(moment(seconds // row.length * row.length), row.next_end(seconds), at)
    return funds


def _write_budgets(db: Postgres, budgets: Any) -> None:
    for fund in budgets:
        row = db.budgets[fund.budget_id.int]
        row.spent, row.leased, row.excess = fund.spent, fund.leased, fund.excess
        row.window_start, row.window_end = fund.window_start, fund.window_end


async def _sharing(db: Postgres, _locked: Locked, short: Any) -> list[Any]:
    found = dict.fromkeys(short)
    for budget in db.budgets:
        if any(key in found for key in budget.keys):
            found.update(dict.fromkeys(key for key in budget.keys if db.purses[key].leased))
    return list(found)


async def _write(db: Postgres, node_id: UUID, locked: Locked, used_at: Any) -> None:
    for key_id, at in used_at.items():
        db.last_used[key_id] = max(db.last_used.get(key_id, EPOCH), at)
    for wallet_id, fund in locked.wallets.items():
        row = db.purses[wallet_id]
        row.balance -= fund.charged
        row.leased += fund.leased - fund.leased_before
        row.overrun += fund.overrun
    for key_id, fund in locked.keys.items():
        row = db.purses[key_id]
        row.spent += fund.charged
        row.leased += fund.leased - fund.leased_before
    _write_budgets(db, locked.budgets)
    for purse_id, fund in locked.funds.items():
        if fund.mine != fund.mine_before:
            db.leases[node_id, purse_id] = fund.mine


async def _leases_of(db: Postgres, node_id: UUID) -> dict[Any, int]:
    return {purse_id: amount for (node, purse_id), amount in db.leases.items() if node == node_id and amount}


async def _release_all(db: Postgres, node_id: UUID) -> None:
    leases = await _leases_of(db, node_id)
    budgets = _lock_budgets(db, leases, None)
    for purse_id, amount in leases.items():
        db.purses[purse_id].leased -= amount
        for number, fund in budgets.items():
            if purse_id in db.budgets[number].keys:
                fund.lend(-amount)
    _write_budgets(db, budgets.values())
    await _forget(db, node_id)


async def _forget(db: Postgres, node_id: UUID) -> None:
    for node, purse_id in [key for key in db.leases if key[0] == node_id]:
        del db.leases[node, purse_id]


async def _insert_transfers(db: Postgres, transfers: Any) -> None:
    for t in transfers:
        debit = t.debit_wallet if t.kind == "usage" else "overrun"
        if not db.transfer(t.kind, t.reference, debit, "revenue", t.amount):
            raise AssertionError(f"transfer {t.reference} twice")


async def _insert_usage(db: Postgres, records: Any, charges: Any, _transfers: Any, _users: Any) -> None:
    ids = [record.request_id for record in records]
    if db.poison.intersection(ids):
        raise db.code.settlement.ContentRefused("poison")
    known = [request_id for request_id in ids if request_id in db.usage]
    if known or len(set(ids)) != len(ids):
        raise db.code.settlement.RecordsKnown(str(known))
    state = db.nodes[db.settling].state
    for record, charged in zip(records, charges, strict=True):
        db.usage[record.request_id] = (record, charged, state)
        db.charges.append(record.request_id)


async def _known_requests(db: Postgres, records: Any) -> set[UUID]:
    return {record.request_id for record in records if record.request_id in db.usage}


async def _recall(db: Postgres, purse: str) -> None:
    db.recalls.append(purse)


def lease_rows(db: Postgres) -> dict[Any, int]:
    rows: dict[Any, int] = defaultdict(int)
    for (_, purse_id), amount in db.leases.items():
        rows[purse_id] += amount
    return rows

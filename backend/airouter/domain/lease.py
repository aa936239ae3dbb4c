"""Credit leases: the arithmetic of one sync, and of a purse as one process sees it.

A *purse* is anything that can run dry: a main wallet (it can pay its balance) or a key with a limit (its limit less
what it spent). A process leases part of a purse; its calls hold their worst-case price against the lease. `charge` and
`regrant` run between the locks and the writes of the transaction; `Purse` lives in the process' memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.budget import Bound, BudgetFund
from airouter.domain.ids import KeyId, NodeId, WalletId
from airouter.domain.usage import UsageRecord

PurseId = WalletId | KeyId
UNLIMITED: Final = 2**62
"""What a key without a limit can pay."""
_ANY_TIME: Final = datetime.max.replace(tzinfo=UTC)
"""Where nothing depends on when a call began."""

_STEPS: Final = 16
_SIXTEENTHS: Final = (
    65536, 62757, 60097, 57549, 55109, 52773, 50535, 48393, 46341, 44376, 42495, 40693, 38968, 37316, 35734, 34219,
)  # fmt: skip
"""2 to the power of -n/16, in 65536ths."""
_AVERAGE_SPAN_PERMILLE: Final = 1443
"""A sum that halves every T covers T / ln 2 = 1.443 T of a steady flow."""


def purse_name(purse_id: PurseId) -> str:
    """The name in a recall: `w<wallet_id>` or `k<key_id>`."""
    return f"w{purse_id}" if isinstance(purse_id, int) else f"k{purse_id}"


def purse_id_of(name: str) -> PurseId:
    """The purse that a recall names.

    Raises:
        ValueError: the name is neither.
    """
    if name.startswith("w"):
        return WalletId(int(name[1:]))
    if name.startswith("k"):
        return KeyId(UUID(name[1:]))
    raise ValueError(f"{name!r} names no purse")


class Wish(msgspec.Struct, frozen=True):
    """A waiting call: it needs `amount` of each of its purses, or of none."""

    amount: int
    purses: tuple[PurseId, ...]


class Level(msgspec.Struct, frozen=True):
    """`busy` of the lease is held or unsettled; `want` is the lease that the process would like, waiting calls
    aside.
    """

    busy: int
    want: int


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered conversation of a node with Postgres. Sent again after an unknown outcome, it is sent word for
    word.
    """

    node_id: NodeId
    seq: int
    records: tuple[UsageRecord, ...] = ()
    wishes: tuple[Wish, ...] = ()
    levels: dict[PurseId, Level] = {}
    mine: dict[PurseId, int] = {}
    """The leases, as of the last confirmed sync, of every purse that is mentioned; of all of them when closing."""
    recalled_lately: frozenset[PurseId] = frozenset()
    """Purses that need not be recalled again just now."""
    closes: bool = False


class SyncAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`leases` of the mentioned purses as they now are (absent: 0); `totals` is what each can pay, empty on a
    repetition.
    """

    leases: dict[PurseId, int]
    totals: dict[PurseId, int] = {}
    overruns: dict[PurseId, int] = {}
    """What each wallet owes to overruns since its last top-up."""
    bounds: dict[PurseId, Bound] = {}
    """Keys whose total is that of a budget."""
    unpaid: int = 0
    """What the operator bears of these records."""
    recalled: tuple[PurseId, ...] = ()


class Fund:
    """A purse's locked row: what it can pay in `total`, how much of that is `leased` to anybody, how much to us
    (`mine`). What it pays and lends counts in each of its `budgets`, and none of them lets it go beyond.
    """

    __slots__ = (
        "budgets",
        "charged",
        "is_limited",
        "leased",
        "leased_before",
        "mine",
        "mine_before",
        "overrun",
        "total",
    )

    def __init__(
        self, total: int, leased: int, mine: int, *, is_limited: bool = True, budgets: tuple[BudgetFund, ...] = ()
    ) -> None:
        self.budgets = budgets
        self.total = total
        self.leased = self.leased_before = leased
        self.mine = self.mine_before = mine
        self.is_limited = is_limited
        self.charged = 0
        self.overrun = 0

    @property
    def payable(self) -> int:
        """What it could pay with nothing in flight."""
        total = self.total
        for budget in self.budgets:
            total = min(total, budget.total)
        return total

    @property
    def free(self) -> int:
        """What nobody leased."""
        if not self.budgets:
            return self.total - self.leased
        return max(0, min(self.total - self.leased, *(budget.free for budget in self.budgets)))

    @property
    def bound(self) -> Bound | None:
        """The budget that decides `payable`; None: its own total does."""
        payable = self.payable
        if self.total <= payable:
            return None
        return next(budget.bound for budget in self.budgets if budget.total == payable)

    def room(self, covered: int, at: datetime) -> int:
        """The most that a call of that time can be charged, of which `covered` is leased."""
        free = self.total - self.leased
        for budget in self.budgets:
            if budget.counts(at):
                free = min(free, max(0, budget.free))
        return min(covered, self.mine) + free

    def pay(self, amount: int, from_lease: int) -> None:
        """Take `amount` out for good, `from_lease` of it out of our lease and the rest out of what is free."""
        self.total -= amount
        self.leased -= from_lease
        self.mine -= from_lease
        self.charged += amount

    def pay_budgets(self, amount: int, from_lease: int, at: datetime) -> None:
        """The same in every budget above; a call of an earlier window is not charged to this one."""
        for budget in self.budgets:
            budget.pay(amount if budget.counts(at) else 0, from_lease)

    def lend(self, amount: int) -> None:
        """Change our lease by `amount`."""
        self.leased += amount
        self.mine += amount
        for budget in self.budgets:
            budget.lend(amount)


def charge(records: Sequence[UsageRecord], funds: Mapping[PurseId, Fund]) -> list[int]:
    """What each record is charged, in journal order: the covered part out of our lease, the rest out of free credit.

    Never more than that; what is missing is the operator's, and counted on the wallet's fund as `overrun`. The locked
    row says whether the key has a limit; the record says whether its call was held under a lease of the key.
    """
    if _charge_covered(records, funds):
        return [record.cost for record in records]
    charges: list[int] = []
    for record in records:
        wallet, key = funds[record.wallet_id], funds[record.key_id]
        covered_by_key = record.covered if record.key_is_limited else 0
        at = record.created_at if key.budgets else _ANY_TIME
        charged = min(record.cost, wallet.room(record.covered, at), key.room(covered_by_key, at))
        assert charged >= 0, "a purse was leased beyond what it can pay"
        wallet.pay(charged, min(record.covered, charged, wallet.mine))
        from_lease = min(covered_by_key, charged, key.mine)
        key.pay(charged, from_lease)
        key.pay_budgets(charged, from_lease, at)
        wallet.overrun += record.cost - charged
        charges.append(charged)
    return charges


def _charge_covered(records: Sequence[UsageRecord], funds: Mapping[PurseId, Fund]) -> bool:
    """The usual case in one pass: everything is covered, so the order of the records does not matter. False: not so."""
    by_wallet: dict[WalletId, int] = {}
    by_key: dict[KeyId, int] = {}
    for record in records:
        cost = record.cost
        if record.covered != cost:
            return False
        wallet_id, key_id = record.wallet_id, record.key_id
        by_wallet[wallet_id] = by_wallet.get(wallet_id, 0) + cost
        by_key[key_id] = by_key.get(key_id, 0) + cost
        if record.key_is_limited != funds[key_id].is_limited:
            return False
    if any(amount > funds[wallet_id].mine for wallet_id, amount in by_wallet.items()):
        return False
    if any(amount > funds[key_id].mine for key_id, amount in by_key.items() if funds[key_id].is_limited):
        return False
    for wallet_id, amount in by_wallet.items():
        funds[wallet_id].pay(amount, amount)
    for key_id, amount in by_key.items():
        key = funds[key_id]
        key.pay(amount, amount if key.is_limited else 0)
    if any(funds[key_id].budgets for key_id in by_key):
        for record in records:
            funds[record.key_id].pay_budgets(record.cost, record.cost, record.created_at)
    return True


def regrant(funds: Mapping[PurseId, Fund], wishes: Iterable[Wish], levels: Mapping[PurseId, Level]) -> list[PurseId]:
    """Resize the leases of one process, after its records were charged. Answers the purses that others should return.

    Waiting calls are served in order, each from all of its purses or from none: nobody sits on half of what a call
    needs. Head room beyond that takes at most a quarter of what is free, so leases shrink as a purse runs dry.
    """
    spare = {purse_id: funds[purse_id].mine - level.busy for purse_id, level in levels.items()}
    served = dict.fromkeys(levels, 0)
    short: dict[PurseId, None] = {}
    for wish in wishes:
        lack = {purse_id: max(0, wish.amount - spare[purse_id]) for purse_id in wish.purses}
        missing = [purse_id for purse_id in wish.purses if lack[purse_id] > funds[purse_id].free]
        if missing:
            if all(funds[purse_id].payable >= wish.amount for purse_id in wish.purses):
                short.update(dict.fromkeys(missing))
            continue
        for purse_id in wish.purses:
            funds[purse_id].lend(lack[purse_id])
            spare[purse_id] += lack[purse_id] - wish.amount
            served[purse_id] += wish.amount
    for purse_id, level in levels.items():
        fund = funds[purse_id]
        change = level.want + served[purse_id] - fund.mine
        fund.lend(change if change < 0 else min(change, max(0, fund.free) // 4))
    return list(short)


class Purse:
    """A wallet or a limited key as one process sees it. Always leased - returning = held + unsettled + idle, idle >= 0.

    Times are nanoseconds of the caller's clock.
    """

    __slots__ = (
        "batched", "bound", "calls", "held", "leased", "overdrawn", "overrun", "purse_id", "rated_at", "recalled_at",
        "recent", "refused_until", "returning", "tight_until", "total", "unsettled", "used_at",
    )  # fmt: skip

    def __init__(self, purse_id: PurseId, now: int) -> None:
        self.purse_id = purse_id
        self.leased = 0
        """As of the last confirmed sync."""
        self.returning = 0
        """Given back by the sync in flight."""
        self.held = 0
        self.unsettled = 0
        """Covered by our lease, spent, and not yet in Postgres."""
        self.batched = 0
        """The part of `unsettled` that the sync in flight settles."""
        self.calls = 0
        """Running calls that hold of it, be it nothing."""
        self.overdrawn = 0
        """What running and unsettled calls go beyond their holds at the operator's expense."""
        self.recent = 0
        """Settled cost, a sum that halves every half-life."""
        self.rated_at = self.used_at = now
        self.tight_until = self.refused_until = self.recalled_at = -(2**62)
        self.total = 0
        """What Postgres said that it can pay, when it last said so."""
        self.bound: Bound | None = None
        """The budget that decided so."""
        self.overrun = 0

    @property
    def idle(self) -> int:
        return self.leased - self.returning - self.held - self.unsettled

    @property
    def is_empty(self) -> bool:
        """Nothing is leased, promised or owed: it may be forgotten."""
        return not (self.calls or self.leased or self.returning or self.unsettled or self.overdrawn)

    def used(self, now: int, cost: int, half_life: int) -> None:
        """A call of this cost has ended."""
        step = half_life // _STEPS
        steps = max(0, now - self.rated_at) // step
        if steps:
            self.recent = _decayed(self.recent, steps)
            self.rated_at += steps * step
        self.recent += cost
        self.used_at = now

    def head_room(self, now: int, half_life: int, horizon: int) -> int:
        """What the recent pace would use within the horizon."""
        pace = _decayed(self.recent, max(0, now - self.rated_at) * _STEPS // half_life)
        return pace * horizon * 1000 // (half_life * _AVERAGE_SPAN_PERMILLE)


def _decayed(amount: int, steps: int) -> int:
    """After so many sixteenths of a half-life. Integers only."""
    halvings, rest = divmod(steps, _STEPS)
    return (amount >> min(halvings, 128)) * _SIXTEENTHS[rest] >> 16

"""Budgets: what a key, or all keys of one member together, may spend in a day, a week, a month, or at all.

A budget is no purse of its own. It bounds the keys below it: what a key leases counts in every budget above it, so that
processes go on leasing per key and still cannot spend more together than the budget leaves.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Period = Literal["total", "day", "week", "month"]
Bounded = Literal["key", "member"]
"""Whose limit it is: of one key, or of the member who is responsible for it."""


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """The limit that decides what a key can still pay, in the words of a refusal."""

    whose: Bounded
    period: Period
    limit: int
    resets_at: datetime | None


class BudgetFund:
    """A budget's locked row, in the window of now. `leased` is what all processes hold of the keys below it."""

    __slots__ = (
        "budget_id", "excess", "leased", "limit", "period", "spent", "stored", "whose", "window_end", "window_start",
    )  # fmt: skip

    def __init__(
        self,
        budget_id: UUID,
        *,
        whose: Bounded,
        period: Period,
        limit: int,
        spent: int,
        leased: int,
        excess: int,
        window_start: datetime,
        window_end: datetime | None,
    ) -> None:
        self.budget_id = budget_id
        self.whose: Bounded = whose
        self.period: Period = period
        self.limit = limit
        self.spent = spent
        self.leased = leased
        self.excess = excess
        """Spent and leased beyond a limit that was lowered meanwhile: it only shrinks, and nothing new fits before."""
        self.window_start = window_start
        self.window_end = window_end
        self.stored = self._figures()

    def _figures(self) -> tuple[int, int, datetime, datetime | None]:
        return self.spent, self.leased, self.window_start, self.window_end

    @property
    def is_changed(self) -> bool:
        return self._figures() != self.stored

    @property
    def total(self) -> int:
        """What the window can still pay, leases included."""
        return max(0, self.limit - self.spent)

    @property
    def free(self) -> int:
        """What the window leaves to nobody's lease. Below zero when the limit was lowered below what is in use."""
        return self.limit - self.spent - self.leased

    @property
    def bound(self) -> Bound:
        return Bound(whose=self.whose, period=self.period, limit=self.limit, resets_at=self.window_end)

    def begin(self, starts: datetime, ends: datetime | None, at: datetime) -> None:
        """Start the window of `at`, unless it is the present one. Leases go on: they are spent in the new window."""
        if self.window_end is None or at < self.window_end:
            return
        self.window_start, self.window_end = max(starts, self.window_end, self.window_start), ends
        self.spent = 0
        self._settle_excess()

    def counts(self, at: datetime) -> bool:
        """Whether a call that began then is paid from this window. What began in an earlier one is not."""
        return at >= self.window_start

    def pay(self, amount: int, from_lease: int) -> None:
        """`amount` was charged in this window (0: in an earlier one), and `from_lease` is leased no more."""
        self.spent += amount
        self.leased -= from_lease
        self._settle_excess()

    def lend(self, amount: int) -> None:
        """The lease of a key below changes by `amount`."""
        self.leased += amount
        self._settle_excess()

    def _settle_excess(self) -> None:
        self.excess = min(self.excess, max(0, -self.free))

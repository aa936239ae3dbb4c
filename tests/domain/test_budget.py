"""A budget's window: when it begins, and what it counts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from airouter.domain.budget import BudgetFund

MIDNIGHT = datetime(2031, 5, 2, tzinfo=UTC)
A_DAY = timedelta(days=1)


def test_what_was_used_before_a_budget_was_set_counts_in_no_later_window() -> None:
    """A key's last call was ahead of the clock when its first budget was set, right before midnight."""
    set_after = MIDNIGHT + timedelta(seconds=1)
    fund = BudgetFund(
        UUID(int=1), whose="key", period="day", limit=100, spent=0, leased=0, excess=0, window_start=set_after,
        window_end=MIDNIGHT,
    )  # fmt: skip
    fund.begin(MIDNIGHT, MIDNIGHT + A_DAY, MIDNIGHT + timedelta(seconds=2))
    assert fund.window_end == MIDNIGHT + A_DAY
    assert not fund.counts(set_after - timedelta(milliseconds=1))
    assert fund.counts(set_after)

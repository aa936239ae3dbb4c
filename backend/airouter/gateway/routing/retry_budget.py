"""How many attempts after a call's first this process may make: a share of its calls, and a few however quiet it is.

Without it an outage would meet `attempts_max` times the usual load at the moment it can bear least.
"""

from typing import Final

from airouter.domain.policy import Routing

BURST_SECONDS: Final = 10
"""So many seconds' worth of `retries_per_second` may be spent at once."""


class RetryBudget:
    """A bucket that calls and time fill. Add one to `calls` for each call: that is all the usual case pays."""

    __slots__ = ("_at", "_seen", "_tokens", "calls")

    def __init__(self) -> None:
        self.calls = 0
        self._seen = 0
        self._tokens: float | None = None
        self._at = 0.0

    def take(self, now: float, rules: Routing) -> bool:
        """One more attempt. False: there have been too many."""
        most = max(rules.retries_per_second * BURST_SECONDS, 1 if rules.retry_percent else 0)
        if self._tokens is None:
            self._tokens = most
        else:
            earned = (self.calls - self._seen) * rules.retry_percent / 100
            earned += (now - self._at) * rules.retries_per_second
            self._tokens = min(most, self._tokens + earned)
        self._seen, self._at = self.calls, now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

"""Mistakes that the storm has to find: each undoes one reason why limits hold across nodes."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from airouter.domain.rate_limit import Ask
from airouter.gateway.rates.book import RateBook
from airouter.gateway.rates.gauge import Gauge
from airouter.gateway.rates.shares import SharedLimits
from tests.simulation import rate_world

Break = Callable[[pytest.MonkeyPatch], None]


def forgets_the_minute_after_a_lease(patch: pytest.MonkeyPatch) -> None:
    """What a dead node did in its last minute is as good as never done."""
    divide = rate_world.divide

    def broken(ask: Ask, *arguments: Any, **options: Any) -> Any:
        return divide(msgspec.structs.replace(ask, keeps_seconds=0), *arguments, **options)

    patch.setattr(rate_world, "divide", broken)


def uses_what_it_gives_back(patch: pytest.MonkeyPatch) -> None:
    """Until the answer comes, everything is used as before."""
    ask = Gauge.ask

    def broken(self: Gauge, now: float) -> Ask:
        before = self.share
        asked = ask(self, now)
        self.share = before
        return asked

    patch.setattr(Gauge, "ask", broken)


def gives_back_what_counts(patch: pytest.MonkeyPatch) -> None:
    """A recalled share goes back whole, the part that was used included."""
    ask = Gauge.ask

    def broken(self: Gauge, now: float) -> Ask:
        asked = ask(self, now)
        return msgspec.structs.replace(asked, least=0, needed=0, wanted=0) if asked.is_answer else asked

    patch.setattr(Gauge, "ask", broken)


def keeps_shares_after_the_lease(patch: pytest.MonkeyPatch) -> None:
    """A node that slept too long believes what it knew."""

    def broken(self: RateBook) -> None:
        del self

    patch.setattr(RateBook, "lapse", broken)


def looks_at_no_clock(patch: pytest.MonkeyPatch) -> None:
    """A node that slept too long calls on before it asks."""
    patch.setattr(SharedLimits, "is_lease_over", property(lambda _: False))


def leaves_nothing_behind(patch: pytest.MonkeyPatch) -> None:
    """A node that ends takes its last minute with it."""
    usage = RateBook.usage

    def broken(self: RateBook, now: float) -> list[tuple[str, int]]:
        return [(subject, 0) for subject, _ in usage(self, now)]

    patch.setattr(RateBook, "usage", broken)


def believes_in_what_it_asked_for(patch: pytest.MonkeyPatch) -> None:
    """No answer is taken for a yes."""
    unanswered = RateBook.unanswered

    def broken(self: RateBook, asks: list[Ask]) -> None:
        unanswered(self, asks)
        wanted = {ask.subject: ask.wanted for ask in asks}
        for gauge in self.urgent:
            gauge.share = wanted.get(gauge.subject, gauge.share)

    patch.setattr(RateBook, "unanswered", broken)


ERRORS: dict[Break, int] = {
    forgets_the_minute_after_a_lease: 0,
    uses_what_it_gives_back: 9,
    gives_back_what_counts: 0,
    keeps_shares_after_the_lease: 8,
    looks_at_no_clock: 37,
    leaves_nothing_behind: 0,
    believes_in_what_it_asked_for: 0,
}
"""With a seed that finds each soon."""

"""One limit of one subject as one node sees it: what it counts here, and how much of it this node may use."""

from typing import Final, Literal

from airouter.domain.rate_limit import WINDOW_SECONDS, Ask, Verdict
from airouter.gateway.rates.window import Bucket, Window

Kind = Literal["requests", "tokens", "calls"]

SPARE_FRACTION: Final = 8
"""A node asks for an eighth of the limit more than it needs, so that it rarely has to ask."""
BUSY_SECONDS: Final = 1.0
"""A node that used a limit within this time keeps half of what it could spare when others ask."""
REFUSAL_SECONDS: Final = 0.25
"""How long calls are refused without asking again, once every node has said that nothing is left."""


class Gauge:
    """Counts of one limit. `share` is what this node may use of it; `is_valid`: since its lease began."""

    __slots__ = (
        "is_asked", "is_known", "is_recalled", "is_valid", "kind", "limit", "others", "refusing_until", "running",
        "share", "subject", "used_at", "waiting", "whose", "window",
    )  # fmt: skip

    def __init__(self, subject: str, kind: Kind, whose: str, limit: int, *, is_alone: bool) -> None:
        self.subject = subject
        self.kind: Kind = kind
        self.whose = whose
        self.limit = limit
        self.share = limit if is_alone else 0
        self.others = 0
        """What other nodes held when we last asked."""
        self.is_valid = is_alone
        self.is_known = is_alone
        """There was an answer once."""
        self.is_asked = False
        """A transaction about it is under way."""
        self.is_recalled = False
        self.waiting = 0
        """What calls wait for at this moment."""
        self.refusing_until = 0.0
        self.used_at = -1e9
        self.running = 0
        self.window = None if kind == "calls" else Window()

    def used(self, now: float) -> int:
        """What counts at this moment."""
        return self.running if self.window is None else self.window.total(now)

    def take(self, amount: int, now: float) -> Bucket | None:
        """Counts it. Whoever calls has checked."""
        self.used_at = now
        if self.window is not None:
            return self.window.add(now, amount)
        self.running += 1
        return None

    def remaining(self, now: float) -> int:
        """What this node knows to be left for everybody."""
        return max(0, self.limit - self.others - self.used(now))

    def seconds_until(self, amount: int, now: float) -> float:
        """When there may be room for so much: a guess where other nodes have counted, and for calls at once."""
        if self.window is None:
            return 1.0
        excess = self.window.total(now) + amount - self.limit
        return self.window.seconds_until_left(excess, now) if excess > 0 else 1.0

    def seconds_until_more(self, now: float) -> float:
        """When the oldest of what counts leaves."""
        return 0.0 if self.window is None else self.window.seconds_until_left(1, now)

    # -- shares

    @property
    def allowed(self) -> int:
        """Of the share, what a limit that was lowered since leaves."""
        return min(self.share, max(0, self.limit - self.others))

    @property
    def spare(self) -> int:
        return max(1, self.limit // SPARE_FRACTION)

    def is_low(self, now: float) -> bool:
        """Little is left of the share, and others do not have the rest."""
        return self.share < self.limit - self.others and self.share - self.used(now) < self.spare // 2

    @property
    def is_too_high(self) -> bool:
        """The limit was lowered below what all hold: to be asked about until it fits."""
        return self.share > 0 and self.share + self.others > self.limit

    def ask(self, now: float) -> Ask:
        """What to ask for now. What is given back is not used any more from here on, whatever becomes of the asking."""
        used = self.used(now)
        needed = used + self.waiting
        allowed = self.allowed if self.is_valid else 0
        if self.is_recalled:
            idle = max(0, allowed - used)
            least = used + (idle // 2 if now - self.used_at < BUSY_SECONDS else 0)
            wanted = needed
        else:
            least, wanted = max(used, allowed), needed + self.spare
        answers, self.is_recalled = self.is_recalled, False
        self.share, self.is_asked = min(least, allowed), True
        return Ask(
            subject=self.subject,
            limit=self.limit,
            keeps_seconds=0 if self.window is None else WINDOW_SECONDS,
            least=least,
            needed=min(self.limit, needed),
            wanted=max(least, min(self.limit, wanted)),
            is_answer=answers,
        )

    def answered(self, verdict: Verdict, now: float) -> None:
        """What Postgres said."""
        self.is_asked = False
        self.is_valid = self.is_known = True
        self.share, self.others = verdict.share, verdict.others
        self.is_recalled = self.is_recalled or verdict.is_recalled
        self.refusing_until = now + REFUSAL_SECONDS if verdict.is_final else 0.0

    def is_forgettable(self, now: float) -> bool:
        """Nothing of it counts or waits."""
        return not self.waiting and not self.is_asked and self.used(now) == 0

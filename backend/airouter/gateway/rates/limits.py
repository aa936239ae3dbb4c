"""What a call passes after admission: every limit that applies to it, of its key, account, group and model; and each
channel's own.

Limits of requests and tokens are sliding minutes; one of calls at once is a count. All of them are checked and counted
in one step, or none is.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from airouter.domain.catalogue import Channel, Group, Model
from airouter.domain.errors import ChannelsAtCapacity, DomainError, LedgerUnavailable
from airouter.domain.ids import AccountId, KeyId
from airouter.domain.pricing import Ceiling
from airouter.domain.rate_limit import RateLimits
from airouter.domain.usage import Quantities
from airouter.gateway.rates.book import Over, Part, RateBook, Subject, Taken
from airouter.gateway.rates.gauge import Gauge
from airouter.gateway.rates.headers import Headers, exceeded, headers, too_large
from airouter.gateway.rates.shares import EXCHANGE_SECONDS, Alone, Shares

WAIT_SECONDS: Final = 1.0
"""How long a call waits for other nodes to give back what they do not use."""
_TOKENS: Final = frozenset(
    {
        "input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input",
        "output", "reasoning", "audio_output", "image_output",
    }
)  # fmt: skip


class _Caller(Protocol):
    """What is asked of a caller here."""

    @property
    def key_id(self) -> KeyId: ...
    @property
    def account_id(self) -> AccountId: ...
    @property
    def rate_limits(self) -> RateLimits | None: ...
    @property
    def account_rate_limits(self) -> RateLimits | None: ...


class _Terms(Protocol):
    """What is asked of the terms of a call here."""

    @property
    def model(self) -> Model: ...
    @property
    def group(self) -> Group: ...
    @property
    def ceiling(self) -> Ceiling: ...


class Slot:
    """A call's place within its limits. It is left once; leaving it again changes nothing."""

    __slots__ = ("_limiter", "_taken", "headers")

    def __init__(self, limiter: "RateLimiter | None" = None, taken: Sequence[Taken] = (), told: Headers = ()) -> None:
        self._limiter = limiter
        self._taken = taken
        self.headers = told

    def leave(self, quantities: Quantities | None = None) -> None:
        """The call is over, and used this. Without a word it used no tokens."""
        if self._taken:
            taken, self._taken = self._taken, ()
            assert self._limiter is not None, "what was taken was taken from somebody"
            self._limiter.left(taken, _tokens(quantities))

    def leave_counted(self) -> None:
        """The call goes on elsewhere: what it may use at most stays counted."""
        if self._taken:
            taken, self._taken = self._taken, ()
            assert self._limiter is not None, "what was taken was taken from somebody"
            self._limiter.left(taken, None)

    def withdraw(self) -> None:
        """As if it had never been entered."""
        if self._taken:
            taken, self._taken = self._taken, ()
            assert self._limiter is not None, "what was taken was taken from somebody"
            self._limiter.left(taken, 0, is_withdrawn=True)


NO_SLOT: Final = Slot()
"""Of a call that nothing limits."""


class RateLimiter:
    """Every limit that this process meets. Without `shares` it is the only one that counts."""

    def __init__(self, clock: Callable[[], float], shares: Shares | None = None) -> None:
        self._clock = clock
        self._shares = shares or Alone()
        self._book: RateBook = self._shares.book

    # -- calls

    def try_enter(self, caller: _Caller, terms: _Terms) -> Slot | None:
        """A place, without waiting. None: other nodes may have to give something back first, see `enter`.

        Raises:
            RateLimitExceeded: with `retry_after_seconds`, and headers that say which limit stands where.
            RequestExceedsRateLimit: no minute has room for the call's tokens.
        """
        key, account, group, model = (
            caller.rate_limits, caller.account_rate_limits, terms.group.rate_limits, terms.model.rate_limits,
        )  # fmt: skip
        if key is None and account is None and group is None and model is None:
            return NO_SLOT
        return self._try(self._parts(caller, terms))

    async def enter(self, caller: _Caller, terms: _Terms) -> Slot:
        """A place, as soon as it is known whether there is one: after a round trip to Postgres, or a second at most.

        Raises:
            RateLimitExceeded, RequestExceedsRateLimit: as `try_enter`.
            LedgerUnavailable: Postgres is away, and this process has never met one of the limits.
        """
        parts = self._parts(caller, terms)
        try:
            return self._slot(parts, await self._take_shared(parts))
        except Over as over:
            raise self._refusal(parts, over) from None

    async def enter_free(self, caller: _Caller) -> Slot:
        """A place of a call that runs nothing: within the requests and calls at once of its key and account.

        Raises:
            RateLimitExceeded
        """
        if caller.rate_limits is None and caller.account_rate_limits is None:
            return NO_SLOT
        parts: list[Part] = []
        for subject, limits in (
            (("key", caller.key_id), caller.rate_limits),
            (("account", caller.account_id), caller.account_rate_limits),
        ):
            if limits is not None:
                self._add(parts, subject, limits, None)
        try:
            return self._slot(parts, await self._take_shared(parts))
        except Over as over:
            raise self._refusal(parts, over) from None

    async def enter_channel(self, channel: Channel, ceiling: Ceiling) -> Slot:
        """A place within the caps of a channel.

        Raises:
            ChannelsAtCapacity: it is full, and another one may do.
        """
        caps = channel.options.caps
        if caps is None or caps.or_none is None:
            return NO_SLOT
        parts: list[Part] = []
        self._add(parts, ("channel", channel.channel_id), caps, ceiling)
        try:
            return Slot(self, await self._take_shared(parts))
        except Over as over:
            wait = over.gauge.seconds_until(over.amount, self._clock())
            raise ChannelsAtCapacity(retry_after_seconds=max(1, math.ceil(wait))) from None

    def __len__(self) -> int:
        """How many limits are remembered."""
        return len(self._book)

    def left(self, taken: Sequence[Taken], tokens: int | None, *, is_withdrawn: bool = False) -> None:
        """For slots. None: as many tokens as it was entered with."""
        self._book.give_back(taken, tokens, self._clock(), is_withdrawn=is_withdrawn)

    # -- inside

    def _try(self, parts: list[Part]) -> Slot | None:
        try:
            taken = self._take(parts)
        except Over as over:
            raise self._refusal(parts, over) from None
        return self._slot(parts, taken) if isinstance(taken, tuple) else None

    def _take(self, parts: list[Part]) -> tuple[Taken, ...] | list[Gauge]:
        return self._book.take(parts, self._clock(), is_lease_over=self._shares.is_lease_over)

    async def _take_shared(self, parts: list[Part]) -> tuple[Taken, ...]:
        """Raises Over."""
        until = self._clock() + WAIT_SECONDS
        while isinstance(taken := self._take(parts), list):
            left = until - self._clock()
            is_unanswered = taken[0].is_asked and left > -EXCHANGE_SECONDS
            if left <= 0 and not is_unanswered:  # somebody holds some, and does not give it back
                raise Over(taken[0], dict(parts)[taken[0]])
            await self._shares.more_of(parts, taken, max(left, 0.01))
        return taken

    def _slot(self, parts: list[Part], taken: tuple[Taken, ...]) -> Slot:
        return Slot(self, taken, headers((gauge for gauge, _ in parts), self._clock()))

    def _refusal(self, parts: list[Part], over: Over) -> DomainError:
        if over.amount > over.gauge.limit:
            return too_large(over.gauge, over.amount)
        if not over.gauge.is_known:
            return LedgerUnavailable("The limits of this call cannot be looked up. Try again shortly.")
        return exceeded([gauge for gauge, _ in parts], over.gauge, over.amount, self._clock())

    def _parts(self, caller: _Caller, terms: _Terms) -> list[Part]:
        parts: list[Part] = []
        account_id, group, model, ceiling = caller.account_id, terms.group, terms.model, terms.ceiling
        if caller.rate_limits is not None:
            self._add(parts, ("key", caller.key_id), caller.rate_limits, ceiling)
        if caller.account_rate_limits is not None:
            self._add(parts, ("account", account_id), caller.account_rate_limits, ceiling)
        if group.rate_limits is not None:
            self._add(parts, ("group", (group.name, account_id)), group.rate_limits, ceiling)
        if model.rate_limits is not None:
            self._add(parts, ("model", model.model), model.rate_limits, ceiling)
        return parts

    def _add(self, parts: list[Part], subject: Subject, limits: RateLimits, ceiling: Ceiling | None) -> None:
        found = self._book.limited(subject, limits, self._clock())
        if found.requests is not None:
            parts.append((found.requests, 1))
        if found.tokens is not None and ceiling is not None:
            parts.append((found.tokens, ceiling.input_tokens + ceiling.output_tokens))
        if found.calls is not None:
            parts.append((found.calls, 1))


def _tokens(quantities: Quantities | None) -> int:
    """Everything that is a token."""
    return sum(quantities[meter] for meter in quantities if meter in _TOKENS) if quantities else 0

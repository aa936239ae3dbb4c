"""What moves through the book: a running call's hold, a call that waits for one, and the sync that is under way."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from airouter.domain.budget import Bound, Period
from airouter.domain.errors import InsufficientQuota, KeyLimitReached, OutOfQuota
from airouter.domain.ids import KeyId, WalletId
from airouter.domain.lease import Purse, PurseId, Sync
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.segment import Segment

if TYPE_CHECKING:
    from airouter.gateway.leases.book import Book


_NAMES: Final[Mapping[Period, str]] = {
    "total": "budget",
    "day": "daily budget",
    "week": "weekly budget",
    "month": "monthly budget",
}


class Hold:
    """The worst-case price of one running call, held against the leases of its purses until `settle` or `release`."""

    __slots__ = (
        "ahead", "amount", "book", "is_open", "key", "key_id", "overdrawn", "record", "segment", "wallet", "wallet_id",
    )  # fmt: skip

    def __init__(
        self, book: "Book", wallet: Purse, key: Purse | None, *, wallet_id: WalletId, key_id: KeyId, amount: int
    ) -> None:
        self.book = book
        self.wallet_id = wallet_id
        self.key_id = key_id
        self.wallet = wallet
        self.key = key
        self.amount = amount
        self.ahead = 0
        """The part of `amount` that Postgres granted when the call asked for more, and that it has not taken yet."""
        self.overdrawn = 0
        self.is_open = True
        self.record: UsageRecord | None = None
        self.segment: Segment | None = None
        """The file of the journal that carries the record; None when the disk refused it."""

    @property
    def purses(self) -> tuple[Purse, ...]:
        return (self.wallet,) if self.key is None else (self.wallet, self.key)


class Waiting:
    """A call that waits for credit. `outcome` is a Hold, or what Postgres says is missing."""

    __slots__ = ("amount", "is_answered", "key", "key_id", "outcome", "wake", "wallet_id")

    def __init__(self, wallet_id: WalletId, key_id: KeyId, *, is_limited: bool, amount: int) -> None:
        self.wallet_id = wallet_id
        self.key_id = key_id
        self.key: KeyId | None = key_id if is_limited else None
        self.amount = amount
        self.outcome: Hold | Missing | None = None
        self.wake: asyncio.Future[None] | None = None
        """What its caller sleeps on."""
        self.is_answered = False
        """Postgres was asked for it and had enough, but not free."""

    @property
    def purses(self) -> tuple[PurseId, ...]:
        return (self.wallet_id,) if self.key is None else (self.wallet_id, self.key)


class Missing:
    """Postgres says that a purse cannot pay `needed` even with nothing in flight, or owes the operator too much."""

    __slots__ = ("available", "bound", "is_overrun", "needed", "purse_id")

    def __init__(
        self,
        purse_id: PurseId,
        needed: int,
        available: int,
        *,
        bound: Bound | None = None,
        is_overrun: bool = False,
    ) -> None:
        self.purse_id = purse_id
        self.needed = needed
        self.available = available
        self.bound = bound
        self.is_overrun = is_overrun

    def refusal(self) -> OutOfQuota:
        """In words: what was needed, and what is left of the limit that was hit. A key's limit tells nothing of the
        balance.
        """
        needed, available = self.needed, self.available
        if self.is_overrun:
            return InsufficientQuota(
                f"Earlier calls used {available} quota more than the balance could pay. Top up to go on.",
                needed=needed,
                available=0,
            )
        if isinstance(self.purse_id, int):
            return InsufficientQuota(
                f"This call can cost up to {needed} quota and the balance is {available}."
                " Top up, or ask for fewer output tokens.",
                needed=needed,
                available=available,
            )
        if self.bound is not None:
            return _out_of_budget(self.bound, needed, available)
        return KeyLimitReached(
            f"This call can cost up to {needed} quota and this key's spend limit leaves {available}."
            " Raise the limit in the console under API keys, or ask for fewer output tokens.",
            needed=needed,
            available=available,
        )


def _out_of_budget(bound: Bound, needed: int, available: int) -> KeyLimitReached:
    """A member's budget is named with its limit; it tells nothing of the balance either."""
    budget = (
        f"this key's {_NAMES[bound.period]}" if bound.whose == "key" else f"the {_NAMES[bound.period]} of its member"
    )
    when = "" if bound.resets_at is None else f" It starts anew at {bound.resets_at:%Y-%m-%dT%H:%M:%SZ}."
    return KeyLimitReached(
        f"This call can cost up to {needed} quota and {budget} of {bound.limit} leaves {available}.{when}"
        " Ask for fewer output tokens, or ask who manages the account for a larger budget.",
        needed=needed,
        available=available,
        budget=bound.whose,
        period=bound.period,
        limit=bound.limit,
        resets_at=bound.resets_at,
    )


class Flight:
    """The sync under way, and what it will settle when it is confirmed."""

    __slots__ = ("extending", "first_sent", "holds", "is_uncertain", "purses", "request", "waiting")

    def __init__(
        self,
        request: Sync,
        holds: list[Hold],
        purses: list[Purse],
        first_sent: int,
        *,
        extending: dict[Hold, int],
        waiting: list[Waiting],
    ) -> None:
        self.request = request
        self.holds = holds
        self.extending = extending
        self.waiting = waiting
        self.purses = purses
        self.first_sent = first_sent
        self.is_uncertain = False
        """An attempt ended without an answer: it may have been the one that commits, so nothing may change any more."""

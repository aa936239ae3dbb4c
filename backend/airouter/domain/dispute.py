"""Disputes of a payment: a buyer's bank may open several, each over a part or all of it, and each is decided alone.

Pure; amounts are minor units of what was paid with.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

State = Literal["open", "won", "lost"]


class Dispute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One dispute, as it was last heard of.

    `name` is the processor's; None where its protocol has none, so there can only be one. `amount` None: all that was
    paid. `reason` is the processor's word for why. `decided_at` None: it is open.
    """

    name: str | None
    state: State
    amount: int | None
    reason: str | None
    heard_at: datetime
    decided_at: datetime | None


Disputes = tuple[Dispute, ...]
"""In the order in which they were heard of."""


def with_heard(disputes: Disputes, heard: Dispute) -> Disputes | None:
    """The disputes with what is heard of one now. None: it was decided before, and the other way round.

    That one was opened is no news once it was decided. What a decision does not say stays as it was said before.
    """
    place = _place_of(disputes, heard)
    if place is None:
        return (*disputes, heard)
    known = disputes[place]
    if heard.state in {"open", known.state}:
        return disputes
    if known.state != "open":
        return None
    new = msgspec.structs.replace(
        heard,
        amount=known.amount if heard.amount is None else heard.amount,
        reason=heard.reason or known.reason,
        heard_at=known.heard_at,
    )
    return (*disputes[:place], new, *disputes[place + 1 :])


def _place_of(disputes: Sequence[Dispute], heard: Dispute) -> int | None:
    """By name; one that is still open without a name is the one that is named now: it is older than names."""
    for place, known in enumerate(disputes):
        if known.name == heard.name:
            return place
    for place, known in enumerate(disputes):
        if known.name is None and known.state == "open":
            return place
    return None

"""Limits of requests, tokens and calls at once; and how nodes divide a limit so that their shares never exceed it.

A *share* is how much of a limit one node may use without asking. It moves in one transaction per node at a time, under
a lock of the subject; `divide` is what that transaction decides.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

WINDOW_SECONDS: Final = 60
"""A minute is the last 60 s, whenever one looks: never a calendar minute."""

Rate = Annotated[int, Meta(ge=1, le=2_000_000_000)]


class RateLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much at a time. What is absent is not limited."""

    requests_per_minute: Rate | None = None
    tokens_per_minute: Rate | None = None
    """Of input and output together: what a call may use at most when it begins, what it did use once it ended."""
    concurrency: Rate | None = None
    """Calls at once."""

    @property
    def or_none(self) -> "RateLimits | None":
        """None where nothing is limited, which is the quickest to see."""
        return None if self == UNLIMITED else self


UNLIMITED: Final = RateLimits()


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a node would like of one subject: shares in total, not more or less than before."""

    subject: str
    limit: int
    keeps_seconds: int
    """How long what a node did counts after its lease ended: a window is to be waited out, a call at once is over."""
    least: int
    """What it goes on using while it asks, and cannot do without: never less than what counts there now."""
    needed: int
    """What it has used and what calls wait for."""
    wanted: int
    """The same with some to spare."""
    is_answer: bool = False
    """It knows that others miss something, and keeps no more than it can justify."""


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What stands written of one node and one subject."""

    node_id: UUID
    share: int
    missing: int = 0
    missing_since: datetime | None = None
    answered_at: datetime | None = None
    """When it last gave back what it could spare."""
    until: datetime
    """The node's lease, by the clock of Postgres."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is written for the node that asked, and what it has to know."""

    subject: str
    share: int
    others: int
    """What everybody else holds."""
    missing: int
    """What calls still wait for while others are asked to give back; 0 once everybody has answered."""
    missing_since: datetime | None
    answered_at: datetime | None
    is_final: bool
    """Something is missing, and nobody can spare it at the moment."""
    is_new_want: bool
    """Others have to be told that something is missing."""
    is_answered_want: bool
    """Who misses something has to be told that there may be some now."""
    is_recalled: bool
    """Others miss something, and this node has not yet given back what it can spare."""


def divide(ask: Ask, holdings: Sequence[Holding], node_id: UUID, now: datetime, *, was_running: bool = True) -> Verdict:
    """The share of one node, given what all hold. `was_running`: its lease had not ended, so what it held is its own.

    The sum stays within the limit. Where the limit was lowered, what is in use is not taken away from anybody, and the
    sum comes down as the minute passes.
    """
    mine = next((held for held in holdings if held.node_id == node_id), None)
    keeps = timedelta(seconds=ask.keeps_seconds)
    others = [held for held in holdings if held.node_id != node_id and held.until + keeps > now]
    live = [held for held in others if held.until > now]
    taken = sum(held.share for held in others)
    is_wanted = any(held.missing for held in live)
    target = max(ask.least, ask.needed) if is_wanted else max(ask.least, ask.wanted)
    held = mine.share if mine and was_running else 0
    share = max(0, min(target, ask.limit - taken), min(ask.least, held))

    missing, since = max(0, ask.needed - share), None
    is_final = is_new = False
    if missing:
        is_new = mine is None or not mine.missing
        since = now if is_new or mine is None else mine.missing_since or now
        waited_for = [held for held in live if held.share]
        is_final = all(held.answered_at is not None and held.answered_at > since for held in waited_for)
    answered_before = mine.answered_at if mine else None
    answered_at = now if ask.is_answer else answered_before
    return Verdict(
        subject=ask.subject,
        share=share,
        others=taken,
        missing=0 if is_final else missing,
        missing_since=None if is_final else since,
        answered_at=answered_at,
        is_final=is_final,
        is_new_want=is_new and not is_final,
        is_answered_want=ask.is_answer and any(_is_unanswered(held, answered_before) for held in live),
        is_recalled=share > 0 and any(_is_unanswered(held, answered_at) for held in live),
    )


def _is_unanswered(held: Holding, answered_at: datetime | None) -> bool:
    """It misses something since after that."""
    return bool(held.missing) and (
        answered_at is None or held.missing_since is None or held.missing_since >= answered_at
    )

"""Referrals: codes that people can read to each other, what is promised to whom, and what is left of a promise."""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from airouter.domain.email_address import normal
from airouter.domain.policies.referral import Referral
from airouter.domain.redemption import ALPHABET

CODE_LENGTH: Final = 12
RANDOM_BITS: Final = 60
MICROS: Final = 1_000_000
JOINING: Final = "joining"
"""The cause of what is given once. A share's is `order/<id>`."""
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": ""})

Side = Literal["referrer", "invitee"]
State = Literal["pending", "released", "withheld", "taken_back"]


def code_from(draw: int) -> str:
    """The code of 60 random bits."""
    return "".join(ALPHABET[draw >> 5 * at & 31] for at in reversed(range(CODE_LENGTH)))


def normal_form(typed: str) -> str | None:
    """What was meant; None: this can be no code."""
    code = typed.upper().translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) else None


def mailbox(email: str) -> str:
    """Where mail to an address ends up, as far as that is known: `a.b+shop@googlemail.com` is `ab@gmail.com`.

    Only for telling whether two people may be one. What follows a plus is dropped everywhere; dots only at Gmail, whose
    help says that they mean nothing there.
    """
    local, _, domain = normal(email).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def masked(email: str) -> str:
    """Enough for whoever knows the person: `al…@example.com`."""
    local, _, domain = email.partition("@")
    return f"{local[: min(2, max(1, len(local) - 1))]}…@{domain}"


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A reward to be. `due_at` None: it waits for an order."""

    side: Side
    amount: int
    due_at: datetime | None


def promises(policy: Referral, joined_at: datetime) -> list[Promise]:
    """What both sides are promised when somebody joins."""
    due_at = {
        "registration": joined_at,
        "first_order": None,
        "after_days": joined_at + timedelta(days=policy.days or 0),
    }[policy.condition]
    sides: list[tuple[Side, int]] = [("referrer", policy.reward), ("invitee", policy.invitee_reward)]
    return [Promise(side=side, amount=amount, due_at=due_at) for side, amount in sides if amount]


def share_of(quota: int, share_micros: int) -> int:
    """A referrer's part of what was bought, rounded down."""
    return quota * share_micros // MICROS


def left_of(amount: int, *, cause: str, credited: int, taken: int) -> int:
    """What of a reward stays after its order was given back: a share in proportion (down), the rest all or nothing."""
    if taken >= credited:
        return 0
    return amount if cause == JOINING else amount * (credited - taken) // credited

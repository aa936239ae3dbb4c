"""How a person leaves, and how a team ends."""

from typing import Annotated, Literal

from msgspec import Meta

from airouter.domain.policies.topic import Topic


class Privacy(Topic, frozen=True, kw_only=True):
    """How a person leaves or a team ends, and what becomes of what they paid for."""

    deletion_grace_days: Annotated[int, Meta(ge=0, le=365)] = 14
    """How long a deletion that was asked for can be cancelled. 0: it is carried out at once."""
    remaining_balance: Literal["forfeit", "keep_refusing"] = "keep_refusing"
    """What is left in the wallets: given up with the deletion, or the deletion is refused as long as there is some."""

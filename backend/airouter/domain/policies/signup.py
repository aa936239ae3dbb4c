"""Who may join."""

from typing import Literal

from airouter.domain.policies.topic import Topic


class SignUp(Topic, frozen=True, kw_only=True):
    """Who may join. Closed until the operator opens it."""

    mode: Literal["closed", "open"] = "closed"
    group: str = "default"
    """The group that a new account starts in."""

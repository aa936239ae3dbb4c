"""What signing in asks for."""

from typing import Annotated, Literal

from msgspec import Meta

from airouter.domain.policies.topic import Topic
from airouter.domain.quota import WALLET_MAX


class SignInRules(Topic, frozen=True, kw_only=True):
    """What signing in asks for, and how fresh it has to be for acts that matter."""

    password_enabled: bool = True
    """Whether passwords are a way in. Off only while every owner has another one."""
    require_second_factor_for: Literal["none", "operators"] = "none"
    """Whose acts need a second factor or a passkey: operators who lack one act for themselves only, until they add it.
    """
    reauthenticate_minutes: Annotated[int, Meta(ge=1, le=24 * 60)] = 15
    """How long a proof of who one is holds for acts that matter."""
    reauthenticate_above: Annotated[int, Meta(ge=0, le=WALLET_MAX)] | None = None
    """An operator who moves more quota than this at once proves who they are first; None: never asked."""

"""Who may make teams, and how large they may be."""

from typing import Annotated, Literal

from msgspec import Meta

from airouter.domain.policies.topic import Topic


class Teams(Topic, frozen=True, kw_only=True):
    """Who may make teams, and how large they may be. A team is an account with several members and one wallet."""

    created_by: Literal["nobody", "operators", "users"] = "users"
    """Who may make one. Teams that exist go on whatever this says."""
    group: Annotated[str, Meta(min_length=1, max_length=64)] = "default"
    """The group that a new team starts in."""
    owned_max: Annotated[int, Meta(ge=1, le=1000)] = 10
    """Teams that one person may be an owner of and still make another."""
    members_max: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Members of a team, open invitations included."""
    invitation_days: Annotated[int, Meta(ge=1, le=90)] = 7
    """How long an invitation holds."""

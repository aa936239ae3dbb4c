"""An invitation, seen by whoever was invited. Its token is never in a path: paths are logged."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from airouter.api.callers import Person, Visitor
from airouter.api.documents import refusals
from airouter.api.public.auth import Password, SignedIn, client_of, signed_in
from airouter.api.public.cookies import Browsers
from airouter.domain.permission import TeamRole
from airouter.services.audit_log import Actor
from airouter.services.invitations import Invitations

Token = Annotated[str, msgspec.Meta(max_length=200)]
_TAGS = ["Teams"]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """`has_user`: somebody signs in with that address already, and accepts then."""

    team: str
    email: str
    team_role: TeamRole
    invited_by: str
    expires_at: datetime
    has_user: bool


class OfferToAccept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Token


class Newcomer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody new: the address is the one that was invited."""

    token: Token
    password: Password
    locale: Annotated[str, msgspec.Meta(examples=["zh-CN"])] | None = None


class TeamJoined(msgspec.Struct, frozen=True, kw_only=True):
    account_id: UUID
    name: str


@get(
    "/invitations",
    operation_id="getInvitation",
    summary="What an invitation says, for whoever has its token",
    tags=_TAGS,
    responses=refusals(401, 422, 429),
)
async def invitation(
    visitor: NamedDependency[Visitor],
    invitations: NamedDependency[Invitations],
    token: Annotated[str, QueryParameter(description="From the link", max_length=200)],
) -> Offer:
    """401 `invalid_token` for one that is unknown, used, taken back or too old."""
    offer = await invitations.offer(token, visitor.address)
    return Offer(
        team=offer.account_name,
        email=offer.email,
        team_role=offer.team_role,
        invited_by=offer.invited_by,
        expires_at=offer.expires_at,
        has_user=offer.has_user,
    )


@post(
    "/invitations/accept",
    operation_id="acceptInvitation",
    permission="me.write",
    summary="Join a team with an invitation for one's own address",
    status_code=200,
    tags=_TAGS,
    responses=refusals(401, 403, 409, 422),
)
async def accept(
    data: JSONBody[OfferToAccept],
    person: NamedDependency[Person],
    invitations: NamedDependency[Invitations],
    actor: NamedDependency[Actor],
) -> TeamJoined:
    """403 `invitation_for_another` when it is for another address than the one that is signed in."""
    offer = await invitations.accept(data.token, person.user_id, person.email, actor)
    return TeamJoined(account_id=offer.account_id, name=offer.account_name)


@post(
    "/auth/invitations/accept",
    operation_id="joinByInvitation",
    summary="Join with an invitation as somebody new, also while sign-up is closed",
    tags=_TAGS,
    responses=refusals(401, 409, 422, 429),
)
async def join(
    data: JSONBody[Newcomer],
    visitor: NamedDependency[Visitor],
    invitations: NamedDependency[Invitations],
    browsers: NamedDependency[Browsers],
) -> Response[SignedIn]:
    """409 `email_taken` where somebody signs in with that address: they sign in, and accept then."""
    opened = await invitations.join(data.token, data.password, data.locale, client_of(visitor))
    return signed_in(opened, browsers, status=201)


INVITATIONS = (invitation, accept, join)

"""Who may call. It stands in the handler's signature, and a test finds every handler that names nobody.

    async def list_keys(self, holder: NamedDependency[AccountHolder], …)

visitor   anybody, and it does not matter who     guest     anybody; somebody signed in is recognised
person    somebody signed in
holder    a person acting for one of their accounts (`X-Account-Id`; without it the personal one)
operator  a person with the role `operator` or `owner`        owner    with the role `owner`

`actor: NamedDependency[Actor]` is none of these: it says who is at work, for the audit log.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter

from airouter.api.arrivals import arrival_of
from airouter.domain.errors import AccountPaused, NotFound, RoleRequired, SessionExpired, Unauthenticated
from airouter.domain.ids import AccountId, RequestId, SessionId, UserId, WalletId
from airouter.services.audit_log import Actor
from airouter.services.sessions import Sessions
from airouter.storage.sessions import Membership, Role, TeamRole

AnyRequest = Request[Any, Any, Any]


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Anybody."""

    request_id: RequestId
    address: str
    user_agent: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in."""

    request_id: RequestId
    address: str
    session_id: SessionId
    user_id: UserId
    email: str
    role: Role
    locale: str | None
    memberships: tuple[Membership, ...]

    @property
    def is_operator(self) -> bool:
        return self.role != "user"


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Anybody, but the answer depends on who it is. `holder` is None for strangers."""

    request_id: RequestId
    address: str
    holder: "AccountHolder | None"


class AccountHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A person acting for one of their accounts."""

    person: Person
    account_id: AccountId
    account_name: str
    group: str
    team_role: TeamRole
    wallet_id: WalletId
    is_paused: bool

    @property
    def user_id(self) -> UserId:
        return self.person.user_id


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """A person who runs the place."""

    person: Person

    @property
    def user_id(self) -> UserId:
        return self.person.user_id


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """An operator who may also make operators."""

    person: Person

    @property
    def user_id(self) -> UserId:
        return self.person.user_id


def bearer_of(request: AnyRequest) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _visitor(request: AnyRequest) -> Visitor:
    arrival = arrival_of(request.scope)
    return Visitor(request_id=arrival.request_id, address=arrival.address, user_agent=arrival.user_agent)


async def person_of(request: AnyRequest, sessions: Sessions) -> Person:
    """Who is signed in.

    Raises:
        Unauthenticated, SessionExpired
    """
    token = bearer_of(request)
    if token is None:
        raise Unauthenticated
    arrival, standing = arrival_of(request.scope), await sessions.standing(token)
    return Person(
        request_id=arrival.request_id,
        address=arrival.address,
        session_id=standing.session_id,
        user_id=standing.user_id,
        email=standing.email,
        role=standing.role,
        locale=standing.locale,
        memberships=standing.memberships,
    )


async def refuse_strangers(request: AnyRequest, sessions: Sessions) -> None:
    """The same refusals as those of the caller in the handler's signature, for what is done before it is called.

    Raises:
        Unauthenticated, SessionExpired, RoleRequired
    """
    asked_for = PROVIDERS.keys() & request.route_handler.parsed_fn_signature.parameters.keys()
    if asked_for & STRANGERS:
        return
    person = await person_of(request, sessions)
    if "operator" in asked_for:
        _operator(person)
    if "owner" in asked_for:
        _owner(person)


async def _person(request: AnyRequest, sessions: NamedDependency[Sessions]) -> Person:
    return await person_of(request, sessions)


_AccountIdHeader = Annotated[
    UUID | None,
    HeaderParameter(name="X-Account-Id", description="An account that you are a member of; default: your own"),
]


async def _guest(
    request: AnyRequest, sessions: NamedDependency[Sessions], x_account_id: _AccountIdHeader = None
) -> Guest:
    """A token that does not hold is refused: whoever sends one means to be known."""
    arrival = arrival_of(request.scope)
    is_stranger = bearer_of(request) is None
    return Guest(
        request_id=arrival.request_id,
        address=arrival.address,
        holder=None if is_stranger else holder_of(await person_of(request, sessions), x_account_id),
    )


def _holder(person: NamedDependency[Person], x_account_id: _AccountIdHeader = None) -> AccountHolder:
    return holder_of(person, x_account_id)


def holder_of(person: Person, account_id: UUID | None) -> AccountHolder:
    """The person acting for this account, or for their personal one.

    Raises:
        NotFound: they do not belong to it; whether it exists is not said.
    """
    membership = next((m for m in person.memberships if account_id in (None, m.account_id)), None)
    if membership is None:
        raise NotFound("You are not a member of an account with this id.")
    return AccountHolder(
        person=person,
        account_id=membership.account_id,
        account_name=membership.name,
        group=membership.group_name,
        team_role=membership.team_role,
        wallet_id=membership.wallet_id,
        is_paused=membership.status == "paused",
    )


def _operator(person: NamedDependency[Person]) -> Operator:
    if not person.is_operator:
        raise RoleRequired("This needs the role operator.")
    return Operator(person=person)


def _owner(person: NamedDependency[Person]) -> Owner:
    if person.role != "owner":
        raise RoleRequired("This needs the role owner.")
    return Owner(person=person)


async def _actor(request: AnyRequest, sessions: NamedDependency[Sessions]) -> Actor:
    """Whoever calls; a token that does not hold makes nobody of them, and the caller in the signature refuses it."""
    arrival = arrival_of(request.scope)
    stranger = Actor(address=arrival.address, request_id=arrival.request_id)
    if bearer_of(request) is None:
        return stranger
    try:
        person = await person_of(request, sessions)
    except (Unauthenticated, SessionExpired):
        return stranger
    return msgspec.structs.replace(stranger, user_id=person.user_id)


def recognise_first(sessions: Callable[[], Sessions]) -> Any:
    """A guard that knows who calls before the body is looked at: a stranger learns nothing about what would fit."""

    async def guard(connection: Any, handler: BaseRouteHandler) -> None:
        asked = frozenset(handler.parsed_fn_signature.parameters)
        if asked & {"person", "holder", "operator", "owner"}:
            person = await person_of(connection, sessions())
            if "operator" in asked:
                _operator(person)
            if "owner" in asked:
                _owner(person)

    return guard


def refuse_paused(holder: AccountHolder) -> None:
    """For what a paused account may not do.

    Raises:
        AccountPaused
    """
    if holder.is_paused:
        raise AccountPaused


PROVIDERS: Final[dict[str, Any]] = {
    "visitor": Provide(_visitor, sync_to_thread=False),
    "guest": Provide(_guest),
    "person": Provide(_person),
    "holder": Provide(_holder, sync_to_thread=False),
    "operator": Provide(_operator, sync_to_thread=False),
    "owner": Provide(_owner, sync_to_thread=False),
}
"""The only ways to be somebody in a handler."""

ACTING: Final[dict[str, Any]] = {"actor": Provide(_actor)}
"""Who is at work, whoever they had to be."""

STRANGERS: Final = frozenset({"visitor", "guest"})
"""Those who need no token."""

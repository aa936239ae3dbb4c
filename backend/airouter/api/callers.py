"""Who may call: as whom, in the handler's signature; what it needs, in its decorator (domain/permission.py).

    @get("/", permission="keys.read", …)
    async def list_keys(self, holder: NamedDependency[AccountHolder], …)

visitor   anybody, and it does not matter who     guest     anybody; somebody signed in is recognised
person    somebody signed in
holder    a person acting for one of their accounts: the one in the address (`/accounts/{account_id}/…`), else
          `X-Account-Id`, else the personal one; a management token acts for the account that it is bound to
operator  a person with the role `operator` or `owner`        owner    with the role `owner`

One guard (`recognise_first`) enforces the permission before a body is read, and once more when it is whole; a test
finds handlers that name nobody, or nothing that they need. `actor: NamedDependency[Actor]` is none of these: it says
who is at work, for the audit log.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter

from airouter.api.arrivals import arrival_of
from airouter.domain.access_errors import ScopeRequired, TokenNotAllowed
from airouter.domain.errors import (
    AccountPaused,
    InvalidRequest,
    NotFound,
    RoleRequired,
    SessionExpired,
    Unauthenticated,
)
from airouter.domain.ids import AccountId, RequestId, SessionId, TokenId, UserId, WalletId
from airouter.domain.permission import OWN_ONLY, PERMISSIONS, Permission, Role, TeamRole
from airouter.domain.sign_in_errors import SecondFactorRequired
from airouter.services.audit_log import Actor
from airouter.services.bearers import Bearers
from airouter.storage.sessions import Membership

AnyRequest = Request[Any, Any, Any]
_PERSON: Final = "airouter.person"
"""Where a request keeps who makes it, so that it is asked once before its body is read and once after."""
_AGAIN: Final = "airouter.recognise_again"


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Anybody."""

    request_id: RequestId
    address: str
    user_agent: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in, or whose management token this is; then `scopes` is what it was given."""

    request_id: RequestId
    address: str
    session: SessionId | None
    token_id: TokenId | None
    scopes: frozenset[str] | None
    user_id: UserId
    email: str
    role: Role
    locale: str | None
    lacks_factor: bool
    """Policy `sign_in` asks for a second factor before they may do what is the instance's."""
    memberships: tuple[Membership, ...]

    @property
    def is_operator(self) -> bool:
        """Whether they may see what operators see; a token only with that scope."""
        return self.may("operator.read")

    @property
    def session_id(self) -> SessionId:
        """For what is never a token's: permissions that are `is_session_only`."""
        assert self.session is not None, "a management token has no session"
        return self.session

    def may(self, name: str) -> bool:
        """For permissions of the instance or of a person: besides the one that the route names."""
        permission = PERMISSIONS[name]
        if permission.kind == "instance" and self.lacks_factor:
            return False
        return (self.scopes is None or name in self.scopes) and permission.allows(self.role, None)


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
    kind: Literal["personal", "team"]
    group: str
    team_role: TeamRole
    wallet_id: WalletId
    is_paused: bool

    @property
    def user_id(self) -> UserId:
        return self.person.user_id

    @property
    def permissions(self) -> list[str]:
        """What this call's bearer may do in the account, and on the instance."""
        person = self.person
        scopes = person.scopes
        return [
            name
            for name, permission in PERMISSIONS.items()
            if permission.allows(person.role, self.team_role)
            and (scopes is None or (name in scopes and not permission.is_session_only))
        ]

    @property
    def only_user_id(self) -> UserId | None:
        """Whose keys and usage they are confined to; None: they see the account's."""
        return self.person.user_id if self.team_role in OWN_ONLY else None


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


async def person_of(request: AnyRequest, bearers: Bearers) -> Person:
    """Who is signed in, or whose management token this is.

    Raises:
        Unauthenticated, SessionExpired, TooManyAttempts
    """
    known: Person | None = request.scope.get(_PERSON)  # type: ignore[assignment]
    if known is not None:
        return known
    token = bearer_of(request)
    if token is None:
        raise Unauthenticated
    arrival = arrival_of(request.scope)
    bearer = await bearers.recognise(token, arrival.address)
    person = Person(
        request_id=arrival.request_id,
        address=arrival.address,
        session=bearer.session_id,
        token_id=bearer.token_id,
        scopes=bearer.scopes,
        user_id=bearer.user_id,
        email=bearer.email,
        role=bearer.role,
        locale=bearer.locale,
        lacks_factor=bearer.lacks_factor,
        memberships=bearer.memberships,
    )
    request.scope[_PERSON] = person  # type: ignore[literal-required]
    return person


async def authorise(request: AnyRequest, bearers: Bearers, permission: Permission) -> Person:
    """Refuses whoever may not do this, in the account that is named where that matters.

    Raises:
        Unauthenticated, SessionExpired, TooManyAttempts
        NotFound: they do not belong to the account; whether it exists is not said.
        RoleRequired, SecondFactorRequired. TokenNotAllowed, ScopeRequired: the person might, this token may not.
    """
    person = await person_of(request, bearers)
    if person.scopes is not None:
        if permission.is_session_only:
            raise TokenNotAllowed
        if permission.name not in person.scopes:
            raise ScopeRequired(f"This token lacks the scope {permission.name}.", scope=permission.name)
    team_role = None
    if permission.kind == "account":
        team_role = holder_of(person, account_asked_for(request)).team_role
    if not permission.allows(person.role, team_role):
        raise RoleRequired(_needs(permission))
    if permission.kind == "instance" and person.lacks_factor:
        raise SecondFactorRequired
    return person


def _needs(permission: Permission) -> str:
    if permission.kind == "instance":
        return f"This needs the role {'operator' if 'operator' in permission.roles else 'owner'}."
    return f"This needs another role in the team: {', '.join(sorted(permission.team_roles))}."


def account_asked_for(request: AnyRequest) -> UUID | None:
    """The account in the address, else the one in `X-Account-Id`; None: neither is there.

    Raises:
        InvalidRequest
    """
    in_path = request.path_params.get("account_id")
    if in_path is not None:
        return UUID(str(in_path))
    claimed = request.headers.get("x-account-id")
    try:
        return UUID(claimed) if claimed else None
    except ValueError:
        raise InvalidRequest("X-Account-Id: this is no id.", field="X-Account-Id") from None


async def _person(request: AnyRequest, bearers: NamedDependency[Bearers]) -> Person:
    return await person_of(request, bearers)


_AccountIdHeader = Annotated[
    UUID | None,
    HeaderParameter(name="X-Account-Id", description="An account that you are a member of; default: your own"),
]


async def _guest(
    request: AnyRequest, bearers: NamedDependency[Bearers], x_account_id: _AccountIdHeader = None
) -> Guest:
    """A token that does not hold is refused: whoever sends one means to be known."""
    arrival = arrival_of(request.scope)
    is_stranger = bearer_of(request) is None
    return Guest(
        request_id=arrival.request_id,
        address=arrival.address,
        holder=None if is_stranger else holder_of(await person_of(request, bearers), x_account_id),
    )


def _holder(
    request: AnyRequest, person: NamedDependency[Person], x_account_id: _AccountIdHeader = None
) -> AccountHolder:
    del x_account_id  # for the document; an account in the address goes before it
    return holder_of(person, account_asked_for(request))


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
        kind=membership.kind,
        group=membership.group_name,
        team_role=membership.team_role,
        wallet_id=membership.wallet_id,
        is_paused=membership.status == "paused",
    )


def _operator(person: NamedDependency[Person]) -> Operator:
    return Operator(person=person)


def _owner(person: NamedDependency[Person]) -> Owner:
    return Owner(person=person)


async def _actor(request: AnyRequest, bearers: NamedDependency[Bearers]) -> Actor:
    """Whoever calls; a token that does not hold makes nobody of them, and the caller in the signature refuses it."""
    arrival = arrival_of(request.scope)
    stranger = Actor(address=arrival.address, request_id=arrival.request_id)
    if bearer_of(request) is None:
        return stranger
    try:
        person = await person_of(request, bearers)
    except (Unauthenticated, SessionExpired):
        return stranger
    return msgspec.structs.replace(
        stranger, user_id=person.user_id, session_id=person.session, token_id=person.token_id
    )


def permission_of(handler: BaseRouteHandler) -> Permission | None:
    """What a handler needs; None: nothing, it is for everybody."""
    name = handler.opt.get("permission")
    return None if name is None else PERMISSIONS[name]


def recognise_first(bearers: Callable[[], Bearers]) -> Any:
    """A guard that knows who calls before the body is looked at: a stranger learns nothing about what would fit."""

    async def guard(connection: Any, handler: BaseRouteHandler) -> None:
        permission = permission_of(handler)
        if permission is not None:
            await authorise(connection, bearers(), permission)
            connection.scope[_AGAIN] = partial(authorise, connection, bearers(), permission)
        elif "OPTIONS" not in connection.route_handler.http_methods:
            asked_for = PROVIDERS.keys() & handler.parsed_fn_signature.parameters.keys()
            assert asked_for <= STRANGERS, f"{handler} names no permission"

    return guard


async def recognise_again(request: AnyRequest) -> None:
    """Once the body is whole, which may take minutes: whoever was banned, dismissed or signed out meanwhile is refused.

    Raises as `authorise` does.
    """
    again: Callable[[], Awaitable[Person]] | None = request.scope.get(_AGAIN)  # type: ignore[assignment]
    if again is not None:
        del request.scope[_PERSON]  # type: ignore[misc]
        await again()


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

"""Signing in and out. The access token is in the answer, the refresh token only in its cookie."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from airouter.api.callers import AnyRequest, Visitor
from airouter.api.documents import refusals
from airouter.api.public.cookies import NAME, Browsers
from airouter.domain.errors import NotFound, SessionExpired
from airouter.services.audit_log import Actor
from airouter.services.sessions import Sessions
from airouter.services.sign_ins import Client, MfaPending, Opened
from airouter.services.users import Users

Email = Annotated[str, msgspec.Meta(max_length=254, examples=["ada@example.com"])]
Password = Annotated[str, msgspec.Meta(max_length=1024, examples=["correct horse battery staple"])]
OneTimeToken = Annotated[str, msgspec.Meta(max_length=200)]


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Email
    password: Password


class Acceptance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: OneTimeToken
    password: Password


class Setup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without the right token there is nothing here, whatever else is missing."""

    token: OneTimeToken = ""
    email: Email = ""
    password: Password = ""


class SetupView(msgspec.Struct, frozen=True, kw_only=True):
    """Answered to the right token only."""

    is_open: bool


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """`expires_in` is in seconds. The refresh cookie comes beside it."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class AuthController(Controller):
    """Everything about sessions that a stranger may ask for."""

    path = "/auth"
    tags = ("Sign in",)

    @post(
        "/login",
        operation_id="signIn",
        summary="Sign in with a password",
        status_code=200,
        responses=refusals(401, 403, 422, 429),
    )
    async def sign_in(
        self,
        data: JSONBody[SignIn],
        visitor: NamedDependency[Visitor],
        users: NamedDependency[Users],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        return signed_in(await users.sign_in(data.email, data.password, client_of(visitor)), browsers)

    @post(
        "/refresh",
        operation_id="refreshSession",
        summary="Get a new access token for the refresh cookie",
        status_code=200,
        responses=refusals(401, 403),
    )
    async def refresh(
        self,
        request: AnyRequest,
        visitor: NamedDependency[Visitor],
        sessions: NamedDependency[Sessions],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        del visitor
        browsers.check_origin(request)
        token = request.cookies.get(NAME)
        if not token:
            raise SessionExpired
        return signed_in(await sessions.refresh(token), browsers)

    @post(
        "/logout",
        operation_id="signOut",
        summary="End the session of the refresh cookie",
        status_code=204,
        responses=refusals(403),
    )
    async def sign_out(
        self,
        request: AnyRequest,
        visitor: NamedDependency[Visitor],
        actor: NamedDependency[Actor],
        sessions: NamedDependency[Sessions],
        browsers: NamedDependency[Browsers],
    ) -> Response[None]:
        del visitor
        browsers.check_origin(request)
        token = request.cookies.get(NAME)
        if token:
            await sessions.end_by_refresh_token(token, actor)
        return Response(None, status_code=204, cookies=[browsers.no_cookie()])

    @post(
        "/accept",
        operation_id="acceptOperatorLink",
        summary="Become an operator with a one-time link, choosing a password",
        status_code=200,
        responses=refusals(401, 422, 429),
    )
    async def accept(
        self,
        data: JSONBody[Acceptance],
        visitor: NamedDependency[Visitor],
        users: NamedDependency[Users],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        return signed_in(await users.accept(data.token, data.password, client_of(visitor)), browsers)


@get(
    "/setup",
    operation_id="getSetup",
    summary="Whether the instance waits for its first owner, for whoever has the token in its log",
    tags=["Sign in"],
    responses=refusals(404),
)
async def setup_state(
    visitor: NamedDependency[Visitor],
    users: NamedDependency[Users],
    token: Annotated[str, QueryParameter(description="From the log", max_length=200)] = "",
) -> SetupView:
    """404 for everybody else."""
    del visitor
    if not await users.may_set_up(token):
        raise NotFound
    return SetupView(is_open=True)


@post(
    "/setup",
    operation_id="setUpInstance",
    summary="Become the first owner of an instance, with the token in its log",
    status_code=200,
    tags=["Sign in"],
    responses=refusals(404, 422, 429),
)
async def set_up(
    visitor: NamedDependency[Visitor],
    users: NamedDependency[Users],
    browsers: NamedDependency[Browsers],
    data: JSONBody[Setup] = Setup(),  # noqa: B008 - frozen
) -> Response[SignedIn]:
    return signed_in(await users.set_up(data.token, data.email, data.password, client_of(visitor)), browsers)


def client_of(visitor: Visitor) -> Client:
    """Where the session is opened from."""
    return Client(address=visitor.address, user_agent=visitor.user_agent)


def signed_in(opened: Opened, browsers: Browsers, status: int = 200) -> Response[SignedIn]:
    """The answer to whoever is in.

    Raises:
        MfaRequired: a second factor is asked for first.
    """
    if isinstance(opened, MfaPending):
        raise opened.refusal()
    tokens = opened
    body = SignedIn(access_token=tokens.access_token, token_type="Bearer", expires_in=tokens.expires_in_seconds)  # noqa: S106
    headers = {"cache-control": "no-store"}
    return Response(body, status_code=status, headers=headers, cookies=[browsers.cookie(tokens)])

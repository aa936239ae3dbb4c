"""Their envelope, their way to say who calls, and what stands before every compatible address."""

import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.handlers import BaseRouteHandler

from airouter.api.arrivals import arrival_of
from airouter.api.callers import permission_of, person_of
from airouter.api.requests import answer_error, as_domain_error
from airouter.domain.errors import DomainError, Unauthenticated, Unavailable
from airouter.services.compat import CompatOff

logger = logging.getLogger(__name__)

_USER_HEADER: Final = "new-api-user"


class Enveloped(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer of theirs is wrapped in."""

    success: bool
    message: str
    data: Any = None


def fine(data: Any = None) -> Response[Any]:
    """A success; money and keys are in it, so nobody keeps it."""
    return Response(Enveloped(success=True, message="", data=data), headers={"cache-control": "no-store"})


def answer_in_envelope(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A refusal in their shape: 200 with `success` false, but 401 for strangers and 503 when we are the reason."""
    found = as_domain_error(error)
    if isinstance(found, CompatOff) or not isinstance(found, DomainError):
        return answer_error(request, error)
    status = 401 if isinstance(found, Unauthenticated) else 503 if isinstance(found, Unavailable) else 200
    return Response(
        Enveloped(success=False, message=found.message), status_code=status, headers={"cache-control": "no-store"}
    )


def only_when_on(services: Callable[[], Any]) -> Any:
    """A guard: without the policy there is nothing here."""

    async def guard(connection: Any, handler: BaseRouteHandler) -> None:
        del connection, handler
        services().compat.check_enabled()

    return guard


def said_user(services: Callable[[], Any]) -> Any:
    """A guard: `New-Api-User`, where it is sent, is the number of whoever's token this is."""

    async def guard(connection: Any, handler: BaseRouteHandler) -> None:
        claimed = connection.headers.get(_USER_HEADER)
        if claimed is None or permission_of(handler) is None:
            return
        person = await person_of(connection, services().bearers)
        if claimed.strip() != str(await services().compat.number_of(person.user_id)):
            raise Unauthenticated(f"New-Api-User: {claimed[:40]!r} is not the user that this access token belongs to.")

    return guard


def accept_raw_token(app: Any) -> Any:
    """A middleware: their tools also send the access token alone, without `Bearer`."""

    async def with_scheme(scope: Any, receive: Any, send: Any) -> None:
        headers = [
            (name, b"Bearer " + value) if name == b"authorization" and b" " not in value.strip() else (name, value)
            for name, value in scope["headers"]
        ]
        await app({**scope, "headers": headers}, receive, send)

    return with_scheme


def address_of(request: Request[Any, Any, Any]) -> str:
    """Where the call came from, for keys that may be used only from some places."""
    return arrival_of(request.scope).address

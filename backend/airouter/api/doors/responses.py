"""The addresses of a stored response: read it, cancel it, delete it, list what went in. Free; see kept_responses.py."""

from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import unquote

import msgspec
from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from airouter.api.doors.asgi import AsgiExchange, answered
from airouter.api.doors.service import Doors
from airouter.gateway.door import Door, Found, spellings
from airouter.gateway.kept_responses import About
from airouter.wire.endpoint import Endpoint

Beyond = Literal["", "/cancel", "/input_items"]
_PATH: Final = "/v1/responses/{response_id}"
_ENDPOINT: Final[Endpoint] = "responses"


class KeptAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One address below a stored response."""

    method: Literal["GET", "POST", "DELETE"]
    beyond: Beyond
    operation_id: str
    summary: str

    @property
    def path(self) -> str:
        return _PATH + self.beyond


KEPT: Final = (
    KeptAddress(
        method="GET",
        beyond="",
        operation_id="getResponse",
        summary="A stored response, whole or (`stream=true`) its events again. Free.",
    ),
    KeptAddress(method="DELETE", beyond="", operation_id="deleteResponse", summary="Delete a stored response. Free."),
    KeptAddress(
        method="POST",
        beyond="/cancel",
        operation_id="cancelResponse",
        summary="Stop a background response; what it used so far is charged.",
    ),
    KeptAddress(
        method="GET",
        beyond="/input_items",
        operation_id="listInputItems",
        summary="What went into a stored response. Free.",
    ),
)
_MAKE: Final[dict[str, Any]] = {"GET": get, "POST": post, "DELETE": delete}


def response_routes(doors: Callable[[], Doors]) -> list[HTTPRouteHandler]:
    """One route for each address, under all spellings."""
    return [_route(address, doors) for address in KEPT]


def _route(address: KeptAddress, doors: Callable[[], Doors]) -> HTTPRouteHandler:
    paths = [
        spelling.replace("{response_id}", "{response_id:str}")
        for spelling in spellings(address.path)
        if not spelling.endswith("/")
    ]
    found = Found(door=_door(address))

    def answer(request: Request[Any, Any, Any]) -> ASGIApp:
        about = About(
            method=address.method,
            name=unquote(request.path_params["response_id"]),
            beyond=address.beyond,
            query=request.scope["query_string"].decode("latin-1"),
        )

        async def act(exchange: AsgiExchange) -> None:
            await doors().about(exchange, about)

        async def respond(scope: Any, receive: Any, send: Any) -> None:
            await answered(AsgiExchange(found, scope, send), act, doors().body_bytes_max, receive)

        return respond

    return _MAKE[address.method](
        paths,
        operation_id=address.operation_id,
        summary=address.summary,
        status_code=200,
        opt={"is_door": True},
        sync_to_thread=False,
        include_in_schema=False,
    )(answer)


def _door(address: KeptAddress) -> Door:
    """How refusals and answers at this address look."""
    return Door(
        method=address.method,
        path=address.path,
        dialect="openai",
        endpoint=_ENDPOINT,
        operation_id=address.operation_id,
        summary=address.summary,
        writes=False,
        is_free=True,
    )

"""The addresses of what providers keep: stored responses and conversations. Free; see gateway/kept/things.py."""

import re
from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import quote, unquote

import msgspec
from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from airouter.api.doors.asgi import AsgiExchange, answered
from airouter.api.doors.service import Doors
from airouter.gateway.door import Door, Found, spellings
from airouter.gateway.kept.things import About, Root

_NAME: Final = re.compile(r"\{(\w+)\}")


class KeptAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One address of what a provider keeps. The first name in it is the thing's, a second one that of a part."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    operation_id: str
    summary: str
    has_body: bool = False

    @property
    def names(self) -> list[str]:
        """The names in the path."""
        return _NAME.findall(self.path)

    @property
    def root(self) -> Root:
        """What kind of thing it is about."""
        return "/conversations" if self.path.startswith("/v1/conversations") else "/responses"


_RESPONSE: Final = "/v1/responses/{response_id}"
_CONVERSATIONS: Final = "/v1/conversations"
_CONVERSATION: Final = _CONVERSATIONS + "/{conversation_id}"
_ITEM: Final = _CONVERSATION + "/items/{item_id}"

KEPT: Final = (
    KeptAddress(
        method="GET",
        path=_RESPONSE,
        operation_id="getResponse",
        summary="A stored response, whole or (`stream=true`) its events again. Free.",
    ),
    KeptAddress(
        method="DELETE", path=_RESPONSE, operation_id="deleteResponse", summary="Delete a stored response. Free."
    ),
    KeptAddress(
        method="POST",
        path=_RESPONSE + "/cancel",
        operation_id="cancelResponse",
        summary="Stop a background response; what it used so far is charged.",
    ),
    KeptAddress(
        method="GET",
        path=_RESPONSE + "/input_items",
        operation_id="listInputItems",
        summary="What went into a stored response. Free.",
    ),
    KeptAddress(
        method="POST",
        path=_CONVERSATIONS,
        operation_id="createConversation",
        summary="Begin a conversation that a provider keeps. Free.",
        has_body=True,
    ),
    KeptAddress(
        method="GET", path=_CONVERSATION, operation_id="getConversation", summary="A stored conversation. Free."
    ),
    KeptAddress(
        method="POST",
        path=_CONVERSATION,
        operation_id="updateConversation",
        summary="Change what is noted of a conversation. Free.",
        has_body=True,
    ),
    KeptAddress(
        method="DELETE",
        path=_CONVERSATION,
        operation_id="deleteConversation",
        summary="Delete a stored conversation. Free.",
    ),
    KeptAddress(
        method="GET",
        path=_CONVERSATION + "/items",
        operation_id="listConversationItems",
        summary="What was said in a conversation. Free.",
    ),
    KeptAddress(
        method="POST",
        path=_CONVERSATION + "/items",
        operation_id="createConversationItems",
        summary="Add to a conversation. Free; what a model reads of it later is not.",
        has_body=True,
    ),
    KeptAddress(
        method="GET", path=_ITEM, operation_id="getConversationItem", summary="One item of a conversation. Free."
    ),
    KeptAddress(
        method="DELETE", path=_ITEM, operation_id="deleteConversationItem", summary="Delete one item of it. Free."
    ),
)
_MAKE: Final[dict[str, Any]] = {"GET": get, "POST": post, "DELETE": delete}


def kept_routes(doors: Callable[[], Doors]) -> list[HTTPRouteHandler]:
    """One route for each address, under all spellings."""
    return [_route(address, doors) for address in KEPT]


def _route(address: KeptAddress, doors: Callable[[], Doors]) -> HTTPRouteHandler:
    paths = [_NAME.sub(r"{\1:str}", path) for path in spellings(address.path) if not path.endswith("/")]
    found = Found(door=_door(address))

    def answer(request: Request[Any, Any, Any]) -> ASGIApp:
        about = _asked(address, request)

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


def _asked(address: KeptAddress, request: Request[Any, Any, Any]) -> About:
    names = [unquote(request.path_params[name]) for name in address.names]
    _, _, beyond = address.path.partition("}")
    for name, value in zip(address.names[1:], names[1:], strict=True):
        beyond = beyond.replace("{" + name + "}", quote(value, safe=""))
    return About(
        method=address.method,
        root=address.root,
        name=names[0] if names else None,
        beyond=beyond,
        query=request.scope["query_string"].decode("latin-1"),
    )


def _door(address: KeptAddress) -> Door:
    """How refusals and answers at this address look."""
    return Door(
        method=address.method,
        path=address.path,
        dialect="openai",
        endpoint="responses",
        operation_id=address.operation_id,
        summary=address.summary,
        writes=False,
        is_free=True,
    )

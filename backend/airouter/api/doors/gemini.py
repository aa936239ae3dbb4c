"""Gemini's addresses: its doors, which name the model in the address, and the models that a key may use."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from litestar import Request, asgi, post
from litestar.types import ASGIApp

from airouter.api.doors.asgi import AsgiExchange, serve
from airouter.api.doors.service import Doors, refuse
from airouter.domain.catalogue import Model
from airouter.domain.errors import DomainError, MethodNotAllowed, ModelNotFound, NotFound
from airouter.gateway.door import DOORS, Found, find, spellings

_LISTS: Final = ("/v1beta/models", "/v1alpha/models")
_OF_TEXT: Final = ("generateContent", "streamGenerateContent", "countTokens")
_OF_VECTORS: Final = ("embedContent", "batchEmbedContents", "countTokens")
_ANY_GEMINI_DOOR: Final = Found(door=next(door for door in DOORS if door.dialect == "gemini"))
"""Refusals of addresses that are no door have this dialect's shape too."""


class ListedModel(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One model that the key may call. Limits that the operator did not state are left out."""

    name: str
    base_model_id: str
    display_name: str
    supported_generation_methods: tuple[str, ...]
    description: str | None = None
    input_token_limit: int | None = None
    output_token_limit: int | None = None


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them; there are no pages."""

    models: list[ListedModel]


def gemini_routes(doors: Callable[[], Doors]) -> list[Any]:
    """Everything below `/v1beta/models` and `/v1alpha/models`, and the doors where newer clients look for them, below
    `/v1/models`.
    """

    @asgi(list(_LISTS), name="gemini", is_mount=True, copy_scope=False)
    async def serve_gemini(scope: Any, receive: Any, send: Any) -> None:
        raw_path: bytes = scope["raw_path"]  # as it was sent: the mount takes its own part off `path`
        path = raw_path.decode("latin-1")
        found = find(raw_path, scope["query_string"])
        if found is not None:
            await serve(found, doors, scope, receive, send)
            return
        exchange = AsgiExchange(_ANY_GEMINI_DOOR, scope, send)
        try:
            name = unquote(path.partition("/models")[2].strip("/"))
            if scope["method"] not in {"GET", "HEAD"}:
                raise _refused(name)
            body = msgspec.json.encode(await _listed(doors(), scope, name))
        except DomainError as error:
            refuse(exchange, error)
            await exchange.deliver()
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @post(
        [f"{path}/{{model:path}}" for path in spellings("/v1/models") if not path.endswith("/")],
        name="gemini v1",
        include_in_schema=False,
        opt={"is_door": True},
        sync_to_thread=False,
    )
    def serve_newer(request: Request[Any, Any, Any]) -> ASGIApp:
        found = find(request.scope["raw_path"], request.scope["query_string"])
        if found is None:
            raise _refused(request.path_params["model"])

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            await serve(found, doors, scope, receive, send)

        return answer

    return [serve_gemini, serve_newer]


def _refused(name: str) -> DomainError:
    """Why a POST to what is called so is no call."""
    if ":" in name:
        return NotFound(f"There is nothing that does {name.rpartition(':')[2]!r} here.")
    return MethodNotAllowed(allow="GET")


def listed_models(models: list[Model]) -> ModelList:
    """All models that a key may use, in Google's shape."""
    return ModelList(models=[view_of(model) for model in models])


async def _listed(doors: Doors, scope: Any, name: str) -> ModelList | ListedModel:
    """All models, or the one of that name. Raises DomainError."""
    models = doors.gateway.models_of(await doors.caller(scope))
    if not name:
        return listed_models(models)
    for model in models:
        if model.model == name:
            return view_of(model)
    raise ModelNotFound


def view_of(model: Model) -> ListedModel:
    """One model in Google's shape. One without a rate for what it writes writes nothing: it makes vectors."""
    is_of_text = model.card is None or model.card.prices("output")
    return ListedModel(
        name=f"models/{model.model}",
        base_model_id=model.model,
        display_name=model.model,
        supported_generation_methods=_OF_TEXT if is_of_text else _OF_VECTORS,
        input_token_limit=model.context_window,
        output_token_limit=model.max_output_tokens,
    )

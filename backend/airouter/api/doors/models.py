"""GET /v1/models: what the caller's key may use, in OpenAI's shape, or in that of the client."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal
from urllib.parse import unquote

import msgspec
from litestar import Request, get, head
from litestar.handlers import HTTPRouteHandler

from airouter.api.door_errors import client_dialect
from airouter.api.doors import gemini
from airouter.api.doors.service import Doors
from airouter.domain.catalogue import Model
from airouter.domain.errors import ModelNotFound
from airouter.gateway.door import spellings

PATH: Final = "/v1/models"


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model that the key may call."""

    id: str
    object: Literal["model"]
    created: int
    """Seconds since 1970."""
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them; there are no pages."""

    object: Literal["list"]
    data: list[ListedModel]


class AnthropicModel(msgspec.Struct, frozen=True, kw_only=True):
    """The same in Anthropic's words."""

    type: Literal["model"]
    id: str
    display_name: str
    created_at: datetime


class AnthropicModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All of them on one page."""

    data: list[AnthropicModel]
    has_more: Literal[False]
    first_id: str | None
    last_id: str | None


def model_routes(doors: Callable[[], Doors]) -> list[HTTPRouteHandler]:
    """The list, and one model by name; a name may contain slashes."""
    lists = [path for path in spellings(PATH) if not path.endswith("/")]

    @get(lists, operation_id="listModels", summary="The models that this key may use.", opt={"is_door": True})
    async def list_models(request: Request[Any, Any, Any]) -> ModelList | AnthropicModelList | gemini.ModelList:
        """Priced, visible to the key's group, and not left out by the key's own list."""
        found = doors().gateway.models_of(await doors().caller(request.scope))
        dialect = client_dialect(request.headers)
        if dialect == "gemini":
            return gemini.listed_models(found)
        if dialect == "anthropic":
            views = [_named(model) for model in found]
            ends = (views[0].id, views[-1].id) if views else (None, None)
            return AnthropicModelList(data=views, has_more=False, first_id=ends[0], last_id=ends[1])
        return ModelList(object="list", data=[_listed(model) for model in found])

    @get(
        [f"{path}/{{model:path}}" for path in lists],
        operation_id="getModel",
        summary="One model that this key may use.",
        opt={"is_door": True},
    )
    async def get_model(request: Request[Any, Any, Any]) -> ListedModel | AnthropicModel | gemini.ListedModel:
        """404 `model_not_found` for one that the key may not use, whether or not it exists."""
        name = unquote(request.path_params["model"].lstrip("/"))
        caller = await doors().caller(request.scope)
        for model in doors().gateway.models_of(caller):
            if model.model == name:
                dialect = client_dialect(request.headers)
                if dialect == "gemini":
                    return gemini.view_of(model)
                return _named(model) if dialect == "anthropic" else _listed(model)
        raise ModelNotFound(field="model")

    @head("/", include_in_schema=False, opt={"is_door": True}, sync_to_thread=False)
    def is_there() -> None:
        """Some clients ask whether anybody is there before their first call, Claude Code among them."""

    return [list_models, get_model, is_there]


def _named(model: Model) -> AnthropicModel:
    created_at = datetime.fromtimestamp(model.created_at_seconds, UTC)
    return AnthropicModel(type="model", id=model.model, display_name=model.model, created_at=created_at)


def _listed(model: Model) -> ListedModel:
    return ListedModel(
        id=model.model, object="model", created=model.created_at_seconds, owned_by=model.vendor or "airouter"
    )

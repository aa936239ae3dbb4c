"""GET /v1/models: what the caller's key may use, in OpenAI's shape."""

from collections.abc import Callable
from typing import Any, Final, Literal
from urllib.parse import unquote

import msgspec
from litestar import Request, get
from litestar.handlers import HTTPRouteHandler

from airouter.api.arrivals import arrival_of
from airouter.api.doors.service import Doors, secret_in
from airouter.domain.catalogue import Model
from airouter.domain.errors import ModelNotFound
from airouter.domain.key import Caller
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


def model_routes(doors: Callable[[], Doors]) -> list[HTTPRouteHandler]:
    """The list, and one model by name; a name may contain slashes."""
    lists = [path for path in spellings(PATH) if not path.endswith("/")]

    async def caller_of(request: Request[Any, Any, Any]) -> Caller:
        return await doors().gateway.caller(secret_in(request.scope["headers"]), arrival_of(request.scope).address)

    @get(lists, operation_id="listModels", summary="The models that this key may use.", opt={"is_door": True})
    async def list_models(request: Request[Any, Any, Any]) -> ModelList:
        """Priced, visible to the key's group, and not left out by the key's own list."""
        found = doors().gateway.models_of(await caller_of(request))
        return ModelList(object="list", data=[_listed(model) for model in found])

    @get(
        [f"{path}/{{model:path}}" for path in lists],
        operation_id="getModel",
        summary="One model that this key may use.",
        opt={"is_door": True},
    )
    async def get_model(request: Request[Any, Any, Any]) -> ListedModel:
        """404 `model_not_found` for one that the key may not use, whether or not it exists."""
        name = unquote(request.path_params["model"].lstrip("/"))
        caller = await caller_of(request)
        for model in doors().gateway.models_of(caller):
            if model.model == name:
                return _listed(model)
        raise ModelNotFound(field="model")

    return [list_models, get_model]


def _listed(model: Model) -> ListedModel:
    return ListedModel(
        id=model.model, object="model", created=model.created_at_seconds, owned_by=model.vendor or "airouter"
    )

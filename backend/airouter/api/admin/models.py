"""Models: the public names that callers ask for. Names may contain `/`, `:` and `.`, raw or percent-encoded."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.admin.names import PROVIDERS, NamePaging, name_cursor
from airouter.api.callers import Operator
from airouter.api.documents import changed, refusals
from airouter.services.audit_log import Actor
from airouter.services.models import ModelChanges, ModelDraft, Models, ModelView


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ModelView]
    next_cursor: str | None


CreateOnly = Annotated[
    Literal["only"] | None, QueryParameter(description="`only`: 409 when it exists, instead of changing it")
]


class ModelController(Controller):
    """Below /admin/models."""

    path = "/admin/models"
    tags = ("Admin",)
    dependencies = PROVIDERS

    @get(
        "/",
        operation_id="listAdminModels",
        permission="operator.read",
        summary="Models by name",
        responses=refusals(401, 403, 422),
    )
    async def models(
        self,
        operator: NamedDependency[Operator],
        names: NamedDependency[NamePaging],
        models: NamedDependency[Models],
    ) -> ModelList:
        """Each with the rate card in force; a model without one is refused to callers."""
        del operator
        shown, last = names.split(await models.page(names.after, names.rows_wanted))
        return ModelList(items=shown, next_cursor=last and name_cursor(last.model))

    @post(
        "/",
        operation_id="saveModel",
        permission="catalogue.write",
        summary="Add a model, or change the one of that name",
        responses={**refusals(401, 403, 409, 422), **changed(ModelView)},
    )
    async def save(
        self,
        data: JSONBody[ModelDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        models: NamedDependency[Models],
        create: CreateOnly = None,
    ) -> Response[ModelView]:
        """201 for a new one. Of one that exists only the fields that are present change: 200."""
        del operator
        view, is_new = await models.save(data, create_only=create == "only", actor=actor)
        return Response(view, status_code=201 if is_new else 200)

    @get(
        "/{model:path}",
        operation_id="getAdminModel",
        permission="operator.read",
        summary="A model",
        responses=refusals(401, 403, 404),
    )
    async def model(
        self, model: FromPath[str], operator: NamedDependency[Operator], models: NamedDependency[Models]
    ) -> ModelView:
        del operator
        return await models.get(name_in(model))

    @patch(
        "/{model:path}",
        operation_id="updateModel",
        permission="catalogue.write",
        summary="Change a model",
        responses=refusals(401, 403, 404, 422),
    )
    async def change(
        self,
        model: FromPath[str],
        data: JSONBody[ModelChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        models: NamedDependency[Models],
    ) -> ModelView:
        """What is absent stays; null takes a figure away."""
        del operator
        return await models.change(name_in(model), data, actor)

    @delete(
        "/{model:path}",
        operation_id="deleteModel",
        permission="catalogue.write",
        summary="Delete a model",
        responses=refusals(401, 403, 404, 409),
    )
    async def delete(
        self,
        model: FromPath[str],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        models: NamedDependency[Models],
    ) -> None:
        """Only one that never had a rate card; others are disabled, so that past calls can be recomputed."""
        del operator
        await models.delete(name_in(model), actor)


def name_in(path: str) -> str:
    """The model's name at the end of an address; its slashes are part of it."""
    return path.removeprefix("/")

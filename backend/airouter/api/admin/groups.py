"""Groups: tiers with a multiplier, models, and who may use them."""

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.admin.models import CreateOnly
from airouter.api.admin.names import PROVIDERS, NamePaging, name_cursor
from airouter.api.callers import Operator
from airouter.api.documents import changed, refusals
from airouter.services.audit_log import Actor
from airouter.services.groups import GroupChanges, GroupDraft, Groups, GroupView


class GroupList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[GroupView]
    next_cursor: str | None


class GroupController(Controller):
    """Below /admin/groups."""

    path = "/admin/groups"
    tags = ("Admin",)
    dependencies = PROVIDERS

    @get(
        "/",
        operation_id="listGroups",
        permission="operator.read",
        summary="Groups by name",
        responses=refusals(401, 403, 422),
    )
    async def groups(
        self,
        operator: NamedDependency[Operator],
        names: NamedDependency[NamePaging],
        groups: NamedDependency[Groups],
    ) -> GroupList:
        del operator
        shown, last = names.split(await groups.page(names.after, names.rows_wanted))
        return GroupList(items=shown, next_cursor=last and name_cursor(last.name))

    @post(
        "/",
        operation_id="saveGroup",
        permission="catalogue.write",
        summary="Add a group, or change the one of that name",
        responses={**refusals(401, 403, 409, 422), **changed(GroupView)},
    )
    async def save(
        self,
        data: JSONBody[GroupDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        groups: NamedDependency[Groups],
        create: CreateOnly = None,
    ) -> Response[GroupView]:
        """201 for a new one. Of one that exists only the fields that are present change: 200."""
        del operator
        view, is_new = await groups.save(data, create_only=create == "only", actor=actor)
        return Response(view, status_code=201 if is_new else 200)

    @get(
        "/{name:str}",
        operation_id="getGroup",
        permission="operator.read",
        summary="A group",
        responses=refusals(401, 403, 404),
    )
    async def group(
        self, name: FromPath[str], operator: NamedDependency[Operator], groups: NamedDependency[Groups]
    ) -> GroupView:
        del operator
        return await groups.get(name)

    @patch(
        "/{name:str}",
        operation_id="updateGroup",
        permission="catalogue.write",
        summary="Change a group",
        responses=refusals(401, 403, 404, 422),
    )
    async def change(
        self,
        name: FromPath[str],
        data: JSONBody[GroupChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        groups: NamedDependency[Groups],
    ) -> GroupView:
        """What is absent stays; `models` null: every model."""
        del operator
        return await groups.change(name, data, actor)

    @delete(
        "/{name:str}",
        operation_id="deleteGroup",
        permission="catalogue.write",
        summary="Delete a group",
        responses=refusals(401, 403, 404, 409),
    )
    async def delete(
        self,
        name: FromPath[str],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        groups: NamedDependency[Groups],
    ) -> None:
        """Refused while anything refers to it (`used_by`), and for the default group always."""
        del operator
        await groups.delete(name, actor)

"""Channels of providers. Credentials go in and never come out."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.admin.names import PROVIDERS, NamePaging, name_cursor
from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.domain.ids import ChannelId
from airouter.services.audit_log import Actor
from airouter.services.channels import ChannelChanges, ChannelDraft, Channels, ChannelTest, ChannelView
from airouter.wire.endpoint import Endpoint


class ChannelList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ChannelView]
    next_cursor: str | None


class ProbeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`model`: a public name that the channel serves; absent: its first. `endpoint`: what to ask it for."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    endpoint: Endpoint = "chat.completions"


class ChannelController(Controller):
    """Below /admin/channels."""

    path = "/admin/channels"
    tags = ("Admin",)
    dependencies = PROVIDERS

    @get(
        "/",
        operation_id="listChannels",
        permission="operator.read",
        summary="Channels by name",
        responses=refusals(401, 403, 422),
    )
    async def channels(
        self,
        operator: NamedDependency[Operator],
        names: NamedDependency[NamePaging],
        channels: NamedDependency[Channels],
    ) -> ChannelList:
        del operator
        shown, last = names.split(await channels.page(names.after, names.rows_wanted))
        return ChannelList(items=shown, next_cursor=last and name_cursor(last.name))

    @post(
        "/",
        operation_id="createChannel",
        permission="catalogue.write",
        summary="Add a channel",
        responses=refusals(401, 403, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[ChannelDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channels: NamedDependency[Channels],
    ) -> ChannelView:
        """`models` is a list of names, or an object of public name -> the upstream's name for it."""
        del operator
        return await channels.create(data, actor)

    @get(
        "/{channel_id:uuid}",
        operation_id="getChannel",
        permission="operator.read",
        summary="A channel",
        responses=refusals(401, 403, 404),
    )
    async def channel(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        channels: NamedDependency[Channels],
    ) -> ChannelView:
        del operator
        return await channels.get(ChannelId(channel_id))

    @patch(
        "/{channel_id:uuid}",
        operation_id="updateChannel",
        permission="catalogue.write",
        summary="Change a channel",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def change(
        self,
        channel_id: FromPath[UUID],
        data: JSONBody[ChannelChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channels: NamedDependency[Channels],
    ) -> ChannelView:
        """What is absent stays. `credentials`, `models`, `groups` and `options` replace what was there."""
        del operator
        return await channels.change(ChannelId(channel_id), data, actor)

    @delete(
        "/{channel_id:uuid}",
        operation_id="deleteChannel",
        permission="catalogue.write",
        summary="Delete a channel",
        responses=refusals(401, 403, 404),
    )
    async def delete(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channels: NamedDependency[Channels],
    ) -> None:
        """Its credentials go with it; usage records keep its id."""
        del operator
        await channels.delete(ChannelId(channel_id), actor)

    @post(
        "/{channel_id:uuid}/test",
        operation_id="testChannel",
        permission="catalogue.write",
        summary="Make one minimal call through a channel",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def test(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        channels: NamedDependency[Channels],
        data: JSONBody[ProbeBody] = ProbeBody(),  # noqa: B008 - frozen
    ) -> ChannelTest:
        """A real call, which the provider bills and nobody's quota is charged for. A disabled channel is tried, too."""
        del operator
        return await channels.test(ChannelId(channel_id), data.model, data.endpoint)

"""What channels cost the operator. A call is never charged by it; its record says what the provider charges for it."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.domain.ids import ChannelId
from airouter.services.audit_log import Actor
from airouter.services.channel_costs import ChannelCosts, CostDraft, CostsView, CostView


class CostController(Controller):
    """Below /admin/channels/{channel_id}/costs."""

    path = "/admin/channels/{channel_id:uuid}/costs"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listChannelCosts",
        permission="operator.read",
        summary="What a channel costs, by model",
        responses=refusals(401, 403, 404),
    )
    async def costs(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        channel_costs: NamedDependency[ChannelCosts],
    ) -> CostsView:
        """What holds now, and what is to come. A model that is not listed has no known cost."""
        del operator
        return await channel_costs.of_channel(ChannelId(channel_id))

    @put(
        "/",
        operation_id="setChannelCost",
        permission="catalogue.write",
        summary="Say what a channel costs for a model",
        responses=refusals(401, 403, 404, 422),
    )
    async def put_cost(
        self,
        channel_id: FromPath[UUID],
        data: JSONBody[CostDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channel_costs: NamedDependency[ChannelCosts],
    ) -> CostView:
        """A new version; calls that ended before keep what was recorded for them."""
        del operator
        return await channel_costs.put(ChannelId(channel_id), data, actor)

    @delete(
        "/",
        operation_id="endChannelCost",
        permission="catalogue.write",
        summary="Say that it is not known any more",
        responses=refusals(401, 403, 404),
    )
    async def end(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channel_costs: NamedDependency[ChannelCosts],
        model: Annotated[str, QueryParameter(max_length=200, description="The public name")],
    ) -> None:
        """From now on; what was recorded stays."""
        del operator
        await channel_costs.end(ChannelId(channel_id), model, actor)

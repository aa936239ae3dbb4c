"""Channels of providers. Credentials go in and never come out."""

from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from airouter.api.admin.names import PROVIDERS, NamePaging, name_cursor
from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.domain.ids import ChannelId, CredentialId
from airouter.services.audit_log import Actor
from airouter.services.channel_credentials import (
    ChannelCredentials,
    CredentialChanges,
    CredentialDraft,
    CredentialView,
)
from airouter.services.channel_probes import ChannelProbes, ChannelTest, ProbeWish
from airouter.services.channel_views import ChannelView
from airouter.services.channels import ChannelChanges, ChannelDraft, Channels, ChannelSummary
from airouter.services.discovery import Discovery, DiscoveryDraft, ModelDiscovery


class ChannelList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ChannelView]
    next_cursor: str | None


class CredentialList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[CredentialView]


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
        "/summary",
        operation_id="summariseChannels",
        permission="operator.read",
        summary="How many channels are doing how",
        responses=refusals(401, 403),
    )
    async def summary(self, operator: NamedDependency[Operator], channels: NamedDependency[Channels]) -> ChannelSummary:
        """Cheap enough to be asked every minute. What cools down is told as the process that answers sees it."""
        del operator
        return await channels.summary()

    @post(
        "/discover",
        operation_id="discoverModelsOfDraft",
        permission="catalogue.write",
        summary="Ask a provider for its models before a channel is saved",
        status_code=200,
        responses=refusals(401, 403, 422),
    )
    async def discover_for_draft(
        self,
        data: JSONBody[DiscoveryDraft],
        operator: NamedDependency[Operator],
        model_discovery: NamedDependency[ModelDiscovery],
    ) -> Discovery:
        """Nothing is stored. What the provider refuses is told in `error`."""
        del operator
        return await model_discovery.of_draft(data)

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
        summary="Make one minimal call through a channel, or one with each of its credentials",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def test(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        channel_probes: NamedDependency[ChannelProbes],
        data: JSONBody[ProbeWish] = ProbeWish(),  # noqa: B008 - frozen
    ) -> ChannelTest:
        """Real calls, which the provider bills and nobody's quota is charged for; they stand in no usage record.

        A disabled channel is tried, too. The last result of each credential is kept.
        """
        del operator
        return await channel_probes.test(ChannelId(channel_id), data)

    @post(
        "/{channel_id:uuid}/discover",
        operation_id="discoverModels",
        permission="catalogue.write",
        summary="Ask a channel's provider for its models",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def discover(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        model_discovery: NamedDependency[ModelDiscovery],
    ) -> Discovery:
        """Nothing is changed. What the provider refuses is told in `error`."""
        del operator
        return await model_discovery.of_channel(ChannelId(channel_id))


class WhichCredential(msgspec.Struct, frozen=True, kw_only=True):
    """The credential that an address names."""

    channel_id: ChannelId
    credential_id: CredentialId


def _which(channel_id: FromPath[UUID], credential_id: FromPath[UUID]) -> WhichCredential:
    return WhichCredential(channel_id=ChannelId(channel_id), credential_id=CredentialId(credential_id))


WHICH: Final[dict[str, Any]] = {"which": Provide(_which, sync_to_thread=False)}


class CredentialController(Controller):
    """Below /admin/channels/{channel_id}/credentials."""

    path = "/admin/channels/{channel_id:uuid}/credentials"
    tags = ("Admin",)
    dependencies = WHICH

    @get(
        "/",
        operation_id="listCredentials",
        permission="operator.read",
        summary="A channel's credentials",
        responses=refusals(401, 403, 404),
    )
    async def credentials(
        self,
        channel_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        channel_credentials: NamedDependency[ChannelCredentials],
    ) -> CredentialList:
        del operator
        return CredentialList(items=await channel_credentials.of_channel(ChannelId(channel_id)))

    @post(
        "/",
        operation_id="addCredential",
        permission="catalogue.write",
        summary="Add a credential to a channel",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def add(
        self,
        channel_id: FromPath[UUID],
        data: JSONBody[CredentialDraft],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channel_credentials: NamedDependency[ChannelCredentials],
    ) -> CredentialView:
        """The secret goes in and never comes out: `hint` is its last characters."""
        del operator
        return await channel_credentials.add(ChannelId(channel_id), data, actor)

    @patch(
        "/{credential_id:uuid}",
        operation_id="updateCredential",
        permission="catalogue.write",
        summary="Enable, disable or rename a credential",
        responses=refusals(401, 403, 404, 422),
    )
    async def change(
        self,
        which: NamedDependency[WhichCredential],
        data: JSONBody[CredentialChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channel_credentials: NamedDependency[ChannelCredentials],
    ) -> CredentialView:
        """What is absent stays. Enabling one that the gateway disabled forgets why it did."""
        del operator
        return await channel_credentials.change(which.channel_id, which.credential_id, data, actor)

    @delete(
        "/{credential_id:uuid}",
        operation_id="deleteCredential",
        permission="catalogue.write",
        summary="Delete a credential",
        responses=refusals(401, 403, 404),
    )
    async def delete(
        self,
        which: NamedDependency[WhichCredential],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        channel_credentials: NamedDependency[ChannelCredentials],
    ) -> None:
        """Its secret is erased. Without any, the provider is called without one."""
        del operator
        await channel_credentials.delete(which.channel_id, which.credential_id, actor)


CHANNELS: Final[tuple[Any, ...]] = (ChannelController, CredentialController)

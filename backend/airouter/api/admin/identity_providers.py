"""Identity providers. Only an owner sets them up; a secret goes in and never comes out."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from airouter.api.callers import Owner
from airouter.api.documents import refusals
from airouter.services.audit_log import Actor
from airouter.services.identity_providers import IdentityProviders, ProviderDraft, ProviderView

ProviderId = Annotated[str, Meta(max_length=40, examples=["company"])]
Label = Annotated[str, Meta(min_length=1, max_length=60, examples=["Company"])]
Issuer = Annotated[str, Meta(max_length=500, examples=["https://login.example.com"])]
ClientId = Annotated[str, Meta(min_length=1, max_length=500)]
ClientSecret = Annotated[str, Meta(min_length=1, max_length=2000)]
Scopes = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(max_length=30)]
Domains = Annotated[list[Annotated[str, Meta(max_length=253)]], Meta(max_length=200)]


class ProviderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`issuer`: of OpenID Connect; for GitHub the address of an Enterprise Server, else absent."""

    id: ProviderId
    kind: Literal["oidc", "github"]
    label: Label
    client_id: ClientId
    client_secret: ClientSecret
    issuer: Issuer = ""
    scopes: Scopes = []
    allow_sign_up: bool = False
    allowed_domains: Domains = []
    trust_email: bool = False
    is_enabled: bool = True


class ProviderChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays."""

    label: Label | UnsetType = UNSET
    client_id: ClientId | UnsetType = UNSET
    client_secret: ClientSecret | UnsetType = UNSET
    issuer: Issuer | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    allow_sign_up: bool | UnsetType = UNSET
    allowed_domains: Domains | UnsetType = UNSET
    trust_email: bool | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class ProviderList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ProviderView]
    next_cursor: None


class ProviderTest(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider said of itself; null for GitHub, which says nothing before somebody signs in."""

    issuer: str | None
    authorization_endpoint: str | None
    token_endpoint: str | None


class IdentityProviderController(Controller):
    """Below /admin/identity-providers."""

    path = "/admin/identity-providers"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listIdentityProviders",
        permission="identity_providers.write",
        summary="Identity providers",
        responses=refusals(401, 403),
    )
    async def providers(
        self, owner: NamedDependency[Owner], identity_providers: NamedDependency[IdentityProviders]
    ) -> ProviderList:
        del owner
        return ProviderList(items=await identity_providers.all(), next_cursor=None)

    @get(
        "/{provider:str}",
        operation_id="getIdentityProvider",
        permission="identity_providers.write",
        summary="An identity provider",
        responses=refusals(401, 403, 404),
    )
    async def provider(
        self,
        provider: FromPath[str],
        owner: NamedDependency[Owner],
        identity_providers: NamedDependency[IdentityProviders],
    ) -> ProviderView:
        del owner
        return await identity_providers.get(provider)

    @post(
        "/",
        operation_id="createIdentityProvider",
        permission="identity_providers.write",
        summary="Add an identity provider",
        responses=refusals(401, 403, 409, 422),
    )
    async def create(
        self,
        data: JSONBody[ProviderBody],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        identity_providers: NamedDependency[IdentityProviders],
    ) -> ProviderView:
        """`redirect_uri` in the answer is what has to be registered there. `trust_email`: a verified address there is
        whoever has verified the same address here.
        """
        del owner
        return await identity_providers.create(msgspec.convert(msgspec.to_builtins(data), ProviderDraft), actor)

    @patch(
        "/{provider:str}",
        operation_id="updateIdentityProvider",
        permission="identity_providers.write",
        summary="Change an identity provider",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def update(
        self,
        provider: FromPath[str],
        data: JSONBody[ProviderChanges],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        identity_providers: NamedDependency[IdentityProviders],
    ) -> ProviderView:
        """What is absent stays, the secret too."""
        del owner
        present = msgspec.to_builtins(await identity_providers.get(provider))
        kept = {name: present[name] for name in ProviderDraft.__struct_fields__ if name in present}
        changes = msgspec.to_builtins(data)
        draft = msgspec.convert({**kept, "client_secret": None, **changes}, ProviderDraft)
        return await identity_providers.replace(draft, actor)

    @delete(
        "/{provider:str}",
        operation_id="deleteIdentityProvider",
        permission="identity_providers.write",
        summary="Delete an identity provider",
        responses=refusals(401, 403, 404, 409),
    )
    async def remove(
        self,
        provider: FromPath[str],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        identity_providers: NamedDependency[IdentityProviders],
    ) -> None:
        """Refused while people have linked identities of it: switch it off instead."""
        del owner
        await identity_providers.delete(provider, actor)

    @post(
        "/{provider:str}/test",
        operation_id="testIdentityProvider",
        permission="identity_providers.write",
        summary="Ask an identity provider for its discovery document",
        status_code=200,
        responses=refusals(401, 403, 404, 502),
    )
    async def test(
        self,
        provider: FromPath[str],
        owner: NamedDependency[Owner],
        identity_providers: NamedDependency[IdentityProviders],
    ) -> ProviderTest:
        del owner
        found = await identity_providers.test(provider)
        return ProviderTest(
            issuer=found and found.issuer,
            authorization_endpoint=found and found.authorization_endpoint,
            token_endpoint=found and found.token_endpoint,
        )

"""The ways into one's account: authenticator app, recovery codes, passkeys, linked identities."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import Person
from airouter.api.documents import refusals
from airouter.api.public.cookies import Browsers
from airouter.api.public.federated import own_page
from airouter.api.public.second_steps import Code, Credential, PasskeyOptions
from airouter.services.audit_log import Actor
from airouter.services.factors import Factors
from airouter.services.identities import VISIT_SECONDS, Identities
from airouter.services.instance import Instance
from airouter.services.passkeys import Passkeys
from airouter.services.step_up import StepUp
from airouter.storage.identities import IdentityRow
from airouter.storage.passkeys import PasskeyRow

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120, examples=["Laptop"])]


class PasskeyView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_backed_up`: one's devices share it."""

    id: UUID
    name: str
    is_backed_up: bool
    created_at: datetime
    last_used_at: datetime | None


class IdentityView(msgspec.Struct, frozen=True, kw_only=True):
    """`name`: what one is called there."""

    id: UUID
    provider: str
    kind: Literal["oidc", "github"]
    label: str
    name: str
    linked_at: datetime
    last_used_at: datetime | None
    is_enabled: bool


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """Every way in. `passkeys_available`: whether browsers offer passkeys at the console's address."""

    has_password: bool
    has_totp: bool
    recovery_codes_left: int
    passkeys_available: bool
    passkeys: list[PasskeyView]
    identities: list[IdentityView]


class TotpSecret(msgspec.Struct, frozen=True, kw_only=True):
    """For the authenticator app, once: as an address for its camera, and to be typed."""

    uri: str
    secret: str


class CodeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: Code


class RecoveryCodeList(msgspec.Struct, frozen=True, kw_only=True):
    """Shown now and never again. Null: there are some already."""

    recovery_codes: list[str] | None


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    credential: Credential


class NameBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name


class AddedPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """`recovery_codes` with a first second factor: shown now and never again."""

    passkey: PasskeyView
    recovery_codes: list[str] | None


class VisitBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`errand`: link an identity, or prove with a linked one that it is you. `next`: the console's page afterwards."""

    provider: Annotated[str, msgspec.Meta(max_length=40)]
    errand: Literal["link", "prove"] = "link"
    next: Annotated[str, msgspec.Meta(max_length=2000)] = "/console/settings?section=security"


class VisitView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser has to go; the cookie beside it belongs to the journey."""

    url: str


class FactorController(Controller):
    """Below /me."""

    path = "/me"
    tags = ("Me",)

    @get(
        "/security",
        operation_id="getSecurity",
        permission="me.write",
        summary="The ways into one's account",
        responses=refusals(401, 403),
    )
    async def overview(
        self,
        person: NamedDependency[Person],
        factors: NamedDependency[Factors],
        passkeys: NamedDependency[Passkeys],
        identities: NamedDependency[Identities],
    ) -> Security:
        ways = await factors.ways_in(person.user_id)
        return Security(
            has_password=ways.password_hash is not None,
            has_totp=ways.has_totp,
            recovery_codes_left=ways.recovery_codes_left,
            passkeys_available=passkeys.is_available,
            passkeys=[_passkey(row) for row in await passkeys.of(person.user_id)],
            identities=[_identity(row) for row in await identities.of(person.user_id)],
        )

    @post(
        "/factors/totp",
        operation_id="beginTotp",
        permission="me.write",
        summary="Get a secret for an authenticator app",
        responses=refusals(401, 403, 409),
    )
    async def begin_totp(
        self,
        person: NamedDependency[Person],
        factors: NamedDependency[Factors],
        step_up: NamedDependency[StepUp],
        instance: NamedDependency[Instance],
    ) -> TotpSecret:
        """It counts from the first code that proves it (`confirmTotp`); beginning anew replaces one that never did."""
        await step_up.require(None, person)
        draft = await factors.begin_totp(person.user_id, person.email, (await instance.facts()).display.name)
        return TotpSecret(uri=draft.uri, secret=draft.secret)

    @post(
        "/factors/totp/confirm",
        operation_id="confirmTotp",
        permission="me.write",
        summary="Prove the secret with a code, from when on it is asked for",
        status_code=200,
        responses=refusals(401, 403, 404, 409, 422, 429),
    )
    async def confirm_totp(
        self,
        data: JSONBody[CodeBody],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        factors: NamedDependency[Factors],
    ) -> RecoveryCodeList:
        return RecoveryCodeList(recovery_codes=await factors.confirm_totp(person.user_id, data.code, actor))

    @delete(
        "/factors/totp",
        operation_id="removeTotp",
        permission="me.write",
        summary="Take the authenticator app away",
        responses=refusals(401, 403, 404),
    )
    async def remove_totp(
        self,
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        factors: NamedDependency[Factors],
        step_up: NamedDependency[StepUp],
    ) -> None:
        """Needs a fresh proof of who one is."""
        await step_up.require(None, person)
        await factors.remove_totp(person.user_id, actor)

    @post(
        "/factors/recovery-codes",
        operation_id="renewRecoveryCodes",
        permission="me.write",
        summary="Get ten new recovery codes instead of the old ones",
        status_code=200,
        responses=refusals(401, 403, 404),
    )
    async def renew_recovery_codes(
        self,
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        factors: NamedDependency[Factors],
        step_up: NamedDependency[StepUp],
    ) -> RecoveryCodeList:
        """Needs a fresh proof of who one is."""
        await step_up.require(None, person)
        return RecoveryCodeList(recovery_codes=await factors.new_recovery_codes(person.user_id, actor))

    @post(
        "/passkeys/options",
        operation_id="getPasskeyCreationOptions",
        permission="me.write",
        summary="What the browser makes a passkey from",
        status_code=200,
        responses=refusals(401, 403, 422),
    )
    async def creation_options(
        self,
        person: NamedDependency[Person],
        passkeys: NamedDependency[Passkeys],
        step_up: NamedDependency[StepUp],
        instance: NamedDependency[Instance],
    ) -> PasskeyOptions:
        """Needs a fresh proof of who one is."""
        await step_up.require(None, person)
        label = (await instance.facts()).display.name
        return PasskeyOptions(public_key=await passkeys.creation_options(person.user_id, person.email, label))

    @post(
        "/passkeys",
        operation_id="addPasskey",
        permission="me.write",
        summary="Add the passkey that the browser made",
        responses=refusals(401, 403, 409, 422),
    )
    async def add_passkey(
        self,
        data: JSONBody[NewPasskey],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        passkeys: NamedDependency[Passkeys],
    ) -> AddedPasskey:
        row, codes = await passkeys.add(person.user_id, data.name, data.credential, actor)
        return AddedPasskey(passkey=_passkey(row), recovery_codes=codes)

    @patch(
        "/passkeys/{passkey_id:uuid}",
        operation_id="renamePasskey",
        permission="me.write",
        summary="Call a passkey something else",
        status_code=204,
        responses=refusals(401, 403, 404, 422),
    )
    async def rename_passkey(
        self,
        passkey_id: FromPath[UUID],
        data: JSONBody[NameBody],
        person: NamedDependency[Person],
        passkeys: NamedDependency[Passkeys],
    ) -> None:
        await passkeys.rename(person.user_id, passkey_id, data.name)

    @delete(
        "/passkeys/{passkey_id:uuid}",
        operation_id="removePasskey",
        permission="me.write",
        summary="Take a passkey away",
        responses=refusals(401, 403, 404, 409),
    )
    async def remove_passkey(
        self,
        passkey_id: FromPath[UUID],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        passkeys: NamedDependency[Passkeys],
        step_up: NamedDependency[StepUp],
    ) -> None:
        """Needs a fresh proof of who one is; refused for the last way in."""
        await step_up.require(None, person)
        await passkeys.remove(person.user_id, passkey_id, actor)

    @post(
        "/identities/visits",
        operation_id="visitIdentityProvider",
        permission="me.write",
        summary="Go to an identity provider to link an identity, or to prove that it is you",
        responses=refusals(401, 403, 404, 502),
    )
    async def visit(
        self,
        data: JSONBody[VisitBody],
        person: NamedDependency[Person],
        identities: NamedDependency[Identities],
        step_up: NamedDependency[StepUp],
        browsers: NamedDependency[Browsers],
    ) -> Response[VisitView]:
        """To link one needs a fresh proof of who one is."""
        if data.errand == "link":
            await step_up.require(None, person)
        departure = await identities.depart(
            data.provider, data.errand, own_page(data.next), user_id=person.user_id, session_id=person.session_id
        )
        cookies = [browsers.visit_cookie(departure.sealed, VISIT_SECONDS)]
        return Response(VisitView(url=departure.url), headers={"cache-control": "no-store"}, cookies=cookies)

    @delete(
        "/identities/{identity_id:uuid}",
        operation_id="unlinkIdentity",
        permission="me.write",
        summary="Unlink an identity",
        responses=refusals(401, 403, 404, 409),
    )
    async def unlink(
        self,
        identity_id: FromPath[UUID],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        identities: NamedDependency[Identities],
        step_up: NamedDependency[StepUp],
    ) -> None:
        """Needs a fresh proof of who one is; refused for the last way in."""
        await step_up.require(None, person)
        await identities.unlink(person.user_id, identity_id, actor)


def _passkey(row: PasskeyRow) -> PasskeyView:
    return PasskeyView(
        id=row.passkey_id,
        name=row.name,
        is_backed_up=row.is_backed_up,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )


def _identity(row: IdentityRow) -> IdentityView:
    return IdentityView(
        id=row.identity_id,
        provider=row.provider_id,
        kind=row.kind,
        label=row.label,
        name=row.name,
        linked_at=row.linked_at,
        last_used_at=row.last_used_at,
        is_enabled=row.is_enabled,
    )

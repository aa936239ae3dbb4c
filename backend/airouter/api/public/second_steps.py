"""The rest of signing in: the second step, passkeys, and proving once more who one is."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from airouter.api.callers import AnyRequest, Person, Visitor
from airouter.api.documents import refusals
from airouter.api.public.auth import SignedIn, client_of, signed_in
from airouter.api.public.cookies import MFA_NAME, Browsers
from airouter.domain.sign_in_errors import SignInExpired
from airouter.services.audit_log import Actor
from airouter.services.factors import Factors
from airouter.services.passkeys import SIGN_IN, Passkeys, second_step
from airouter.services.reauthentication import Proof, Reauthentication
from airouter.services.sign_ins import SignIns

MfaToken = Annotated[
    str, msgspec.Meta(max_length=2000, description="From the 401 `mfa_required`; absent: the one in this browser")
]
Code = Annotated[str, msgspec.Meta(max_length=64, examples=["492039"])]
Credential = Annotated[
    dict[str, Any], msgspec.Meta(description="What `PublicKeyCredential.toJSON()` gives", max_length=20)
]


class SecondStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`code` for `totp` and `recovery_code`, `credential` for `passkey`."""

    method: Literal["totp", "recovery_code", "passkey"]
    mfa_token: MfaToken | None = None
    code: Code = ""
    credential: Credential | None = None


class PasskeyQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`is_second_step`: after a password; without, whoever has a passkey signs in with it."""

    is_second_step: bool = False
    mfa_token: MfaToken | None = None


class PasskeyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """For `PublicKeyCredential.parseRequestOptionsFromJSON` or `parseCreationOptionsFromJSON`."""

    public_key: dict[str, Any]


class PasskeyAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    credential: Credential


class ProofBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`value`: the password or the code. What the person has decides which methods are enough: a refusal lists them."""

    method: Literal["password", "totp", "recovery_code", "passkey"]
    value: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    credential: Credential | None = None


class SecondStepController(Controller):
    """Below /auth, beside the password."""

    path = "/auth"
    tags = ("Sign in",)

    @post(
        "/mfa",
        operation_id="completeSignIn",
        summary="Complete a sign-in with a second factor",
        status_code=200,
        responses=refusals(401, 403, 422, 429),
    )
    async def complete(
        self,
        *,
        data: JSONBody[SecondStep],
        request: AnyRequest,
        visitor: NamedDependency[Visitor],
        factors: NamedDependency[Factors],
        passkeys: NamedDependency[Passkeys],
        sign_ins: NamedDependency[SignIns],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        """A code is taken once. A first step is good for five minutes and one session."""
        token, client = _mfa_token(request, browsers, data.mfa_token), client_of(visitor)
        if data.method == "passkey":
            opened = await passkeys.complete(sign_ins.first_step(token), data.credential or {}, client)
        else:
            opened = await factors.complete(token, data.method, data.code, client)
        answer = signed_in(opened, browsers)
        answer.cookies.append(browsers.no_mfa_cookie())
        return answer

    @post(
        "/passkey/options",
        operation_id="getPasskeyOptions",
        summary="What the browser asks its authenticators with",
        status_code=200,
        responses=refusals(401, 403, 422),
    )
    async def options(
        self,
        *,
        data: JSONBody[PasskeyQuestion],
        request: AnyRequest,
        visitor: NamedDependency[Visitor],
        passkeys: NamedDependency[Passkeys],
        sign_ins: NamedDependency[SignIns],
        browsers: NamedDependency[Browsers],
    ) -> PasskeyOptions:
        """The challenge in it holds for five minutes and is good for one answer."""
        del visitor
        if not data.is_second_step:
            return PasskeyOptions(public_key=await passkeys.request_options(None, SIGN_IN))
        first = sign_ins.first_step(_mfa_token(request, browsers, data.mfa_token))
        return PasskeyOptions(public_key=await passkeys.request_options(first.user_id, second_step(first)))

    @post(
        "/passkey",
        operation_id="signInWithPasskey",
        summary="Sign in with a passkey",
        status_code=200,
        responses=refusals(401, 422, 429),
    )
    async def with_passkey(
        self,
        data: JSONBody[PasskeyAnswer],
        visitor: NamedDependency[Visitor],
        passkeys: NamedDependency[Passkeys],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        """The authenticator has verified its person: no second factor is asked for."""
        return signed_in(await passkeys.sign_in(data.credential, client_of(visitor)), browsers)

    @post(
        "/reauthenticate",
        operation_id="reauthenticate",
        permission="me.write",
        summary="Prove once more that it is you",
        status_code=204,
        responses=refusals(401, 403, 422, 429),
    )
    async def reauthenticate(
        self,
        data: JSONBody[ProofBody],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        reauthentication: NamedDependency[Reauthentication],
    ) -> None:
        """For requests that were refused with `reauthentication_required`; send them again after this."""
        proof = Proof(method=data.method, value=data.value, credential=data.credential)
        await reauthentication.prove(person.user_id, person.session_id, proof, actor)

    @post(
        "/reauthenticate/options",
        operation_id="getReauthenticationOptions",
        permission="me.write",
        summary="What the browser asks one's authenticators with, to prove that it is you",
        status_code=200,
        responses=refusals(401, 403, 422),
    )
    async def reauthentication_options(
        self, person: NamedDependency[Person], reauthentication: NamedDependency[Reauthentication]
    ) -> PasskeyOptions:
        return PasskeyOptions(public_key=await reauthentication.passkey_options(person.user_id, person.session_id))


def _mfa_token(request: AnyRequest, browsers: Browsers, token: str | None) -> str:
    if token is not None:
        return token
    browsers.check_origin(request)
    kept = request.cookies.get(MFA_NAME)
    if not kept:
        raise SignInExpired
    return kept

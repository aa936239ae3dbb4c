"""Joining, proving an address, and choosing a new password with the help of mail."""

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Controller, Response, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from airouter.api.callers import Visitor
from airouter.api.documents import refusals
from airouter.api.public.auth import Email, OneTimeToken, Password, SignedIn, client_of, signed_in
from airouter.api.public.cookies import Browsers
from airouter.domain.errors import NotFound
from airouter.services.instance import Instance
from airouter.services.password_reset import PasswordReset
from airouter.services.registrations import Draft, Registrations
from airouter.services.sign_up_challenges import SignUpChallenges

_NO_STORE: Final = {"cache-control": "no-store"}


class Registration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`challenge`: the answer to the one that `GET /status` names under `registration`."""

    email: Email
    password: Password
    locale: Annotated[str, msgspec.Meta(max_length=35, examples=["zh-CN"])] | None = None
    referral_code: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    challenge: Annotated[str, msgspec.Meta(max_length=4096)] | None = None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """There is mail, whoever has the address."""

    verification: Literal["email"]


class Address(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email: Email


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The token from behind the `#` of a mailed link."""

    token: OneTimeToken


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: OneTimeToken
    password: Password


class ChallengeFor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    purpose: Literal["register"]


class Puzzle(msgspec.Struct, frozen=True, kw_only=True):
    """Find a text `s` such that the SHA-256 of `<challenge>:s` begins with `bits` zero bits; `<challenge>:s` answers.

    Once, within `expires_in` seconds.
    """

    type: Literal["proof_of_work"]
    challenge: str
    bits: int
    expires_in: int


def _mailed() -> Response[Verification]:
    return Response(Verification(verification="email"), status_code=202, headers=_NO_STORE)


class RegistrationController(Controller):
    """What strangers may do about being known here."""

    path = "/auth"
    tags = ("Sign up",)

    @post(
        "/challenge",
        operation_id="takeChallenge",
        summary="Take the puzzle that joining asks for",
        status_code=200,
        responses=refusals(404, 422),
    )
    async def challenge(
        self,
        data: JSONBody[ChallengeFor],
        visitor: NamedDependency[Visitor],
        sign_up_challenges: NamedDependency[SignUpChallenges],
        instance: NamedDependency[Instance],
    ) -> Puzzle:
        """404 where no proof of work is asked for."""
        del visitor
        policy = (await instance.facts()).sign_up
        if policy.challenge != "proof_of_work":
            raise NotFound
        puzzle = sign_up_challenges.puzzle(data.purpose, policy.proof_of_work_bits)
        return Puzzle(
            type="proof_of_work",
            challenge=puzzle.challenge,
            bits=puzzle.bits,
            expires_in=puzzle.expires_in_seconds,
        )

    @post(
        "/register",
        operation_id="register",
        summary="Join, where the operator has opened sign-up",
        responses={
            **refusals(403, 409, 422, 429),
            202: ResponseSpec(Verification, generate_examples=False, description="There is mail: follow its link"),
        },
    )
    async def register(
        self,
        data: JSONBody[Registration],
        visitor: NamedDependency[Visitor],
        registrations: NamedDependency[Registrations],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        """202 where the address has to be verified, the same for one that somebody has here."""
        draft = Draft(
            email=data.email,
            password=data.password,
            locale=data.locale,
            referral_code=data.referral_code,
            challenge=data.challenge,
        )
        opened = await registrations.register(draft, client_of(visitor))
        if opened is None:
            waiting: Response[Any] = _mailed()
            return waiting
        return signed_in(opened, browsers, status=201)

    @post(
        "/verification",
        operation_id="sendVerificationAgain",
        summary="Have the mail that verifies an address sent again",
        status_code=202,
        responses=refusals(422, 429),
    )
    async def send_again(
        self, data: JSONBody[Address], visitor: NamedDependency[Visitor], registrations: NamedDependency[Registrations]
    ) -> Response[Verification]:
        """The same answer whether or not anybody waits for it."""
        await registrations.send_again(data.email, client_of(visitor))
        return _mailed()

    @post(
        "/verify",
        operation_id="verifyEmail",
        summary="Follow a mailed link: join and be signed in, or take on another address",
        status_code=200,
        responses={
            **refusals(401, 403, 422, 429),
            204: ResponseSpec(None, description="The person has the new address; nobody was signed in"),
        },
    )
    async def verify(
        self,
        data: JSONBody[Proof],
        visitor: NamedDependency[Visitor],
        registrations: NamedDependency[Registrations],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        opened = await registrations.verify(data.token, client_of(visitor))
        if opened is None:
            changed: Response[Any] = Response(None, status_code=204, headers=_NO_STORE)
            return changed
        return signed_in(opened, browsers)

    @post(
        "/password-reset",
        operation_id="askForPasswordReset",
        summary="Ask for a mail with which a new password can be chosen",
        status_code=202,
        responses=refusals(403, 409, 422, 429),
    )
    async def ask_for_reset(
        self, data: JSONBody[Address], visitor: NamedDependency[Visitor], password_reset: NamedDependency[PasswordReset]
    ) -> Response[Verification]:
        """The same answer, in the same time, whoever has the address: the mail is written afterwards."""
        client = client_of(visitor)
        await password_reset.check(data.email, client)
        answer = _mailed()
        answer.background = BackgroundTask(password_reset.send, data.email, client)
        return answer

    @post(
        "/password-reset/confirm",
        operation_id="resetPassword",
        summary="Choose a new password, which ends all sessions, and be signed in",
        status_code=200,
        responses=refusals(401, 403, 422, 429),
    )
    async def reset(
        self,
        data: JSONBody[NewPassword],
        visitor: NamedDependency[Visitor],
        password_reset: NamedDependency[PasswordReset],
        browsers: NamedDependency[Browsers],
    ) -> Response[SignedIn]:
        """A second factor stays: 401 `mfa_required`, as after a password."""
        return signed_in(await password_reset.confirm(data.token, data.password, client_of(visitor)), browsers)

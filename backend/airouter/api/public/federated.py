"""Signing in with an identity elsewhere: navigations of a browser, so every end of them is a page of the console."""

import logging
import re
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from airouter.api.callers import AnyRequest, Visitor
from airouter.api.documents import refusals
from airouter.api.public.auth import client_of
from airouter.api.public.cookies import VISIT_NAME, Browsers
from airouter.domain.errors import DomainError
from airouter.domain.sign_in_errors import IdentityRefused
from airouter.services.audit_log import Actor
from airouter.services.identities import VISIT_SECONDS, Arrival, Identities, Trip
from airouter.services.sign_ins import MfaPending

logger = logging.getLogger(__name__)

_OWN_PAGE: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_HOME: Final = "/console"
_BACK_AT: Final = {"sign_in": "/sign-in", "link": "/console/settings?section=security"}
"""Where a refusal is told; a proof that failed is told where it was wanted."""


class FederatedController(Controller):
    """Below /auth/oidc."""

    path = "/auth/oidc"
    tags = ("Sign in",)

    @get(
        "/{provider:str}/start",
        operation_id="startFederatedSignIn",
        summary="Go to an identity provider to sign in",
        status_code=302,
        responses=refusals(),
    )
    async def start(
        self,
        *,
        provider: FromPath[str],
        visitor: NamedDependency[Visitor],
        identities: NamedDependency[Identities],
        browsers: NamedDependency[Browsers],
        next_page: Annotated[
            str, QueryParameter(name="next", description="Where to go afterwards, in the console", max_length=2000)
        ] = "",
        ref: Annotated[
            str, QueryParameter(description="Referral code of whoever brought somebody who joins now", max_length=64)
        ] = "",
    ) -> Response[None]:
        """For a browser to navigate to. It always answers with a way on: to the provider, or to the sign-in page with
        `problem` in its address.
        """
        del visitor
        try:
            departure = await identities.depart(provider, "sign_in", own_page(next_page), referral_code=ref or None)
        except DomainError as error:
            return _to(browsers, _with("/sign-in", problem=error.code))
        return _away(departure.url, browsers, departure.sealed)

    @get(
        "/{provider:str}/callback",
        operation_id="finishFederatedSignIn",
        summary="Come back from an identity provider",
        status_code=302,
        responses=refusals(),
    )
    async def callback(
        self,
        *,
        request: AnyRequest,
        provider: FromPath[str],
        visitor: NamedDependency[Visitor],
        actor: NamedDependency[Actor],
        identities: NamedDependency[Identities],
        browsers: NamedDependency[Browsers],
        answered_state: Annotated[str, QueryParameter(name="state", max_length=500)] = "",
        code: Annotated[str, QueryParameter(max_length=4000)] = "",
        error: Annotated[str, QueryParameter(max_length=500)] = "",
    ) -> Response[None]:
        """The session is in its cookie; no token is ever part of an address."""
        kept: Trip | None = None
        try:
            kept = identities.errand_of(provider, request.cookies.get(VISIT_NAME))
            if error or not code:
                raise IdentityRefused
            arrival = await identities.arrive(
                provider, kept, state=answered_state, code=code, client=client_of(visitor), actor=actor
            )
        except DomainError as refusal:
            logger.info("identity.refused", extra={"provider": provider, "code": refusal.code})
            page = _BACK_AT.get(kept.errand, kept.next) if kept is not None else "/sign-in"
            return _to(browsers, _with(page, problem=refusal.code), cookies=[browsers.no_visit_cookie()])
        return _arrived(arrival, browsers)


def own_page(path: str) -> str:
    """A page of the console and of nobody else."""
    return path if _OWN_PAGE.fullmatch(path) else _HOME


def _arrived(arrival: Arrival, browsers: Browsers) -> Response[None]:
    cookies = [browsers.no_visit_cookie()]
    if arrival.opened is None:
        page = _with(arrival.next, **({"linked": "1"} if arrival.errand == "link" else {}))
        return _to(browsers, page, cookies)
    if isinstance(arrival.opened, MfaPending):
        cookies.append(browsers.mfa_cookie(arrival.opened.mfa_token, arrival.opened.expires_in_seconds))
        page = _with("/sign-in", step="second", methods=",".join(arrival.opened.methods), next=arrival.next)
        return _to(browsers, page, cookies)
    cookies.append(browsers.cookie(arrival.opened))
    return _to(browsers, _with("/sign-in", step="done", next=arrival.next), cookies)


def _with(page: str, **more: str) -> str:
    return f"{page}{'&' if '?' in page else '?'}{urlencode(more)}" if more else page


def _to(browsers: Browsers, page: str, cookies: list[Any] | None = None) -> Response[None]:
    headers = {"location": browsers.console_url + page, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(None, status_code=302, headers=headers, cookies=cookies or [])


def _away(url: str, browsers: Browsers, sealed: str) -> Response[None]:
    headers = {"location": url, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(None, status_code=302, headers=headers, cookies=[browsers.visit_cookie(sealed, VISIT_SECONDS)])

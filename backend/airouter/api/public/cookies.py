"""The refresh cookie, and the rule that only our own pages may use it."""

from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import Cookie

from airouter.domain.errors import OriginNotAllowed
from airouter.services.sessions import REFRESH_LIFETIME, Tokens

NAME: Final = "airouter_refresh"
PATH: Final = "/api/v1/auth"
MFA_NAME: Final = "airouter_mfa"
"""The first step of a sign-in that came back from an identity provider: an address must not carry it."""
VISIT_NAME: Final = "airouter_visit"
"""What a browser was sent to an identity provider for, sealed."""
VISIT_PATH: Final = "/api/v1/auth/oidc"


class Browsers(msgspec.Struct, frozen=True, kw_only=True):
    """Where browsers reach us, which pages are ours, and whether they are only reached over TLS."""

    api_url: str
    console_url: str
    origins: frozenset[str]
    cookie_is_secure: bool

    def check_origin(self, request: Request[Any, Any, Any]) -> None:
        """Browsers say which page a POST comes from. Whoever sends no Origin is no browser: no page can abuse it.

        Raises:
            OriginNotAllowed
        """
        origin = request.headers.get("origin")
        if origin is not None and origin not in self.origins:
            raise OriginNotAllowed
        if origin is None and request.headers.get("sec-fetch-site") == "cross-site":
            raise OriginNotAllowed

    def cookie(self, tokens: Tokens) -> Cookie:
        """Carries the refresh token; no script can read it, no other site can send it."""
        return self._cookie(tokens.refresh_token, int(REFRESH_LIFETIME.total_seconds()))

    def no_cookie(self) -> Cookie:
        """Takes it away again."""
        return self._cookie("", 0)

    def mfa_cookie(self, mfa_token: str, seconds: int) -> Cookie:
        """Carries the first step to the page that asks for the second."""
        return self._cookie(mfa_token, seconds, name=MFA_NAME)

    def no_mfa_cookie(self) -> Cookie:
        return self._cookie("", 0, name=MFA_NAME)

    def visit_cookie(self, sealed: str, seconds: int) -> Cookie:
        """Lax: the way back from the provider is a navigation from another site."""
        return Cookie(
            key=VISIT_NAME,
            value=sealed,
            max_age=seconds,
            path=VISIT_PATH,
            httponly=True,
            secure=self.cookie_is_secure,
            samesite="lax",
        )

    def no_visit_cookie(self) -> Cookie:
        return self.visit_cookie("", 0)

    def _cookie(self, value: str, max_age: int, name: str = NAME) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            max_age=max_age,
            path=PATH,
            httponly=True,
            secure=self.cookie_is_secure,
            samesite="strict",
        )

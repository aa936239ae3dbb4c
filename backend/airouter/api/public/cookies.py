"""The refresh cookie, and the rule that only our own pages may use it."""

from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import Cookie

from airouter.domain.errors import OriginNotAllowed
from airouter.services.sessions import REFRESH_LIFETIME, Tokens

NAME: Final = "airouter_refresh"
PATH: Final = "/api/v1/auth"


class Browsers(msgspec.Struct, frozen=True, kw_only=True):
    """Where browsers reach us, which pages are ours, and whether they are only reached over TLS."""

    api_url: str
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

    def _cookie(self, value: str, max_age: int) -> Cookie:
        return Cookie(
            key=NAME,
            value=value,
            max_age=max_age,
            path=PATH,
            httponly=True,
            secure=self.cookie_is_secure,
            samesite="strict",
        )

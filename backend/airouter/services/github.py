"""GitHub as an identity provider: plain OAuth 2, and an API to ask who it is.

Source: GitHub Docs, "Authorizing OAuth apps" and "REST API endpoints for users / emails" (read 2026-01).
"""

from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from airouter.domain.sign_in_errors import IdentityProviderFailed
from airouter.services.openid import Claims, Registration, Visit, code_challenge, get_json, post_form, with_query

PAGES: Final = "https://github.com"
_API: Final = "https://api.github.com"
_ACCEPT: Final = {"accept": "application/vnd.github+json", "user-agent": "airouter"}


class _Person(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    login: str


class _Address(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    primary: bool
    verified: bool


class GitHub:
    """Asks github.com, or an Enterprise Server at the address of its pages."""

    def __init__(self, errands: httpx.AsyncClient) -> None:
        self._errands = errands

    def authorize_url(self, known_as: Registration, visit: Visit) -> str:
        """Where the browser is sent."""
        question = {
            "client_id": known_as.client_id,
            "redirect_uri": visit.redirect_uri,
            "scope": " ".join(known_as.scopes),
            "state": visit.state,
            "code_challenge": code_challenge(visit.verifier),
            "code_challenge_method": "S256",
        }
        return with_query(f"{known_as.issuer.rstrip('/')}/login/oauth/authorize", question)

    async def who(self, known_as: Registration, visit: Visit, code: str) -> Claims:
        """Whom the code stands for; the address is the primary one, if GitHub has verified it.

        Raises:
            IdentityProviderFailed
        """
        form = {
            "client_id": known_as.client_id,
            "client_secret": known_as.client_secret,
            "code": code,
            "redirect_uri": visit.redirect_uri,
            "code_verifier": visit.verifier,
        }
        address = f"{known_as.issuer.rstrip('/')}/login/oauth/access_token"
        tokens = await post_form(self._errands, address, form, {"accept": "application/json"})
        token = tokens.get("access_token")
        if not isinstance(token, str):  # it answers 200 with `error` to a code that it does not take
            raise IdentityProviderFailed("GitHub did not take the code.")
        person = await self._ask(known_as, "/user", token, _Person)
        addresses = await self._ask(known_as, "/user/emails", token, list[_Address])
        primary = next((one for one in addresses if one.primary), None)
        return Claims(
            subject=str(person.id),  # a login can be given to somebody else
            name=person.login,
            email=primary and primary.email,
            is_email_verified=primary is not None and primary.verified,
        )

    async def _ask(self, known_as: Registration, path: str, token: str, wanted: Any) -> Any:
        headers = {**_ACCEPT, "authorization": f"Bearer {token}"}
        answer = await get_json(self._errands, api_of(known_as.issuer) + path, headers)
        try:
            return msgspec.convert(answer, wanted)
        except msgspec.ValidationError:
            raise IdentityProviderFailed("GitHub's answer does not fit.") from None


def api_of(pages: str) -> str:
    """The API that belongs to these pages: GitHub's own, or below them on an Enterprise Server."""
    pages = pages.rstrip("/")
    return _API if urlsplit(pages).hostname == "github.com" else f"{pages}/api/v3"

"""OpenID Connect as a relying party: discovery, the authorization code with PKCE, and the ID token's proof.

Sources: OpenID Connect Core 1.0 sections 3.1.2 and 3.1.3.7, Discovery 1.0 section 4, RFC 7636, RFC 8725.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
import msgspec

from airouter.domain.sign_in_errors import IdentityProviderFailed, IdentityRefused

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a public key only: neither `none` nor a shared secret."""
LEEWAY_SECONDS: Final = 60
_REMEMBERED_SECONDS: Final = 3600
_AGAIN_SECONDS: Final = 30
"""How soon a provider's keys are asked for again because a token names one that is not among them."""
_BYTES_MAX: Final = 1024 * 1024


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is at a provider. `email` is only trusted where `is_email_verified`."""

    subject: str
    name: str
    email: str | None
    is_email_verified: bool
    authenticated_at: int | None = None
    """When they last proved there who they are, in Unix seconds, as far as the provider says."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """How we are known to a provider."""

    issuer: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Registration({self.issuer!r})"


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What binds an answer to the browser and the question."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself; the rest is left out."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class OpenId:
    """Speaks with providers. What they publish is remembered for an hour; `clock` counts seconds."""

    def __init__(self, errands: httpx.AsyncClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._errands = errands
        self._clock = clock
        self._metadata: dict[str, tuple[float, Metadata]] = {}
        self._keys: dict[str, tuple[float, jwt.PyJWKSet]] = {}

    async def discover(self, issuer: str, *, is_fresh: bool = False) -> Metadata:
        """What the provider publishes about itself.

        Raises:
            IdentityProviderFailed: no answer, not that document, or it names another issuer.
        """
        known = self._metadata.get(issuer)
        if known is not None and not is_fresh and self._clock() - known[0] < _REMEMBERED_SECONDS:
            return known[1]
        answer = await get_json(self._errands, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            metadata = msgspec.convert(answer, Metadata)
        except msgspec.ValidationError as error:
            raise IdentityProviderFailed(f"The provider's discovery document does not fit: {error}") from None
        if metadata.issuer.rstrip("/") != issuer.rstrip("/"):
            raise IdentityProviderFailed("The provider's discovery document names another issuer.")
        for address in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
            if urlsplit(address).scheme not in {"https", urlsplit(issuer).scheme}:
                raise IdentityProviderFailed("The provider's discovery document leads to an address without TLS.")
        self._metadata[issuer] = (self._clock(), metadata)
        return metadata

    async def authorize_url(self, known_as: Registration, visit: Visit, *, is_fresh: bool = False) -> str:
        """Where the browser is sent. `is_fresh`: the person shall prove anew who they are."""
        metadata = await self.discover(known_as.issuer)
        question = {
            "response_type": "code",
            "client_id": known_as.client_id,
            "redirect_uri": visit.redirect_uri,
            "scope": " ".join(known_as.scopes),
            "state": visit.state,
            "nonce": visit.nonce,
            "code_challenge": code_challenge(visit.verifier),
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if is_fresh else {}),
        }
        return with_query(metadata.authorization_endpoint, question)

    async def who(self, known_as: Registration, visit: Visit, code: str) -> Claims:
        """Whom the code stands for.

        Raises:
            IdentityProviderFailed: the provider does not answer, or takes no code of ours.
            IdentityRefused: its token does not hold.
        """
        metadata = await self.discover(known_as.issuer)
        tokens = await self._exchange(known_as, metadata, visit, code)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise IdentityProviderFailed("The provider sent no ID token.")
        claims = await self._verified(known_as, metadata, id_token, visit.nonce)
        if "email" not in claims and metadata.userinfo_endpoint and isinstance(tokens.get("access_token"), str):
            claims = {**await self._more(metadata.userinfo_endpoint, tokens["access_token"], claims["sub"]), **claims}
        return Claims(
            subject=claims["sub"],
            name=_text(claims, "name") or _text(claims, "preferred_username") or _text(claims, "email") or "",
            email=_text(claims, "email"),
            is_email_verified=_is_true(claims.get("email_verified")),
            authenticated_at=auth_time if isinstance(auth_time := claims.get("auth_time"), int) else None,
        )

    async def _exchange(self, known_as: Registration, metadata: Metadata, visit: Visit, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": visit.redirect_uri,
            "code_verifier": visit.verifier,
        }
        headers = {"accept": "application/json"}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
            pair = f"{quote(known_as.client_id, safe='')}:{quote(known_as.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": known_as.client_id, "client_secret": known_as.client_secret}
        return await post_form(self._errands, metadata.token_endpoint, form, headers)

    async def _verified(self, known_as: Registration, metadata: Metadata, id_token: str, nonce: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(id_token)
            if header.get("alg") not in ALGORITHMS:
                raise IdentityRefused("The ID token is not signed with a public key.")
            key = await self._key(metadata, header.get("kid"), header["alg"])
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key,
                algorithms=[header["alg"]],
                audience=known_as.client_id,
                issuer=metadata.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise IdentityRefused(f"The ID token does not hold ({type(error).__name__}).") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != known_as.client_id:
            raise IdentityRefused("The ID token was made for somebody else.")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise IdentityRefused("The ID token answers another question.")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise IdentityRefused("The ID token names nobody.")
        return claims

    async def _key(self, metadata: Metadata, key_id: str | None, algorithm: str) -> jwt.PyJWK:
        fetched_at, keys = self._keys.get(metadata.jwks_uri, (float("-inf"), None))
        age = self._clock() - fetched_at
        found = keys and _pick(keys, key_id, algorithm)
        if (found is None and age >= _AGAIN_SECONDS) or age >= _REMEMBERED_SECONDS:
            answer = await get_json(self._errands, metadata.jwks_uri)
            try:
                keys = jwt.PyJWKSet.from_dict(answer)
            except (jwt.PyJWTError, AttributeError, TypeError, ValueError) as error:
                raise IdentityProviderFailed("The provider's keys cannot be read.") from error
            self._keys[metadata.jwks_uri] = (self._clock(), keys)
            found = _pick(keys, key_id, algorithm)
        if found is None:
            raise IdentityRefused("The ID token is signed with a key that the provider does not publish.")
        return found

    async def _more(self, address: str, access_token: str, subject: str) -> dict[str, Any]:
        told = await get_json(self._errands, address, {"authorization": f"Bearer {access_token}"})
        if not isinstance(told, dict) or told.get("sub") != subject:
            raise IdentityRefused("The provider speaks of somebody else.")
        return told


def code_challenge(verifier: str) -> str:
    """RFC 7636 S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def with_query(address: str, question: dict[str, str]) -> str:
    """The address with these parameters besides its own."""
    return f"{address}{'&' if '?' in address else '?'}{urlencode(question)}"


async def get_json(errands: httpx.AsyncClient, address: str, headers: dict[str, str] | None = None) -> Any:
    """Raises IdentityProviderFailed."""
    return await _ask(errands, errands.build_request("GET", address, headers=headers))


async def post_form(
    errands: httpx.AsyncClient, address: str, form: dict[str, str], headers: dict[str, str]
) -> dict[str, Any]:
    """Raises IdentityProviderFailed."""
    answer = await _ask(errands, errands.build_request("POST", address, data=form, headers=headers))
    if not isinstance(answer, dict):
        raise IdentityProviderFailed
    return answer


async def _ask(errands: httpx.AsyncClient, request: httpx.Request) -> Any:
    try:
        answer = await errands.send(request, stream=True)
        try:
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _BYTES_MAX:
                    raise IdentityProviderFailed("The provider's answer is too large.")
        finally:
            await answer.aclose()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise IdentityProviderFailed(f"The provider cannot be reached ({type(error).__name__}).") from None
    if not answer.is_success:
        raise IdentityProviderFailed(f"The provider answered {answer.status_code}.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise IdentityProviderFailed("The provider's answer is not JSON.") from None


def _pick(keys: jwt.PyJWKSet, key_id: str | None, algorithm: str) -> jwt.PyJWK | None:
    """The key of that name; without a name, the only one that the algorithm can mean."""
    fitting = [key for key in keys.keys if key.algorithm_name == algorithm or key.algorithm_name[:2] == algorithm[:2]]
    if key_id is not None:
        return next((key for key in fitting if key.key_id == key_id), None)
    return fitting[0] if len(fitting) == 1 else None


def _is_true(value: object) -> bool:
    """Some providers write their booleans as text."""
    return value is True or value == "true"


def _text(claims: dict[str, Any], name: str) -> str | None:
    value = claims.get(name)
    return value[:255] if isinstance(value, str) and value else None

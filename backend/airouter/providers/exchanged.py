"""Credentials that are not what goes on the wire: they are exchanged for a token that lives an hour or so (OAuth 2).

A provider says what to ask for (`Exchanging.grant`); the gateway asks, remembers, and passes the token on as
`Call.bearer`.
"""

from functools import lru_cache
from typing import Final, Literal, Protocol
from urllib.parse import quote, urlencode, urlsplit

import jwt
import msgspec

from airouter.domain.errors import InvalidRequest

CLOUD_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
AZURE_SCOPE: Final = "https://cognitiveservices.azure.com/.default"
AZURE_AUTHORITY: Final = "https://login.microsoftonline.com"
_ASSERTION_SECONDS: Final = 3600
"""The longest life that Google gives an assertion."""
_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_WANTED: Final = {
    "service_account": "Google's key file of a service account",
    "azure": "JSON with tenant_id, client_id and client_secret",
}
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a token: a form to be sent to this address."""

    url: str
    form: bytes


class Exchanging(Protocol):
    """A provider some of whose credentials are exchanged."""

    def grant(self, credential: str, at_seconds: int) -> Grant | None:
        """What to ask for; None: this credential goes on the wire as it is."""
        ...


class ServiceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The members of Google's key file that are used."""

    client_email: str
    private_key: str
    token_uri: str
    type: Literal["service_account"]
    private_key_id: str = ""
    project_id: str = ""

    def __repr__(self) -> str:
        return f"ServiceAccount({self.client_email!r})"


class AzureClient(msgspec.Struct, frozen=True, kw_only=True):
    """An application of Microsoft Entra ID, by its secret."""

    tenant_id: str
    client_id: str
    client_secret: str
    authority: str = AZURE_AUTHORITY

    def __repr__(self) -> str:
        return f"AzureClient({self.client_id!r})"


@lru_cache(maxsize=1024)
def service_account(credential: str) -> ServiceAccount | None:
    """None: it is no key file, so it is an API key. Raises: msgspec.ValidationError, ValueError: a broken one."""
    if not credential.lstrip().startswith("{"):
        return None
    found = msgspec.json.decode(credential, type=ServiceAccount)
    _check_address(found.token_uri)
    return found


@lru_cache(maxsize=1024)
def azure_client(credential: str) -> AzureClient | None:
    """None: it is a key or a token. Raises: msgspec.ValidationError, ValueError: JSON of another kind."""
    if not credential.lstrip().startswith("{"):
        return None
    found = msgspec.json.decode(credential, type=AzureClient)
    _check_address(found.authority)
    return found


def google_grant(account: ServiceAccount, at_seconds: int) -> Grant:
    """RFC 7523, as Google's key files are used. Raises: ValueError: the private key is none."""
    claims = {
        "iss": account.client_email,
        "scope": CLOUD_SCOPE,
        "aud": account.token_uri,
        "iat": at_seconds,
        "exp": at_seconds + _ASSERTION_SECONDS,
    }
    headers = {"kid": account.private_key_id} if account.private_key_id else None
    try:
        assertion = jwt.encode(claims, account.private_key, algorithm="RS256", headers=headers)
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise ValueError("the private key of the service account cannot be read") from error
    return Grant(url=account.token_uri, form=urlencode({"grant_type": _JWT_BEARER, "assertion": assertion}).encode())


def azure_grant(client: AzureClient) -> Grant:
    """Client credentials, for Azure's AI services."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "scope": AZURE_SCOPE,
    }
    url = f"{client.authority.rstrip('/')}/{quote(client.tenant_id, safe='')}/oauth2/v2.0/token"
    return Grant(url=url, form=urlencode(form).encode())


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a grant (RFC 6749, 5.1)."""

    access_token: str
    expires_in: int = 300

    def __repr__(self) -> str:
        return "Token(…)"


def read_token(body: bytes) -> Token | None:
    """None: the answer has no token."""
    try:
        token = msgspec.json.decode(body, type=Token, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return token if token.access_token.isascii() and token.access_token.isprintable() and token.access_token else None


def check_credential(form: str, credential: str) -> None:
    """Refuse what cannot be one of this form (vendors.CredentialForm). Raises InvalidRequest; it repeats nothing."""
    try:
        if form == "service_account":
            account = service_account(credential)
            if account is not None:
                google_grant(account, 0)
        elif form == "azure":
            azure_client(credential)
    except msgspec.ValidationError as error:
        why = str(error)
    except msgspec.MsgspecError:
        why = "it is no JSON"
    except ValueError as error:
        why = str(error)
    else:
        return
    raise InvalidRequest(f"credentials: {_WANTED[form]} cannot be read: {why}.", field="credentials")


def public_part(credential: str) -> str | None:
    """What of a credential is no secret and names it, where there is such a thing."""
    try:
        if (account := service_account(credential)) is not None:
            return account.client_email
    except (msgspec.MsgspecError, ValueError):
        pass
    try:
        client = azure_client(credential)
    except (msgspec.MsgspecError, ValueError):
        return None
    return None if client is None else client.client_id


def _check_address(url: str) -> None:
    """A secret goes there: encrypted, unless it stays on this machine. (The guard judges the address besides.)"""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
        raise ValueError("the address for tokens has to begin with https://")

"""AWS Signature Version 4 for one request whose whole body is at hand.

As published in AWS's "Create a signed AWS API request" (2026). What is signed: the method, the path (each segment
encoded once more, as every service but S3 wants it), the query, the headers given, and the SHA-256 of the body.
"""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]
_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """An access key. `session_token` comes with temporary ones."""

    access_key_id: str
    secret: str
    session_token: str | None = None

    def __repr__(self) -> str:
        """Without the secret: a repr ends up in logs."""
        return f"Keys({self.access_key_id!r})"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature is good for, and when it was made."""

    region: str
    service: str
    at: datetime

    @property
    def date(self) -> str:
        """The day in UTC."""
        return self.at.astimezone(UTC).strftime("%Y%m%d")

    @property
    def timestamp(self) -> str:
        """The second in UTC."""
        return self.at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    def __str__(self) -> str:
        """As it stands in the signature."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


class Unsigned(msgspec.Struct, frozen=True, kw_only=True):
    """A request about to be sent. `target` is the path and query as they go on the wire; `host` the value of that
    header, which the client writes itself.
    """

    method: str
    host: str
    target: str
    headers: Headers = ()
    body: bytes = b""


def signed(request: Unsigned, keys: Keys, scope: Scope) -> Headers:
    """The headers to send: those given, the date, the session token if there is one, and the signature over all.

    Headers added after this are not protected, and do no harm; a changed body makes the signature void.
    """
    own: list[tuple[bytes, bytes]] = [*request.headers, (b"x-amz-date", scope.timestamp.encode())]
    if keys.session_token is not None:
        own.append((b"x-amz-security-token", keys.session_token.encode()))
    covered, names = _canonical_headers([(b"host", request.host.encode()), *own])
    canonical = _canonical_request(request, covered, names)
    text = "\n".join((_ALGORITHM, scope.timestamp, str(scope), hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_signing_key(keys.secret, scope), text.encode(), hashlib.sha256).hexdigest()
    said = f"{_ALGORITHM} Credential={keys.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return (*own, (b"authorization", said.encode()))


def _canonical_request(request: Unsigned, covered: str, names: str) -> str:
    path, _, query = request.target.partition("?")
    digest = hashlib.sha256(request.body).hexdigest()
    return "\n".join((request.method, quote(path or "/", safe="/"), _canonical_query(query), covered, names, digest))


def _canonical_query(query: str) -> str:
    """Its parts in order. They are encoded already, since they go on the wire as they are."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))


def _canonical_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, str]:
    """(a line for each header in the order of their names, the names). Runs of blanks count as one."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1").lower(), []).append(" ".join(value.decode("latin-1").split()))
    lines = "".join(f"{name}:{','.join(values[name])}\n" for name in sorted(values))
    return lines, ";".join(sorted(values))


def _signing_key(secret: str, scope: Scope) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key

"""The console's files in front of the API: what `airouter up` adds and a small web server does in production.

Everything that is not the API's is the console's: a file of the build, or its one page for every other address.
`/config.json` and the page's Content-Security-Policy are made from one value, the address of the API; the policy also
lets the page load the sign-up challenge that the operator's environment names.
"""

import gzip
import hashlib
import json
import mimetypes
import os
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# The first segment of every address that is the API's. deploy/console/ has the same list; a test compares them.
API_SEGMENTS = frozenset({"api", "v1", "v1beta", "v1alpha", "healthz", "readyz", "openapi", "openapi.json"})
KEY_HEADERS = frozenset({b"x-api-key", b"x-goog-api-key"})
IMMUTABLE = "/assets/"  # the build puts a hash of the content into these names
NOT_BUILT = b"The console is not built: npm --prefix frontend ci && npm --prefix frontend run build\n"
COMPRESSED_BYTES_MIN = 1024
COMPRESSED_TYPES = ("text/", "application/javascript", "application/json", "image/svg")


class _File(msgspec.Struct, frozen=True):
    body: bytes
    compressed: bytes | None
    headers: tuple[tuple[bytes, bytes], ...]
    etag: bytes


def api_base(public_url: str, console_url: str) -> str:
    """What the console puts before `/api/v1/…`: nothing where both share an origin."""
    return "" if public_url == console_url else public_url


def security_policy(base: str, challenge: str = "") -> str:
    """The page's Content-Security-Policy. Payment forms may be sent to a processor, hence https: for forms.

    `challenge` is the origin of a sign-up challenge's script, which draws itself in a frame of the same origin.
    """
    api = f" {urlsplit(base).scheme}://{urlsplit(base).netloc}" if base else ""
    widget = f" {challenge}" if challenge else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self'{api}",
            f"script-src 'self'{widget}",
            f"frame-src 'self'{widget}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "form-action 'self' https:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )


class ConsoleFiles:
    """An ASGI application that answers for the console and hands everything else to the API."""

    def __init__(self, inner: Application | None, directory: Path, *, base: str, challenge: str = "") -> None:
        self._inner = inner
        self._directory = directory.resolve()
        self._policy = security_policy(base, challenge).encode()
        self._config = json.dumps({"api_base": base}).encode()
        self._files: dict[str, _File] = {}

    @property
    def doors(self) -> object:
        """The gateway's doors, which the server's protocol looks for on the application it serves."""
        return getattr(self._inner, "doors", None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_for_api(scope):
            await self._pass_on(scope, receive, send)
            return
        file = self._find(scope["path"])
        if file is None:
            await _answer(send, HTTPStatus.NOT_FOUND, [(b"content-type", b"text/plain")], b"There is no such file.\n")
            return
        await self._serve(file, scope, send)

    def _is_for_api(self, scope: Scope) -> bool:
        is_address = scope["path"].lstrip("/").partition("/")[0] in API_SEGMENTS
        return is_address or scope["method"] not in {"GET", "HEAD"} or _brings_key(scope)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._inner is not None:
            await self._inner(scope, receive, send)
        elif scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            text = b"The API is at another address; this one serves the console only.\n"
            await _answer(send, HTTPStatus.MISDIRECTED_REQUEST, [(b"content-type", b"text/plain")], text)

    def _find(self, path: str) -> _File | None:
        if path == "/config.json":
            return self._files.get(path) or self._keep(path, self._config, "application/json")
        asked = self._directory / path.lstrip("/")
        name = "/" + os.path.relpath(os.path.normpath(asked), self._directory)  # one name per file, whatever was asked
        if name in self._files:
            return self._files[name]
        is_ours = not any(part.startswith(".") for part in name.split("/")) and "\0" not in name
        if is_ours and asked.is_file():
            return self._keep(name, asked.read_bytes(), mimetypes.guess_type(name)[0])
        return None if name.startswith(IMMUTABLE) else self._page()

    def _page(self) -> _File:
        known = self._files.get("/index.html")
        if known is not None:
            return known
        page = self._directory / "index.html"
        if not page.is_file():
            return _file(NOT_BUILT, "text/plain", b"no-store", self._policy)
        return self._keep("/index.html", page.read_bytes(), "text/html")

    def _keep(self, path: str, body: bytes, kind: str | None) -> _File:
        caching = b"public, max-age=31536000, immutable" if path.startswith(IMMUTABLE) else b"no-cache"
        file = self._files[path] = _file(body, kind or "application/octet-stream", caching, self._policy)
        return file

    async def _serve(self, file: _File, scope: Scope, send: Send) -> None:
        asked = dict(scope["headers"])
        if file.etag in asked.get(b"if-none-match", b""):
            await _answer(send, HTTPStatus.NOT_MODIFIED, list(file.headers), b"")
            return
        body, headers = file.body, list(file.headers)
        if file.compressed is not None and b"gzip" in asked.get(b"accept-encoding", b""):
            body = file.compressed
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(len(body)).encode()))
        await _answer(send, HTTPStatus.OK, headers, b"" if scope["method"] == "HEAD" else body)


def _brings_key(scope: Scope) -> bool:
    """No page is asked for like that: it is a client that leaves /v1 out of an address, such as `GET /models`."""
    return any(
        name in KEY_HEADERS or (name == b"authorization" and value[:7].lower() == b"bearer ")
        for name, value in scope["headers"]
    )


def _file(body: bytes, kind: str, caching: bytes, policy: bytes) -> _File:
    if kind == "text/javascript":
        kind = "application/javascript"
    is_text = kind.startswith(COMPRESSED_TYPES)
    compressed = gzip.compress(body, 6, mtime=0) if is_text and len(body) >= COMPRESSED_BYTES_MIN else None
    etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
    headers = [
        (b"content-type", f"{kind}; charset=utf-8".encode() if is_text else kind.encode()),
        (b"cache-control", caching),
        (b"etag", etag),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
    ]
    if compressed is not None:
        headers.append((b"vary", b"accept-encoding"))
    if kind == "text/html":
        headers.append((b"content-security-policy", policy))
    return _File(body, compressed, tuple(headers), etag)


async def _answer(send: Send, status: HTTPStatus, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})

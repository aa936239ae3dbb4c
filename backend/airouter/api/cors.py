"""Which pages of which origins may call from a browser.

The gateway's doors take any origin and no credentials: the key is in a header that the page put there itself. The
management API takes the console's origins only, with credentials, because the refresh cookie travels with it.
"""

from collections.abc import Sequence
from typing import Any, Final

from airouter.api.door_errors import dialect_of

_DOCUMENTS: Final = "/openapi"
_CLOSED: Final = "/api/v1"
_METHODS: Final = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_MAX_AGE: Final = b"7200"
_EXPOSED: Final = (
    b"x-request-id, request-id, retry-after, retry-after-ms, x-should-retry, openai-processing-ms, "
    b"idempotency-replayed, "
    b"x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    b"x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens, "
    b"x-airouter-dropped, x-airouter-estimated, x-airouter-model"
)
Headers = list[tuple[bytes, bytes]]

OPEN_MARKS: Final = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _EXPOSED))
"""What every answer of a door carries."""


class Cors:
    """ASGI layer: answers preflights, and marks answers for the origins that may read them."""

    def __init__(self, app: Any, console_origins: Sequence[str]) -> None:
        self._app = app
        self._console_origins = frozenset(origin.encode() for origin in console_origins)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if scope["type"] != "http" or not self._is_concerned(scope["path"]):
            await self._app(scope, receive, send)
            return
        marks = self._marks(scope["path"], headers.get(b"origin"))
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers and b"origin" in headers:
            await _answer_preflight(send, marks, headers.get(b"access-control-request-headers", b""))
            return

        async def send_marked(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *marks]}
            await send(message)

        await self._app(scope, receive, send_marked)

    def _is_concerned(self, path: str) -> bool:
        return path.startswith((_CLOSED, _DOCUMENTS)) or dialect_of(path) != "problem"

    def _marks(self, path: str, origin: bytes | None) -> Headers:
        if not path.startswith(_CLOSED):
            return list(OPEN_MARKS)
        marks = [(b"vary", b"Origin")]
        if origin in self._console_origins:
            marks += [
                (b"access-control-allow-origin", origin or b""),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", _EXPOSED),
            ]
        return marks


async def _answer_preflight(send: Any, marks: Headers, wanted: bytes) -> None:
    """204. An origin that may not call gets no permission, which is how a browser is told no."""
    headers = [*marks, (b"content-length", b"0")]
    if any(name == b"access-control-allow-origin" for name, _ in marks):
        headers += [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _MAX_AGE)]
        if wanted and len(wanted) < 2000 and wanted.isascii() and wanted.decode().isprintable():
            headers.append((b"access-control-allow-headers", wanted))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})

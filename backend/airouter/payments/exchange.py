"""One call to a processor: bounded in time and size, and its failures in our words."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from airouter.payments.contract import ProcessorRefused, ProcessorUnavailable

_SECONDS: Final = 20.0
_BYTES_MAX: Final = 1024 * 1024
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NO_APP: Final = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "view-source"})
FORM: Final = "application/x-www-form-urlencoded"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, whatever its status below 500."""

    status: int
    body: bytes

    def document(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            ProcessorUnavailable: it is something else, such as a page of a firewall. What was asked may have been done.
        """
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ProcessorUnavailable(f"the answer ({self.status}) is not a JSON object") from None


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send `form` (in the body of a POST, in the query of a GET) and read the whole answer.

    Raises:
        ProcessorUnavailable: nothing usable came; `has_been_sent` says whether the processor can have acted.
    """
    sent_headers = dict(headers or {})
    content: bytes | None = None
    if form is not None and method == "POST":
        content, sent_headers["content-type"] = urlencode(form).encode(), FORM
    elif form:
        url = f"{url}?{urlencode(form)}"
    try:
        async with (
            asyncio.timeout(_SECONDS),
            http.stream(method, url, content=content, headers=sent_headers) as response,
        ):
            body = await _bounded(response)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL) as error:
        raise ProcessorUnavailable(f"no connection ({type(error).__name__})", has_been_sent=False) from None
    except (httpx.HTTPError, TimeoutError) as error:
        # Not the error's own words: httpx puts the address into them, which may carry a secret.
        raise ProcessorUnavailable(f"no complete answer ({type(error).__name__})") from None
    if response.status_code >= 500 or response.status_code == 429:
        raise ProcessorUnavailable(f"it answered {response.status_code}")
    return Answer(status=response.status_code, body=body)


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _BYTES_MAX:
            raise ProcessorUnavailable(f"the answer is larger than {_BYTES_MAX} bytes")
    return bytes(body)


def page_address(url: str) -> str:
    """An address that a browser may be sent to.

    Raises:
        ProcessorRefused: it is something else, such as a script.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ProcessorRefused("the processor named a page that is no http address")
    return url


def code_address(url: str) -> str:
    """What a payment app reads out of a QR code: any scheme of an app, but none that a browser would run or read.

    Raises:
        ProcessorRefused
    """
    if not urlsplit(url).scheme or urlsplit(url).scheme in _NO_APP:
        raise ProcessorRefused("the processor named a code that no payment app reads")
    return url


def unsafe_address(name: str, url: str) -> str | None:
    """Why secrets must not be sent to this address; None if they may. Plain HTTP only inside this machine."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"{name} has to be an address such as https://pay.example.com."
    if parts.username or parts.query or parts.fragment:
        return f"{name} carries a user, a query or a fragment, which do not belong there."
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        return f"{name} has to begin with https://: signatures and keys travel to it."
    return None

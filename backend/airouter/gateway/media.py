"""Media behind links in a client's request, fetched for providers that take data only.

The addresses are the client's, so they are held to the strictest class (guarantee G13): nothing internal, no redirects,
so many bytes, so many seconds.
"""

import asyncio
import base64
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import httpx

from airouter.domain.errors import InvalidRequest
from airouter.translation.links import Fetched

BYTES_MAX: Final = 20 * 1024 * 1024
"""Of one file."""
FILES_MAX: Final = 20
SECONDS_MAX: Final = 20.0


class MediaNotFetched(InvalidRequest):
    """A link in the request leads nowhere that the gateway may or can go."""

    code = "media_not_fetched"


class MediaFetcher:
    """`client` connects to public addresses only."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def fetch(self, links: Sequence[str]) -> dict[str, Fetched]:
        """What lies behind each link.

        Raises:
            MediaNotFetched: one of them could not be had; the message says which and why.
        """
        if len(links) > FILES_MAX:
            raise MediaNotFetched(f"The request has {len(links)} links to media; at most {FILES_MAX} are fetched.")
        found = await asyncio.gather(*(self._fetch_one(link) for link in links))
        return dict(zip(links, found, strict=True))

    async def _fetch_one(self, link: str) -> Fetched:
        try:
            async with asyncio.timeout(SECONDS_MAX), self._client.stream("GET", link) as answer:
                if answer.status_code != HTTPStatus.OK:
                    raise MediaNotFetched(
                        f"{link[:200]} answered with status {answer.status_code}; redirects are not followed."
                    )
                parts, size = [], 0
                async for part in answer.aiter_bytes():
                    size += len(part)
                    if size > BYTES_MAX:
                        raise MediaNotFetched(f"{link[:200]} is larger than {BYTES_MAX} bytes.")
                    parts.append(part)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as error:
            raise MediaNotFetched(f"{link[:200]} could not be fetched. Send its content instead.") from error
        media_type = answer.headers.get("content-type", "application/octet-stream").partition(";")[0].strip()
        return Fetched(media_type=media_type, data=base64.b64encode(b"".join(parts)).decode())

"""Where a price list comes from: the shipped catalogue, what an operator pasted, or an address that the server asks."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import httpx

from airouter.domain.errors import InvalidRequest
from airouter.domain.price_errors import ListUnreachable
from airouter.domain.proposal import PriceListing
from airouter.proposals.registry import Source, read_listing
from airouter.proposals.shipped import read_shipped

BYTES_MAX: Final = 16 * 1024 * 1024
_SECONDS_MAX: Final = 30.0
_HEADERS: Final = {"accept": "application/json", "user-agent": "airouter"}


async def listing_of(
    source: Source, content: str | None, url: str | None, group: str | None, errands: httpx.AsyncClient
) -> PriceListing:
    """The list, read. Nothing is stored and nothing changes.

    Raises:
        InvalidRequest: it is no such list, or was not said where it comes from.
        ListUnreachable: the address did not answer with one.
    """
    if source == "shipped":
        if content is not None or url is not None or group is not None:
            raise InvalidRequest("source: the shipped catalogue is here already.", field="source")
        return await asyncio.to_thread(read_shipped)
    if (content is None) == (url is None):
        raise InvalidRequest("content: give either the list itself or its address as url.", field="content")
    document = content.encode() if content is not None else await _fetched(url or "", errands)
    # Megabytes of decimals: calls that this process relays meanwhile shall not wait for them.
    return await asyncio.to_thread(read_listing, source, document, group)


async def _fetched(url: str, errands: httpx.AsyncClient) -> bytes:
    if not _is_address(url):
        raise InvalidRequest("url: write an address such as https://models.dev/api.json.", field="url")
    try:
        async with asyncio.timeout(_SECONDS_MAX), errands.stream("GET", url, headers=_HEADERS) as answer:
            if not answer.is_success:
                raise ListUnreachable(f"The address answered {answer.status_code} instead of a price list.")
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > BYTES_MAX:
                    raise ListUnreachable(f"The answer is larger than {BYTES_MAX // 1024**2} MB.")
            return bytes(body)
    except httpx.InvalidURL:
        raise InvalidRequest("url: this is no address.", field="url") from None
    except TimeoutError:
        raise ListUnreachable(f"The address did not answer within {_SECONDS_MAX:.0f} seconds.") from None
    except httpx.HTTPError as error:
        raise ListUnreachable(f"The price list could not be fetched: {error}") from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None

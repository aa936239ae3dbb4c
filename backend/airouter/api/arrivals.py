"""A request as it came in: its identity, and who is on the other side of the wire.

The outermost layer of the application. It mints the request id, puts it on the answer, and works out the client's
address once, so that nobody below reads forwarded headers again.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from airouter.domain.errors import RequestTimedOut
from airouter.domain.ids import RequestId
from airouter.world import new_id

ARRIVAL_SECONDS_MAX: Final = 300
"""A request whose body has not come in by then is given up."""
_SCOPE_KEY: Final = "airouter.arrival"
_SLASHES = re.compile(rb"//+")
_CLIENT_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")

IPAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Headers = Sequence[tuple[bytes, bytes]]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One request on its way in. `client_request_id` is what the client calls it, and identifies nothing."""

    request_id: RequestId
    client_request_id: str | None
    address: str
    user_agent: str


def arrival_of(scope: Any) -> Arrival:
    """The arrival that `Arrivals` put into the ASGI scope."""
    return scope[_SCOPE_KEY]


class Arrivals:
    """ASGI layer: stamps each request on its way in and each answer on its way out. A body that takes too long to come
    is a `RequestTimedOut` to whoever reads it.
    """

    def __init__(self, app: Any, trusted_proxies: Sequence[Network]) -> None:
        self._app = app
        self._trusted = tuple(trusted_proxies)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if b"//" in scope.get("raw_path", b""):
            scope = {**scope, **_without_empty_parts(scope["raw_path"])}
        arrival = self._stamp(scope)
        scope[_SCOPE_KEY] = arrival
        header = (b"x-request-id", str(arrival.request_id).encode())

        async def send_stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"x-request-id"]
                message = {**message, "headers": [*kept, header]}
            await send(message)

        await self._app(scope, _in_time(receive), send_stamped)

    def _stamp(self, scope: Any) -> Arrival:
        headers: Headers = scope["headers"]
        claimed = _first(headers, b"x-request-id")
        peer = scope.get("client")
        return Arrival(
            request_id=RequestId(new_id()),
            client_request_id=claimed.decode() if claimed and _CLIENT_REQUEST_ID.fullmatch(claimed) else None,
            address=client_address(peer[0] if peer else None, headers, self._trusted),
            user_agent=(_first(headers, b"user-agent") or b"").decode("latin-1")[:300],
        )


def late() -> RequestTimedOut:
    """The refusal of a request that is given up."""
    seconds = ARRIVAL_SECONDS_MAX
    return RequestTimedOut(f"The request did not come in within {seconds} seconds.", limit_seconds=seconds)


def _in_time(receive: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
    """The same until the request is whole, but for no longer than a request may take, from when it is first read."""
    is_whole = False
    ends_at: float | None = None

    async def received() -> Any:
        nonlocal is_whole, ends_at
        if is_whole:
            return await receive()
        if ends_at is None:
            ends_at = asyncio.get_running_loop().time() + ARRIVAL_SECONDS_MAX
        try:
            async with asyncio.timeout_at(ends_at):
                message = await receive()
        except TimeoutError:
            raise late() from None
        is_whole = message["type"] != "http.request" or not message.get("more_body")
        return message

    return received


def _without_empty_parts(raw_path: bytes) -> dict[str, Any]:
    """The address that is meant where a base URL ends, or a path begins, with one slash too many."""
    meant = _SLASHES.sub(b"/", raw_path)
    return {"raw_path": meant, "path": unquote(meant.decode("latin-1"))}


def client_address(peer: str | None, headers: Headers, trusted: Sequence[Network]) -> str:
    """Who called: the peer, or what the nearest trusted proxies say about it.

    `X-Forwarded-For` counts only when the peer is a configured proxy, and is read from the right: each entry was
    appended by the proxy after it, so the first entry that is no trusted proxy is the client, and everything left of it
    is hearsay. A peer without an address (a unix socket) is this machine.
    """
    here = _parse(peer) if peer else ip_address("127.0.0.1")
    if here is None:
        return peer or ""
    hops = [
        h.strip() for name, value in headers if name == b"x-forwarded-for" for h in value.decode("latin-1").split(",")
    ]
    while hops and _is_in(here, trusted):
        said = _parse(hops.pop())
        if said is None:  # a proxy of ours that forwards nonsense: stop at what is known
            break
        here = said
    return str(here)


def _parse(text: str) -> IPAddress | None:
    text = text.strip()
    if text.startswith("["):  # [v6]:port
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # v4:port
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: IPAddress, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _first(headers: Headers, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key == name), None)

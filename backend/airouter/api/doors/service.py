"""What happens to a call between the server and the pipeline: the client's address, and a refusal in the door's
own shape.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from airouter.api.arrivals import Headers, Network, arrival_of, client_address
from airouter.api.door_errors import passed_on, refusal, stream_error
from airouter.domain.errors import BodyTooLarge, DomainError, UpstreamRefusedRequest
from airouter.domain.ids import RequestId
from airouter.domain.key import Caller
from airouter.gateway.door import Door
from airouter.gateway.exchange import Exchange
from airouter.gateway.kept.things import About
from airouter.gateway.pipeline import Gateway

log = logging.getLogger("airouter.doors")


class ServerExchange(Exchange, Protocol):
    """An exchange that can also end in a refusal, once."""

    request_id: RequestId


class Doors:
    """Serves exchanges. One per process, shared by the hot route and the ASGI route."""

    def __init__(self, gateway: Gateway, trusted_proxies: Sequence[Network], body_bytes_max: Callable[[], int]) -> None:
        self.gateway = gateway
        self._trusted = tuple(trusted_proxies)
        self._body_bytes_max = body_bytes_max

    @property
    def body_bytes_max(self) -> int:
        """Policy `limits.body_bytes_max` as it stands now."""
        return self._body_bytes_max()

    def address(self, peer: str | None, headers: Headers) -> str:
        """The client's address: the peer's unless a configured proxy stands between."""
        if peer is not None and not self._trusted:
            return peer
        return client_address(peer, headers, self._trusted)

    async def caller(self, scope: Any) -> Caller:
        """Who asks at an address that is no door, such as the list of models.

        Raises:
            Unauthenticated, NotAllowed: the key cannot be used, or not from there.
        """
        secret = secret_in(scope["headers"], scope["query_string"])
        return await self.gateway.caller(secret, arrival_of(scope).address)

    async def serve(self, exchange: ServerExchange) -> None:
        """One call, to its end; never raises."""
        try:
            answer = self.gateway.count if exchange.door.is_free else self.gateway.answer
            await answer(exchange, exchange.request_id)
        except DomainError as error:
            refuse(exchange, error)
        except Exception:
            log.exception("door.failed request=%s", exchange.request_id)
            refuse(exchange, None)

    async def about(self, exchange: ServerExchange, about: About) -> None:
        """One request about a stored response, to its end; never raises."""
        try:
            await self.gateway.about(exchange, exchange.request_id, about)
        except DomainError as error:
            refuse(exchange, error)
        except Exception:
            log.exception("door.failed request=%s", exchange.request_id)
            refuse(exchange, None)


_KEY_HEADERS: Final = frozenset({b"x-api-key", b"x-goog-api-key"})
_DIALECT_HEADERS: Final = frozenset({b"anthropic-version", b"anthropic-beta"})


def secret_in(headers: Sequence[tuple[bytes, bytes]], query: bytes = b"") -> str | None:
    """The API key that a request presents: `Authorization: Bearer …`, `x-api-key` as Anthropic's clients send it,
    `x-goog-api-key` or `?key=` as Google's do. An `Authorization` without a key is that of a proxy on the way, if any.
    """
    other: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            scheme, _, secret = value.partition(b" ")
            if scheme.lower() == b"bearer" and (found := secret.strip()):
                return found.decode("latin-1")
        elif name in _KEY_HEADERS:
            other = value
    if other is None and b"key=" in query:
        return parse_qs(query.decode("latin-1")).get("key", [""])[-1] or None
    return other.strip().decode("latin-1") if other else None


def encoding_of(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """What the body of a request was encoded with; None: it was sent as it is."""
    for name, value in headers:
        if name == b"content-encoding":
            return None if value.lower() == b"identity" else value.decode("latin-1")
    return None


def dialect_headers(door: Door, headers: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    """What goes on to a provider of the same dialect."""
    if door.dialect != "anthropic":
        return ()
    return tuple(header for header in headers if header[0] in _DIALECT_HEADERS)


def too_large(bytes_max: int) -> BodyTooLarge:
    """The refusal of a body of more than so many bytes."""
    return BodyTooLarge(f"The request body is larger than {bytes_max} bytes.", limit_bytes=bytes_max)


def refuse(exchange: ServerExchange, error: DomainError | None) -> None:
    """Ends the exchange with a refusal; None is a fault of ours that has no words for a caller.

    Before the first byte it has a status of its own. Inside a stream it is an event, and the stream ends without its
    usual end.
    """
    found = error or RuntimeError("internal")
    dialect = exchange.door.dialect
    if exchange.has_begun:
        is_array = exchange.named is not None and exchange.named.is_array
        exchange.write(stream_error(found, dialect, exchange.request_id, is_array=is_array))
        exchange.end()
        return
    ids = exchange.door.id_headers(exchange.request_id)
    if isinstance(found, UpstreamRefusedRequest):
        details = found.details
        body = passed_on(details["status"], details["body"], dialect, exchange.request_id, details["is_same_dialect"])
        exchange.send(found.details["status"], ((b"content-type", b"application/json"), *ids), body)
        return
    answer = refusal(found, dialect, exchange.request_id)
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    limits = error.details.get("headers", ()) if error else ()
    exchange.send(answer.status, (*headers, *limits, *ids), answer.body)

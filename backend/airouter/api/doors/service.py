"""What happens to a call between the server and the pipeline: the client's address, and a refusal in the door's
own shape.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from airouter.api.arrivals import Headers, Network, client_address
from airouter.api.errors import openai_error, refusal
from airouter.domain.errors import DomainError, UpstreamRefusedRequest
from airouter.domain.ids import RequestId
from airouter.gateway.exchange import Exchange
from airouter.gateway.pipeline import Gateway
from airouter.wire.openai import passed_on_error

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

    async def serve(self, exchange: ServerExchange) -> None:
        """One call, to its end; never raises."""
        try:
            await self.gateway.answer(exchange, exchange.request_id)
        except DomainError as error:
            refuse(exchange, error)
        except Exception:
            log.exception("door.failed request=%s", exchange.request_id)
            refuse(exchange, None)


def secret_in(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """The API key that a request presents: `Authorization: Bearer …`, or `x-api-key` as Anthropic's clients send it."""
    other: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            scheme, _, secret = value.partition(b" ")
            return secret.strip().decode("latin-1") if scheme.lower() == b"bearer" else None
        if name == b"x-api-key":
            other = value
    return other.strip().decode("latin-1") if other else None


def refuse(exchange: ServerExchange, error: DomainError | None) -> None:
    """Ends the exchange with a refusal; None is a fault of ours that has no words for a caller.

    Before the first byte it has a status of its own. Inside a stream it is an event, and the stream ends without its
    usual end.
    """
    found = error or RuntimeError("internal")
    if exchange.has_begun:
        exchange.write(b"data: " + msgspec.json.encode(openai_error(found)) + b"\n\n")
        exchange.end()
        return
    if isinstance(found, UpstreamRefusedRequest):
        body = passed_on_error(found.details["body"])
        exchange.send(found.details["status"], ((b"content-type", b"application/json"), _request_id(exchange)), body)
        return
    answer = refusal(found, exchange.door.dialect, exchange.request_id)
    headers = [(name.encode(), value.encode()) for name, value in answer.headers]
    limits = error.details.get("headers", ()) if error else ()
    exchange.send(answer.status, (*headers, *limits, _request_id(exchange)), answer.body)


def _request_id(exchange: ServerExchange) -> tuple[bytes, bytes]:
    return b"x-request-id", str(exchange.request_id).encode()

"""An httpx client for the house's own errands: payment processors, identity providers, webhooks that people asked for.

It connects only where its guard allows (guarantee G13), follows no redirects, reads no proxy from the environment, and
waits a bounded time. What floor 3 does with it needs to know httpx alone: a refused address is an `httpx.ConnectError`.
"""

import ssl
from typing import Final

import httpx

from airouter.upstream.contract import AddressRefused, ConnectFailed, ConnectionLimits
from airouter.upstream.dialer import Guard
from airouter.upstream.httpx_client import guarded_transport
from airouter.upstream.tls import tls_context

_TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)
_LIMITS: Final = ConnectionLimits(connections_max=50, idle_max=10)


def guarded_client(guard: Guard, *, tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """The caller closes it."""
    transport = _Translating(guarded_transport(guard, _LIMITS, tls or tls_context()))
    return httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=False)


class _Translating(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncHTTPTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except (AddressRefused, ConnectFailed) as error:
            raise httpx.ConnectError(str(error), request=request) from error

    async def aclose(self) -> None:
        await self._inner.aclose()

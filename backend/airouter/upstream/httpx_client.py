"""The same contract over httpx, for everything unusual: proxies, and whatever the client of the hot path does not know.

Roughly a hundred times slower than `http1`. Its connection bounds are for all origins together, and an idle-close race
is an ordinary `BrokenOff`.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from airouter.upstream.contract import (
    BadAnswer,
    BrokenOff,
    ConnectFailed,
    ConnectionLimits,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    PoolExhausted,
    Timeouts,
    TlsFailed,
    UpstreamError,
    UpstreamRequest,
    mark_not_sent,
)
from airouter.upstream.dialer import Guard
from airouter.upstream.request_head import request_head
from airouter.upstream.tls import tls_context
from airouter.upstream.whole import read_whole

_SocketOptions = Iterable[httpcore.SOCKET_OPTION]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects httpcore to addresses that the guard allows; TLS still verifies the name that was asked for."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: _SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Try the allowed addresses in turn. Raises: AddressRefused, ConnectFailed, or httpcore's own."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._guard.addresses(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        failure: Exception | None = None
        for address in addresses:
            share = None if timeout is None else timeout / len(addresses)
            try:
                return _PlainStream(await self._inner.connect_tcp(address, port, share, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Httpcore pauses between attempts with this."""
        await asyncio.sleep(seconds)


class _PlainStream(httpcore.AsyncNetworkStream):
    """A stream before TLS. httpcore forgets to close it when a handshake is cancelled."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._inner.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def guarded_transport(
    guard: Guard, limits: ConnectionLimits, tls: ssl.SSLContext, proxy: str | None = None
) -> httpx.AsyncHTTPTransport:
    """Httpx's own transport, connecting only to addresses that the guard allows."""
    transport = httpx.AsyncHTTPTransport(verify=tls, trust_env=False)
    # httpx offers no parameter for the network below it, so its connection pool is replaced by one that we made.
    bounds: dict[str, Any] = {
        "ssl_context": tls,
        "max_connections": limits.connections_max,
        "max_keepalive_connections": limits.idle_max,
        "keepalive_expiry": limits.idle_ttl_seconds,
        "network_backend": GuardedBackend(guard),
    }
    transport._pool = (  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above
        httpcore.AsyncConnectionPool(**bounds) if proxy is None else _proxied(proxy, tls, bounds)
    )
    return transport


def _proxied(proxy: str, tls: ssl.SSLContext, bounds: dict[str, Any]) -> httpcore.AsyncHTTPProxy:
    """Httpcore takes the credentials of a proxy apart from its address."""
    parts = urlsplit(proxy)
    login = None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return httpcore.AsyncHTTPProxy(
        proxy_url=address,
        proxy_auth=login,
        proxy_ssl_context=tls if parts.scheme == "https" else None,
        **bounds,
    )


class HttpxClient:
    """See `contract.UpstreamClient`. With `proxy` (http, https) the guard judges the proxy's address, and the proxy
    alone decides where it connects to: only for hosts that the operator named.
    """

    def __init__(
        self,
        guard: Guard,
        limits: ConnectionLimits | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        self._transport = guarded_transport(guard, limits or ConnectionLimits(), tls or tls_context(), proxy)
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._under_way = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def send(self, request: UpstreamRequest, timeouts: Timeouts) -> "HttpxAnswer":
        """See the contract."""
        if self._closed:
            raise ConnectFailed("the client was closed")
        request_head(request)  # refuses what must not be written
        self._under_way += 1
        self._is_idle.clear()
        try:
            return await self._answered(request, timeouts)
        except BaseException:
            self._left()
            raise

    def _left(self) -> None:
        """A request is over: it failed, or its answer was closed."""
        self._under_way -= 1
        if not self._under_way:
            self._is_idle.set()

    async def _answered(self, request: UpstreamRequest, timeouts: Timeouts) -> "HttpxAnswer":
        loop, until_head = asyncio.get_running_loop(), asyncio.timeout(None)
        try:
            async with until_head:

                async def trace(event: str, _info: dict[str, object]) -> None:
                    if event.endswith("send_request_headers.started"):
                        until_head.reschedule(loop.time() + timeouts.first_byte_seconds)

                response = await self._transport.handle_async_request(_httpx_request(request, timeouts, trace))
        except TimeoutError:
            raise FirstByteTimeout("no head of an answer came in time") from None
        except asyncio.CancelledError as gone:
            if until_head.when() is None:
                mark_not_sent(gone)
            raise
        except httpx.HTTPError as error:
            raise _translated(error) from error
        return HttpxAnswer(response, timeouts.idle_seconds, self._closing, self._left)

    async def finish(self) -> None:
        """Close when nothing is under way any more."""
        await self._is_idle.wait()
        await self.close()

    async def close(self) -> None:
        """See the contract."""
        self._closed = True
        self._is_idle.set()  # `finish` waits for nothing any more
        await self._transport.aclose()
        if self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)


class HttpxAnswer:
    """See `contract.UpstreamAnswer`."""

    def __init__(
        self,
        response: httpx.Response,
        idle_seconds: float,
        closing: set[asyncio.Task[None]],
        when_closed: Callable[[], None],
    ) -> None:
        self._when_closed = when_closed
        self.status = response.status_code
        self.headers: Sequence[tuple[bytes, bytes]] = [(name.lower(), value) for name, value in response.headers.raw]
        self._stream = cast("httpx.AsyncByteStream", response.stream)
        self._chunks: AsyncIterator[bytes] = aiter(self._stream)
        self._idle_seconds = idle_seconds
        self._closing = closing
        self._error: UpstreamError | None = None
        self._seen = False
        self._done = False
        self._closed = False

    async def chunk(self) -> bytes:
        """See the contract."""
        if self._closed:
            raise RuntimeError("the answer was closed")
        if self._done:
            return b""
        if self._error is not None:
            raise self._error
        # A generator that was interrupted ends as if it were complete; this must not look like a clean end.
        self._error = BrokenOff("reading was interrupted", before_first_byte=not self._seen)
        try:
            async with asyncio.timeout(self._idle_seconds):
                data = await anext(self._chunks, b"")
                if not data:
                    await self._stream.aclose()  # complete: back to the pool before the caller's next call
        except TimeoutError:
            self._error = IdleTimeout("no more of the answer came in time", before_first_byte=not self._seen)
            raise self._error from None
        except httpx.HTTPError as error:
            self._error = BrokenOff(f"the answer broke off: {error}", before_first_byte=not self._seen)
            raise self._error from error
        self._error = None
        self._seen = self._seen or bool(data)
        self._done = not data
        return data

    async def read(self, limit_bytes: int) -> bytes:
        """See the contract."""
        return await read_whole(self.chunk, limit_bytes)

    def close(self) -> None:
        """See the contract."""
        if self._closed:
            return
        self._closed = True
        self._when_closed()
        if not self._done:
            task = asyncio.get_running_loop().create_task(self._stream.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _httpx_request(request: UpstreamRequest, timeouts: Timeouts, trace: object) -> httpx.Request:
    origin = request.origin
    # Leaves the path as it is but for characters that no URL may contain. (httpcore's extension "target" would be
    # exact, and overwrite what it says to proxies.)
    path = request.path.encode("ascii")
    return httpx.Request(
        request.method,
        httpx.URL(scheme=origin.scheme, host=origin.host, port=origin.port, raw_path=path),
        headers=list(request.headers),
        content=request.body,
        extensions={
            "timeout": {
                "connect": timeouts.connect_seconds,
                "pool": timeouts.connect_seconds,
                "read": None,
                "write": timeouts.first_byte_seconds,
            },
            "trace": trace,
        },
    )


def _translated(error: httpx.HTTPError) -> UpstreamError:
    """Httpx's error before the head was complete, in our words."""
    text = str(error)
    match error:
        case httpx.PoolTimeout():
            return PoolExhausted("all connections stayed busy")
        case httpx.ConnectTimeout():
            return ConnectTimeout("no connection in time")
        case httpx.ConnectError() | httpx.ProxyError():
            return TlsFailed(text) if _is_caused_by_tls(error) else ConnectFailed(text)
        case httpx.WriteTimeout():
            return FirstByteTimeout("the request could not be written in time")
        case httpx.RemoteProtocolError() if not text.startswith("Server disconnected"):
            return BadAnswer(f"not an HTTP answer: {text}")
        case _:
            return BrokenOff(f"the connection ended before the answer: {text}", before_first_byte=True)


def _is_caused_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False

"""The client of the hot path: HTTP/1.1 over kept-alive connections, one parser and no task or timer per call."""

import asyncio
import ssl

from airouter.upstream.answer import Http1Answer
from airouter.upstream.connection import Http1Connection
from airouter.upstream.contract import (
    ConnectFailed,
    ConnectionLimits,
    Origin,
    PoolExhausted,
    Timeouts,
    UpstreamRequest,
    mark_not_sent,
)
from airouter.upstream.deadlines import Deadlines
from airouter.upstream.dialer import Dialer, Guard
from airouter.upstream.pool import OriginPool
from airouter.upstream.request_head import length_line, request_head
from airouter.upstream.tls import tls_context

_POOLS_MAX = 1024
"""Above this many origins, pools without connections are dropped when another is made."""


class Http1Client:
    """See `contract.UpstreamClient`. To be made inside a running event loop, and used on that loop only.

    A connection that the upstream closed as idle at the moment a request was written to it is replaced by a new one and
    the request written again, once, provided that not one byte of an answer had come.
    """

    def __init__(self, guard: Guard, limits: ConnectionLimits | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits or ConnectionLimits()
        self._deadlines = Deadlines(self._loop)
        self._dialer = Dialer(guard, tls or tls_context(), self._loop)
        self._pools: dict[Origin, OriginPool] = {}
        self._closed = False

    async def send(self, request: UpstreamRequest, timeouts: Timeouts) -> Http1Answer:
        """See the contract."""
        pool = self._pools.get(request.origin) or self._add_pool(request.origin)
        key = (request.method, request.path, request.headers)
        head = pool.heads.get(key)
        if head is None:
            head = request_head(request)
            pool.remember_head(key, head)
        length = length_line(request.method, request.body)
        head_only = request.method == "HEAD"
        try:
            connection = pool.idle.pop() if pool.idle else await self._obtain(pool, timeouts.connect_seconds)
        except asyncio.CancelledError as gone:
            mark_not_sent(gone)
            raise
        deadline = self._loop.time() + timeouts.first_byte_seconds
        while True:
            connection.begin(head, length, request.body, head_only=head_only, deadline=deadline)
            try:
                while not connection.head_done and connection.error is None:
                    await connection.arrival()
            except BaseException:
                connection.finish()
                raise
            connection.stop_waiting()
            if connection.head_done:
                return Http1Answer(connection, timeouts.idle_seconds)
            if not connection.is_stale:
                error = connection.error
                connection.finish()
                assert error is not None
                raise error
            # A new connection in the same slot: another idle one would probably be just as dead.
            connection.abort()
            connection = await self._open(pool, self._loop.time() + timeouts.connect_seconds)

    async def close(self) -> None:
        """See the contract."""
        self._closed = True
        for pool in self._pools.values():
            pool.close()
        self._deadlines.abort_all()
        await self._deadlines.drained()

    @property
    def connections_open(self) -> int:
        """How many sockets this client holds, idle ones included."""
        return len(self._deadlines.watched)

    def _add_pool(self, origin: Origin) -> OriginPool:
        if self._closed:
            raise ConnectFailed("the client was closed")
        if len(self._pools) >= _POOLS_MAX:
            self._pools = {known: pool for known, pool in self._pools.items() if not pool.is_unused}
        pool = OriginPool(origin, self._limits, self._loop)
        self._pools[origin] = pool
        return pool

    async def _obtain(self, pool: OriginPool, connect_seconds: float) -> Http1Connection:
        deadline = self._loop.time() + connect_seconds
        if self._closed:
            raise ConnectFailed("the client was closed")
        if pool.take_slot():
            return await self._open(pool, deadline)
        place = pool.queue()
        try:
            async with asyncio.timeout_at(deadline):
                connection = await place
        except TimeoutError:
            pool.leave(place)
            raise PoolExhausted(
                f"all {self._limits.connections_max} connections to {pool.origin.authority} stayed busy"
            ) from None
        except BaseException:
            pool.leave(place)
            raise
        return await self._open(pool, deadline) if connection is None else connection

    async def _open(self, pool: OriginPool, deadline: float) -> Http1Connection:
        """Open a connection in a slot already taken, which is free again if this fails."""
        try:
            connection = await self._dialer.dial(
                pool.origin, lambda: Http1Connection(pool, self._limits, self._deadlines, self._loop), deadline
            )
        except BaseException:
            pool.free_slot()
            raise
        if self._closed:
            connection.abort()
            pool.free_slot()
            raise ConnectFailed("the client was closed")
        return connection

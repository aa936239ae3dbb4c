"""The connections to one origin: which are free, how many there may be, and who waits for one."""

import asyncio
from collections import deque

from airouter.upstream.connection import Http1Connection
from airouter.upstream.contract import ConnectFailed, ConnectionLimits, Headers, Origin

_HEADS_MAX = 1024


class OriginPool:
    """Bounded, last in first out: the connection used last is the least likely to have been closed meanwhile.

    A *slot* is the right to one connection, held from before it is opened until it is gone. Callers wait for a slot or
    a free connection in the order they came. While anybody waits nothing is idle: what is given back goes to the first.
    """

    def __init__(self, origin: Origin, limits: ConnectionLimits, loop: asyncio.AbstractEventLoop) -> None:
        self.origin = origin
        self.idle: list[Http1Connection] = []
        self.heads: dict[tuple[str, str, Headers], bytes] = {}
        self.slots_taken = 0
        self._limits = limits
        self._loop = loop
        self._waiting: deque[asyncio.Future[Http1Connection | None]] = deque()
        self._closed = False

    @property
    def is_unused(self) -> bool:
        """Whether nothing would be lost by dropping this pool."""
        return self.slots_taken == 0 and not self._waiting

    def take_slot(self) -> bool:
        """Whether a connection may be opened now."""
        if self._closed or self.slots_taken >= self._limits.connections_max:
            return False
        self.slots_taken += 1
        return True

    def free_slot(self) -> None:
        """A connection is gone, or was never made. The first who waits may open one."""
        if not self._hand_over(None):
            self.slots_taken -= 1

    def give_back(self, connection: Http1Connection) -> None:
        """A connection may serve another call."""
        if self._closed:
            connection.abort()
            self.slots_taken -= 1
            return
        if self._hand_over(connection):
            return
        connection.deadline = self._loop.time() + self._limits.idle_ttl_seconds
        self.idle.append(connection)
        if len(self.idle) > self._limits.idle_max:
            oldest = self.idle.pop(0)
            self.slots_taken -= 1
            oldest.retire()

    def forget_idle(self, connection: Http1Connection) -> None:
        """An idle connection is no longer of use. Nothing happens to one that has left the pool already."""
        if connection in self.idle:
            self.idle.remove(connection)
            self.slots_taken -= 1

    def remember_head(self, key: tuple[str, str, Headers], head: bytes) -> None:
        """Keep the bytes of a request head; forget all when there are too many (headers that differ on every call)."""
        if len(self.heads) >= _HEADS_MAX:
            self.heads.clear()
        self.heads[key] = head

    def queue(self) -> "asyncio.Future[Http1Connection | None]":
        """Wait in line. The result is a free connection, or None for the right to open one."""
        place = self._loop.create_future()
        self._waiting.append(place)
        return place

    def leave(self, place: "asyncio.Future[Http1Connection | None]") -> None:
        """Give up a place in line, and hand on what it may have received at the last moment."""
        if place in self._waiting:
            self._waiting.remove(place)
        if not place.done():
            place.cancel()
        elif not place.cancelled() and place.exception() is None:
            connection = place.result()
            if connection is None:
                self.free_slot()
            else:
                connection.finish_unused()

    def close(self) -> None:
        """Cut what is idle, send away who waits, take nothing back."""
        self._closed = True
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_exception(ConnectFailed("the client was closed"))
        while self.idle:
            self.idle.pop().abort()
            self.slots_taken -= 1

    def _hand_over(self, connection: Http1Connection | None) -> bool:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                if connection is not None:
                    connection.lend()
                place.set_result(connection)
                return True
        return False

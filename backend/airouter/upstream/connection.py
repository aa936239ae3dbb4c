"""One HTTP/1.1 connection: the state of the exchange that runs on it.

A connection is lent to one call at a time. The call writes its request (`begin`), waits for `arrival`s until the head
is there, and hands an `Http1Answer` to its caller; closing the answer ends the loan. Parser call-backs run inside
`data_received`.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from math import inf
from typing import Protocol, cast

import httptools

from airouter.upstream.contract import (
    BadAnswer,
    BrokenOff,
    ConnectionLimits,
    FirstByteTimeout,
    IdleTimeout,
    UpstreamError,
)
from airouter.upstream.deadlines import Deadlines
from airouter.upstream.dialer import Dialled

_JOINED_BODY_BYTES_MAX = 65_536
"""Up to here copying head and body into one buffer is cheaper than handing over two."""

_INTERIM_STATUS = 100
_FINAL_STATUS = 200


class _EndOfAnswer(Exception):
    """Stops the parser: what follows is not part of the answer."""


class Home(Protocol):
    """Where a connection returns to; `pool.OriginPool` is the real one."""

    def give_back(self, connection: "Http1Connection") -> None:
        """The loan ended well: the connection may serve another call."""
        ...

    def free_slot(self) -> None:
        """The loan ended and the connection with it."""
        ...

    def forget_idle(self, connection: "Http1Connection") -> None:
        """The upstream closed a connection that nobody was using, or it broke a rule, or grew old."""
        ...


class Http1Connection(Dialled):
    """A connection of the pool. Attributes without underscore are for the client and the answer in this folder."""

    __slots__ = (
        "_bodiless_bytes",
        "_body_seen",
        "_closed",
        "_deadlines",
        "_dirty",
        "_discarded",
        "_exchanging",
        "_head_bytes_max",
        "_head_only",
        "_headers",
        "_high_water_bytes",
        "_home",
        "_keep_alive",
        "_lent",
        "_parser",
        "_paused",
        "_received_bytes",
        "_transport",
        "_used",
        "_waiter",
        "buffered_bytes",
        "chunks",
        "deadline",
        "done",
        "error",
        "head_done",
        "headers",
        "loop",
        "on_body",
        "status",
    )

    def __init__(
        self, home: Home, limits: ConnectionLimits, deadlines: Deadlines, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.loop = loop
        self._home = home
        self._high_water_bytes = limits.high_water_bytes
        self._head_bytes_max = limits.head_bytes_max
        self._deadlines = deadlines
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._closed = True  # until there is a transport
        self._discarded = False
        self._dirty = False
        self._exchanging = False
        self._lent = True
        self._used = False
        self.deadline = inf
        self.chunks: list[bytes] = []
        # The parser appends body bytes without a Python frame of ours in between.
        self.on_body: Callable[[bytes], None] = self.chunks.append
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._reset(head_only=False)

    def _reset(self, *, head_only: bool) -> None:
        self._head_only = head_only
        self._headers: list[tuple[bytes, bytes]] = []
        self.headers: Sequence[tuple[bytes, bytes]] = ()
        self.status = 0
        self.head_done = False
        self.done = False
        self.error: UpstreamError | None = None
        self.buffered_bytes = 0
        self._received_bytes = 0
        self._bodiless_bytes = 0
        self._body_seen = False
        self._keep_alive = False
        self._paused = False

    # The loan.

    def lend(self) -> None:
        """Somebody holds this connection from here on."""
        self._lent = True
        self.deadline = inf

    def begin(self, head: bytes, length: bytes, body: bytes, *, head_only: bool, deadline: float) -> None:
        """Write a request; `deadline` is for the head of its answer. A connection lost before sets `error` at once."""
        self._reset(head_only=head_only)
        if self._closed or self._dirty:
            self.error = BrokenOff("the connection was closed while idle", before_first_byte=True)
            return
        self._lent = True
        self._exchanging = True
        self.deadline = deadline
        if len(body) <= _JOINED_BODY_BYTES_MAX:
            self._transport.write(b"".join((head, length, body)))
        else:
            self._transport.write(head + length)
            self._transport.write(body)

    def arrival(self) -> asyncio.Future[None]:
        """Done when something has happened. Whoever waits looks again at what they wait for."""
        assert self._waiter is None, "two tasks wait on one answer"
        self._waiter = waiter = self.loop.create_future()
        return waiter

    def stop_waiting(self) -> None:
        """The wait is over, whatever ended it."""
        self._waiter = None
        self.deadline = inf

    @property
    def is_stale(self) -> bool:
        """Closed by the upstream as idle, at the moment we wrote to it: reused, and not one byte of an answer came."""
        return self._used and self._received_bytes == 0 and isinstance(self.error, BrokenOff)

    def take(self) -> bytes:
        """All body bytes that have arrived and were not yet taken."""
        chunks = self.chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.buffered_bytes = 0
        self._body_seen = True
        if self._paused:
            self._paused = False
            if not self._closed and self.error is None:
                self._transport.resume_reading()
        return data

    def finish(self) -> None:
        """End the loan: back to the pool when the answer is complete and both sides may go on, else cut."""
        self.deadline = inf
        self._waiter = None
        self._exchanging = False
        self.chunks.clear()
        if (
            self.done
            and self._keep_alive
            and not self._dirty
            and not self._closed
            and self.error is None
            and self._transport.get_write_buffer_size() == 0
        ):
            if self._paused:
                self._paused = False
                self._transport.resume_reading()
            self._lent = False
            self._used = True
            self._home.give_back(self)
        else:
            self.abort()
            self._home.free_slot()

    def finish_unused(self) -> None:
        """End a loan in which nothing was written."""
        self._lent = False
        if self._closed or self._dirty:
            self._home.free_slot()
        else:
            self._home.give_back(self)

    def abort(self) -> None:
        """Cut at once, without a farewell."""
        if not self._closed:
            self._transport.abort()

    def discard(self) -> None:
        """Opening was given up. uvloop then closes the transport without telling, even after `connection_made`."""
        self.abort()
        self._discarded = True
        self._closed = True
        self._parser = None
        self._deadlines.forget(self)

    def retire(self) -> None:
        """Close an idle connection in good order."""
        self.deadline = inf
        self._dirty = True
        self._transport.close()

    def expire(self) -> None:
        """The deadline has passed: of an idle connection, of the wait for the head, or of the wait for more body.

        Something may have arrived in the same turn of a loop that was busy: then whoever waited looks at it first, and
        the next tick tells whether that was all they waited for.
        """
        if self._lent and self._waiter is None:
            return
        self.deadline = inf
        if not self._lent:
            self._home.forget_idle(self)
            self.retire()
        elif self.head_done:
            self._fail(IdleTimeout("no more of the answer came in time", before_first_byte=not self._body_seen))
        else:
            self._fail(FirstByteTimeout("no head of an answer came in time"))

    # What the transport says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A socket, or TLS over it, is ready."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are not subclasses
        if self._discarded:
            self._transport.abort()
            return
        self._closed = False
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._deadlines.watch(self)

    def data_received(self, data: bytes) -> None:
        """Parse, pause above the high-water mark, wake whoever waits."""
        if not self._exchanging:
            # Nobody asked: a broken upstream, or a farewell in words. It must not answer the next call.
            self._dirty = True
            self.abort()
            self._home.forget_idle(self)
            return
        if self.error is not None or self._parser is None:
            return
        size = len(data)
        self._received_bytes += size
        before = len(self.chunks)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._parser_failed(error)
        if not self.head_done:
            if self._received_bytes > self._head_bytes_max and self.error is None:
                self._fail(BadAnswer(f"the head of the answer is longer than {self._head_bytes_max} bytes"))
        elif len(self.chunks) > before:
            self._bodiless_bytes = 0
            self.buffered_bytes += size
            if self.buffered_bytes > self._high_water_bytes and not self.done and not self._paused:
                self._paused = True
                self._transport.pause_reading()
        elif not self.done:
            self._bodiless_bytes += size
            if self._bodiless_bytes > self._head_bytes_max:
                self._fail(BrokenOff("framing without end", before_first_byte=not self._body_seen))
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Complete a body that only the end of the connection delimits, otherwise fail what is unfinished."""
        self._closed = True
        self._parser = None  # it refers to us
        self._deadlines.forget(self)
        if not self._lent:
            self._home.forget_idle(self)
            return
        if self.error is None and not self.done:
            if exc is None and self.head_done and not self._is_framed():
                self.done = True
            else:
                reason = f": {exc}" if exc else ""
                self.error = BrokenOff(
                    f"the connection ended before the answer was complete{reason}",
                    before_first_byte=not (self._body_seen or self.chunks),
                )
        self._wake()

    # What the parser says.

    def on_message_begin(self) -> None:
        """Something after the end of an answer is an answer to nothing."""
        if self.done:
            raise _EndOfAnswer

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is complete; an interim one is dropped."""
        assert self._parser is not None
        if self.head_done:
            return
        status = self._parser.get_status_code()
        if status < _FINAL_STATUS:
            self._headers = []
            if status < _INTERIM_STATUS:
                self._fail(BadAnswer(f"{status} is not a status"))
            return
        self.status = status
        self.headers = self._headers
        self._headers = []  # trailers go into a list that nobody reads
        # To be asked here: once the message is complete the parser always says no.
        self._keep_alive = self._parser.should_keep_alive()
        self.head_done = True
        if self._received_bytes > self._head_bytes_max:
            self._check_head_size()
        if self._head_only:
            # The parser would go on to the body that `content-length` announces.
            self.done = True
            raise _EndOfAnswer

    def on_message_complete(self) -> None:
        """The body is complete, or an interim answer is."""
        if self.head_done:
            self.done = True

    # Inside.

    def _check_head_size(self) -> None:
        if sum(len(name) + len(value) + 4 for name, value in self.headers) > self._head_bytes_max:
            self.head_done = False
            self._fail(BadAnswer(f"the head of the answer is longer than {self._head_bytes_max} bytes"))

    def _is_framed(self) -> bool:
        return any(name == b"content-length" or (name == b"transfer-encoding" and b"chunked" in value.lower())
                   for name, value in self.headers)  # fmt: skip

    def _parser_failed(self, error: Exception) -> None:
        if self.error is not None:
            return
        if self.done:
            self._dirty = True
        elif self.head_done:
            seen = self._body_seen or bool(self.chunks)
            self._fail(BrokenOff(f"the framing of the answer broke: {error}", before_first_byte=not seen))
        elif isinstance(error, httptools.HttpParserUpgrade):
            self._fail(BadAnswer("the upstream switched protocols unasked"))
        else:
            self._fail(BadAnswer(f"not an HTTP answer: {error}"))

    def _fail(self, error: UpstreamError) -> None:
        self.error = error
        self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

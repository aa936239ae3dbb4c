"""The short path from the server's protocol to the pipeline: no ASGI, no router, one task a call.

`HotProtocol` is uvicorn's httptools protocol with one addition: a complete POST to a door goes straight to
`Doors.serve`. Everything else, and pipelining, which is rare at a door, takes the ordinary way through the application,
which has the same doors. Written against uvicorn 0.54; tests/gateway/test_hot.py fails if its insides change.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from airouter.api.arrivals import ARRIVAL_SECONDS_MAX, late
from airouter.api.cors import OPEN_MARKS
from airouter.api.doors.service import Doors, dialect_headers, encoding_of, refuse, secret_in, too_large
from airouter.domain.errors import DomainError
from airouter.domain.ids import RequestId
from airouter.gateway.door import Found, find
from airouter.gateway.exchange import Headers
from airouter.world import new_id

_CORS: Final = b"".join(b"%b: %b\r\n" % mark for mark in OPEN_MARKS)
_STATUS_LINES: Final = {**STATUS_LINE, 529: b"HTTP/1.1 529 Overloaded\r\n"}
"""The last is Anthropic's own."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLIENT_ID_BYTES_MAX: Final = 128
_LOOK_SECONDS: Final = 30
"""Between two looks at how long a request has been coming in, so that nothing has to be timed per call."""


class HotCall:
    """An exchange over the socket. It also stands where uvicorn expects its own request cycle."""

    __slots__ = (
        "_act_when_gone", "_flow", "_headers", "_is_1_0", "_is_long", "_parts", "_protocol", "_query", "_size",
        "_transport", "address", "body", "client_request_id", "disconnected", "door", "doors", "has_begun",
        "keep_alive", "named", "request_id", "response_complete",
    )  # fmt: skip

    def __init__(
        self, protocol: "HotProtocol", doors: Doors, found: Found, query: bytes, *, keep_alive: bool, is_1_0: bool
    ) -> None:
        self._protocol = protocol
        self._transport: asyncio.Transport = protocol.transport
        self._flow: FlowControl = protocol.flow
        self._headers: list[tuple[bytes, bytes]] = protocol.headers
        self._is_1_0 = is_1_0
        self._parts: list[bytes] = []
        self._size = 0
        self._is_long = False
        """More of it comes in later reads."""
        self._act_when_gone: Callable[[], None] | None = None
        self.doors = doors
        self.door = found.door
        self.named = found.named
        self._query = query
        self.address = ""
        self.body = b""
        self.client_request_id: str | None = None
        self.request_id = RequestId(new_id())
        self.keep_alive = keep_alive
        self.has_begun = False
        self.response_complete = False
        self.disconnected = False

    # -- the request

    def receive(self, data: bytes) -> None:
        """Part of the body. One that is too large is refused as soon as that is known.

        The rest of it is read and thrown away, within bounds: a client that is cut off while it writes cannot read why.
        """
        self._size += len(data)
        bytes_max = self.doors.body_bytes_max
        if self.response_complete:
            if self._size > 2 * bytes_max:
                self._transport.abort()
        elif self._size > bytes_max:
            self._refuse(too_large(bytes_max))
        else:
            self._parts.append(data)

    def expect_more(self) -> None:
        """A read has ended within the request. One that says itself that it is too large is refused now, and its
        connection is not used again. Any other may go on, if it asks.
        """
        if self._is_long or self.response_complete:
            return
        self._is_long = True
        declared = self._header(b"content-length") or b"0"
        bytes_max = self.doors.body_bytes_max
        if declared.isdigit() and int(declared) > bytes_max:
            self.keep_alive = False
            self._refuse(too_large(bytes_max))
        elif self._protocol.expect_100_continue:
            self._transport.write(_CONTINUE)

    def give_up(self) -> None:
        """It has been coming in for too long."""
        self.keep_alive = False
        self._refuse(late())

    def _refuse(self, error: DomainError) -> None:
        self._parts.clear()
        refuse(self, error)

    def complete(self) -> None:
        """The whole request is here."""
        parts = self._parts
        self.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._parts = []
        client = self._protocol.client
        self.address = self.doors.address(client[0] if client else None, self._headers)
        claimed = self._header(b"x-request-id")
        if claimed is not None and len(claimed) <= _CLIENT_ID_BYTES_MAX and claimed.isascii():
            text = claimed.decode()
            self.client_request_id = text if text.isprintable() else None

    def _header(self, name: bytes) -> bytes | None:
        for key, value in self._headers:
            if key == name:
                return value
        return None

    @property
    def secret(self) -> str | None:
        return secret_in(self._headers, self._query)

    @property
    def encoding(self) -> str | None:
        return encoding_of(self._headers)

    @property
    def dialect_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        return dialect_headers(self.door, self._headers)

    # -- the answer

    @property
    def is_gone(self) -> bool:
        return self.disconnected

    @property
    def is_slow(self) -> bool:
        return self._flow.write_paused and not self.disconnected

    async def drain(self) -> None:
        await self._flow.drain()

    def when_gone(self, act: Callable[[], None]) -> None:
        if self.disconnected:
            act()
        else:
            self._act_when_gone = act

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        if self.disconnected or self.response_complete:
            return
        head = self._head(status, headers)
        head.append(b"content-length: %d\r\n\r\n" % len(body))
        head.append(body)
        self._transport.write(b"".join(head))
        self._done()

    def begin(self, status: int, headers: Headers, first: bytes) -> None:
        self.has_begun = True
        if self.disconnected:
            return
        if self._is_1_0:  # no chunks there: the end of the connection is the end of the answer
            self.keep_alive = False
        head = self._head(status, headers)
        head.append(b"\r\n" if self._is_1_0 else b"transfer-encoding: chunked\r\n\r\n")
        head.append(self._framed(first))
        self._transport.write(b"".join(head))

    def write(self, data: bytes) -> None:
        if data and not self.disconnected and not self.response_complete:
            self._transport.write(self._framed(data))

    def end(self) -> None:
        if self.disconnected or self.response_complete:
            return
        if not self.has_begun:  # an empty stream still has a head
            self.begin(200, (), b"")
        if not self._is_1_0:
            self._transport.write(b"0\r\n\r\n")
        self._done()

    def _framed(self, data: bytes) -> bytes:
        if self._is_1_0 or not data:
            return data
        return b"%x\r\n%b\r\n" % (len(data), data)

    def _head(self, status: int, headers: Headers) -> list[bytes]:
        head = [_STATUS_LINES[status]]
        head += [b"%b: %b\r\n" % pair for pair in self._protocol.server_state.default_headers]
        head += [b"%b: %b\r\n" % pair for pair in headers]
        head.append(_CORS)
        if not self.keep_alive:
            head.append(b"connection: close\r\n")
        return head

    def _done(self) -> None:
        self.response_complete = True
        self._act_when_gone = None
        if not self.keep_alive:
            self._protocol.end_after(self)
        self._protocol.on_response_complete()

    # -- where uvicorn expects its own cycle

    @property
    def message_event(self) -> "HotCall":
        """Uvicorn sets its cycle's event when the connection is lost; that is our news that the client is gone."""
        return self

    def set(self) -> None:
        act, self._act_when_gone = self._act_when_gone, None
        if self.disconnected and act is not None:
            act()


class Served(Protocol):
    """What the application offers besides ASGI."""

    @property
    def doors(self) -> Doors | None:
        """None until it has started."""
        ...


class HotProtocol(HttpToolsProtocol):
    """HTTP/1.1 over the socket, for an application that is `Served`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not hasattr(self.app, "doors"):  # wrapped in something: better said here than by a 400 per request
            raise TypeError("HotProtocol serves an application with `doors`; start uvicorn with proxy_headers=False")
        self._served: Served = self.app  # pyright: ignore[reportAttributeAccessIssue] - uvicorn knows any ASGI only
        self._hot: HotCall | None = None
        """The call whose request is coming in."""
        self._look: asyncio.TimerHandle | None = None
        self._overtaken: list[Any] = []
        """Cycles of requests that others followed before they were answered. Uvicorn knows the last one only."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._look_later(None, 0)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look is not None:
            self._look.cancel()
        for cycle in self._overtaken:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def _look_later(self, awaited: object, seconds: int) -> None:
        self._look = self.loop.call_later(_LOOK_SECONDS, self._look_at, awaited, seconds)

    def _look_at(self, awaited: object, seconds: int) -> None:
        """Gives up a request, or the rest of one that was refused, for which has been waited long enough. Its client is
        told first, here or by the application, and has until the next look to read it.
        """
        cycle: Any = self.cycle
        if cycle is None:  # not even a head so far
            waits_for = self
        elif self._hot is not None or getattr(cycle, "more_body", False):
            waits_for = cycle
        else:  # between two requests uvicorn's own timer runs, unless part of the next has come
            waits_for = cycle if cycle.response_complete and self.timeout_keep_alive_task is None else None
        seconds = seconds + _LOOK_SECONDS if waits_for is not None and waits_for is awaited else 0
        if seconds >= ARRIVAL_SECONDS_MAX + _LOOK_SECONDS:
            self.transport.abort()
            return
        if seconds >= ARRIVAL_SECONDS_MAX and self._hot is not None and not self._hot.response_complete:
            self._hot.give_up()
        self._look_later(waits_for, seconds)

    def end_after(self, call: HotCall) -> None:
        """The connection ends with this call's answer. Where its request is still coming in, only our side ends:
        whoever is cut off while writing cannot read why.
        """
        if call is self._hot and self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """As uvicorn does it, but that a wish for another protocol does not cost the request its body."""
        self._unset_keepalive_if_required()
        parser = self.parser
        assert parser is not None, "the connection is open"
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            if self._is_overheard:
                self.data_received(self._without_wish() + data[wish.args[0] :])
                return
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
            return
        if self._hot is not None:
            self._hot.expect_more()

    @property
    def _is_overheard(self) -> bool:
        """The request would rather go on in another protocol, which is not taken up; the parser took its body for that.
        Java's client asks so with its first request on every plain connection.
        """
        parser = self.parser
        assert parser is not None, "it calls us"
        return parser.should_upgrade() and parser.get_method() != b"CONNECT"

    def _without_wish(self) -> bytes:
        """The head of the same request for another parser, which is in place when this returns."""
        parser = self.parser
        assert parser is not None, "it stopped here"
        lines = [b"%b %b HTTP/%b" % (parser.get_method(), self.url, parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                left = [token for token in value.split(b",") if token.strip().lower() != b"upgrade"]
                lines += [b"connection: " + b",".join(left)] if left else []
            elif name != b"upgrade":
                lines.append(b"%b: %b" % (name, value))
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
        return b"\r\n".join((*lines, b"", b""))

    def on_headers_complete(self) -> None:
        parser = self.parser
        assert parser is not None, "it calls us"
        if parser.should_upgrade() and self._is_overheard:
            return
        doors = self._served.doors
        path, _, query = self.url.partition(b"?")
        door = find(path, query)
        is_busy = self.cycle and not self.cycle.response_complete  # there is none before the first request
        if is_busy:
            self._overtaken = [*(one for one in self._overtaken if not one.response_complete), self.cycle]
        if door is None or doors is None or is_busy or parser.get_method() != b"POST":
            self._hot = None
            super().on_headers_complete()
            return
        is_1_0 = parser.get_http_version() == "1.0"
        keep_alive = not is_1_0 and parser.should_keep_alive()
        call = HotCall(self, doors, door, query, keep_alive=keep_alive, is_1_0=is_1_0)
        self._hot = call
        self.cycle = call  # pyright: ignore[reportAttributeAccessIssue] - it has what uvicorn asks of a cycle

    def on_body(self, body: bytes) -> None:
        if self._hot is None:
            super().on_body(body)
        else:
            self._hot.receive(body)

    def on_message_complete(self) -> None:
        call = self._hot
        if call is None:
            if self._is_overheard:
                return
            super().on_message_complete()
            return
        self._hot = None
        if call.response_complete:
            if not call.keep_alive:
                self.transport.close()
            return
        call.complete()
        task = self.loop.create_task(call.doors.serve(call))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

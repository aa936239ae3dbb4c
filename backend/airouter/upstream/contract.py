"""The seam between the gateway and the network: what a client is asked, what it answers, how it fails.

```
UpstreamError
├── ConnectFailed       no connection: refused, unreachable, unknown name
├── ConnectTimeout      no connection within `connect_seconds`
├── AddressRefused      the address guard forbids every address of that host
├── TlsFailed           certificate, host name or protocol not acceptable
├── PoolExhausted       all connections to that origin stayed busy for `connect_seconds`
├── FirstByteTimeout    the head of the answer did not arrive within `first_byte_seconds`
├── BadAnswer           what arrived is not the head of an HTTP answer, or it is too large
├── BrokenOff           the connection ended, or the framing broke, before the answer was complete
├── IdleTimeout         no byte of the body arrived within `idle_seconds`
├── TotalTimeout        the whole call took longer than it may (total.py)
└── AnswerTooLarge      the body is longer than the caller wants to hold
```

Two facts decide about another attempt. `before_first_byte`: no byte of a body has arrived, so nothing can have been
shown to anybody and a retry elsewhere is safe for the client. `may_have_run`: the request may have reached the
upstream, which may have done (and may bill) the work although nobody saw an answer.
"""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORT_MAX = 65535


class Origin(msgspec.Struct, frozen=True):
    """Whom to connect to. `host` is ASCII, lower case, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted and the peer verified."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The value of the `host` header: brackets around IPv6, the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _DEFAULT_PORTS.get(self.scheme) == self.port else f"{host}:{self.port}"


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """How long a call may take in each of its phases. Checked in steps of about 50 ms.

    `connect_seconds` bounds waiting for a free connection, name look-up, TCP and TLS together. `first_byte_seconds`
    runs from the moment the request is written until the head of the answer is complete. `idle_seconds` bounds one
    wait for body bytes; a caller who does not read is not timed.
    """

    connect_seconds: float
    first_byte_seconds: float
    idle_seconds: float


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a client may keep open and hold in memory. The first three are per origin."""

    connections_max: int = 512
    idle_max: int = 128
    idle_ttl_seconds: float = 30.0
    high_water_bytes: int = 65_536
    head_bytes_max: int = 65_536


class UpstreamRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `path` carries the query. `headers` are end-to-end only: the client writes `host`, `content-length` and
    what concerns the connection itself, and refuses a request that brings its own.

    Passing the same `headers` again and again (one tuple per channel) is cheap: their bytes are built once.
    """

    origin: Origin
    method: str
    path: str
    headers: Headers = ()
    body: bytes = b""


class UpstreamAnswer(Protocol):
    """An answer whose head has arrived. Whoever received it must call `close`, whatever happened to it.

    `headers` are as sent, hop-by-hop ones included, names in lower case. The body is decoded from chunked framing but
    not decompressed: do not ask for a `content-encoding` you cannot read. After a cancelled `chunk` or `read` nothing
    is left to do but `close`.
    """

    @property
    def status(self) -> int:
        """The final status; 1xx answers are skipped."""
        ...

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """Names in lower case, in the order sent; trailers are dropped."""
        ...

    async def chunk(self) -> bytes:
        """Everything that has arrived since the last call, as soon as there is anything; b"" at the clean end.

        Raises: BrokenOff, IdleTimeout. The bytes that came before the failure are returned first.
        """
        ...

    async def read(self, limit_bytes: int) -> bytes:
        """The rest of the body, whole.

        Raises: AnswerTooLarge, BrokenOff, IdleTimeout.
        """
        ...

    def close(self) -> None:
        """Give the connection back when the answer is complete, else cut it: the upstream notices. Idempotent."""
        ...


class UpstreamClient(Protocol):
    """Sends requests. Safe for any number of concurrent calls on one event loop."""

    async def send(self, request: UpstreamRequest, timeouts: Timeouts) -> UpstreamAnswer:
        """Return when the head of the answer has arrived. Redirects are answers like any other, never followed.

        Raises: UpstreamError, but IdleTimeout and AnswerTooLarge; RequestRefused. Cancelling leaves nothing behind, and
            tells whether the upstream may have been asked (`may_have_been_sent`).
        """
        ...

    async def close(self) -> None:
        """Cut every connection and return when the last socket is closed. Idempotent."""
        ...


_NOT_SENT = "nothing of the request was sent"


def mark_not_sent(gone: asyncio.CancelledError) -> None:
    """Say of a cancelled `send` that it had no connection yet. (A class of our own would be no cancellation to
    asyncio's time-outs.)
    """
    gone.args = (_NOT_SENT,)


def may_have_been_sent(gone: asyncio.CancelledError) -> bool:
    """Whether the upstream may know of a request whose `send` was cancelled."""
    return _NOT_SENT not in gone.args


class RequestRefused(ValueError):
    """The request cannot be written as HTTP (line breaks, own framing headers); nothing was sent. Names no value."""


class UpstreamError(Exception):
    """The call did not succeed. `code` is stable and public; the message is for the operator's log."""

    code: ClassVar[str] = "upstream_error"
    may_have_run: ClassVar[bool] = True
    before_first_byte: bool = True


class ConnectFailed(UpstreamError):
    """No connection: refused, unreachable, or the name is not known."""

    code = "connect_failed"
    may_have_run = False


class ConnectTimeout(UpstreamError):
    """No connection within `connect_seconds`."""

    code = "connect_timeout"
    may_have_run = False


class AddressRefused(UpstreamError):
    """The guard forbids this host. Another attempt at the same origin will be refused as well."""

    code = "address_refused"
    may_have_run = False


class TlsFailed(UpstreamError):
    """The peer could not prove to be the host, or speaks no acceptable TLS."""

    code = "tls_failed"
    may_have_run = False


class PoolExhausted(UpstreamError):
    """Every connection allowed to this origin stayed busy. Our bound, not a fault of the upstream."""

    code = "pool_exhausted"
    may_have_run = False


class FirstByteTimeout(UpstreamError):
    """The head of the answer did not arrive in time."""

    code = "first_byte_timeout"


class BadAnswer(UpstreamError):
    """What arrived is not the head of an HTTP/1.1 answer, or it is larger than allowed."""

    code = "bad_answer"


class BrokenOff(UpstreamError):
    """The connection ended or the framing broke before the answer was complete."""

    code = "broken_off"

    def __init__(self, message: str, *, before_first_byte: bool) -> None:
        super().__init__(message)
        self.before_first_byte = before_first_byte


class IdleTimeout(UpstreamError):
    """The upstream fell silent in the middle of the answer."""

    code = "idle_timeout"

    def __init__(self, message: str, *, before_first_byte: bool) -> None:
        super().__init__(message)
        self.before_first_byte = before_first_byte


class TotalTimeout(UpstreamError):
    """The whole call took longer than this upstream is given."""

    code = "total_timeout"

    def __init__(self, message: str, *, is_first: bool) -> None:
        super().__init__(message)
        self.before_first_byte = is_first


class AnswerTooLarge(UpstreamError):
    """The body is longer than the caller's limit. A retry would only fetch it again."""

    code = "answer_too_large"
    before_first_byte = False

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the answer is longer than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


def split_url(url: str) -> tuple[Origin, str]:
    """Take apart what an operator typed as an address: the origin, and the path prefix without a trailing slash.

    International names become punycode. Raises: ValueError for other schemes, credentials in the address, a query or
    fragment, blanks, or a missing host.
    """
    if not url.isprintable() or " " in url:
        raise ValueError("an address contains no blanks or control characters")
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError("an address starts with http:// or https://")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("an address carries no credentials, query or fragment")
    host = (parts.hostname or "").removesuffix(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    if not host or not 0 < port <= _PORT_MAX:
        raise ValueError("an address names a host, and a port between 1 and 65535")
    return Origin(scheme=parts.scheme, host=host, port=port), parts.path.rstrip("/")

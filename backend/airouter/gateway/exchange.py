"""The gateway's side of one conversation with a client: what was asked, and where the answer goes.

The server offers it (api/hot.py over the socket, api/doors/ over ASGI), the pipeline uses it. Nothing here knows a
dialect.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from airouter.gateway.door import Door
from airouter.wire.requests import Named

Headers = Sequence[tuple[bytes, bytes]]


class Exchange(Protocol):
    """One call. The request is complete when the pipeline sees it; the answer is written as it comes."""

    door: Door
    named: Named | None
    """What the address says of the call, in dialects that say it there."""
    body: bytes
    address: str
    """The client's own address: the peer, or what a configured proxy says."""
    client_request_id: str | None

    @property
    def secret(self) -> str | None:
        """The API key as presented, without its scheme."""
        ...

    @property
    def encoding(self) -> str | None:
        """What the client says it encoded the body with, if it did; `body` is as it came."""
        ...

    @property
    def dialect_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Of the client's, those that the door's dialect gives a meaning."""
        ...

    @property
    def has_begun(self) -> bool:
        """The head of an answer has left: a refusal can no longer have a status of its own."""
        ...

    @property
    def is_gone(self) -> bool:
        """The client hung up. Writing does nothing from then on."""
        ...

    def when_gone(self, act: Callable[[], None]) -> None:
        """Calls `act` once when the client hangs up before the end of the answer."""
        ...

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer at once."""
        ...

    def begin(self, status: int, headers: Headers, first: bytes) -> None:
        """The head of a stream together with its first bytes."""
        ...

    def write(self, data: bytes) -> None:
        """More of a stream, at once."""
        ...

    @property
    def is_slow(self) -> bool:
        """The client reads slower than we write: `drain` before writing more."""
        ...

    async def drain(self) -> None:
        """Waits until the client has read enough, or is gone."""
        ...

    def end(self) -> None:
        """The clean end of a stream."""
        ...

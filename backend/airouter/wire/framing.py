"""How a stream's bytes are cut into events: server-sent events for most vendors, binary messages for AWS."""

from typing import Final, Protocol

from airouter.wire.sse import Framer, event_data, plain_data, split_events

EVENT_BYTES_MAX: Final = 16 * 1024 * 1024
"""An event longer than this ends the stream: it could not be translated without being held."""


class Framing(Protocol):
    """Puts whole events together from reads that begin and end anywhere. One per stream."""

    def feed(self, data: bytes) -> list[bytes]:
        """What the events say that are whole now: the data of each, none of them empty."""
        ...

    def rest(self) -> list[bytes]:
        """The stream has ended: what a last event says whose end was left out, where that is allowed."""
        ...

    @property
    def fault(self) -> str | None:
        """Why nothing more can be read of this stream, in words for the client; None while all is well."""
        ...


class SseFraming:
    """Server-sent events: their `data` lines."""

    __slots__ = ("_framer",)

    def __init__(self, bytes_max: int = EVENT_BYTES_MAX) -> None:
        self._framer = Framer(bytes_max)

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the events that are whole now."""
        if not self._framer.is_within and (usual := plain_data(data)) is not None:
            return usual
        block = self._framer.feed(data)
        return _data_of(block) if block else []

    def rest(self) -> list[bytes]:
        """A last event without its empty line counts as an event."""
        return _data_of(self._framer.rest())

    @property
    def fault(self) -> str | None:
        """An event was longer than may be held."""
        return "An event of the provider is too long to be translated." if self._framer.has_cut else None


def _data_of(block: bytes) -> list[bytes]:
    return [data for event in split_events(block) if (data := event_data(event))]

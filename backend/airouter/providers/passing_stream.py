"""Reading an event stream while it passes by unchanged: for dialects in which nothing of a stream has to be hidden.

Bytes leave as they came, but for what the words of an error say of whose credential was used. Events are put together
beside them, and decoded only where a mark says that they tell something to be metered.
"""

from collections.abc import Callable
from typing import Final, Protocol

from airouter.providers.contract import Call, Kept, Reported
from airouter.providers.deltas import Deltas
from airouter.providers.saying import says_something
from airouter.wire.owner_ids import error_without_owner_ids
from airouter.wire.sse import Framer, event_data, split_events

EVENT_BYTES_MAX: Final = 8 * 1024 * 1024
"""An event longer than this is not read (Gemini's images are one event each), so that it costs no memory."""


class Notes(Protocol):
    """What a dialect learns from the events of one stream."""

    marks: tuple[bytes, ...]
    """An event without any of these tells nothing."""
    content_marks: tuple[bytes, ...]
    """An event with one of these says something to the client; `note` may find that out besides."""
    has_content: bool
    """Something was said."""
    is_over: bool
    """What completes the answer has come."""
    error: bytes | None
    """The event in which the vendor said an error, the first of them."""

    @property
    def kept(self) -> Kept | None:
        """What the vendor keeps of the answer."""
        ...

    def note(self, data: bytes) -> None:
        """The data of an event with a mark in it."""
        ...

    @property
    def reported(self) -> Reported | None:
        """The latest figures."""
        ...


class PassingStreamReader:
    """Reads one stream (contract.StreamReader) and takes the notes of its dialect."""

    __slots__ = (
        "_change", "_deltas", "_end", "_framer", "_less", "_notes", "call", "content_type", "received_bytes",
    )  # fmt: skip

    def __init__(
        self,
        call: Call,
        notes: Notes,
        deltas: Deltas,
        *,
        content_type: bytes | None = None,
        change: Callable[[bytes], bytes] | None = None,
        end: Callable[[], bytes] | None = None,
    ) -> None:
        self.call = call
        self.content_type = content_type
        self.received_bytes = 0
        self._notes = notes
        self._change = change
        """For a client that wants the events in another frame; they then leave when they are whole."""
        self._end = end
        self._deltas = deltas
        self._framer = Framer(EVENT_BYTES_MAX)
        self._less: list[tuple[bytes, bytes]] = []
        """Errors of which something is left out, as they came, and what is left."""

    def feed(self, data: bytes) -> bytes:
        """What to send to the client now."""
        self.received_bytes += len(data)
        changed = self._take(self._framer.feed(data))
        if self._change:
            return changed
        if self._less:
            for said, told in self._less:  # one that came in pieces is out by now
                data = data.replace(said, told, 1)
            self._less.clear()
        return data

    def finish(self) -> bytes:
        """The upstream ended properly. A last event without its empty line counts as an event."""
        out = self._take(self._framer.rest())
        if self._change is None:
            return b""
        return out + (self._end() if self._end is not None else b"")

    def close_event(self) -> bytes:
        """An empty line if part of an event is out."""
        is_open = self._framer.is_within and self._change is None
        self._framer.rest()
        return b"\n\n" if is_open else b""

    def _take(self, block: bytes) -> bytes:
        """Whole events: note what they tell, and put them into another frame where the client wants one."""
        notes, change = self._notes, self._change
        if not notes.has_content:
            notes.has_content = _has_any(block, notes.content_marks)
        self._deltas.take(block)
        if not block or (change is None and not _has_any(block, notes.marks)):
            return b""
        out: list[bytes] = []
        for event in split_events(block):
            data = event_data(event)
            if _has_any(data, notes.marks):
                notes.note(data)
                if notes.error is not None:
                    data = self._without_owner_ids(data)
            if change is not None and data:
                out.append(change(data))
        return b"".join(out)

    def _without_owner_ids(self, data: bytes) -> bytes:
        told = error_without_owner_ids(data)
        if told != data:
            self._less.append((data, told))
        return told

    @property
    def saw_done(self) -> bool:
        """What completes the answer has come."""
        return self._notes.is_over

    def has_outgrown(self, allowance: int) -> bool:
        """More than so many tokens were written, roughly."""
        return self._deltas.has_outgrown(allowance)

    @property
    def reported(self) -> Reported | None:
        """The latest figures the vendor gave."""
        return self._notes.reported

    @property
    def is_complete(self) -> bool:
        """The answer is whole, no error was said, and something else was."""
        notes = self._notes
        is_over = notes.is_over and notes.error is None
        return is_over and says_something(notes.reported, has_content=notes.has_content)

    @property
    def has_error(self) -> bool:
        """The vendor said an error inside the stream."""
        return self._notes.error is not None

    @property
    def error(self) -> bytes | None:
        """The event that says it."""
        return self._notes.error

    @property
    def kept(self) -> Kept | None:
        """What the vendor keeps of the answer, as far as it has said so."""
        return self._notes.kept

    def written_tokens(self) -> int:
        """An estimate of the output so far."""
        return self._deltas.written_tokens()


def _has_any(data: bytes, marks: tuple[bytes, ...]) -> bool:
    for mark in marks:  # noqa: SIM110 - with a search from the end, half the time of `any` and `in`, for every event
        if data.rfind(mark) >= 0:
            return True
    return False

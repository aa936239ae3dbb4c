"""Reading a ConverseStream for what it tells: that the answer is whole, that it failed, and what was used."""

from typing import Any, Final

import msgspec

from airouter.providers.bedrock_usage import reported_in
from airouter.providers.contract import Call, Reported
from airouter.providers.deltas import Deltas
from airouter.providers.saying import says_something
from airouter.translation.bedrock.streams import failure
from airouter.wire.decoding import UNREADABLE, read_or_none
from airouter.wire.event_stream import EventStreamFraming
from airouter.wire.prompt import utf8_length
from airouter.wire.sse import data_event

_ANY: Final = msgspec.json.Decoder(dict[str, dict[str, Any]])
_OF_CONTENT: Final = b'{"contentBlock'
_DELTA: Final = b'"contentBlockDelta"'
_START: Final = b'{"messageStart"'
"""Events that only carry what was written, and the one before them."""


class ConverseStreamReader:
    """Reads one stream (contract.StreamReader). Its bytes mean nothing to any client: they are always translated."""

    __slots__ = ("_deltas", "_framing", "_has_content", "_has_stopped", "_reported", "call", "error", "received_bytes")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.received_bytes = 0
        self._framing = EventStreamFraming()
        self._deltas = Deltas(_DELTA, _written_bytes_in)
        self._has_content = False
        self._has_stopped = False
        self.error: bytes | None = None
        """AWS's exception, in the form of its refusals: the name is the `__type`."""
        self._reported: Reported | None = None

    def feed(self, data: bytes) -> bytes:
        """Takes note of every message that is whole now."""
        self.received_bytes += len(data)
        for said in self._framing.feed(data):
            if said.startswith(_OF_CONTENT):
                self._has_content = True
                self._deltas.take(data_event(said))
            elif not said.startswith(_START):
                self._note(said)
        return data

    def _note(self, said: bytes) -> None:
        try:
            events = _ANY.decode(said)
        except UNREADABLE:
            return
        for name, event in events.items():
            if name == "messageStop":
                self._has_stopped = True
            elif name == "metadata":
                self._reported = reported_in(event)
            elif (words := failure(name, event)) is not None and self.error is None:
                self.error = msgspec.json.encode({"__type": name, "message": words})

    def finish(self) -> bytes:
        """Part of a message says nothing."""
        self._framing.rest()
        return b""

    def close_event(self) -> bytes:
        """Nothing of this stream is ever open at a client."""
        return b""

    @property
    def content_type(self) -> bytes | None:
        """As the upstream said it."""
        return None

    @property
    def saw_done(self) -> bool:
        """The figures are the last thing that is said."""
        return self._has_stopped and self._reported is not None

    @property
    def reported(self) -> Reported | None:
        """The figures, once they were said."""
        return self._reported

    @property
    def is_complete(self) -> bool:
        """The model said why it stopped, and something before that, and no error was said. The figures may be missing
        all the same.
        """
        is_over = self._has_stopped and not self.has_error
        return is_over and says_something(self._reported, has_content=self._has_content)

    @property
    def has_error(self) -> bool:
        """AWS said an exception inside the stream, or the bytes are none of its messages."""
        return self.error is not None or self._framing.fault is not None

    def has_outgrown(self, allowance: int) -> bool:
        """More than so many tokens were written, roughly."""
        return self._deltas.has_outgrown(allowance)

    @property
    def kept(self) -> None:
        """Nobody can come back to this answer."""
        return

    def written_tokens(self) -> int:
        """An estimate of the output so far."""
        return self._deltas.written_tokens()


def _written_bytes_in(said: bytes) -> int:
    """Of one message: bytes of text, of thoughts, of what a tool is called with."""
    match read_or_none(_ANY, said):
        case {"contentBlockDelta": {"delta": {"text": str(words)}}}:
            return utf8_length(words)
        case {"contentBlockDelta": {"delta": {"toolUse": {"input": str(words)}}}}:
            return utf8_length(words)
        case {"contentBlockDelta": {"delta": {"reasoningContent": {"text": str(words)}}}}:
            return utf8_length(words)
        case _:
            return 0

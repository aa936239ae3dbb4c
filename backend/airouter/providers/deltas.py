"""How much a model has written of a stream whose provider has not told so far."""

from collections.abc import Callable
from typing import Final

from airouter.wire.prompt import estimated_tokens
from airouter.wire.sse import event_data, split_events

_SAMPLE_BYTES: Final = 32 * 1024
"""Of the events that tell what is written: some hundred."""


class Deltas:
    """The events of a stream that add to what the model wrote. Nothing is decoded until somebody asks, and then no more
    than a sample, for whose likeness the rest is taken.
    """

    __slots__ = (
        "_mark", "_other_mark", "_sample", "_sample_bytes", "_sample_written_bytes", "_written_bytes_in",
        "received_bytes",
    )  # fmt: skip

    def __init__(
        self, mark: bytes, written_bytes_in: Callable[[bytes], int], *, other_mark: bytes | None = None
    ) -> None:
        self._mark = mark
        self._other_mark = other_mark
        """Of events that may quote what looks like a mark, and add nothing."""
        self._written_bytes_in = written_bytes_in
        """Of the data of one event."""
        self.received_bytes = 0
        self._sample: list[bytes] = []
        self._sample_bytes = self._sample_written_bytes = 0

    def take(self, block: bytes) -> None:
        """Whole events."""
        if block.rfind(self._mark) < 0:
            return
        other = self._other_mark
        if other is not None and other in block:
            block = b"".join(one for one in split_events(block) if other not in one)
        if self.received_bytes < _SAMPLE_BYTES:
            self._sample.append(block)
        self.received_bytes += len(block)

    def has_outgrown(self, allowance: int) -> bool:
        """More than so many tokens were written, roughly. Nothing is decoded while every byte would have to be text."""
        return estimated_tokens(self.received_bytes) > allowance and self.written_tokens() > allowance

    def written_tokens(self) -> int:
        """What the model wrote so far, about."""
        for block in self._sample:
            self._sample_bytes += len(block)
            self._sample_written_bytes += sum(self._written_bytes_in(event_data(one)) for one in split_events(block))
        self._sample.clear()
        written_bytes = -(-self._sample_written_bytes * self.received_bytes // max(1, self._sample_bytes))
        return estimated_tokens(written_bytes)

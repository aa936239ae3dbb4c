"""Reading a stream of OpenAI's dialect while it passes by.

What is usual costs next to nothing: a read that ends where an event ends is forwarded as it is, after one search for
the name of a token figure. Only events in which that search hits are decoded, some of the latest at the end (a few
blocks are kept for that), and all of them for channels whose usage is estimated from the text or whose model is
renamed.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from airouter.providers.contract import Call, Reported
from airouter.providers.openai_usage import service_tier_of, usage_of
from airouter.providers.reporting import Habits
from airouter.providers.saying import has_figures, says_something
from airouter.wire.decoding import UNREADABLE
from airouter.wire.members import with_model
from airouter.wire.openai import Answer, finish_reasons, read_answer
from airouter.wire.prompt import estimated_tokens, written_text_bytes
from airouter.wire.sse import BLANK_LINES, data_event, event_data, first_event_end, split_events, whole_events_end

_FIGURE: Final = b"_tokens"
"""Part of the name of every figure: an event without it carries no usage, whatever its spacing. Searched from the end:
a third of the time that `in` takes with bytes, for every event of a stream.
"""
_ERROR: Final = b'error"'
_TIER: Final = b"service_tier"

_KEPT_BLOCKS: Final = 8
"""The final chunk, the usage chunk and `[DONE]` take three when each comes alone; some vendors add a word or two."""
_KEPT_BYTES: Final = 4_096
"""A longer block is kept from its last event boundary before this."""
_KEPT_BYTES_MAX: Final = 65_536
"""An event longer than this is read at once instead of being kept."""

EVENT_BYTES_MAX: Final = 1_048_576
"""An event longer than this is forwarded as it comes and not read, so that a stream without boundaries costs no
memory.
"""
HELD_BYTES_MAX: Final = 16_384
"""A torn event longer than this is no usage chunk, and is not held back."""

_DONE: Final = b"[DONE]"
_DONE_ENDINGS: Final = tuple(_DONE + blank for blank in BLANK_LINES)
_LOOK_AFTER_BYTES: Final = 4_096
_LOOK_AFTER_BYTES_MAX: Final = 32_768
"""How much of a stream passes between two looks at how much was written."""
_COLON: Final = ord(":")
_SEAM: Final = 3
"""So many bytes before new ones may belong to an empty line that ends in the new ones."""


class OpenAIStreamReader:
    """Reads one stream; the channel's options say whether events are rewritten or their text counted."""

    __slots__ = (
        "_counts_text",
        "_error",
        "_estimate",
        "_estimate_due",
        "_habits",
        "_has_answered",
        "_has_finished",
        "_hides_usage",
        "_kept",
        "_model",
        "_sample",
        "_sifts",
        "_skips",
        "_tail",
        "_tail_sent",
        "_tier",
        "_usage",
        "_written_bytes",
        "call",
        "content_type",
        "received_bytes",
        "saw_done",
    )

    def __init__(self, call: Call, habits: Habits) -> None:
        options = call.options
        self.call = call
        self._habits = habits
        self._hides_usage = not call.request.wants_usage
        self._counts_text = not options.include_usage
        self._model = call.request.model if options.rewrite_model else None
        self._sifts = self._counts_text or options.rewrite_model
        self._kept: deque[bytes] = deque(maxlen=_KEPT_BLOCKS)
        """The latest events, not read yet."""
        self._sample: tuple[bytes, ...] = ()
        """The latest events that were read: what an estimate is projected from."""
        self._tail = bytearray()
        """An event whose end has not come."""
        self._tail_sent = 0
        """How much of it has been forwarded."""
        self._skips = False
        """Within an event that is too long to be read."""
        self._usage: Reported | None = None
        self._tier: str | None = None
        self._error: bytes | None = None
        self._has_finished = False
        self._has_answered = False
        self._written_bytes = 0
        self._estimate = 0
        self._estimate_due = _LOOK_AFTER_BYTES
        self.saw_done = False
        self.content_type: bytes | None = None
        self.received_bytes = 0

    def feed(self, data: bytes) -> bytes:
        """What to send to the client now; may be empty."""
        size = len(data)
        self.received_bytes += size
        if self._tail or not data.endswith(BLANK_LINES):
            return self._feed_torn(data)
        # Nearly every read of a slow stream is one plain event. The last byte before its empty line is a brace; the end
        # of the stream has a bracket there.
        if size <= _KEPT_BYTES and data[-3:-2] == b"}" and not self._sifts and data.rfind(_FIGURE) < 0:
            self._kept.append(data)
            return data
        return self._take(data, 0)

    def finish(self) -> bytes:
        """The upstream ended properly. A last event without its empty line counts as an event."""
        tail, sent = bytes(self._tail), self._tail_sent
        self._tail, self._tail_sent = bytearray(), 0
        return self._take(tail, sent) if tail and not self._skips else b""

    def close_event(self) -> bytes:
        """An empty line if part of an event is out; what was held of it is dropped."""
        is_open = self._tail_sent > 0
        self._tail, self._tail_sent, self._skips = bytearray(), 0, False
        return b"\n\n" if is_open else b""

    def _feed_torn(self, data: bytes) -> bytes:
        """The slow way, for reads that begin or end within an event."""
        if self._skips:
            return self._skip(data)
        tail = self._tail
        known, sent = len(tail), self._tail_sent
        tail += data
        end = whole_events_end(tail, max(known - _SEAM, 0))
        if not end:
            return self._pass_tail()
        block = bytes(memoryview(tail)[:end])
        self._tail, self._tail_sent = tail[end:], 0
        return self._take(block, sent) + self._pass_tail()

    def _pass_tail(self) -> bytes:
        """What of a torn event can go out now: all of it, unless it may have to be hidden or changed."""
        tail, sent = self._tail, self._tail_sent
        is_too_long = len(tail) > EVENT_BYTES_MAX
        if not is_too_long and (self._model is not None or (self._hides_usage and sent == 0 and _may_be_usage(tail))):
            return b""
        out = bytes(memoryview(tail)[sent:])
        if is_too_long:
            self._skips = self._has_answered = True
            del tail[:-_SEAM]
        self._tail_sent = len(tail)
        return out

    def _skip(self, data: bytes) -> bytes:
        """Within an event that is too long: forward, and wait for its end."""
        seam = len(self._tail)
        whole = bytes(self._tail) + data
        end = first_event_end(whole)
        if not end:
            self._tail = bytearray(whole[-_SEAM:])
            self._tail_sent = len(self._tail)
            return data
        self._tail, self._tail_sent, self._skips = bytearray(), 0, False
        rest = whole[end:]
        return whole[seam:end] + (self._feed_torn(rest) if rest else b"")

    def _take(self, block: bytes, sent: int) -> bytes:
        """Whole events, of which `sent` bytes are out: hide, change or count what has to be, and keep the latest."""
        if self._sifts:
            block = self._sift(block, is_open=sent > 0)
        elif block.rfind(_FIGURE) >= 0:
            block = self._without_usage(block, is_open=sent > 0)
        if block.endswith(_DONE_ENDINGS):
            self.saw_done = True
        if len(block) > _KEPT_BYTES:
            latest = block[_event_start(block, len(block) - _KEPT_BYTES) :]
            self._kept.append(latest)
            if len(latest) > _KEPT_BYTES_MAX:
                self._learn()
                self._sample = ()
        elif block and (block[0] != _COLON or b"data:" in block):
            self._kept.append(block)
        return block[sent:] if sent else block

    def _without_usage(self, block: bytes, *, is_open: bool) -> bytes:
        """Learn the usage stated in a block; without the chunks that state nothing else, where the client wants none.

        Part of the first event is out when `is_open`: it is too late to hide that.
        """
        if b"\r" in block:
            return self._sift(block, is_open=is_open)
        out: list[bytes] = []
        done, place = 0, block.find(_FIGURE)
        while place >= 0:
            start, end = _event_start(block, place), _event_end(block, place)
            is_hidden = self._hides_usage and not (is_open and start == 0)
            if self._is_only_usage(event_data(block[start:end])) and is_hidden:
                out.append(block[done:start])
                done = end
            place = block.find(_FIGURE, end)
        return b"".join((*out, block[done:])) if out else block

    def _is_only_usage(self, data: bytes) -> bool:
        """Learn the usage that an event states, and say whether it has nothing else for the client."""
        answer = read_answer(data) if data[:1] == b"{" else None
        usage = None if answer is None else usage_of(answer, self.call, self._habits)
        if answer is None or usage is None:
            return False
        self._usage = usage
        self._tier = usage.service_tier or self._tier
        return not answer.has_choices and not answer.is_error

    def _sift(self, block: bytes, *, is_open: bool) -> bytes:
        """Decode event by event, to count and to rewrite as well as to hide."""
        out: list[bytes] = []
        for event in split_events(block):
            data = event_data(event)
            if self._counts_text:
                self._count(data)
            hides = self._hides_usage and not (is_open and not out)
            if _FIGURE in data and self._is_only_usage(data) and hides:
                continue
            out.append(_renamed(event, data, self._model) if self._model is not None else event)
        return b"".join(out)

    def _count(self, data: bytes) -> None:
        answer = read_answer(data) if data[:1] == b"{" else None
        if answer is not None:
            self._written_bytes += written_text_bytes(answer.choices)

    def _learn(self) -> None:
        """Read what was kept: an error, the latest tier where none came with the usage, the stop where no `[DONE]`
        came.
        """
        if not self._kept:
            return
        self._sample = tuple(self._kept)
        self._kept.clear()
        for block in self._sample:
            if self._error is None and _ERROR in block:
                said = (b'{"error":%b}' % answer.error for answer in _answers_with(_ERROR, block) if answer.is_error)
                self._error = next(said, None)
            if not self.saw_done:
                self._learn_ending(block)
            if not self._has_answered and not has_figures(self._usage):
                self._has_answered = any(answer is not None and answer.has_choices for _, answer in _answers(block))
        if self._tier is None:
            latest = (answer for block in reversed(self._sample) for answer in _answers_with(_TIER, block, 1))
            self._tier = next((tier for answer in latest if (tier := service_tier_of(answer))), None)

    def _learn_ending(self, block: bytes) -> None:
        for data, answer in _answers(block):
            if answer is not None:
                self._has_finished = self._has_finished or any(finish_reasons(answer.choices))
            elif data.strip() == _DONE:
                self.saw_done = True

    @property
    def reported(self) -> Reported | None:
        """The latest figures the vendor gave, with the tier it said last."""
        self._learn()
        usage = self._usage
        if usage is None or usage.service_tier == self._tier:
            return usage
        return msgspec.structs.replace(usage, service_tier=self._tier)

    @property
    def is_complete(self) -> bool:
        """The answer is whole: `[DONE]` came, or the model said why it stopped, and no error was said. A `[DONE]` with
        neither choices nor figures before it ends no answer.
        """
        self._learn()
        is_over = self._has_finished or (self.saw_done and says_something(self._usage, has_content=self._has_answered))
        return is_over and self._error is None

    @property
    def has_error(self) -> bool:
        """The vendor said an error inside the stream."""
        return self.error is not None

    @property
    def error(self) -> bytes | None:
        """Its `error`, alone."""
        self._learn()
        return self._error

    def has_outgrown(self, allowance: int) -> bool:
        """More than so many tokens seem to be written. Nothing is decoded while every byte would have to be text for
        that; then it is looked at again on half the way to where it would be so at this pace.
        """
        received = self.received_bytes
        if received >= self._estimate_due:
            if estimated_tokens(received) <= allowance:
                self._estimate_due = received + _LOOK_AFTER_BYTES
                return False
            written = self._estimate = self.written_tokens()
            half_way = received * (allowance - written) // (2 * max(written, 1))
            self._estimate_due = received + min(max(half_way, _LOOK_AFTER_BYTES), _LOOK_AFTER_BYTES_MAX)
        return self._estimate > allowance

    @property
    def kept(self) -> None:
        """Nobody can come back to this answer."""
        return

    def written_tokens(self) -> int:
        """A quarter of the bytes of the text written; where not every event was counted, projected from the latest."""
        if self._counts_text:
            return estimated_tokens(self._written_bytes)
        read_bytes = text_bytes = 0
        for block in self._kept or self._sample:
            read_bytes += len(block)
            text_bytes += sum(written_text_bytes(answer.choices) for _, answer in _answers(block) if answer is not None)
        if not read_bytes:
            return 0
        return estimated_tokens(-(-text_bytes * max(self.received_bytes, read_bytes) // read_bytes))


def _event_start(block: bytes, place: int) -> int:
    """Where the event begins that has this place in it."""
    found = block.rfind(b"\n\n", 0, place)
    return found + 2 if found >= 0 else 0


def _event_end(block: bytes, place: int) -> int:
    """Where it ends."""
    found = block.find(b"\n\n", place)
    return found + 2 if found >= 0 else len(block)


def _may_be_usage(torn: bytearray) -> bool:
    """Whether a torn event could turn out to be a usage chunk: it is short, and nothing is being said in it so far."""
    return len(torn) <= HELD_BYTES_MAX and b'"choices":[{' not in torn


def _answers(block: bytes) -> Iterator[tuple[bytes, Answer | None]]:
    """The data of each event that has any, with what it decodes to."""
    for event in split_events(block):
        data = event_data(event)
        if data:
            yield data, read_answer(data) if data[:1] == b"{" else None


def _answers_with(mark: bytes, block: bytes, most: int | None = None) -> list[Answer]:
    """The events that have this mark in them, latest first, no more than `most`."""
    if b"\r" in block:
        return [answer for data, answer in _answers(block) if answer is not None and mark in data][::-1][:most]
    found: list[Answer] = []
    place = block.rfind(mark)
    while place >= 0 and (most is None or len(found) < most):
        start = _event_start(block, place)
        answer = read_answer(event_data(block[start : _event_end(block, place)]))
        if answer is not None:
            found.append(answer)
        place = block.rfind(mark, 0, start)
    return found


def _renamed(event: bytes, data: bytes, model: str) -> bytes:
    """The event with another model's name in it."""
    if data[:1] != b"{":
        return event
    try:
        renamed = with_model(data, model)
    except UNREADABLE:
        return event
    return event.replace(data, renamed, 1) if data in event else data_event(renamed)

"""The beginning of a stream: what is read of it before anything reaches the client. Until then another channel can
answer.
"""

import re
from typing import Final

from airouter.gateway.routing.failures import error_within
from airouter.providers.contract import StreamReader
from airouter.upstream.contract import BadAnswer, BrokenOff, UpstreamAnswer
from airouter.wire.sse import first_event_end

_HELD_BYTES_MAX: Final = 64 * 1024
"""Of what may become the first event: pictures are longer, and go out as they come."""
_ERROR_MARKS: Final = (b"rror", b"xception")
"""One of them is in every vendor's name for an error."""
_SEAM: Final = 8
"""So many bytes before new ones may belong to a mark that ends in the new ones."""
_EVENT: Final = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:data|event|id|retry)?:")
"""How an event begins, or a comment."""


async def beginning(answer: UpstreamAnswer, reader: StreamReader) -> tuple[bytes, bool]:
    """Reads until there is something for the client; and whether the stream was no longer than that.

    Of what passes as it came, that is a whole event: what is none, be it a page, may be no stream. A comment is enough:
    who sends one wants to keep whoever waits from leaving.

    Raises:
        UpstreamError: the stream ended, or broke, before that.
        Refused: it begins with an error.
    """
    out, seam, is_marked, has_ended = b"", b"", False, False
    while not _is_enough(out, reader):
        data = await answer.chunk()
        if data:
            out += reader.feed(data)
            heard = seam + data
            seam = heard[-_SEAM:]
            is_marked = is_marked or any(mark in heard for mark in _ERROR_MARKS)
            if is_marked and reader.has_error:
                raise error_within(reader.error, answer.headers)
        else:
            out, has_ended = out + reader.finish(), True
            if not out or not reader.is_complete:
                raise BrokenOff("a stream without an answer in it", before_first_byte=True)
            break
    if reader.saw_done and not reader.is_complete:
        raise BadAnswer("a stream that ends with nothing said")
    return out, has_ended


def _is_enough(out: bytes, reader: StreamReader) -> bool:
    """Where a reader says itself of what kind its output is, only whole events leave it."""
    if not out or reader.content_type is not None or len(out) > _HELD_BYTES_MAX:
        return bool(out)
    return _EVENT.match(out) is not None and first_event_end(out) > 0

"""How much of a stream in the dialect of responses was written by the model: it comes in the deltas of its items."""

from typing import Final

import msgspec

from airouter.wire.decoding import read_or_none
from airouter.wire.prompt import utf8_length

DELTA: Final = b'.delta"'
"""In every event that adds to what is written."""
RESPONSE: Final = b'"response":'
"""In every event that tells of the whole response, with all that was asked; in no other, because text quotes it."""


class _Delta(msgspec.Struct, frozen=True, kw_only=True):
    type: str = ""
    delta: str = ""


_DELTAS: Final = msgspec.json.Decoder(_Delta)


def written_bytes_in(data: bytes) -> int:
    """Of the data of one event: bytes of text, of thoughts, of what a tool is called with."""
    if DELTA not in data:
        return 0
    event = read_or_none(_DELTAS, data)
    return utf8_length(event.delta) if event is not None and event.type.endswith(".delta") else 0

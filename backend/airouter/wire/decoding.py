"""JSON that somebody else wrote."""

from typing import Final, TypeVar

import msgspec

Found = TypeVar("Found")

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are no JSON, or not of the shape that it wants."""


def read_or_none(decoder: msgspec.json.Decoder[Found], data: str | bytes | memoryview | msgspec.Raw) -> Found | None:
    """What the bytes say; None where they cannot be read so."""
    try:
        return decoder.decode(data)
    except UNREADABLE:
        return None

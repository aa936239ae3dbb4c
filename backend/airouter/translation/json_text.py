"""JSON inside JSON: the arguments of tool calls, and data URLs."""

from typing import Any, Final

import msgspec

from airouter.wire.decoding import read_or_none

_ANY: Final = msgspec.json.Decoder()


def object_of(text: str | bytes) -> dict[str, Any]:
    """The object that a text spells; empty for what spells none. Models write broken arguments now and then."""
    value = read_or_none(_ANY, text)
    if value is None:
        return {}
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str:
    """Compact JSON."""
    return msgspec.json.encode(value).decode()


def split_data_url(url: str) -> tuple[str, str] | None:
    """(media type, base64) of a data URL; None for a link."""
    if not url.startswith("data:"):
        return None
    head, _, data = url[5:].partition(",")
    return head.removesuffix(";base64") or "application/octet-stream", data


def data_url(media_type: str | None, data: str) -> str:
    """The other way."""
    return f"data:{media_type or 'application/octet-stream'};base64,{data}"

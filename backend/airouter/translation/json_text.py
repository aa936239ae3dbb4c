"""JSON inside JSON: the arguments of tool calls, and data URLs; and texts that are sent as data."""

import base64
from typing import Any, Final

import msgspec

from airouter.wire.decoding import read_or_none

_ANY: Final = msgspec.json.Decoder()


_NOT_JSON: Final = "INVALID_JSON"
"""The member under which arguments travel that are none: Anthropic's advice on tool streaming (2026)."""
_NO_ARGUMENTS: Final = (None, "", [])
"""What models write besides `{}` where a tool takes none."""


def is_object(text: str) -> bool:
    """Whether a text spells a JSON object. Cheap for one that is not whole."""
    return text.rstrip()[-1:] == "}" and isinstance(read_or_none(_ANY, text), dict)


def arguments_in(text: str) -> dict[str, Any]:
    """The arguments of a call for a dialect that wants an object; what is none is put into one, not lost."""
    if not text.strip():
        return {}
    value = read_or_none(_ANY, text)
    if isinstance(value, dict):
        return value
    is_none = value in _NO_ARGUMENTS and (value is not None or text.strip() == "null")
    return {} if is_none else {_NOT_JSON: text}


def arguments_text(arguments: Any) -> str:
    """The other way."""
    match arguments or {}:
        case {"INVALID_JSON": str(text), **others} if not others:
            return text
        case said:
            return text_of(said)


def object_of(text: str | bytes) -> dict[str, Any]:
    """The object that a text spells; empty for what spells none."""
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


def plain_text(media_type: str | None, data: str | None) -> str | None:
    """The words of a document that is text (plain, Markdown, CSV, HTML …), for vendors that take no such file; None for
    any other.
    """
    if data is None or not (media_type or "").strip().lower().startswith("text/"):
        return None
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None

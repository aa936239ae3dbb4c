"""JSON that is passed on: members that concern us are looked at, taken out or replaced; every other keeps its bytes."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.wire.decoding import read_or_none

OPENS_LIST: Final = memoryview(b"[")
OPENS_OBJECT: Final = memoryview(b"{")
"""What a view of raw JSON begins with."""
MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
LISTS: Final = msgspec.json.Decoder(list[object])
WHITESPACE: Final = b" \t\r\n"
_NULL: Final = memoryview(b"null")
_EMPTY_LIST_MAX: Final = 16
"""An empty list with more blanks than this is not worth looking into."""


def is_given(raw: msgspec.Raw) -> bool:
    """The member is there, and not null."""
    view = memoryview(raw)
    return len(view) > 0 and view != _NULL


def each_text(raw: msgspec.Raw, member: str) -> list[str]:
    """That member of each object in a list, where it is text. What has another shape is the upstream's to judge."""
    if not is_given(raw):
        return []
    items = read_or_none(LISTS, raw)
    if items is None:
        return []
    return [text for item in items if isinstance(item, dict) and isinstance(text := item.get(member), str)]


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one tool of a request from another, in every dialect that gives tools a type."""

    type: Any = None
    environment: Any = None
    tools: msgspec.Raw = msgspec.Raw(b"")


_TOOLS: Final = msgspec.json.Decoder(list[Tool])
_ANY_TOOLS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TOOL: Final = msgspec.json.Decoder(Tool)


def each_tool(raw: msgspec.Raw) -> list[Tool]:
    """The tools of a request. What has another shape is the upstream's to judge."""
    if not is_given(raw):
        return []
    found = read_or_none(_TOOLS, raw)
    if found is None:  # something among them is no object
        listed = read_or_none(_ANY_TOOLS, raw) or []
        found = [tool for one in listed if (tool := read_or_none(_TOOL, one)) is not None]
    return found


Head = TypeVar("Head")


def decode_head(decoder: msgspec.json.Decoder[Head], body: bytes) -> Head:
    """The members of a request that concern us.

    Raises:
        InvalidRequest: the body is no JSON object, or a member has another type. `field` names it where there is one.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"The body is not valid JSON: {error}." if body else "The body is empty; send a JSON object."
        raise InvalidRequest(message, field=None) from None
    except RecursionError:
        message = "The body is nested too deeply."
        raise InvalidRequest(message, field=None) from None


def _invalid(error: msgspec.ValidationError) -> InvalidRequest:
    """From the decoder's "Expected `int`, got `str` - at `$.n`" to words about the field."""
    what, _, where = str(error).partition(" - at `$")
    field = where.rstrip("`").lstrip(".") or None
    if "missing required field `model`" in what:
        return InvalidRequest("Name a model: `model` is missing.", field="model")
    if field is None:
        return InvalidRequest(f"The body is not what this address takes: {_lower(what)}.", field=None)
    return InvalidRequest(f"`{field}`: {_lower(what)}.", field=field)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def may_name(body: bytes, names: Sequence[str]) -> bool:
    """One of the names stands somewhere in the body, or may: an escaped spelling is one, too, and decoding tells."""
    return b"\\u00" in body or any(b'"%b"' % name.encode() in body for name in names)


def names_only(body: bytes, given: str, model: str) -> bool:
    """The body, whose first model is `given`, names `model`, once, and in no other spelling."""
    return model == given and body.count(b'"model"') == 1 and b"\\u00" not in body


def with_one_model(body: bytes, given: str, model: str) -> bytes:
    """The body with this model, for sure: its own bytes where it names the right one once and no other way.

    A body that names its model more than once (or might) goes out with one of each key, so that the upstream runs what
    was admitted.
    """
    if names_only(body, given, model):
        return body
    members = MEMBERS.decode(body)
    members["model"] = msgspec.Raw(msgspec.json.encode(model))
    return object_of(members)


def with_each_member_once(body: bytes) -> bytes:
    """The body with one of each key, the last, as it was read; every value keeps its bytes."""
    return object_of(MEMBERS.decode(body))


def without_members(body: bytes, names: Sequence[str]) -> bytes:
    """The same JSON object without these members; its own bytes where it has none of them."""
    if not may_name(body, names):
        return body
    members = MEMBERS.decode(body)
    if not any(name in members for name in names):
        return body
    return object_of({name: value for name, value in members.items() if name not in names})


def with_model(body: bytes, model: str) -> bytes:
    """The same JSON object with another `model`, where it has one; every other member keeps its bytes.

    Raises: msgspec.DecodeError: the bytes are no JSON object.
    """
    members = MEMBERS.decode(body)
    if "model" not in members:
        return body
    members["model"] = msgspec.Raw(msgspec.json.encode(model))
    return object_of(members)


def object_of(members: dict[str, msgspec.Raw]) -> bytes:
    """The object with these members."""
    return msgspec.json.encode(members)


def has_items(raw: msgspec.Raw) -> bool:
    """It is a list with something in it."""
    view = memoryview(raw)
    return view[:1] == OPENS_LIST and (len(view) > _EMPTY_LIST_MAX or bytes(view[1:-1]).strip(WHITESPACE) != b"")

"""What has to change in a standard OpenAI body for a vendor that takes most of it: names, members, roles. All data.

A limit that a vendor does not know by OpenAI's name would be ignored there, and the answer be longer than what was held
for it: such a member is renamed. A member that a vendor refuses, and that changes nothing of what is answered, is left
out; what means something stays, and the vendor says itself that it cannot.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.translation.plain_ids import exact_id
from airouter.wire.decoding import read_or_none
from airouter.wire.members import LISTS, is_given

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MESSAGES: Final = msgspec.json.Decoder(list[dict[str, Any]])
_ABSENT: Final = msgspec.Raw(b"")
_ESCAPE: Final = b"\\u00"
"""A body with one may spell any name with it."""
_DEVELOPER: Final = b"developer"
_CALLS: Final = (b'"tool_calls"', b'"tool_call_id"')
_FILE_PARSER: Final = "file-parser"
_SPOKEN: Final = ("messages", "input")
"""Where messages with roles stand, in chat completions and in responses."""
_UNTOLD: Final = frozenset({"stream_options"})
"""Left out without a word: the client gets its usage all the same."""


class Adaptation(msgspec.Struct, frozen=True, kw_only=True):
    """How a vendor's requests differ from OpenAI's."""

    renames: tuple[tuple[str, str], ...] = ()
    """OpenAI's name -> the vendor's. Where both are given, the vendor's own stays; a null is not given."""
    leaves_out: tuple[str, ...] = ()
    """Members that the vendor refuses, and that advise only."""
    without: tuple[tuple[str, str], ...] = ()
    """Members left out when they have this value: the vendor's default, for which it has no word."""
    developer_is_system: bool = False
    """The vendor knows no role `developer`; its `system` means the same."""
    call_id_length: int | None = None
    """The vendor takes ids of tool calls of so many letters and digits only; clients bring those of other vendors."""

    pdf_engine: str | None = None
    """Files in a prompt are read by this engine of the vendor's, where the client names none: the vendor would choose
    one that it bills by the page.
    """

    @property
    def marks(self) -> tuple[bytes, ...]:
        """A body without any of these needs no change."""
        names = (*(old for old, _ in self.renames), *self.leaves_out, *(name for name, _ in self.without))
        marks = tuple(b'"%b"' % name.encode() for name in names)
        marks += (b'"developer"',) if self.developer_is_system else ()
        marks += (b'"file"', b'"file-parser"') if self.pdf_engine is not None else ()
        return (*marks, *_CALLS) if self.call_id_length is not None else marks


class Adapter:
    """Applies one vendor's row."""

    def __init__(self, adaptation: Adaptation) -> None:
        self._adaptation = adaptation
        self._marks = (*adaptation.marks, _ESCAPE)
        self._without = {name: msgspec.json.decode(value) for name, value in adaptation.without}

    def adapted(self, body: bytes) -> tuple[bytes, tuple[str, ...]]:
        """The body for this vendor, its own bytes where nothing has to change, and the names of what was left out."""
        if not any(mark in body for mark in self._marks):
            return body, ()
        given = _MEMBERS.decode(body)
        members, left_out = self._renamed(given), list[str]()
        for name in self._adaptation.leaves_out:
            if members.pop(name, None) is not None and name not in _UNTOLD:
                left_out.append(name)
        for name, value in self._without.items():
            if name in members and msgspec.json.decode(members[name]) == value:
                del members[name]
        if self._adaptation.developer_is_system:
            for name in _SPOKEN:
                if (messages := _as_system(members.get(name))) is not None:
                    members[name] = messages
        if (length := self._adaptation.call_id_length) is not None and "messages" in members:
            members["messages"] = _with_call_ids(members["messages"], length)
        if (engine := self._adaptation.pdf_engine) is not None:
            _name_engine(members, engine)
        return (body if members == given else msgspec.json.encode(members)), tuple(left_out)

    def _renamed(self, given: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        members = dict(given)
        for old, new in self._adaptation.renames:
            value = members.pop(old, None)
            if value is not None and not is_given(members.get(new, _ABSENT)):
                members[new] = value
        return members


def _name_engine(members: dict[str, msgspec.Raw], engine: str) -> None:
    """OpenRouter's plugin of this name with an engine, where files are to be read and it has none."""
    plugins = _listed(members.get("plugins"))
    parsers = [one for one in plugins if isinstance(one, dict) and one.get("id") == _FILE_PARSER]
    if not parsers and _has_files(members.get("messages")):
        parser: dict[str, Any] = {"id": _FILE_PARSER}
        parsers = [parser]
        plugins += parsers
    for parser in parsers:
        pdf = parser.get("pdf")
        if not isinstance(pdf, dict):
            parser["pdf"] = {"engine": engine}
        elif pdf.get("engine") is None:
            pdf["engine"] = engine
    if parsers and plugins != _listed(members.get("plugins")):
        members["plugins"] = msgspec.Raw(msgspec.json.encode(plugins))


def _listed(raw: msgspec.Raw | None) -> list[Any]:
    return [] if raw is None else read_or_none(LISTS, raw) or []


def _has_files(raw: msgspec.Raw | None) -> bool:
    contents = [one.get("content") for one in _listed(raw) if isinstance(one, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == "file" for part in parts)


def _as_system(raw: msgspec.Raw | None) -> msgspec.Raw | None:
    """The messages with the vendor's name for the role, or None where they need none."""
    if raw is None or not (_DEVELOPER in (view := bytes(raw)) or _ESCAPE in view):
        return None
    messages = read_or_none(_MESSAGES, raw)
    if messages is None:
        return None  # plain text, or what the vendor will refuse
    changed = [{**one, "role": "system"} if one.get("role") == "developer" else one for one in messages]
    return msgspec.Raw(msgspec.json.encode(changed)) if changed != messages else None


def _with_call_ids(raw: msgspec.Raw, length: int) -> msgspec.Raw:
    """The messages with ids that the vendor takes, the same for a call and its result; else their own bytes."""
    messages = read_or_none(_MESSAGES, raw)
    if messages is None:
        return raw
    changed = [_with_exact_ids(message, length) for message in messages]
    return msgspec.Raw(msgspec.json.encode(changed)) if changed != messages else raw


def _with_exact_ids(message: dict[str, Any], length: int) -> dict[str, Any]:
    changed = dict(message)
    if isinstance(answers := message.get("tool_call_id"), str):
        changed["tool_call_id"] = exact_id(answers, length)
    if isinstance(calls := message.get("tool_calls"), list):
        changed["tool_calls"] = [
            {**call, "id": exact_id(call["id"], length)}
            if isinstance(call, dict) and isinstance(call.get("id"), str)
            else call
            for call in calls
        ]
    return changed

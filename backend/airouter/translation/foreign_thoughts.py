"""Thoughts of another vendor in a request that would otherwise pass untouched: the model of a conversation was changed.

A client brings back what it was given (thought_seal.py). The vendor whose dialect it speaks would refuse a proof that
is not its own, so that such thoughts are left out; everything else stays as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from airouter.translation.gemini.requests import UNSIGNED
from airouter.translation.thought_seal import MARK, is_ours
from airouter.wire.decoding import read_or_none
from airouter.wire.endpoint import Endpoint

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_SIGNATURES: Final = ("thoughtSignature", "thought_signature")


def without_foreign_thoughts(endpoint: Endpoint, body: bytes) -> bytes:
    """The same bytes, unless there is such a thought in them."""
    if MARK not in body or endpoint not in _BY_ENDPOINT:
        return body
    member, cleaned = _BY_ENDPOINT[endpoint]
    given = read_or_none(_ANY, body)
    if given is None or not isinstance(given.get(member), list):
        return body
    kept = [found for one in given[member] if (found := cleaned(one)) is not None]
    return msgspec.json.encode({**given, member: kept})


def _message(message: Any) -> Any:
    """Of Anthropic's: without its foreign blocks, and None if it had nothing else."""
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return message
    content = [block for block in message["content"] if not _is_foreign(block, "signature", "data")]
    return {**message, "content": content} if content or not message["content"] else None


def _item(item: Any) -> Any:
    """Of the responses' input."""
    return None if _is_foreign(item, "encrypted_content") else item


def _content(content: Any) -> Any:
    """Of Gemini's: a signature is taken from what it stands beside; a call of another model says that it is one."""
    if not isinstance(content, dict) or not isinstance(content.get("parts"), list):
        return content
    parts = [found for part in content["parts"] if (found := _part(part)) is not None]
    return {**content, "parts": parts} if parts or not content["parts"] else None


def _part(part: Any) -> Any:
    if not _is_foreign(part, *_SIGNATURES):
        return part
    kept = {name: value for name, value in part.items() if name not in _SIGNATURES}
    if "functionCall" in kept or "function_call" in kept:
        return {**kept, "thoughtSignature": UNSIGNED}
    return None if kept.get("thought") or kept.get("text") == "" else kept


def _is_foreign(part: Any, *members: str) -> bool:
    return isinstance(part, dict) and any(is_ours(part.get(name)) for name in members)


_BY_ENDPOINT: Final[Mapping[Endpoint, tuple[str, Callable[[Any], Any]]]] = {
    "messages": ("messages", _message),
    "messages.count_tokens": ("messages", _message),
    "responses": ("input", _item),
    "responses.input_tokens": ("input", _item),
    "responses.compact": ("input", _item),
    "generate_content": ("contents", _content),
}

"""The text of a whole answer, for counting it where its provider did not."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.wire.decoding import UNREADABLE
from airouter.wire.endpoint import Endpoint
from airouter.wire.prompt import texts_in

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_MEMBERS: Final[Mapping[Endpoint, str]] = {
    "chat.completions": "choices",
    "completions": "choices",
    "responses": "output",
    "messages": "content",
    "generate_content": "candidates",
}
_SAID: Final = frozenset({
    "message", "text", "content", "parts", "reasoning_content", "reasoning", "refusal", "tool_calls", "function",
    "name", "arguments", "summary", "input", "thinking", "functionCall", "args",
})  # fmt: skip
"""Members in which a model's words stand, or that lead to them. Everything else is an id, a mark or a proof."""
_OF_THE_MODEL: Final = frozenset({"input", "args", "arguments"})
"""Members whose own members are the model's words too, whatever they are called."""


def written_texts(endpoint: Endpoint, body: bytes) -> list[str]:
    """Everything the model wrote, in no order; empty for what is no such answer."""
    member = _MEMBERS.get(endpoint)
    if member is None:
        return []
    try:
        waiting: list[Any] = [_ANY.decode(body).get(member)]
    except UNREADABLE:
        return []
    found: list[str] = []
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            found.append(here)
        elif isinstance(here, list):
            waiting.extend(here)
        elif isinstance(here, dict):
            for name, value in here.items():
                if name in _OF_THE_MODEL and isinstance(value, dict | list):
                    found.extend(texts_in(value, lambda _: None))
                elif name in _SAID:
                    waiting.append(value)
    return found

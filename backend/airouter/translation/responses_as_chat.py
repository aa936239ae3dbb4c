"""A body of the responses API at the address of chat completions: Cursor sends one, and reads the answer of a chat.

It becomes the chat request that means the same, before anything else looks at it. What a chat cannot say is refused or
left out by the rules of support.py.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.translation.chat import requests as chat
from airouter.translation.conversation import Conversation, features_of
from airouter.translation.free_text import text_in
from airouter.translation.responses import requests as responses
from airouter.translation.support import Feature, dropped_or_refused

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_KEPT: Final = ("stream_options", "store", "metadata", "prompt_cache_key", "service_tier", "user")
"""Members that mean the same in a chat."""
_NOT_ABOUT: Final[frozenset[Feature]] = frozenset({"metadata", "cache_key", "service_tier", "user", "custom_tools"})
"""Features that a rule for other vendors would leave out; here they stay."""


def as_chat(body: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The chat request, and the names of what had to be left out of it.

    Raises:
        InvalidRequest: a member cannot be meant. NotTranslatable: it asks for what a chat cannot say.
    """
    try:
        given = _ANY.decode(body)
    except RecursionError:
        raise InvalidRequest("The body is nested too deeply.", field=None) from None
    conversation = responses.read(given, str(given.get("model") or ""))
    asked = features_of(conversation, "chat")
    features: dict[Feature, str] = {name: where for name, where in asked.items() if name not in _NOT_ABOUT}
    dropped = dropped_or_refused(features, "chat")
    written = chat.write(conversation)
    written.pop("stream_options", None)
    written |= {name: given[name] for name in _KEPT if given.get(name) is not None}
    _tell_free_text(written, conversation, given)
    return msgspec.json.encode(written), tuple(dropped)


def _tell_free_text(written: dict[str, Any], conversation: Conversation, given: Mapping[str, Any]) -> None:
    """Tools that take any text are OpenAI's own in a chat, too."""
    names = {tool.name for tool in conversation.tools if tool.is_free_text}
    if not names:
        return
    declared = {tool["name"]: tool for tool in given["tools"] if tool.get("type") == "custom"}
    written["tools"] = [
        _custom(declared[name]) if (name := tool["function"]["name"]) in names else tool for tool in written["tools"]
    ]
    for message in written["messages"]:
        for call in message.get("tool_calls") or ():
            if call["function"]["name"] in names:
                function = call.pop("function")
                call |= {
                    "type": "custom",
                    "custom": {"name": function["name"], "input": text_in(function["arguments"])},
                }


def _custom(tool: Mapping[str, Any]) -> dict[str, Any]:
    custom: dict[str, Any] = {"name": tool["name"]}
    if tool.get("description") is not None:
        custom["description"] = tool["description"]
    wanted = tool.get("format")
    if isinstance(wanted, dict):
        grammar = {name: wanted[name] for name in ("syntax", "definition") if name in wanted}
        custom["format"] = {"type": "grammar", "grammar": grammar} if grammar else {"type": "text"}
    return {"type": "custom", "custom": custom}

"""Whole answers of Cohere's chat, read."""

from collections.abc import Mapping
from typing import Any, Final

from airouter.translation.conversation import Reasoning, Text, ToolCall
from airouter.translation.reply import Choice, Reply, SaidPart, StopReason

STOPS: Final[Mapping[str, StopReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tools",
    "ERROR_TOXIC": "filter",
}
FAILED: Final = frozenset({"ERROR", "TIMEOUT"})
"""Reasons that say that no answer came about."""


def read(body: Mapping[str, Any], model: str, now_seconds: int) -> Reply:
    """A provider's answer; `model` is what the client called the model. Citations have no place in other dialects."""
    message = body.get("message") or {}
    parts: list[SaidPart] = []
    if plan := message.get("tool_plan"):
        parts.append(Reasoning(text=str(plan), vendor="cohere"))
    for block in message.get("content") or ():
        match block:
            case {"type": "thinking", "thinking": str(text)}:
                parts.append(Reasoning(text=text, vendor="cohere"))
            case {"type": "text", "text": str(text)}:
                parts.append(Text(text=text))
            case _:
                pass
    parts += [call_of(call) for call in message.get("tool_calls") or ()]
    choice = Choice(parts=tuple(parts), stop=STOPS.get(str(body.get("finish_reason")), "stop"))
    return Reply(reply_id=str(body.get("id") or ""), model=model, created_at_seconds=now_seconds, choices=(choice,))


def call_of(call: Mapping[str, Any]) -> ToolCall:
    """A call; in a stream its arguments follow."""
    function = call.get("function") or {}
    return ToolCall(
        call_id=str(call.get("id") or ""),
        name=str(function.get("name") or ""),
        arguments=str(function.get("arguments") or ""),
    )

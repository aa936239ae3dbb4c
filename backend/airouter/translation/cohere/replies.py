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
FAILED: Final = ("ERROR", "TIMEOUT")
"""Reasons that say that no answer came about."""


def read(body: Mapping[str, Any], model: str, now_seconds: int) -> Reply:
    """A provider's answer; `model` is what the client called the model. Citations have no place in other dialects."""
    given = body.get("message")
    message = given if isinstance(given, dict) else {}
    parts: list[SaidPart] = []
    if isinstance(plan := message.get("tool_plan"), str) and plan:
        parts.append(Reasoning(text=plan, vendor="cohere"))
    parts += [part for block in _listed(message.get("content")) if (part := _part(block)) is not None]
    parts += [call_of(call) for call in _listed(message.get("tool_calls")) if isinstance(call, dict)]
    choice = Choice(parts=tuple(parts), stop=STOPS.get(str(body.get("finish_reason")), "stop"))
    return Reply(reply_id=str(body.get("id") or ""), model=model, created_at_seconds=now_seconds, choices=(choice,))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _part(block: object) -> SaidPart | None:
    match block:
        case {"type": "thinking", "thinking": str(text)}:
            return Reasoning(text=text, vendor="cohere")
        case {"type": "text", "text": str(text)}:
            return Text(text=text)
        case _:
            return None


def call_of(call: Mapping[str, Any]) -> ToolCall:
    """A call; in a stream its arguments follow."""
    given = call.get("function")
    function = given if isinstance(given, dict) else {}
    return ToolCall(
        call_id=str(call.get("id") or ""),
        name=str(function.get("name") or ""),
        arguments=str(function.get("arguments") or ""),
    )

"""Whole answers of Anthropic's messages, read and written."""

from collections.abc import Mapping
from typing import Any, Final

from airouter.translation import usage
from airouter.translation.conversation import Reasoning, Refusal, Text, ToolCall
from airouter.translation.json_text import arguments_in, arguments_text
from airouter.translation.reply import Choice, Quantities, Reply, SaidPart, StopReason
from airouter.translation.thought_seal import mark, sealed_text

STOPS: Final[Mapping[str, StopReason]] = {
    "end_turn": "stop",
    "stop_sequence": "sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
    "refusal": "refusal",
    "pause_turn": "pause",
}
FINISHES: Final[Mapping[StopReason, str]] = {
    "stop": "end_turn",
    "sequence": "stop_sequence",
    "length": "max_tokens",
    "tools": "tool_use",
    "filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}


def read(body: Mapping[str, Any], model: str, now_seconds: int) -> Reply:
    """A provider's answer; `model` is what the client called the model. It carries no time of its own."""
    parts: list[SaidPart] = []
    for block in body.get("content") or ():
        match block.get("type"):
            case "text":
                parts.append(Text(text=block.get("text") or ""))
            case "tool_use":
                parts.append(
                    ToolCall(call_id=block.get("id") or "", name=block.get("name") or "", arguments=_arguments(block))
                )
            case "thinking":
                parts.append(
                    Reasoning(text=block.get("thinking") or "", signature=block.get("signature"), vendor="anthropic")
                )
            case "redacted_thinking":
                parts.append(Reasoning(sealed=block.get("data"), vendor="anthropic"))
            case _:  # tools that run at the vendor are refused before they are asked for
                pass
    choice = Choice(
        parts=tuple(parts),
        stop=STOPS.get(str(body.get("stop_reason")), "stop"),
        stop_sequence=body.get("stop_sequence"),
    )
    return Reply(reply_id=str(body.get("id") or ""), model=model, created_at_seconds=now_seconds, choices=(choice,))


def _arguments(block: Mapping[str, Any]) -> str:
    return arguments_text(block.get("input"))


def write(reply: Reply, quantities: Quantities | None) -> dict[str, Any]:
    """The body for a client of this dialect, which knows one choice only."""
    choice = reply.choices[0] if reply.choices else Choice(parts=(), stop="stop")
    return {
        "id": reply.reply_id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [block for part in choice.parts for block in _blocks(part)],
        "stop_reason": FINISHES[choice.stop],
        "stop_sequence": choice.stop_sequence,
        "usage": usage.for_anthropic(quantities or {}),
    }


def _blocks(part: SaidPart) -> list[dict[str, Any]]:
    match part:
        case Text():
            return [{"type": "text", "text": part.text}] if part.text else []
        case Refusal():
            return [{"type": "text", "text": part.text}] if part.text else []
        case ToolCall():
            arguments = arguments_in(part.arguments)
            return [{"type": "tool_use", "id": part.call_id, "name": part.name, "input": arguments}]
        case Reasoning():
            seal = sealed_text(part.vendor, text=part.text, signature=part.signature, sealed=part.sealed)
            if part.text:
                return [{"type": "thinking", "thinking": part.text, "signature": seal or mark(part.vendor)}]
            return [] if seal is None else [{"type": "redacted_thinking", "data": seal}]

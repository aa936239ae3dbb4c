"""Whole answers of Converse, read."""

from collections.abc import Mapping
from typing import Any, Final

from airouter.translation.conversation import Reasoning, Text, ToolCall
from airouter.translation.json_text import arguments_text
from airouter.translation.reply import Choice, Reply, SaidPart, StopReason

STOPS: Final[Mapping[str, StopReason]] = {
    "end_turn": "stop",
    "stop_sequence": "sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
    "guardrail_intervened": "filter",
    "content_filtered": "filter",
}
"""`malformed_model_output` and `malformed_tool_use` are ends like any other: what came is what there is."""
AT_VENDOR: Final = "server_tool_use"
"""The type of a call that the vendor runs itself."""


def read(body: Mapping[str, Any], model: str, now_seconds: int) -> Reply:
    """A provider's answer; `model` is what the client called the model. It carries neither an id nor a time."""
    match body:
        case {"output": {"message": {"content": [*content]}}}:
            parts = tuple(part for block in content for part in _parts(block))
        case _:
            parts = ()
    choice = Choice(parts=parts, stop=STOPS.get(str(body.get("stopReason")), "stop"))
    return Reply(reply_id="", model=model, created_at_seconds=now_seconds, choices=(choice,))


def _parts(block: object) -> list[SaidPart]:
    match block:
        case {"text": str(text)}:
            return [Text(text=text)]
        case {"toolUse": {"name": str(name), "toolUseId": str(call_id)} as call} if call.get("type") != AT_VENDOR:
            return [ToolCall(call_id=call_id, name=name, arguments=arguments_text(call.get("input")))]
        case {"reasoningContent": {"reasoningText": {"text": str(text), "signature": str(signature)}}}:
            return [Reasoning(text=text, signature=signature, vendor="bedrock")]
        case {"reasoningContent": {"reasoningText": {"text": str(text)}}}:
            return [Reasoning(text=text, vendor="bedrock")]
        case {"reasoningContent": {"redactedContent": str(sealed)}}:
            return [Reasoning(sealed=sealed, vendor="bedrock")]
        case {"citationsContent": {"content": [*pieces]}}:
            return [part for piece in pieces for part in _parts(piece) if isinstance(part, Text)]
        case _:  # tools that run at the vendor are refused before they are asked for
            return []

"""Requests of Cohere's chat, written (API reference of Cohere, `POST /v2/chat`, 2026)."""

from typing import Any, Final

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import (
    Conversation,
    Format,
    Media,
    Part,
    Refusal,
    Sampling,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from airouter.translation.json_text import data_url, plain_text
from airouter.translation.support import NotTranslatable

_TOP_P: Final = (0.01, 0.99)
_PENALTY: Final = (0.0, 1.0)
"""The ranges that are taken; beyond them, the nearest."""


def write(conversation: Conversation) -> dict[str, Any]:
    """The body for a provider of this dialect.

    Raises:
        InvalidRequest: a tool is named that is not there. NotTranslatable: a document is something else than text.
    """
    body: dict[str, Any] = {"model": conversation.model, "messages": _messages(conversation)}
    body |= _sampled(conversation.sampling)
    if conversation.max_output_tokens is not None:
        body["max_tokens"] = conversation.max_output_tokens
    body |= _tools(conversation)
    if conversation.format is not None:
        body["response_format"] = _format(conversation.format)
    if (thinking := _thinking(conversation)) is not None:
        body["thinking"] = thinking
    if conversation.is_streaming:
        body["stream"] = True
    return body


def _format(asked: Format) -> dict[str, Any]:
    if asked.kind == "json":
        return {"type": "json_object"}
    return {"type": "json_object", "json_schema": asked.schema or {}}


def _sampled(sampling: Sampling) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "temperature": sampling.temperature,
        "p": _within(sampling.top_p, _TOP_P),
        "k": sampling.top_k,
        "seed": sampling.seed,
        "presence_penalty": _within(sampling.presence_penalty, _PENALTY),
        "frequency_penalty": _within(sampling.frequency_penalty, _PENALTY),
        "stop_sequences": list(sampling.stop) or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _within(value: float | None, bounds: tuple[float, float]) -> float | None:
    return None if value is None else min(max(value, bounds[0]), bounds[1])


def _thinking(conversation: Conversation) -> dict[str, Any] | None:
    """On, within a budget where one is stated, or off."""
    asked = conversation.thinking
    if asked is None or (asked.effort is None and asked.budget_tokens is None):
        return None
    if asked.effort == "none" or (asked.budget_tokens is not None and asked.budget_tokens <= 0):
        return {"type": "disabled"}
    found: dict[str, Any] = {"type": "enabled"}
    if asked.budget_tokens is not None:
        found["token_budget"] = asked.budget_tokens
    return found


def _tools(conversation: Conversation) -> dict[str, Any]:
    """A tool cannot be named: the others are left out, and one must be called.

    Raises:
        InvalidRequest: the one that is named is not there.
    """
    choice = conversation.tool_choice
    mode = None if choice is None else choice.mode
    shown = conversation.tools
    if choice is not None and mode == "named":
        shown = tuple(tool for tool in shown if tool.name == choice.name)
        if not shown:
            raise InvalidRequest("tool_choice names a tool that is not among the tools.", field="tool_choice")
    if not shown:
        return {}
    written: dict[str, Any] = {"tools": [_tool(tool) for tool in shown]}
    if any(tool.is_strict for tool in shown):
        written["strict_tools"] = True
    if mode in {"required", "named"}:
        written["tool_choice"] = "REQUIRED"
    elif mode == "none":
        written["tool_choice"] = "NONE"
    return written


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.schema or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _messages(conversation: Conversation) -> list[dict[str, Any]]:
    said = [{"role": "system", "content": text.text} for text in conversation.system if text.text]
    for turn in conversation.turns:
        said += _assistant(turn) if turn.role == "assistant" else _user(turn)
    return said


def _assistant(turn: Turn) -> list[dict[str, Any]]:
    """Words beside calls are the plan of the calls. Thoughts carry no proof there, and are not told again."""
    words = "".join(part.text for part in turn.parts if isinstance(part, Text | Refusal))
    calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
    if not calls:
        return [{"role": "assistant", "content": words}] if words else []
    message: dict[str, Any] = {"role": "assistant", "tool_calls": calls}
    if words:
        message["tool_plan"] = words
    return [message]


def _call(part: ToolCall) -> dict[str, Any]:
    return {
        "id": part.call_id,
        "type": "function",
        "function": {"name": part.name, "arguments": part.arguments or "{}"},
    }


def _user(turn: Turn) -> list[dict[str, Any]]:
    """Results of tools are messages of their own, before the user's words."""
    results = [_result(part) for part in turn.parts if isinstance(part, ToolResult)]
    content = [block for part in turn.parts if (block := _block(part)) is not None]
    if not content:
        return results
    only = content[0]["text"] if len(content) == 1 and content[0]["type"] == "text" else content
    return [*results, {"role": "user", "content": only}]


def _result(part: ToolResult) -> dict[str, Any]:
    words = "\n".join(one.text for one in part.content if isinstance(one, Text))
    return {"role": "tool", "tool_call_id": part.call_id, "content": words}


def _block(part: Part) -> dict[str, Any] | None:
    match part:
        case Text():
            return {"type": "text", "text": part.text} if part.text else None
        case Media(kind="document"):
            return {"type": "text", "text": _words(part)}
        case Media():
            image: dict[str, Any] = {"url": part.url or data_url(part.media_type or "image/png", part.data or "")}
            if part.detail in {"low", "high", "auto"}:
                image["detail"] = part.detail
            return {"type": "image_url", "image_url": image}
        case _:
            return None


def _words(document: Media) -> str:
    """A user's message takes texts and images. (`documents` beside the messages are something else: short passages to
    be quoted, which change how the model answers.)
    """
    words = plain_text(document.media_type, document.data)
    if words is None:
        raise NotTranslatable(
            f"The provider of this model takes documents of text alone, and no {document.media_type or 'others'}.",
            field="messages",
        )
    return words

"""Requests of Converse, written (API reference of Amazon Bedrock, `POST /model/{modelId}/converse`, 2026)."""

from typing import Any, Final

from airouter.translation import claude
from airouter.translation.bedrock import thinking
from airouter.translation.bedrock.media import MediaBlocks
from airouter.translation.conversation import (
    CacheFor,
    Conversation,
    Media,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
    merged_turns,
)
from airouter.translation.json_text import arguments_in, text_of
from airouter.translation.plain_ids import plain_id
from airouter.translation.support import Feature

_TEMPERATURE_MAX: Final = 1.0
_WORD_BESIDE_DOCUMENTS: Final = "The documents of this message:"
"""A message with a document must have text."""
_CALL_ID_MAX: Final = 64
Block = dict[str, Any]


def lacks(conversation: Conversation, allowance: int) -> tuple[Feature, ...]:
    """What this model cannot be told, or not beside what else is asked."""
    asked, sampling = conversation.thinking, conversation.sampling
    more = thinking.written(conversation, conversation.max_output_tokens or allowance)
    inference = _inference(conversation, None, is_thinking=bool(more))
    found: list[Feature] = []
    if asked is not None and asked.effort not in {None, "none"} and not more:
        found.append("reasoning_effort")
    if asked is not None and asked.budget_tokens and not more:
        found.append("reasoning_budget")
    if sampling.temperature is not None and "temperature" not in inference:
        found.append("temperature")
    if sampling.top_p is not None and "topP" not in inference:
        found.append("top_p")
    if len(inference.get("stopSequences", ())) < len(sampling.stop):
        found.append("stop")
    return tuple(found)


def write(conversation: Conversation, allowance: int) -> dict[str, Any]:
    """The body for a provider of this dialect; the model stands in the address.

    `allowance` is the output limit of a request that states none, where a thinking budget needs one to be part of.

    Raises:
        NotTranslatable: an image, a document or a sound is of a format that has no word here.
    """
    tools = _tools(conversation)
    body: dict[str, Any] = {"messages": _Messages(has_tools=bool(tools)).written(conversation)}
    if conversation.system:
        texts = (text for text in conversation.system if text.text.strip())
        body["system"] = [block for text in texts for block in _marked({"text": text.text}, text.cache)]
    max_tokens = conversation.max_output_tokens or allowance
    more = thinking.written(conversation, max_tokens)
    if more:
        body["additionalModelRequestFields"] = more
    if inference := _inference(conversation, allowance if "thinking" in more else None, is_thinking=bool(more)):
        body["inferenceConfig"] = inference
    if tools:
        choice = _choice(conversation)
        body["toolConfig"] = {"tools": tools} if choice is None else {"tools": tools, "toolChoice": choice}
    if conversation.format is not None and conversation.format.kind == "schema":
        body["outputConfig"] = {"textFormat": _format(conversation)}
    return body


def _inference(conversation: Conversation, allowance: int | None, *, is_thinking: bool) -> dict[str, Any]:
    """Models that think take no temperature; Anthropic's newer ones take it or `topP`, the newest neither."""
    sampling = conversation.sampling
    inference: dict[str, Any] = {}
    max_tokens = conversation.max_output_tokens or allowance
    if max_tokens is not None:
        inference["maxTokens"] = max_tokens
    is_left = is_thinking or claude.is_adaptive(conversation.model)
    if not is_left and sampling.temperature is not None:
        inference["temperature"] = min(sampling.temperature, _TEMPERATURE_MAX)
    takes_both = not _is_anthropic(conversation)
    if not is_left and sampling.top_p is not None and (takes_both or "temperature" not in inference):
        inference["topP"] = sampling.top_p
    if stops := [stop for stop in sampling.stop if stop.strip()]:  # blanks alone are refused there
        inference["stopSequences"] = stops
    return inference


def _is_anthropic(conversation: Conversation) -> bool:
    return "anthropic." in conversation.model


def _format(conversation: Conversation) -> dict[str, Any]:
    """The schema travels as text."""
    asked = conversation.format
    assert asked is not None, "the caller looked"
    schema: dict[str, Any] = {"name": asked.name, "schema": text_of(asked.schema or {})}
    if asked.description is not None:
        schema["description"] = asked.description
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}


def _tools(conversation: Conversation) -> list[Block]:
    """There is no way to forbid the tools that are shown, so they are not shown."""
    choice = conversation.tool_choice
    if choice is not None and choice.mode == "none":
        return []
    return [block for tool in conversation.tools for block in _marked({"toolSpec": _tool(tool)}, tool.cache)]


def _tool(tool: Tool) -> dict[str, Any]:
    spec: dict[str, Any] = {"name": tool.name}
    if tool.description:
        spec["description"] = tool.description
    spec["inputSchema"] = {"json": tool.schema or {"type": "object", "properties": {}}}
    if tool.is_strict:
        spec["strict"] = True
    return spec


def _choice(conversation: Conversation) -> dict[str, Any] | None:
    choice = conversation.tool_choice
    match None if choice is None else choice.mode:
        case "auto":
            return {"auto": {}}
        case "required":
            return {"any": {}}
        case "named" if choice is not None:
            return {"tool": {"name": choice.name}}
        case _:
            return None


def _marked(block: Block, cache: CacheFor | None) -> list[Block]:
    """The block, and the point up to which the prompt is kept where that is asked for."""
    if cache is None:
        return [block]
    point = {"type": "default"} if cache == "5m" else {"type": "default", "ttl": cache}
    return [block, {"cachePoint": point}]


class _Messages:
    """Writes what was said. Calls and results need the tools beside them; without, they are told in words."""

    def __init__(self, *, has_tools: bool) -> None:
        self._has_tools = has_tools
        self._media = MediaBlocks()

    def written(self, conversation: Conversation) -> list[dict[str, Any]]:
        """A message for each turn: speakers take turns there, so what one says in a row is one message."""
        return [
            {"role": turn.role, "content": content}
            for turn in merged_turns(conversation.turns)
            if (content := self._content(turn))
        ]

    def _content(self, turn: Turn) -> list[Block]:
        """Results of tools come first: they answer the message before."""
        ordered = sorted(turn.parts, key=lambda part: not isinstance(part, ToolResult))
        content = [block for part in ordered for block in self._blocks(part)]
        if any("document" in block for block in content) and not any("text" in block for block in content):
            content.insert(0, {"text": _WORD_BESIDE_DOCUMENTS})
        return content

    def _blocks(self, part: Part) -> list[Block]:
        match part:
            case Text():
                return _marked({"text": part.text}, part.cache) if part.text.strip() else []
            case Refusal():
                return [{"text": part.text}] if part.text.strip() else []
            case Media():
                return _marked(self._media.block(part), part.cache)
            case ToolCall() if not self._has_tools:
                return [{"text": f"(Called the tool {part.name} with {part.arguments or '{}'})"}]
            case ToolCall():
                call = {
                    "toolUseId": plain_id(part.call_id, _CALL_ID_MAX),
                    "name": part.name,
                    "input": arguments_in(part.arguments),
                }
                return _marked({"toolUse": call}, part.cache)
            case ToolResult():
                return self._result(part)
            case Reasoning(vendor="bedrock", sealed=str(sealed)):
                return [{"reasoningContent": {"redactedContent": sealed}}]
            case Reasoning(vendor="bedrock", signature=str(signature)):
                return [{"reasoningContent": {"reasoningText": {"text": part.text, "signature": signature}}}]
            case Reasoning():
                return []

    def _result(self, part: ToolResult) -> list[Block]:
        """Sounds have no place inside a result, and stand beside it."""
        inside = [one for one in part.content if not (isinstance(one, Media) and one.kind == "audio")]
        beside = [block for one in part.content if one not in inside for block in self._blocks(one)]
        content = [
            {"text": one.text} if isinstance(one, Text) else self._media.block(one)
            for one in inside
            if not isinstance(one, Text) or one.text.strip()
        ]
        if not self._has_tools:
            words = " ".join(block["text"] for block in content if "text" in block)
            said = {"text": f"(The tool {'failed' if part.is_error else 'answered'}: {words})"}
            return [said, *(block for block in content if "text" not in block), *beside]
        result: Block = {"toolUseId": plain_id(part.call_id, _CALL_ID_MAX), "content": content}
        if part.is_error:  # success is understood, and not every model takes the member
            result["status"] = "error"
        return [*_marked({"toolResult": result}, part.cache), *beside]

"""Requests of Anthropic's messages, read and written (API reference of Anthropic, `POST /v1/messages`)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from airouter.domain.errors import InvalidRequest
from airouter.translation import claude
from airouter.translation.conversation import (
    CacheFor,
    Conversation,
    Format,
    Media,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    merged_turns,
)
from airouter.translation.effort import check_effort
from airouter.translation.json_text import arguments_in, arguments_text, plain_text
from airouter.translation.members import Members
from airouter.translation.plain_ids import plain_id
from airouter.translation.support import Feature
from airouter.translation.thought_seal import opened

_BEYOND: Final[Mapping[str, Feature]] = {
    "container": "server_tools",
    "mcp_servers": "server_tools",
    "context_management": "truncation",
}
_KNOWN: Final = frozenset({
    "model", "max_tokens", "messages", "system", "stop_sequences", "stream", "temperature", "top_p", "top_k",
    "metadata", "tools", "tool_choice", "thinking", "output_config", "output_format", "service_tier", "cache_control",
})  # fmt: skip
_MODES: Final = {"auto": "auto", "any": "required", "none": "none", "tool": "named"}
_CHOICES: Final = {"auto": "auto", "required": "any", "none": "none", "named": "tool"}
_AT_VENDOR: Final = frozenset({"server_tool_use", "mcp_tool_use", "search_result", "tool_reference"})
"""Kinds of content that only the vendor can make or read, besides results of its own tools."""
_TEMPERATURE_MAX: Final = 1.0
_CALL_ID_MAX: Final = 200
"""Not documented; no vendor's own are as long."""
_USER_MAX: Final = 256


def read(body: Mapping[str, Any], model: str) -> Conversation:
    """A client's request; `model` is what the upstream calls the model.

    Raises:
        InvalidRequest: a member cannot be meant; `field` says which.
    """
    given = Members(body)
    beyond = given.beyond(_BEYOND, _KNOWN)
    system = [Text(text=part.text("text") or "", cache=part.cache_mark()) for part in given.parts("system")]
    turns: list[Turn] = []
    for number, message in enumerate(given.objects("messages")):
        where, role = f"messages[{number}]", message.text("role")
        parts = tuple(_parts(message, "content", where, beyond))
        if role == "system":
            if turns:
                beyond["late_system"] = where
            system.extend(part for part in parts if isinstance(part, Text))
        elif role in {"user", "assistant"}:
            turns.append(Turn(role=role, parts=parts))  # type: ignore[arg-type]
        else:
            raise InvalidRequest(f"{where}.role: there is no role {role!r}.", field=f"{where}.role")
    choice = given.inner("tool_choice")
    return Conversation(
        model=model,
        system=tuple(system),
        turns=tuple(turns),
        tools=tuple(_tools(given, beyond)),
        tool_choice=_tool_choice(choice),
        parallel_calls=False if choice.flag("disable_parallel_tool_use") else None,
        format=_format(given),
        thinking=_thinking(given),
        sampling=Sampling(
            temperature=given.number("temperature"),
            top_p=given.number("top_p"),
            top_k=given.integer("top_k"),
            stop=given.texts("stop_sequences"),
        ),
        max_output_tokens=given.integer("max_tokens"),
        user=given.inner("metadata").text("user_id"),
        service_tier=None if (tier := given.text("service_tier")) in {None, "auto", "standard_only"} else tier,
        is_streaming=given.flag("stream") is True,
        beyond=beyond,
    )


def _parts(message: Members, member: str, where: str, beyond: dict[Feature, str]) -> Iterator[Part]:
    for number, block in enumerate(message.parts(member)):
        place = f"{where}.{member}[{number}]"
        kind = block.text("type") or ""
        match kind:
            case "text":
                yield Text(text=block.text("text") or "", cache=block.cache_mark())
            case "image" | "document":
                source = _source(kind, block, place, beyond)
                if source is not None:
                    yield source
            case "tool_use":
                yield ToolCall(
                    call_id=block.text("id") or "",
                    name=block.text("name") or "",
                    arguments=arguments_text(block.mapping("input")),
                    cache=block.cache_mark(),
                )
            case "tool_result":
                inner = tuple(p for p in _parts(block, "content", place, beyond) if isinstance(p, Text | Media))
                yield ToolResult(
                    call_id=block.text("tool_use_id") or "",
                    content=inner,
                    is_error=block.flag("is_error") is True,
                    cache=block.cache_mark(),
                )
            case "thinking":
                signature, words = block.text("signature"), block.text("thinking") or ""
                thought = opened(signature) or Reasoning(text=words, signature=signature, vendor="anthropic")
                is_marked = thought.signature is None and thought.sealed is None
                yield Reasoning(text=words, vendor=thought.vendor) if is_marked else thought
            case "redacted_thinking":
                data = block.text("data")
                yield opened(data) or Reasoning(sealed=data, vendor="anthropic")
            case "container_upload":
                beyond["stored_files"] = place
            case _ if kind in _AT_VENDOR or kind.endswith("_tool_result"):
                beyond["server_tools"] = place
            case _:
                raise InvalidRequest(f"{place}.type: {kind!r} is no kind of content here.", field=f"{place}.type")


def _source(kind: str, block: Members, place: str, beyond: dict[Feature, str]) -> Part | None:
    source, cache, name = block.inner("source"), block.cache_mark(), block.text("title")
    if kind == "document" and block.inner("citations").flag("enabled"):
        beyond["citations"] = f"{place}.citations"
    match source.text("type"):
        case "base64":
            return Media(
                kind=kind,  # type: ignore[arg-type]
                media_type=source.text("media_type"),
                data=source.text("data") or "",
                name=name,
                cache=cache,
            )
        case "url":
            return Media(kind=kind, url=source.text("url") or "", name=name, cache=cache)  # type: ignore[arg-type]
        case "text":
            return Text(text=source.text("data") or "", cache=cache)
        case "content":
            words = [part.text("text") or "" for part in source.parts("content")]
            return Text(text="\n".join(words), cache=cache)
        case "file":
            beyond["stored_files"] = f"{place}.source.file_id"
            return None
        case other:
            raise InvalidRequest(f"{place}.source.type: {other!r} is no kind of source.", field=f"{place}.source.type")


def _tools(given: Members, beyond: dict[Feature, str]) -> Iterator[Tool]:
    for number, tool in enumerate(given.objects("tools")):
        if tool.text("type") not in {None, "custom"}:
            beyond["server_tools"] = f"tools[{number}]"
            continue
        name = tool.text("name")
        if not name:
            raise InvalidRequest(f"tools[{number}].name is missing.", field=f"tools[{number}].name")
        yield Tool(
            name=name,
            description=tool.text("description"),
            schema=tool.mapping("input_schema"),
            is_strict=tool.flag("strict"),
            cache=tool.cache_mark(),
        )


def _tool_choice(choice: Members) -> ToolChoice | None:
    kind = choice.text("type")
    if kind is None:
        return None
    if kind not in _MODES:
        raise InvalidRequest("tool_choice.type: auto, any, tool or none.", field="tool_choice.type")
    return ToolChoice(mode=_MODES[kind], name=choice.text("name"))  # type: ignore[arg-type]


def _format(given: Members) -> Format | None:
    wanted = given.inner("output_config").inner("format")
    if "type" not in wanted:
        wanted = given.inner("output_format")
    if wanted.text("type") != "json_schema":
        return None
    return Format(kind="schema", schema=wanted.mapping("schema") or {}, is_strict=True)


def _thinking(given: Members) -> Thinking | None:
    asked = given.inner("thinking")
    effort = check_effort(given.inner("output_config").text("effort"), "output_config.effort")
    is_shown = None if asked.text("display") is None else asked.text("display") != "omitted"
    match asked.text("type"):
        case "enabled":
            return Thinking(effort=effort, budget_tokens=asked.integer("budget_tokens"), is_shown=is_shown)
        case "adaptive":
            return Thinking(effort=effort or "medium", is_shown=is_shown)
        case "disabled":
            return Thinking(effort="none")
        case _:
            return None if effort is None else Thinking(effort=effort)


def write(conversation: Conversation, allowance: int) -> dict[str, Any]:
    """The body for a provider of this dialect; `allowance` is the `max_tokens` of a request that states none."""
    max_tokens = conversation.max_output_tokens or allowance
    body: dict[str, Any] = {
        "model": conversation.model,
        "max_tokens": max_tokens,
        "messages": [
            {"role": turn.role, "content": blocks}
            for turn in merged_turns(conversation.turns)
            if (blocks := _blocks(turn.parts))
        ],
    }
    if conversation.system:
        body["system"] = [_marked({"type": "text", "text": text.text}, text.cache) for text in conversation.system]
    if conversation.tools:
        body["tools"] = [_tool(tool) for tool in conversation.tools]
        if (choice := _written_choice(conversation)) is not None:
            body["tool_choice"] = choice
    body |= _settings(conversation, max_tokens)
    if conversation.user is not None:
        body["metadata"] = {"user_id": plain_id(conversation.user, _USER_MAX)}
    if conversation.is_streaming:
        body["stream"] = True
    return body


def _settings(conversation: Conversation, max_tokens: int) -> dict[str, Any]:
    """How to think, to draw and to write. What a thinking model or a newer one would refuse is left out."""
    sampling = conversation.sampling
    body = claude.thinking(conversation, max_tokens, "anthropic")
    if not body and not claude.is_adaptive(conversation.model):
        if sampling.temperature is not None:
            body["temperature"] = min(sampling.temperature, _TEMPERATURE_MAX)
        elif sampling.top_p is not None:  # models from 4.5 on take one of the two
            body["top_p"] = sampling.top_p
        if sampling.top_k is not None:
            body["top_k"] = sampling.top_k
    if stops := [stop for stop in sampling.stop if stop.strip()]:  # blanks alone are refused there
        body["stop_sequences"] = stops
    if conversation.format is not None and conversation.format.kind == "schema":
        written = {"type": "json_schema", "schema": conversation.format.schema or {}}
        body["output_config"] = {**body.get("output_config", {}), "format": written}
    return body


def lacks(conversation: Conversation, allowance: int) -> tuple[Feature, ...]:
    """What this model cannot be told, or not beside what else is asked."""
    written, sampling = _settings(conversation, conversation.max_output_tokens or allowance), conversation.sampling
    asked: dict[Feature, float | None] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
    }
    found: list[Feature] = [name for name, value in asked.items() if value is not None and name not in written]
    thinking = conversation.thinking
    if thinking is not None and "thinking" not in written and thinking.effort not in {None, "none"}:
        found.append("reasoning_effort")
    if thinking is not None and "thinking" not in written and thinking.budget_tokens:
        found.append("reasoning_budget")
    if len(written.get("stop_sequences", ())) < len(sampling.stop):
        found.append("stop")
    return tuple(found)


def _blocks(parts: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Results of tools come first: they answer the message before."""
    ordered = sorted(parts, key=lambda part: not isinstance(part, ToolResult))
    return [block for part in ordered if (block := _block(part)) is not None]


def _block(part: Part) -> dict[str, Any] | None:
    match part:
        case Text():
            return _marked({"type": "text", "text": part.text}, part.cache) if part.text else None
        case Refusal():
            return {"type": "text", "text": part.text} if part.text else None
        case Media():
            return _marked(_media(part), part.cache)
        case ToolCall():
            call = {
                "id": plain_id(part.call_id, _CALL_ID_MAX),
                "name": part.name,
                "input": arguments_in(part.arguments),
            }
            return _marked({"type": "tool_use", **call}, part.cache)
        case ToolResult():
            block: dict[str, Any] = {"type": "tool_result", "tool_use_id": plain_id(part.call_id, _CALL_ID_MAX)}
            if content := [inner for one in part.content if (inner := _block(one)) is not None]:
                block["content"] = content
            if part.is_error:
                block["is_error"] = True
            return _marked(block, part.cache)
        case Reasoning(vendor="anthropic", sealed=str(sealed)):
            return {"type": "redacted_thinking", "data": sealed}
        case Reasoning(vendor="anthropic", signature=str(signature)):
            return {"type": "thinking", "thinking": part.text, "signature": signature}
        case Reasoning():
            return None


def _media(part: Media) -> dict[str, Any]:
    source: dict[str, Any]
    if part.url is not None:
        source = {"type": "url", "url": part.url}
    elif (words := plain_text(part.media_type, part.data)) is not None:  # as data it takes PDF alone
        source = {"type": "text", "media_type": "text/plain", "data": words}
    else:
        source = {"type": "base64", "media_type": part.media_type or "application/pdf", "data": part.data or ""}
    block: dict[str, Any] = {"type": part.kind, "source": source}
    if part.kind == "document" and part.name is not None:
        block["title"] = part.name
    return block


def _marked(block: dict[str, Any], cache: CacheFor | None) -> dict[str, Any]:
    if cache is None:
        return block
    mark = {"type": "ephemeral"} if cache == "5m" else {"type": "ephemeral", "ttl": cache}
    return {**block, "cache_control": mark}


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    written["input_schema"] = tool.schema or {"type": "object", "properties": {}}
    if tool.is_strict:
        written["strict"] = True
    return _marked(written, tool.cache)


def _written_choice(conversation: Conversation) -> dict[str, Any] | None:
    choice, parallel = conversation.tool_choice, conversation.parallel_calls
    if choice is None and parallel is not False:
        return None
    written: dict[str, Any] = {"type": _CHOICES["auto" if choice is None else choice.mode]}
    if choice is not None and choice.mode == "named":
        written["name"] = choice.name
    if parallel is False and written["type"] != "none":
        written["disable_parallel_tool_use"] = True
    return written

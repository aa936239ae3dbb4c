"""Requests of OpenAI's responses, read and written (developers' reference of OpenAI, `POST /v1/responses`)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import (
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
    allowed,
    merged_turns,
)
from airouter.translation.effort import check_effort, effort_for
from airouter.translation.free_text import arguments_of
from airouter.translation.json_text import data_url, split_data_url
from airouter.translation.members import Members
from airouter.translation.of_openai import media_at, read_choice, read_schema, read_tool, written_schema
from airouter.translation.plain_ids import short_id
from airouter.translation.strict_schemas import strict_at_openai
from airouter.translation.support import Feature
from airouter.translation.thought_seal import opened

_BEYOND: Final[Mapping[str, Feature]] = {
    "previous_response_id": "stored_conversation",
    "conversation": "stored_conversation",
    "background": "stored_conversation",
    "store": "stored_answer",
    "prompt": "stored_conversation",
    "metadata": "metadata",
    "prompt_cache_key": "cache_key",
    "prompt_cache_retention": "cache_key",
    "prompt_cache_options": "cache_key",
    "truncation": "truncation",
    "context_management": "truncation",
    "max_tool_calls": "server_tools",
}
_KNOWN: Final = frozenset({
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning",
    "max_output_tokens", "temperature", "top_p", "top_k", "top_logprobs", "include", "user",
    "safety_identifier", "service_tier", "stream", "stream_options",
})  # fmt: skip
_CALL_ID_MAX: Final = 64
_USER_MAX: Final = 64
"""What is longer is refused."""
_INCLUDE_LOGPROBS: Final = "message.output_text.logprobs"


def read(body: Mapping[str, Any], model: str) -> Conversation:
    """A client's request; `model` is what the upstream calls the model.

    Raises:
        InvalidRequest: a member cannot be meant; `field` says which.
    """
    given = Members({name: value for name, value in body.items() if not _is_default(name, value)})
    beyond = given.beyond(_BEYOND, _KNOWN)
    system = [Text(text=words)] if (words := given.text("instructions")) else []
    turns: list[Turn] = []
    for number, item in enumerate(_items(given)):
        where = f"input[{number}]"
        if item.text("role") in {"system", "developer"} and item.text("type") in {None, "message"}:
            if turns:
                beyond["late_system"] = where
            system.extend(part for part in _content(item, "content", where, beyond) if isinstance(part, Text))
        elif (turn := _turn(item, where, beyond)) is not None:
            turns.append(turn)
    text = given.inner("text")
    return Conversation(
        model=model,
        system=tuple(system),
        turns=tuple(merged_turns(tuple(turns))),
        tools=allowed(tuple(_tools(given, beyond)), _allowed(given), beyond),
        tool_choice=_tool_choice(given, beyond),
        parallel_calls=given.flag("parallel_tool_calls"),
        format=_format(text),
        thinking=_thinking(given.inner("reasoning")),
        sampling=Sampling(
            temperature=given.number("temperature"),
            top_p=given.number("top_p"),
            top_k=given.integer("top_k"),
            logprobs=True if _INCLUDE_LOGPROBS in given.texts("include") else None,
            top_logprobs=given.integer("top_logprobs") or None,
        ),
        max_output_tokens=given.integer("max_output_tokens"),
        user=given.text("safety_identifier") or given.text("user"),
        service_tier=None if (tier := given.text("service_tier")) in {None, "auto", "default"} else tier,
        verbosity=text.text("verbosity"),
        is_streaming=given.flag("stream") is True,
        beyond=beyond,
    )


def _is_default(name: str, value: Any) -> bool:
    """What clients say although it goes without saying."""
    return (name, value) in (("truncation", "disabled"), ("background", False), ("store", False))


def _items(given: Members) -> list[Members]:
    value = given.value("input")
    return [Members({"role": "user", "content": value})] if isinstance(value, str) else given.objects("input")


def _turn(item: Members, where: str, beyond: dict[Feature, str]) -> Turn | None:
    kind = item.text("type") or "message"
    match kind:
        case "message":
            role = item.text("role")
            if role not in {"user", "assistant"}:
                raise InvalidRequest(f"{where}.role: there is no role {role!r}.", field=f"{where}.role")
            return Turn(role=role, parts=tuple(_content(item, "content", where, beyond)))  # type: ignore[arg-type]
        case "function_call":
            call = ToolCall(
                call_id=item.text("call_id") or "",
                name=item.text("name") or "",
                arguments=item.text("arguments") or "{}",
            )
            return Turn(role="assistant", parts=(call,))
        case "custom_tool_call":
            arguments = arguments_of(item.text("input") or "")
            call = ToolCall(call_id=item.text("call_id") or "", name=item.text("name") or "", arguments=arguments)
            return Turn(role="assistant", parts=(call,))
        case "function_call_output" | "custom_tool_call_output":
            content = (p for p in _content(item, "output", where, beyond) if isinstance(p, Text | Media))
            return Turn(role="user", parts=(ToolResult(call_id=item.text("call_id") or "", content=tuple(content)),))
        case "reasoning":
            return Turn(role="assistant", parts=(_thought(item),))
        case "item_reference" | "compaction":
            beyond["stored_conversation"] = where
        case _:
            beyond["server_tools"] = where
    return None


def _thought(item: Members) -> Reasoning:
    sealed = item.text("encrypted_content")
    words = [part.text("text") or "" for name in ("summary", "content") for part in item.parts(name)]
    said = "\n\n".join(words)
    thought = opened(sealed) or Reasoning(text=said, sealed=sealed, vendor="responses" if sealed else None)
    is_marked = thought.signature is None and thought.sealed is None
    return Reasoning(text=said, vendor=thought.vendor) if is_marked else thought


def _content(item: Members, member: str, where: str, beyond: dict[Feature, str]) -> Iterator[Part]:
    for number, part in enumerate(item.parts(member)):
        place = f"{where}.{member}[{number}]"
        match part.text("type"):
            case "text" | "input_text" | "output_text" | "summary_text":
                yield Text(text=part.text("text") or "")
            case "refusal":
                yield Refusal(text=part.text("refusal") or "")
            case "input_image":
                url = part.text("image_url")
                if url is None:
                    beyond["stored_files"] = f"{place}.file_id"
                    continue
                yield media_at("image", url, part.text("detail"))
            case "input_file":
                data = split_data_url(part.text("file_data") or "")
                if data is not None:
                    yield Media(kind="document", media_type=data[0], data=data[1], name=part.text("filename"))
                elif (url := part.text("file_url")) is not None:
                    yield Media(kind="document", url=url, name=part.text("filename"))
                else:
                    beyond["stored_files"] = f"{place}.file_id"
            case other:
                raise InvalidRequest(f"{place}.type: {other!r} is no kind of content here.", field=f"{place}.type")


def _tools(given: Members, beyond: dict[Feature, str]) -> Iterator[Tool]:
    for number, tool in enumerate(given.objects("tools")):
        kind = tool.text("type")
        if kind not in {"function", "custom"}:
            beyond["server_tools"] = f"tools[{number}]"
            continue
        yield read_tool(tool, f"tools[{number}]", tool.inner("format") if kind == "custom" else None)


def _tool_choice(given: Members, beyond: dict[Feature, str]) -> ToolChoice | None:
    choice = given.value("tool_choice")
    if choice is None:
        return None
    if isinstance(choice, str):
        return read_choice(choice)
    named = given.inner("tool_choice")
    if named.text("type") == "allowed_tools":
        return ToolChoice(mode="required") if named.text("mode") == "required" else None
    if named.text("type") not in {"function", "custom"}:
        beyond["server_tools"] = "tool_choice"
        return None
    return ToolChoice(mode="named", name=named.text("name"))


def _allowed(given: Members) -> tuple[str, ...]:
    """The names of the tools that may be called, if not all."""
    if isinstance(given.value("tool_choice"), str):
        return ()
    return tuple(tool.text("name") or "" for tool in given.inner("tool_choice").objects("tools"))


def _format(text: Members) -> Format | None:
    wanted = text.inner("format")
    match wanted.text("type"):
        case "json_object":
            return Format(kind="json")
        case "json_schema":
            return read_schema(wanted)
        case _:
            return None


def _thinking(asked: Members) -> Thinking | None:
    effort = check_effort(asked.text("effort"), "reasoning.effort")
    summary = asked.text("summary") or asked.text("generate_summary")
    if effort is None and summary is None:
        return None
    return Thinking(effort=effort, is_shown=summary is not None and summary != "none")


def write(conversation: Conversation) -> dict[str, Any]:
    """The body for a provider of this dialect, which is asked to remember nothing."""
    body: dict[str, Any] = {
        "model": conversation.model,
        "input": [item for turn in conversation.turns for item in _written_items(turn)],
        "store": False,
    }
    sampling, thinking = conversation.sampling, conversation.thinking
    include = ["reasoning.encrypted_content"]
    if sampling.logprobs:
        include.append(_INCLUDE_LOGPROBS)
    text: dict[str, Any] = {}
    if conversation.format is not None:
        text["format"] = _written_format(conversation.format)
    if conversation.verbosity is not None:
        text["verbosity"] = conversation.verbosity
    reasoning: dict[str, Any] = {}
    if (effort := effort_for(thinking)) is not None:
        reasoning["effort"] = effort
    if thinking is not None and thinking.is_shown:
        reasoning["summary"] = "auto"
    optional: dict[str, Any] = {
        "instructions": "\n\n".join(words.text for words in conversation.system) or None,
        "max_output_tokens": conversation.max_output_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_logprobs": sampling.top_logprobs,
        "include": include,
        "tools": [_tool(tool) for tool in conversation.tools] or None,
        "tool_choice": _written_choice(conversation.tool_choice) if conversation.tools else None,
        "parallel_tool_calls": conversation.parallel_calls if conversation.tools else None,
        "text": text or None,
        "reasoning": reasoning or None,
        "safety_identifier": conversation.user and short_id(conversation.user, _USER_MAX),
        "stream": True if conversation.is_streaming else None,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def _written_items(turn: Turn) -> Iterator[dict[str, Any]]:
    """Messages of what is said, and an item of its own for each call, result and thought, in order."""
    said: list[dict[str, Any]] = []
    for part in (*turn.parts, None):
        written = None if part is None else _said(part, turn.role)
        if written is not None:
            said.append(written)
            continue
        if said:
            yield {"type": "message", "role": turn.role, "content": said}
            said = []
        if part is not None and (item := _item(part)) is not None:
            yield item


def _said(part: Part, role: str) -> dict[str, Any] | None:
    match part:
        case Text():
            return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Media(kind="image"):
            image = {"type": "input_image", "image_url": part.url or data_url(part.media_type, part.data or "")}
            return image | ({"detail": part.detail} if part.detail is not None else {})
        case Media(url=str(url)):
            return {"type": "input_file", "file_url": url}
        case Media():
            data = data_url(part.media_type, part.data or "")
            return {"type": "input_file", "filename": part.name or "document", "file_data": data}
        case _:
            return None


def _item(part: Part) -> dict[str, Any] | None:
    match part:
        case ToolCall():
            call_id = short_id(part.call_id, _CALL_ID_MAX)
            return {"type": "function_call", "call_id": call_id, "name": part.name, "arguments": part.arguments}
        case ToolResult():
            output: Any = [written for inner in part.content if (written := _said(inner, "user")) is not None]
            if all(isinstance(inner, Text) for inner in part.content):
                output = "\n".join(inner.text for inner in part.content if isinstance(inner, Text))
            return {"type": "function_call_output", "call_id": short_id(part.call_id, _CALL_ID_MAX), "output": output}
        case Reasoning(vendor="responses", sealed=str(sealed)):
            summary = [{"type": "summary_text", "text": part.text}] if part.text else []
            return {"type": "reasoning", "summary": summary, "encrypted_content": sealed}
        case _:
            return None


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema or {"type": "object", "properties": {}},
        "strict": strict_at_openai(tool.schema, asked=tool.is_strict) is True,
    }


def _written_choice(choice: ToolChoice | None) -> Any:
    if choice is None:
        return None
    return {"type": "function", "name": choice.name} if choice.mode == "named" else choice.mode


def _written_format(wanted: Format) -> dict[str, Any]:
    if wanted.kind == "json":
        return {"type": "json_object"}
    return {"type": "json_schema", **written_schema(wanted)}

"""Requests of chat completions, read and written (developers' reference of OpenAI, `POST /v1/chat/completions`)."""

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
)
from airouter.translation.effort import check_effort, effort_for
from airouter.translation.free_text import arguments_of
from airouter.translation.json_text import data_url, plain_text, split_data_url, text_of
from airouter.translation.members import Members
from airouter.translation.of_openai import media_at, read_choice, read_schema, read_tool, written_schema
from airouter.translation.plain_ids import short_id
from airouter.translation.strict_schemas import strict_at_openai
from airouter.translation.support import Feature
from airouter.translation.thought_seal import opened

_BEYOND: Final[Mapping[str, Feature]] = {
    "functions": "legacy_functions",
    "function_call": "legacy_functions",
    "logit_bias": "logit_bias",
    "metadata": "metadata",
    "store": "metadata",
    "prediction": "prediction",
    "prompt_cache_key": "cache_key",
    "prompt_cache_retention": "cache_key",
    "prompt_cache_options": "cache_key",
    "audio": "media_output",
    "web_search_options": "server_tools",
    "search_parameters": "server_tools",
    "plugins": "server_tools",
    "compound_custom": "server_tools",
}
"""Members that the neutral form has no place for."""
_KNOWN: Final = frozenset({
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "temperature", "top_p",
    "top_k", "seed", "presence_penalty", "frequency_penalty", "stop", "logprobs", "top_logprobs", "tools",
    "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "verbosity", "user",
    "safety_identifier", "service_tier", "modalities",
})  # fmt: skip
_SWITCHES: Final = ("web_search_options", "search_parameters", "enable_search")
"""Members that set a search running even where there is nothing in them."""
_CALL_ID_MAX: Final = 40
_USER_MAX: Final = 64
"""What is longer is refused."""
_AUDIO_TYPES: Final = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "opus": "audio/opus"}
_AUDIO_FORMATS: Final = {media_type: name for name, media_type in _AUDIO_TYPES.items()} | {
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
}


def read(body: Mapping[str, Any], model: str) -> Conversation:
    """A client's request; `model` is what the upstream calls the model.

    Raises:
        InvalidRequest: a member cannot be meant; `field` says which.
    """
    given = Members(body)
    beyond = given.beyond(_BEYOND, _KNOWN)
    for name in _SWITCHES:
        if body.get(name) not in (None, False):
            beyond["server_tools"] = name
    if set(given.texts("modalities")) - {"text"}:
        beyond["media_output"] = "modalities"
    system: list[Text] = []
    turns: list[Turn] = []
    for number, message in enumerate(given.objects("messages")):
        role = message.text("role")
        where = f"messages[{number}]"
        if role in {"system", "developer"}:
            if turns:
                beyond["late_system"] = where
            system.extend(part for part in _content(message, where, beyond) if isinstance(part, Text))
        elif role == "user":
            turns.append(Turn(role="user", parts=tuple(_content(message, where, beyond))))
        elif role == "assistant":
            turns.append(Turn(role="assistant", parts=tuple(_said(message, where, beyond))))
        elif role in {"tool", "function"}:
            turns.append(Turn(role="user", parts=(_result(message, where, beyond),)))
        else:
            raise InvalidRequest(f"{where}.role: there is no role {role!r}.", field=f"{where}.role")
    return Conversation(
        model=model,
        system=tuple(system),
        turns=tuple(turns),
        tools=allowed(tuple(_tools(given, beyond)), _allowed(given), beyond),
        tool_choice=_tool_choice(given),
        parallel_calls=given.flag("parallel_tool_calls"),
        format=_format(given),
        thinking=_thinking(given),
        sampling=Sampling(
            temperature=given.number("temperature"),
            top_p=given.number("top_p"),
            top_k=given.integer("top_k"),
            seed=given.integer("seed"),
            presence_penalty=given.number("presence_penalty") or None,
            frequency_penalty=given.number("frequency_penalty") or None,
            stop=given.texts("stop"),
            logprobs=given.flag("logprobs"),
            top_logprobs=given.integer("top_logprobs"),
            choices=given.integer("n") or 1,
        ),
        max_output_tokens=given.integer("max_completion_tokens") or given.integer("max_tokens"),
        user=given.text("safety_identifier") or given.text("user"),
        service_tier=None if (tier := given.text("service_tier")) in {None, "auto", "default"} else tier,
        verbosity=given.text("verbosity"),
        is_streaming=given.flag("stream") is True,
        beyond=beyond,
    )


def _content(message: Members, where: str, beyond: dict[Feature, str]) -> Iterator[Part]:
    """The parts of a message's `content`, which may be one text."""
    for number, part in enumerate(message.parts("content")):
        place = f"{where}.content[{number}]"
        match part.text("type"):
            case "text" | "input_text" | "output_text":
                yield Text(text=part.text("text") or "", cache=part.cache_mark())
            case "refusal":
                yield Refusal(text=part.text("refusal") or "")
            case "image_url":
                url = part.inner_text("image_url", "url") or ""
                yield media_at("image", url, part.inner("image_url").text("detail"))
            case "input_audio":
                sound = part.inner("input_audio")
                kind = sound.text("format") or "wav"
                yield Media(
                    kind="audio", data=sound.text("data") or "", media_type=_AUDIO_TYPES.get(kind, f"audio/{kind}")
                )
            case "file":
                file = part.inner("file")
                data = split_data_url(file.text("file_data") or "")
                if data is None:
                    beyond["stored_files"] = f"{place}.file.file_id"
                else:
                    yield Media(kind="document", media_type=data[0], data=data[1], name=file.text("filename"))
            case "video_url":
                yield media_at("video", part.inner_text("video_url", "url") or "", None)
            case other:
                raise InvalidRequest(f"{place}.type: {other!r} is no kind of content here.", field=f"{place}.type")


def _said(message: Members, where: str, beyond: dict[Feature, str]) -> Iterator[Part]:
    sealed = [opened(detail.text("data")) for detail in message.objects("reasoning_details")]
    thoughts = [thought for thought in sealed if thought is not None]
    yield from thoughts
    plain = message.text("reasoning_content") or message.text("reasoning")
    if plain and not thoughts:
        yield Reasoning(text=plain, vendor="chat")
    if (refusal := message.text("refusal")) is not None:
        yield Refusal(text=refusal)
    for part in _content(message, where, beyond):
        if not isinstance(part, Text) or part.text:
            yield part
    if "function_call" in message:
        beyond["legacy_functions"] = f"{where}.function_call"
    for call in message.objects("tool_calls"):
        if call.text("type") == "custom":
            custom = call.inner("custom")
            arguments = arguments_of(custom.text("input") or "")
            yield ToolCall(call_id=call.text("id") or "", name=custom.text("name") or "", arguments=arguments)
            continue
        function = call.inner("function")
        yield ToolCall(
            call_id=call.text("id") or "",
            name=function.text("name") or "",
            arguments=function.text("arguments") or "{}",
        )


def _result(message: Members, where: str, beyond: dict[Feature, str]) -> ToolResult:
    content = tuple(part for part in _content(message, where, beyond) if isinstance(part, Text | Media))
    return ToolResult(call_id=message.text("tool_call_id") or "", name=message.text("name"), content=content)


def _tools(given: Members, beyond: dict[Feature, str]) -> Iterator[Tool]:
    for number, tool in enumerate(given.objects("tools")):
        kind = tool.text("type") or "function"
        if kind not in {"function", "custom"}:
            beyond["server_tools"] = f"tools[{number}]"
            continue
        function = tool.inner(kind)
        grammar = function.inner("format").inner("grammar") if kind == "custom" else None
        yield read_tool(function, f"tools[{number}].{kind}", grammar)


def _tool_choice(given: Members) -> ToolChoice | None:
    choice = given.value("tool_choice")
    if choice is None:
        return None
    if isinstance(choice, str):
        return read_choice(choice)
    kind = given.inner("tool_choice").text("type") or "function"
    if kind == "allowed_tools":
        mode = given.inner("tool_choice").inner("allowed_tools").text("mode")
        return ToolChoice(mode="required") if mode == "required" else None
    named = given.inner("tool_choice").inner("custom" if kind == "custom" else "function").text("name")
    if not named:
        raise InvalidRequest("tool_choice.function.name is missing.", field="tool_choice.function.name")
    return ToolChoice(mode="named", name=named)


def _allowed(given: Members) -> tuple[str, ...]:
    """The names of the tools that may be called, if not all."""
    if isinstance(given.value("tool_choice"), str):
        return ()
    listed = given.inner("tool_choice").inner("allowed_tools").objects("tools")
    return tuple(tool.inner(tool.text("type") or "function").text("name") or "" for tool in listed)


def _thinking(given: Members) -> Thinking | None:
    effort = check_effort(given.text("reasoning_effort"), "reasoning_effort")
    return None if effort is None else Thinking(effort=effort)


def _format(given: Members) -> Format | None:
    wanted = given.inner("response_format")
    match wanted.text("type"):
        case "json_object":
            return Format(kind="json")
        case "json_schema":
            return read_schema(wanted.inner("json_schema"))
        case _:
            return None


def lacks(conversation: Conversation) -> tuple[Feature, ...]:
    """For a provider that does not take its thoughts back."""
    parts = (part for turn in conversation.turns for part in turn.parts)
    return ("reasoning_replay",) if any(isinstance(part, Reasoning) and part.vendor == "chat" for part in parts) else ()


def write(conversation: Conversation, *, takes_thoughts: bool = False) -> dict[str, Any]:
    """The body for a provider of this dialect; `takes_thoughts`: it wants those that led to calls back."""
    messages = list(_messages(conversation, takes_thoughts=takes_thoughts))
    body: dict[str, Any] = {"model": conversation.model, "messages": messages}
    if conversation.max_output_tokens is not None:
        body["max_completion_tokens"] = conversation.max_output_tokens
    sampling = conversation.sampling
    optional: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "stop": list(sampling.stop) or None,
        "logprobs": sampling.logprobs,
        "top_logprobs": sampling.top_logprobs,
        "n": sampling.choices if sampling.choices > 1 else None,
        "tools": [_tool(tool) for tool in conversation.tools] or None,
        "tool_choice": _written_choice(conversation.tool_choice) if conversation.tools else None,
        "parallel_tool_calls": conversation.parallel_calls if conversation.tools else None,
        "response_format": _written_format(conversation.format),
        "reasoning_effort": effort_for(conversation.thinking),
        "verbosity": conversation.verbosity,
        "safety_identifier": conversation.user and short_id(conversation.user, _USER_MAX),
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    if conversation.is_streaming:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _messages(conversation: Conversation, *, takes_thoughts: bool) -> Iterator[dict[str, Any]]:
    if conversation.system:
        yield {"role": "system", "content": "\n\n".join(text.text for text in conversation.system)}
    for turn in conversation.turns:
        if turn.role == "assistant":
            yield from _assistant(turn.parts, takes_thoughts=takes_thoughts)
        else:
            yield from _user(turn.parts)


def _assistant(parts: tuple[Part, ...], *, takes_thoughts: bool) -> Iterator[dict[str, Any]]:
    message: dict[str, Any] = {"role": "assistant"}
    words = "".join(part.text for part in parts if isinstance(part, Text))
    refusals = "".join(part.text for part in parts if isinstance(part, Refusal))
    calls = [
        {
            "id": short_id(part.call_id, _CALL_ID_MAX),
            "type": "function",
            "function": {"name": part.name, "arguments": part.arguments},
        }
        for part in parts
        if isinstance(part, ToolCall)
    ]
    if words or not calls:
        message["content"] = words
    if refusals:
        message["refusal"] = refusals
    if calls:
        message["tool_calls"] = calls
    thought = "".join(part.text for part in parts if isinstance(part, Reasoning) and part.vendor == "chat")
    if takes_thoughts and calls and thought:
        message["reasoning_content"] = thought
    if words or refusals or calls:
        yield message


def _user(parts: tuple[Part, ...]) -> Iterator[dict[str, Any]]:
    """Results of tools are messages of their own, and come first: they answer the message before."""
    rest: list[Part] = []
    for part in parts:
        if isinstance(part, ToolResult):
            yield {
                "role": "tool",
                "tool_call_id": short_id(part.call_id, _CALL_ID_MAX),
                "content": "\n".join(inner.text for inner in part.content if isinstance(inner, Text)),
            }
            rest.extend(inner for inner in part.content if isinstance(inner, Media))
        else:
            rest.append(part)
    if len(rest) == 1 and isinstance(rest[0], Text):
        yield {"role": "user", "content": rest[0].text}
    elif rest:
        yield {"role": "user", "content": [_part(part) for part in rest]}


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Media(kind="image"):
            image: dict[str, Any] = {"url": part.url or data_url(part.media_type, part.data or "")}
            if part.detail is not None:
                image["detail"] = part.detail
            return {"type": "image_url", "image_url": image}
        case Media(kind="audio"):
            kind = _AUDIO_FORMATS.get(part.media_type or "", (part.media_type or "audio/wav").partition("/")[2])
            return {"type": "input_audio", "input_audio": {"data": part.data or "", "format": kind}}
        case Media() if (words := plain_text(part.media_type, part.data)) is not None:  # as a file, PDF alone is taken
            return {"type": "text", "text": words}
        case Media():
            return {
                "type": "file",
                "file": {
                    "filename": part.name or "document",
                    "file_data": data_url(part.media_type, part.data or ""),
                },
            }
        case Text():
            return {"type": "text", "text": part.text}
        case _:  # a thought, a call or a refusal has no place in a user's message
            return {"type": "text", "text": text_of(part)}


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.schema or {"type": "object", "properties": {}}
    if (is_strict := strict_at_openai(tool.schema, asked=tool.is_strict)) is not None:
        function["strict"] = is_strict
    return {"type": "function", "function": function}


def _written_choice(choice: ToolChoice | None) -> Any:
    if choice is None:
        return None
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "named" else choice.mode


def _written_format(wanted: Format | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    if wanted.kind == "json":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": written_schema(wanted)}

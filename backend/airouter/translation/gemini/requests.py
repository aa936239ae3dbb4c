"""Requests of Gemini's generateContent, read and written (ai.google.dev, API reference, `models.generateContent`)."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import (
    Conversation,
    Format,
    Media,
    MediaKind,
    Part,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
    Turn,
    allowed,
    merged_turns,
)
from airouter.translation.effort import check_effort
from airouter.translation.gemini.names import camel, json_schema
from airouter.translation.json_text import arguments_in, arguments_text, object_of, text_of
from airouter.translation.members import Members
from airouter.translation.support import Feature
from airouter.translation.thought_seal import opened

_BEYOND: Final[Mapping[str, Feature]] = {
    "safetySettings": "safety_settings",
    "cachedContent": "stored_conversation",
    "labels": "metadata",
    "modelArmorConfig": "safety_settings",
}
_KNOWN: Final = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "model"})
_BEYOND_OUTPUT: Final[Mapping[str, Feature]] = {"speechConfig": "media_output", "imageConfig": "media_output"}
_KNOWN_OUTPUT: Final = frozenset({
    "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "responseMimeType",
    "responseSchema", "responseJsonSchema", "presencePenalty", "frequencyPenalty", "seed", "responseLogprobs",
    "logprobs", "thinkingConfig", "responseModalities", "mediaResolution",
})  # fmt: skip
_MODES: Final[Mapping[str, ToolMode]] = {"AUTO": "auto", "ANY": "required", "NONE": "none", "VALIDATED": "auto"}
_CALLING: Final[Mapping[ToolMode, str]] = {"auto": "AUTO", "required": "ANY", "none": "NONE", "named": "ANY"}
_STORED: Final = ("https://generativelanguage.googleapis.com/", "gs://")
UNSIGNED: Final = "skip_thought_signature_validator"
"""What Google's guide on thought signatures gives for calls that another model made (ai.google.dev, December 2025)."""


def read(body: Mapping[str, Any], model: str, *, is_streaming: bool) -> Conversation:
    """A client's request; `model` is what the upstream calls the model.

    Raises:
        InvalidRequest: a member cannot be meant; `field` says which.
    """
    given = Members(camel(body))
    output = given.inner("generationConfig")
    beyond = given.beyond(_BEYOND, _KNOWN) | output.beyond(_BEYOND_OUTPUT, _KNOWN_OUTPUT)
    if {kind.upper() for kind in output.texts("responseModalities")} - {"TEXT"}:
        beyond["media_output"] = "generationConfig.responseModalities"
    calls = _Calls()
    turns: list[Turn] = []
    for number, content in enumerate(_contents(given)):
        where, role = f"contents[{number}]", content.text("role") or "user"
        parts = tuple(_parts(content, where, beyond, calls))
        turns.append(Turn(role="assistant" if role == "model" else "user", parts=parts))
    return Conversation(
        model=model,
        system=tuple(Text(text=part.text("text") or "") for part in _listed(given.inner("systemInstruction"), "parts")),
        turns=tuple(turns),
        tools=allowed(tuple(_tools(given, beyond)), _allowed(given), beyond),
        tool_choice=_tool_choice(given),
        format=_format(output),
        thinking=_thinking(output),
        sampling=Sampling(
            temperature=output.number("temperature"),
            top_p=output.number("topP"),
            top_k=output.integer("topK"),
            seed=output.integer("seed"),
            presence_penalty=output.number("presencePenalty"),
            frequency_penalty=output.number("frequencyPenalty"),
            stop=output.texts("stopSequences"),
            logprobs=output.flag("responseLogprobs"),
            top_logprobs=output.integer("logprobs"),
            choices=output.integer("candidateCount") or 1,
        ),
        max_output_tokens=output.integer("maxOutputTokens"),
        is_streaming=is_streaming,
        beyond=beyond,
    )


class _Calls:
    """Calls without ids get one; an answer without an id belongs to the oldest open call of its name."""

    def __init__(self) -> None:
        self._count = 0
        self._open: dict[str, deque[str]] = {}

    def began(self, name: str, given: str | None) -> str:
        self._count += 1
        call_id = given or f"call_{self._count}"
        self._open.setdefault(name, deque()).append(call_id)
        return call_id

    def answered(self, name: str, given: str | None) -> str:
        waiting = self._open.get(name)
        oldest = waiting.popleft() if waiting else ""
        return given or oldest


def _contents(given: Members) -> list[Members]:
    """One content stands for a list of one, and one text for a content."""
    value = given.value("contents")
    if isinstance(value, str):
        return [Members({"parts": [{"text": value}]})]
    return _listed(given, "contents")


def _listed(given: Members, name: str) -> list[Members]:
    """A list of objects; Google's servers take one object alone as well."""
    return [given.inner(name)] if isinstance(given.value(name), dict) else given.objects(name)


def _parts(content: Members, where: str, beyond: dict[Feature, str], calls: _Calls) -> Iterator[Part]:
    for number, part in enumerate(_listed(content, "parts")):
        place, signature = f"{where}.parts[{number}]", part.text("thoughtSignature")
        if signature is not None and signature != UNSIGNED:
            thought = part.text("text") or "" if part.flag("thought") else ""
            yield opened(signature) or Reasoning(text=thought, signature=signature, vendor="gemini")
            if thought:
                continue
        if part.flag("thought"):
            yield Reasoning(text=part.text("text") or "")
        elif "text" in part:
            yield Text(text=part.text("text") or "")
        elif "inlineData" in part:
            data = part.inner("inlineData")
            media_type = data.text("mimeType") or "application/octet-stream"
            yield Media(kind=kind_of(media_type), media_type=media_type, data=data.text("data") or "")
        elif "fileData" in part:
            file = part.inner("fileData")
            uri, media_type = file.text("fileUri") or "", file.text("mimeType")
            if uri.startswith(_STORED):
                beyond["stored_files"] = f"{place}.fileData"
            else:
                yield Media(kind=kind_of(media_type or ""), media_type=media_type, url=uri)
        elif "functionCall" in part:
            call = part.inner("functionCall")
            name = call.text("name") or ""
            yield ToolCall(
                call_id=calls.began(name, call.text("id")), name=name, arguments=arguments_text(call.mapping("args"))
            )
        elif "functionResponse" in part:
            yield _result(part.inner("functionResponse"), calls, f"{place}.functionResponse", beyond)
        elif "executableCode" in part or "codeExecutionResult" in part or "toolCall" in part or "toolResponse" in part:
            beyond["server_tools"] = place
        elif signature is None:
            raise InvalidRequest(f"{place}: there is nothing in this part that this gateway knows.", field=place)


def _result(answer: Members, calls: _Calls, where: str, beyond: dict[Feature, str]) -> ToolResult:
    """What it says, and the media that stand beside that (functionResponse.parts, Gemini 3)."""
    name, response = answer.text("name") or "", answer.mapping("response") or {}
    is_error = "error" in response and len(response) == 1
    value: Any = response
    if len(response) == 1 and next(iter(response)) in {"output", "result", "error", "return_value"}:
        value = next(iter(response.values()))
    media = (part for part in _parts(answer, where, beyond, calls) if isinstance(part, Media))
    return ToolResult(
        call_id=calls.answered(name, answer.text("id")),
        name=name,
        content=(Text(text=value if isinstance(value, str) else text_of(value)), *media),
        is_error=is_error,
    )


def kind_of(media_type: str) -> MediaKind:
    """Image, sound, video; everything else is a document."""
    kind = media_type.partition("/")[0]
    return kind if kind in {"image", "audio", "video"} else "document"  # type: ignore[return-value]


def _tools(given: Members, beyond: dict[Feature, str]) -> Iterator[Tool]:
    for number, tool in enumerate(_listed(given, "tools")):
        declared = _listed(tool, "functionDeclarations")
        if not declared:
            beyond["server_tools"] = f"tools[{number}]"
        for function in declared:
            schema = function.mapping("parametersJsonSchema")
            plain = function.mapping("parameters")
            yield Tool(
                name=function.text("name") or "",
                description=function.text("description"),
                schema=schema if schema is not None else None if plain is None else json_schema(plain),
            )


def _tool_choice(given: Members) -> ToolChoice | None:
    calling = given.inner("toolConfig").inner("functionCallingConfig")
    mode = calling.text("mode")
    if mode is None:
        return None
    names = calling.texts("allowedFunctionNames")
    if mode.upper() == "ANY" and len(names) == 1:
        return ToolChoice(mode="named", name=names[0])
    return ToolChoice(mode=_MODES.get(mode.upper(), "auto"))


def _allowed(given: Members) -> tuple[str, ...]:
    """The functions that may be called, if not all; one alone is named instead."""
    calling = given.inner("toolConfig").inner("functionCallingConfig")
    names = calling.texts("allowedFunctionNames")
    is_named = (calling.text("mode") or "").upper() == "ANY" and len(names) == 1
    return () if is_named else names


def _format(output: Members) -> Format | None:
    if output.text("responseMimeType") != "application/json":
        return None
    schema = output.mapping("responseJsonSchema")
    plain = output.mapping("responseSchema")
    if schema is None and plain is None:
        return Format(kind="json")
    return Format(kind="schema", schema=schema if schema is not None else json_schema(plain or {}))


def _thinking(output: Members) -> Thinking | None:
    asked = output.inner("thinkingConfig")
    level, budget = asked.text("thinkingLevel"), asked.integer("thinkingBudget")
    if level is None and budget is None and "includeThoughts" not in asked:
        return None
    return Thinking(
        effort=check_effort(level and level.lower(), "generationConfig.thinkingConfig.thinkingLevel"),
        budget_tokens=budget if budget is not None and budget >= 0 else None,
        is_shown=asked.flag("includeThoughts"),
    )


def write(conversation: Conversation) -> dict[str, Any]:
    """The body for a provider of this dialect. The model and whether it streams are in the address."""
    names: dict[str, str] = {}
    body: dict[str, Any] = {
        "contents": [
            {"role": "model" if turn.role == "assistant" else "user", "parts": parts}
            for turn in merged_turns(conversation.turns)  # answers to parallel calls stand in one content
            if (parts := list(_written_parts(turn.parts, names)))
        ]
    }
    if conversation.system:
        body["systemInstruction"] = {"parts": [{"text": text.text} for text in conversation.system]}
    if conversation.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in conversation.tools]}]
        if (choice := conversation.tool_choice) is not None:
            calling: dict[str, Any] = {"mode": _CALLING[choice.mode]}
            if choice.mode == "named":
                calling["allowedFunctionNames"] = [choice.name]
            body["toolConfig"] = {"functionCallingConfig": calling}
    if output := _output(conversation):
        body["generationConfig"] = output
    return body


def _output(conversation: Conversation) -> dict[str, Any]:
    sampling, wanted = conversation.sampling, conversation.format
    optional: dict[str, Any] = {
        "maxOutputTokens": conversation.max_output_tokens,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "seed": sampling.seed,
        "presencePenalty": sampling.presence_penalty,
        "frequencyPenalty": sampling.frequency_penalty,
        "stopSequences": list(sampling.stop) or None,
        "responseLogprobs": sampling.logprobs,
        "logprobs": sampling.top_logprobs,
        "candidateCount": sampling.choices if sampling.choices > 1 else None,
        "responseMimeType": None if wanted is None else "application/json",
        "responseJsonSchema": None if wanted is None else wanted.schema,
        "thinkingConfig": _written_thinking(conversation.thinking),
    }
    return {name: value for name, value in optional.items() if value is not None}


def _written_thinking(thinking: Thinking | None) -> dict[str, Any] | None:
    if thinking is None:
        return None
    asked: dict[str, Any] = {"includeThoughts": thinking.is_shown is not False}
    if thinking.budget_tokens is not None:
        asked["thinkingBudget"] = thinking.budget_tokens
    elif thinking.effort == "none":
        asked = {"thinkingBudget": 0}
    elif thinking.effort is not None:
        asked["thinkingLevel"] = "high" if thinking.effort in {"xhigh", "max"} else thinking.effort
    return asked


def _written_parts(parts: tuple[Part, ...], names: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The parts of one content. `names` of the calls so far are kept: their answers say them again.

    Answers to calls come first. A signature of a turn with calls belongs to the first of them: Gemini 3 refuses that
    without one, wherever the client kept it.
    """
    signature: str | None = None
    calls = [part for part in parts if isinstance(part, ToolCall)]
    names.update((call.call_id, call.name) for call in calls)
    for part in sorted(parts, key=lambda part: not isinstance(part, ToolResult)):
        if isinstance(part, Reasoning):
            if part.vendor == "gemini" and part.text and part.signature:
                yield {"text": part.text, "thought": True, "thoughtSignature": part.signature}
            elif part.vendor == "gemini" and part.signature:
                signature = part.signature
            continue
        if calls and part is calls[0]:
            signature = signature or UNSIGNED
        for written in _written_part(part, names):
            takes = signature is not None and (not calls or part in calls)
            yield {**written, "thoughtSignature": signature} if takes else written
            signature = None if takes else signature


def _written_part(part: Part, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    match part:
        case Text() | Refusal():
            if part.text:
                yield {"text": part.text}
        case Media(data=str(data)):
            yield {"inlineData": {"mimeType": part.media_type or "application/octet-stream", "data": data}}
        case Media():
            yield {"fileData": {"fileUri": part.url, **({"mimeType": part.media_type} if part.media_type else {})}}
        case ToolCall():
            yield {"functionCall": {"name": part.name, "args": arguments_in(part.arguments)}}
        case ToolResult():
            words = "\n".join(inner.text for inner in part.content if isinstance(inner, Text))
            response = {"error": words} if part.is_error else object_of(words) or {"output": words}
            yield {"functionResponse": {"name": names.get(part.call_id) or part.name or "", "response": response}}
            for inner in part.content:
                if isinstance(inner, Media):
                    yield from _written_part(inner, names)
        case Reasoning():
            pass


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.schema is not None and tool.schema.get("properties"):  # an object without members is refused there
        written["parametersJsonSchema"] = tool.schema
    return written

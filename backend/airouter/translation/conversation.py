"""A request without a dialect: what is said so far, what the model may do, and what it should write.

Each dialect has one reader into this form and one writer out of it. What the form has no place for is named in
`beyond`, so that support.py can refuse it or leave it out by rule; nothing is lost in silence.
"""

from typing import Any, Literal

import msgspec

from airouter.translation.support import Dialect, Feature

CacheFor = Literal["5m", "1h"]
"""How long the prompt up to here should stay in the vendor's cache."""
MediaKind = Literal["image", "document", "audio", "video"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ToolMode = Literal["auto", "none", "required", "named"]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Words."""

    text: str
    cache: CacheFor | None = None


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """An image, a document or a sound: `data` (base64) with its `media_type`, or the `url` where it lies."""

    kind: MediaKind
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    name: str | None = None
    detail: str | None = None
    """How closely the model should look, in OpenAI's words."""
    cache: CacheFor | None = None


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """The model wants a tool run. `arguments` is the text of a JSON object, as the model wrote it."""

    call_id: str
    name: str
    arguments: str
    cache: CacheFor | None = None


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What the client's tool answered."""

    call_id: str
    name: str | None = None
    """Of the tool; some dialects say it again, the others know it by the id."""
    content: tuple[Text | Media, ...] = ()
    is_error: bool = False
    cache: CacheFor | None = None


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    """What the model thought. It is shown again only to the `vendor` whose proof it carries (thought_seal.py)."""

    text: str = ""
    signature: str | None = None
    """The vendor's proof that the text, or the part that follows, is its own."""
    sealed: str | None = None
    """A thought that came encrypted."""
    vendor: Dialect | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The model's words for not answering."""

    text: str


Part = Text | Media | ToolCall | ToolResult | Reasoning | Refusal


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One speaker's parts, in order. A tool's results are said by the user."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function of the client's. `schema` is JSON Schema of its arguments."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    is_strict: bool | None = None
    is_free_text: bool = False
    """The client declared a tool that takes any text (free_text.py), and wants its calls told so."""
    cache: CacheFor | None = None


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which tools the model may or must call. `name` with `named` only."""

    mode: ToolMode
    name: str | None = None


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer must look like: any JSON, or JSON of one schema."""

    kind: Literal["json", "schema"]
    name: str = "answer"
    schema: dict[str, Any] | None = None
    is_strict: bool | None = None
    description: str | None = None


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """How hard to think: an effort in words, a budget in tokens, or neither (the vendor's own choice, if any).

    `is_shown` False: the client does not want to read it.
    """

    effort: Effort | None = None
    budget_tokens: int | None = None
    is_shown: bool | None = None


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """How words are drawn. None: the vendor's default."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: tuple[str, ...] = ()
    logprobs: bool | None = None
    top_logprobs: int | None = None
    choices: int = 1


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `model` is what the upstream calls it; `max_output_tokens` None: unstated."""

    model: str
    system: tuple[Text, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_calls: bool | None = None
    format: Format | None = None
    thinking: Thinking | None = None
    sampling: Sampling = Sampling()
    max_output_tokens: int | None = None
    user: str | None = None
    """The client's own name for whoever asks, for the vendor's abuse detection."""
    service_tier: str | None = None
    verbosity: str | None = None
    is_streaming: bool = False
    beyond: dict[Feature, str] = {}
    """What the request asks for that this form cannot hold, and the member that asks for it."""


def allowed(tools: tuple[Tool, ...], names: tuple[str, ...], beyond: dict[Feature, str]) -> tuple[Tool, ...]:
    """The tools that may be called; no names: all of them."""
    if not names:
        return tools
    beyond["tool_choice_allowed"] = "tool_choice"
    return tuple(tool for tool in tools if tool.name in names)


def merged_turns(turns: tuple[Turn, ...]) -> list[Turn]:
    """For dialects in which speakers take turns: what one says in a row is one turn."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            merged[-1] = Turn(role=turn.role, parts=merged[-1].parts + turn.parts)
        else:
            merged.append(turn)
    return merged


def features_of(conversation: Conversation, provider: Dialect) -> dict[Feature, str]:
    """Everything the request asks for that not every dialect has, with the member of this form that asks for it.

    Thoughts count unless they are this provider's own.
    """
    found: dict[Feature, str] = dict(conversation.beyond)
    if conversation.system:
        found["system"] = "system"
    for turn in conversation.turns:
        for part in turn.parts:
            found.update(_features_of_part(part, turn.role, provider))
    found.update(_features_of_tools(conversation))
    found.update(_features_of_output(conversation))
    sampling = conversation.sampling
    asked: dict[Feature, bool] = {
        "temperature": sampling.temperature is not None,
        "top_p": sampling.top_p is not None,
        "top_k": sampling.top_k is not None,
        "seed": sampling.seed is not None,
        "penalties": sampling.presence_penalty is not None or sampling.frequency_penalty is not None,
        "stop": bool(sampling.stop),
        "logprobs": bool(sampling.logprobs) or sampling.top_logprobs is not None,
        "choices": sampling.choices > 1,
    }
    found |= {name: name for name, is_asked in asked.items() if is_asked}
    if conversation.user is not None:
        found["user"] = "user"
    if conversation.service_tier is not None:
        found["service_tier"] = "service_tier"
    if conversation.turns and conversation.turns[-1].role == "assistant":
        found["prefill"] = "the last message, which is the assistant's"
    return found


def _features_of_part(part: Part, role: str, provider: Dialect) -> dict[Feature, str]:
    found: dict[Feature, str] = {}
    match part:
        case Media():
            where = "link" if part.url is not None else "data"
            found[f"{part.kind}_{where}"] = f"{part.kind} in a {role} message"  # type: ignore[index]
        case ToolResult():
            found["tools"] = "tool result"
            if any(isinstance(inner, Media) for inner in part.content):
                found["tool_result_media"] = "media in a tool's result"
            if part.is_error:
                found["tool_result_error"] = "a tool's result that is an error"
        case ToolCall():
            found["tools"] = "tool call"
        case Reasoning() if part.vendor != provider:
            found["reasoning_replay"] = "the model's earlier thoughts"
        case _:
            pass
    if getattr(part, "cache", None) is not None:
        found["cache_marks"] = "cache_control"
    return found


def _features_of_tools(conversation: Conversation) -> dict[Feature, str]:
    found: dict[Feature, str] = {}
    if conversation.tools:
        found["tools"] = "tools"
    if any(tool.is_free_text for tool in conversation.tools):
        found["custom_tools"] = "tools"
    if any(tool.is_strict for tool in conversation.tools):
        found["strict_tools"] = "strict"
    if any(tool.cache for tool in conversation.tools) or any(text.cache for text in conversation.system):
        found["cache_marks"] = "cache_control"
    choice = conversation.tool_choice
    if choice is not None and choice.mode != "auto":
        found[f"tool_choice_{choice.mode}"] = "tool_choice"  # type: ignore[index]
    if conversation.parallel_calls is False:
        found["no_parallel_calls"] = "parallel_tool_calls"
    return found


def _features_of_output(conversation: Conversation) -> dict[Feature, str]:
    found: dict[Feature, str] = {}
    if conversation.format is not None:
        found["json" if conversation.format.kind == "json" else "json_schema"] = "response format"
    thinking = conversation.thinking
    if thinking is not None:
        if thinking.effort is not None:
            found["reasoning_effort"] = "reasoning effort"
        if thinking.budget_tokens is not None:
            found["reasoning_budget"] = "thinking budget"
    if conversation.verbosity is not None:
        found["verbosity"] = "verbosity"
    return found

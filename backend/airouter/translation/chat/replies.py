"""Whole answers of chat completions, read and written."""

from collections.abc import Mapping
from typing import Any, Final

from airouter.translation import usage
from airouter.translation.conversation import Reasoning, Refusal, Text, ToolCall
from airouter.translation.free_text import text_in
from airouter.translation.reply import Choice, Quantities, Reply, SaidPart, StopReason, ThoughtDelta, TokenChance
from airouter.translation.thought_seal import sealed_text

STOPS: Final[Mapping[str, StopReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "filter",
}
"""`finish_reason`, as it is read. What vendors add to these counts as `stop`."""
FINISHES: Final[Mapping[StopReason, str]] = {
    "stop": "stop",
    "sequence": "stop",
    "length": "length",
    "tools": "tool_calls",
    "filter": "content_filter",
    "refusal": "stop",
    "pause": "stop",
}
"""As it is written."""


def read(body: Mapping[str, Any], model: str) -> Reply:
    """A provider's answer; `model` is what the client called the model."""
    return Reply(
        reply_id=str(body.get("id") or ""),
        model=model,
        created_at_seconds=int(body.get("created") or 0),
        choices=tuple(_choice(choice) for choice in body.get("choices") or ()),
    )


def _choice(choice: Mapping[str, Any]) -> Choice:
    message: Mapping[str, Any] = choice.get("message") or {}
    parts: list[SaidPart] = []
    if thought := thought_of(message):
        parts.append(Reasoning(text=thought, vendor="chat"))
    if words := words_of(message.get("content")):
        parts.append(Text(text=words))
    if message.get("refusal"):
        parts.append(Refusal(text=message["refusal"]))
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        parts.append(
            ToolCall(
                call_id=call.get("id") or "",
                name=function.get("name") or "",
                arguments=function.get("arguments") or "{}",
            )
        )
    return Choice(
        parts=tuple(parts),
        stop=stop_of(choice.get("finish_reason"), has_calls=any(isinstance(part, ToolCall) for part in parts)),
        chances=read_chances(choice.get("logprobs")),
    )


def stop_of(reason: Any, *, has_calls: bool) -> StopReason:
    """Why it stopped. Some vendors say `stop` although they want a tool run."""
    stop = STOPS.get(str(reason), "stop")
    return "tools" if has_calls and stop == "stop" else stop


def thought_of(message: Mapping[str, Any]) -> str:
    """Reasoning, where vendors of this dialect say it: beside the content, or in parts of it (Mistral)."""
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str):
        return thought
    content = message.get("content")
    parts = content if isinstance(content, list) else ()
    return "".join(words_of(part.get("thinking")) for part in parts if isinstance(part, dict))


def words_of(content: Any) -> str:
    """The text of `content`: a text, or parts of which those with `text` are said aloud (Mistral answers in parts)."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def read_chances(logprobs: Any) -> tuple[TokenChance, ...]:
    """`logprobs.content`."""
    listed = logprobs.get("content") if isinstance(logprobs, dict) else None
    return tuple(
        TokenChance(
            token=one.get("token", ""),
            logprob=one.get("logprob", 0.0),
            others=tuple(
                (other.get("token", ""), other.get("logprob", 0.0)) for other in one.get("top_logprobs") or ()
            ),
        )
        for one in listed or ()
    )


def written_chances(chances: tuple[TokenChance, ...]) -> dict[str, Any] | None:
    """The other way; None where there are none."""
    if not chances:
        return None
    return {
        "content": [
            {
                **_token(chance.token, chance.logprob),
                "top_logprobs": [_token(token, logprob) for token, logprob in chance.others],
            }
            for chance in chances
        ],
        "refusal": None,
    }


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8", "surrogatepass"))}


def written_seal(thought: Reasoning | ThoughtDelta) -> list[dict[str, Any]]:
    """A vendor's proof, where clients of this dialect keep what they do not understand (as OpenRouter's do)."""
    text = thought.whole if isinstance(thought, ThoughtDelta) else thought.text
    seal = sealed_text(thought.vendor, text=text, signature=thought.signature, sealed=thought.sealed)
    return [] if seal is None else [{"type": "reasoning.encrypted", "data": seal, "index": 0}]


def write(reply: Reply, quantities: Quantities | None, free_text: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The body for a client of this dialect; `free_text` names its tools that take any text."""
    body: dict[str, Any] = {
        "id": reply.reply_id,
        "object": "chat.completion",
        "created": reply.created_at_seconds,
        "model": reply.model,
        "choices": [_written(choice, index, free_text) for index, choice in enumerate(reply.choices)],
    }
    if quantities is not None:
        body["usage"] = usage.for_chat(quantities)
    return body


def written_call(call_id: str, name: str, arguments: str, free_text: frozenset[str]) -> dict[str, Any]:
    """A call of a tool, as the client declared it."""
    if name in free_text:
        return {"id": call_id, "type": "custom", "custom": {"name": name, "input": text_in(arguments)}}
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def _written(choice: Choice, index: int, free_text: frozenset[str]) -> dict[str, Any]:
    words = "".join(part.text for part in choice.parts if isinstance(part, Text))
    thought = "".join(part.text for part in choice.parts if isinstance(part, Reasoning))
    refusal = "".join(part.text for part in choice.parts if isinstance(part, Refusal))
    calls = [
        written_call(part.call_id, part.name, part.arguments, free_text)
        for part in choice.parts
        if isinstance(part, ToolCall)
    ]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": words or (None if calls or refusal else ""),
        "refusal": refusal or None,
    }
    if thought:
        message["reasoning_content"] = thought
    if details := [detail for part in choice.parts if isinstance(part, Reasoning) for detail in written_seal(part)]:
        message["reasoning_details"] = details
    if calls:
        message["tool_calls"] = calls
    return {
        "index": index,
        "message": message,
        "logprobs": written_chances(choice.chances),
        "finish_reason": FINISHES[choice.stop],
    }

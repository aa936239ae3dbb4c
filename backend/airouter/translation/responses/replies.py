"""Whole answers of OpenAI's responses, read and written."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from airouter.translation import usage
from airouter.translation.chat.replies import read_chances, written_chances
from airouter.translation.conversation import Reasoning, Refusal, Text, ToolCall
from airouter.translation.free_text import text_in
from airouter.translation.reply import Choice, Head, Quantities, Reply, SaidPart, StopReason, TokenChance
from airouter.translation.thought_seal import mark, sealed_text

REPEATED: Final = (
    "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "previous_response_id", "reasoning",
    "temperature", "text", "tool_choice", "tools", "top_p", "truncation", "user",
)  # fmt: skip
"""Settings of the request that the answer repeats."""
_DEFAULTS: Final[Mapping[str, Any]] = {
    "metadata": {},
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "text": {"format": {"type": "text"}},
    "truncation": "disabled",
    "store": False,
}


def read(body: Mapping[str, Any], model: str) -> Reply:
    """A provider's answer; `model` is what the client called the model."""
    parts: list[SaidPart] = []
    chances: tuple[TokenChance, ...] = ()
    for item in body.get("output") or ():
        parts += read_item(item)
        for content in item.get("content") or () if item.get("type") == "message" else ():
            chances += read_chances({"content": content.get("logprobs")})
    choice = Choice(parts=tuple(parts), stop=read_stop(body, parts), chances=chances)
    return Reply(
        reply_id=str(body.get("id") or ""),
        model=model,
        created_at_seconds=int(body.get("created_at") or 0),
        choices=(choice,),
    )


def read_item(item: Mapping[str, Any]) -> Iterator[SaidPart]:
    """One item of the output; what runs at the vendor is not said again."""
    match item.get("type"):
        case "message":
            for content in item.get("content") or ():
                if content.get("type") == "refusal":
                    yield Refusal(text=content.get("refusal") or "")
                elif content.get("text"):
                    yield Text(text=content["text"])
        case "function_call":
            yield ToolCall(
                call_id=item.get("call_id") or "",
                name=item.get("name") or "",
                arguments=item.get("arguments") or "{}",
            )
        case "reasoning":
            sealed = item.get("encrypted_content")
            text = thought_of(item)
            if text or sealed:
                yield Reasoning(text=text, sealed=sealed, vendor="responses" if sealed else None)
        case _:
            pass


def thought_of(item: Mapping[str, Any]) -> str:
    """The summary of a thought, or the thought where the vendor shows it."""
    said = item.get("summary") or item.get("content") or ()
    return "\n\n".join(part.get("text") or "" for part in said)


def read_stop(body: Mapping[str, Any], parts: list[SaidPart]) -> StopReason:
    """Why it stopped: an incomplete answer says so, a complete one with calls wants them run."""
    reason = (body.get("incomplete_details") or {}).get("reason")
    if reason == "max_output_tokens":
        return "length"
    if reason == "content_filter":
        return "filter"
    return "tools" if any(isinstance(part, ToolCall) for part in parts) else "stop"


def envelope(head: Head, status: str, output: list[dict[str, Any]], stop: StopReason | None) -> dict[str, Any]:
    """A response object around these items."""
    incomplete = {"length": "max_output_tokens", "filter": "content_filter"}.get(stop or "")
    repeated = {**dict.fromkeys(REPEATED), **_DEFAULTS}
    repeated |= {name: head.request[name] for name in REPEATED if head.request.get(name) is not None}
    return {
        "id": head.reply_id,
        "object": "response",
        "created_at": head.created_at_seconds,
        "status": "incomplete" if incomplete else status,
        "error": None,
        "incomplete_details": {"reason": incomplete} if incomplete else None,
        "model": head.model,
        "output": output,
        **repeated,
        "usage": None,
    }


def write(reply: Reply, quantities: Quantities | None, head: Head) -> dict[str, Any]:
    """The body for a client of this dialect, which knows one choice only."""
    choice = reply.choices[0] if reply.choices else Choice(parts=(), stop="stop")
    items = [_written(part, f"{head.reply_id}_{number}", head) for number, part in enumerate(choice.parts)]
    if choice.chances:
        first = next((item for item in items if item["type"] == "message"), None)
        if first is not None:
            first["content"][0]["logprobs"] = (written_chances(choice.chances) or {}).get("content", [])
    body = envelope(head, "completed", items, choice.stop)
    if quantities is not None:
        body["usage"] = usage.for_responses(quantities)
    return body


def _written(part: SaidPart, suffix: str, head: Head) -> dict[str, Any]:
    match part:
        case Text():
            return message_item(suffix, text_part(part.text))
        case Refusal():
            return message_item(suffix, {"type": "refusal", "refusal": part.text})
        case ToolCall() if part.name in head.free_text:
            return free_text_item(suffix, part.call_id, part.name, text_in(part.arguments))
        case ToolCall():
            return call_item(suffix, part.call_id, part.name, part.arguments)
        case Reasoning():
            seal = sealed_text(part.vendor, text=part.text, signature=part.signature, sealed=part.sealed)
            return thought_item(suffix, part.text, seal or mark(part.vendor))


def text_part(text: str) -> dict[str, Any]:
    """Words in a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def message_item(suffix: str, content: dict[str, Any] | None, status: str = "completed") -> dict[str, Any]:
    """A message with one part, or none yet."""
    return {
        "id": f"msg_{suffix}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [] if content is None else [content],
    }


def call_item(suffix: str, call_id: str, name: str, arguments: str, status: str = "completed") -> dict[str, Any]:
    """A tool call."""
    return {
        "id": f"fc_{suffix}",
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }


def free_text_item(suffix: str, call_id: str, name: str, text: str, status: str = "completed") -> dict[str, Any]:
    """A call of a tool that takes any text."""
    return {
        "id": f"ctc_{suffix}",
        "type": "custom_tool_call",
        "status": status,
        "call_id": call_id,
        "name": name,
        "input": text,
    }


def thought_item(suffix: str, text: str, seal: str | None) -> dict[str, Any]:
    """A thought, with what has to come back with it."""
    item: dict[str, Any] = {
        "id": f"rs_{suffix}",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}] if text else [],
    }
    if seal is not None:
        item["encrypted_content"] = seal
    return item

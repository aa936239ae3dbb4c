"""Laws of translation, for every dialect of a client and of a provider: an answer says the same streamed and whole,
however its bytes arrive, and what the client is told of its use is what was reported.
"""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.translation.conversation import Reasoning, Refusal, Text, ToolCall
from airouter.translation.json_text import object_of
from airouter.translation.reply import (
    CallBegan,
    CallDelta,
    Choice,
    Event,
    Head,
    Quantities,
    RefusalDelta,
    Reply,
    SaidPart,
    Stopped,
    TextDelta,
    ThoughtDelta,
)
from airouter.wire.endpoint import Endpoint
from tests.effort import EFFORT
from tests.providers.calls import cut_at
from tests.providers.translated_calls import DOORS, asked
from tests.translation.dialects import DIALECTS, events_of
from tests.wire import frames

CLIENTS: tuple[Endpoint, ...] = ("chat.completions", "responses", "messages", "generate_content")
VENDORS = {"chat": "vllm", "anthropic": "anthropic", "gemini": "gemini", "bedrock": "bedrock", "cohere": "cohere"}
PAIRS = [(mine, theirs) for mine in CLIENTS for theirs in VENDORS if DOORS[mine] != theirs]
HEAD = Head(reply_id="upstream_1", model="upstream", created_at_seconds=1_700_000_000)
USED: Quantities = {"input": 100, "cached_input": 20, "output": 30, "request": 1}

words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)
names = st.sampled_from(["weather", "time_of-day", "x"])
arguments = st.dictionaries(words, st.one_of(words, st.integers(-5, 5), st.booleans(), st.none()), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> tuple[tuple[SaidPart, ...], str]:
    """A thought, words, calls; why it stopped."""
    parts: list[SaidPart] = []
    if draw(st.booleans()):
        parts.append(Reasoning(text=draw(words)))
    if draw(st.booleans()):
        parts.append(Text(text=draw(words)))
    for number in range(draw(st.integers(0, 3))):
        said = json.dumps(draw(arguments), ensure_ascii=draw(st.booleans()))
        parts.append(ToolCall(call_id=f"call_{number}", name=draw(names), arguments=said))
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    return tuple(parts), "tools" if has_calls else draw(st.sampled_from(["stop", "length"]))


def whole_of(theirs: str, parts: tuple[SaidPart, ...], stop: str) -> bytes:
    """The answer as that provider says it."""
    if theirs == "bedrock":
        return json.dumps(bedrock(parts, stop)).encode()
    if theirs == "cohere":
        return json.dumps(cohere(parts, stop)).encode()
    choice = Choice(parts=parts, stop=stop)  # type: ignore[arg-type]
    reply = Reply(reply_id="upstream_1", model="upstream", created_at_seconds=1, choices=(choice,))
    return msgspec.json.encode(DIALECTS[theirs].write_reply(reply, USED))


def bedrock(parts: tuple[SaidPart, ...], stop: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    for part in parts:
        match part:
            case Text():
                content.append({"text": part.text})
            case Reasoning():
                content.append({"reasoningContent": {"reasoningText": {"text": part.text}}})
            case ToolCall():
                call = {"toolUseId": part.call_id, "name": part.name, "input": json.loads(part.arguments)}
                content.append({"toolUse": call})
            case Refusal():
                pass
    reason = {"stop": "end_turn", "length": "max_tokens", "tools": "tool_use"}[stop]
    usage = {"inputTokens": 100, "cacheReadInputTokens": 20, "outputTokens": 30, "totalTokens": 150}
    return {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": reason, "usage": usage}


def cohere(parts: tuple[SaidPart, ...], stop: str) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": []}
    for part in parts:
        match part:
            case Text():
                message["content"].append({"type": "text", "text": part.text})
            case Reasoning():
                message["content"].append({"type": "thinking", "thinking": part.text})
            case ToolCall():
                function = {"name": part.name, "arguments": part.arguments}
                message.setdefault("tool_calls", []).append(
                    {"id": part.call_id, "type": "function", "function": function}
                )
            case Refusal():
                pass
    reason = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tools": "TOOL_CALL"}[stop]
    usage = {"tokens": {"input_tokens": 120, "output_tokens": 30}, "cached_tokens": 20}
    return {"id": "c", "message": message, "finish_reason": reason, "usage": usage}


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def stream_of(theirs: str, parts: tuple[SaidPart, ...], stop: str, size: int) -> bytes:
    """The same in events, its words in pieces of so many characters."""
    if theirs == "bedrock":
        return bedrock_stream(bedrock(parts, stop), size)
    if theirs == "cohere":
        return cohere_stream(cohere(parts, stop), size)
    writer = DIALECTS[theirs].writer(HEAD)
    events: list[Event] = []
    number = -1
    for part in parts:
        match part:
            case Text():
                events += [TextDelta(text=piece) for piece in pieces(part.text, size)]
            case Reasoning():
                events += [ThoughtDelta(text=piece) for piece in pieces(part.text, size)]
            case ToolCall():
                number += 1
                events.append(CallBegan(number=number, call_id=part.call_id, name=part.name))
                events += [CallDelta(number=number, arguments=piece) for piece in pieces(part.arguments, size)]
            case Refusal():
                events.append(RefusalDelta(text=part.text))
    events.append(Stopped(reason=stop))  # type: ignore[arg-type]
    return b"".join(writer.write([event]) for event in events) + writer.end(USED)


def bedrock_stream(answer: dict[str, Any], size: int) -> bytes:
    out = frames.event("messageStart", {"role": "assistant"})
    for index, block in enumerate(answer["output"]["message"]["content"]):
        match block:
            case {"text": text}:
                deltas = [{"text": piece} for piece in pieces(text, size)]
            case {"reasoningContent": {"reasoningText": {"text": text}}}:
                deltas = [{"reasoningContent": {"text": piece}} for piece in pieces(text, size)]
            case {"toolUse": call}:
                start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
                out += frames.event("contentBlockStart", {"contentBlockIndex": index, "start": start})
                deltas = [{"toolUse": {"input": piece}} for piece in pieces(json.dumps(call["input"]), size)]
            case _:
                raise AssertionError(block)
        for delta in deltas:
            out += frames.event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})
        out += frames.event("contentBlockStop", {"contentBlockIndex": index})
    out += frames.event("messageStop", {"stopReason": answer["stopReason"]})
    return out + frames.event("metadata", {"usage": answer["usage"]})


def cohere_stream(answer: dict[str, Any], size: int) -> bytes:
    said: list[dict[str, Any]] = [{"type": "message-start", "id": "c"}]
    for index, block in enumerate(answer["message"]["content"]):
        kind = block["type"]
        start = {"message": {"content": {"type": kind, kind: ""}}}
        said.append({"type": "content-start", "index": index, "delta": start})
        said += [
            {"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: piece}}}}
            for piece in pieces(block[kind], size)
        ]
        said.append({"type": "content-end", "index": index})
    for index, call in enumerate(answer["message"].get("tool_calls", ())):
        begun = {**call, "function": {"name": call["function"]["name"], "arguments": ""}}
        said.append({"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": begun}}})
        for piece in pieces(call["function"]["arguments"], size):
            delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            said.append({"type": "tool-call-delta", "index": index, "delta": delta})
        said.append({"type": "tool-call-end", "index": index})
    end = {"finish_reason": answer["finish_reason"], "usage": answer["usage"]}
    said.append({"type": "message-end", "delta": end})
    return b"".join(b"event: %b\r\ndata: %b\r\n\r\n" % (one["type"].encode(), json.dumps(one).encode()) for one in said)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a client has understood of an answer."""

    words: str
    thought: str
    calls: list[tuple[str, str, dict[str, Any]]]
    stop: str | None
    usage: Any


def told_whole(mine: Endpoint, body: bytes) -> Told:
    given: dict[str, Any] = json.loads(body)
    choice = DIALECTS[DOORS[mine]].read_reply(given).choices[0]
    return Told(
        words="".join(part.text for part in choice.parts if isinstance(part, Text)),
        thought="".join(part.text for part in choice.parts if isinstance(part, Reasoning)),
        calls=[
            (part.call_id, part.name, object_of(part.arguments)) for part in choice.parts if isinstance(part, ToolCall)
        ],
        stop=choice.stop,
        usage=given["usageMetadata" if mine == "generate_content" else "usage"],
    )


def told_in_events(mine: Endpoint, stream: bytes) -> Told:
    events = events_of(DIALECTS[DOORS[mine]], stream)
    begun = [event for event in events if isinstance(event, CallBegan)]
    said: dict[int, str] = {event.number: "" for event in begun}
    for event in events:
        if isinstance(event, CallDelta):
            said[event.number] += event.arguments
    stops = [event.reason for event in events if isinstance(event, Stopped)]
    return Told(
        words="".join(event.text for event in events if isinstance(event, TextDelta)),
        thought="".join(event.text for event in events if isinstance(event, ThoughtDelta)),
        calls=[(event.call_id, event.name, object_of(said[event.number])) for event in begun],
        stop=stops[-1] if stops else None,
        usage=last_usage(stream),
    )


def last_usage(stream: bytes) -> Any:
    """Wherever the dialect says it."""
    found: Any = None
    for line in stream.decode().replace("\r\n", "\n").split("\n"):
        if line.startswith("data: {"):
            event = json.loads(line[6:])
            for place in (event, event.get("response") or {}):
                found = place.get("usage") or place.get("usageMetadata") or found
    return found


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_an_answer_says_the_same_streamed_and_whole_however_its_bytes_arrive(mine: Endpoint, theirs: str):
    provider = Providers(PROVIDERS).serving(VENDORS[theirs], mine)
    assert provider is not None

    @settings(max_examples=EFFORT.examples // 5)
    @given(answer=answers(), size=st.integers(1, 40), places=st.lists(st.integers(1, 4000), max_size=20))
    def law(answer: tuple[tuple[SaidPart, ...], str], size: int, places: list[int]) -> None:
        parts, stop = answer
        members: dict[str, Any] = {"upstream_model": "upstream", "credential": "k"}
        answered = provider.answer(asked(mine, **members), whole_of(theirs, parts, stop))
        assert answered.is_proper
        whole = told_whole(mine, answered.body)
        stream = stream_of(theirs, parts, stop, size)
        reader = provider.stream(asked(mine, is_streaming=True, **members))
        out = b"".join([reader.feed(piece) for piece in cut_at(stream, places) if piece]) + reader.finish()
        assert reader.is_complete
        assert reader.reported == answered.reported
        assert reader.reported is not None
        assert reader.reported.quantities == USED
        assert told_in_events(mine, out) == whole
        assert whole.words == "".join(part.text for part in parts if isinstance(part, Text))
        assert whole.thought == "".join(part.text for part in parts if isinstance(part, Reasoning))
        assert [(name, said) for _, name, said in whole.calls] == [
            (part.name, json.loads(part.arguments)) for part in parts if isinstance(part, ToolCall)
        ]
        assert whole.stop == stop

    law()

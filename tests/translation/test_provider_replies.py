"""Answers in Bedrock's and Cohere's dialects, whole and streamed, are read."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from airouter.translation.bedrock import streams as bedrock_streams
from airouter.translation.bedrock.replies import read as read_bedrock
from airouter.translation.cohere import streams as cohere_streams
from airouter.translation.cohere.replies import read as read_cohere
from airouter.translation.conversation import Reasoning, Text, ToolCall
from airouter.translation.reply import CallBegan, CallDelta, Event, Failed, Stopped, TextDelta, ThoughtDelta


def test_a_whole_answer_of_bedrock_is_read():
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "x"}},
        {"text": "One "},
        {"citationsContent": {"content": [{"text": "two"}], "citations": []}},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Rome"}, "type": "tool_use"}},
        {"toolUse": {"toolUseId": "t2", "name": "time", "input": {}}},
        {"toolUse": {"toolUseId": "t3", "name": "nova_code", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "t3", "content": []}},
    ]
    choice = read_bedrock({"output": {"message": {"content": content}}, "stopReason": "tool_use"}, "m", 1).choices[0]
    assert choice.parts == (
        Reasoning(text="Hm", signature="s", vendor="bedrock"),
        Reasoning(sealed="x", vendor="bedrock"),
        Text(text="One "),
        Text(text="two"),
        ToolCall(call_id="t1", name="weather", arguments='{"city":"Rome"}'),
        ToolCall(call_id="t2", name="time", arguments="{}"),
    )
    assert choice.stop == "tools"


@pytest.mark.parametrize(
    ("said", "stop"),
    [("end_turn", "stop"), ("stop_sequence", "sequence"), ("max_tokens", "length"), ("tool_use", "tools"),
     ("guardrail_intervened", "filter"), ("content_filtered", "filter"), ("model_context_window_exceeded", "length"),
     ("malformed_tool_use", "stop"), ("new_reason", "stop")],
)  # fmt: skip
def test_bedrock_s_reasons_to_stop(said: str, stop: str):
    assert read_bedrock({"stopReason": said}, "m", 1).choices[0].stop == stop
    data = json.dumps({"messageStop": {"stopReason": said}}).encode()
    assert bedrock_streams.Reader().read(data) == [Stopped(reason=stop)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "stop"),
    [("COMPLETE", "stop"), ("STOP_SEQUENCE", "sequence"), ("MAX_TOKENS", "length"), ("TOOL_CALL", "tools")],
)
def test_cohere_s_reasons_to_stop(said: str, stop: str):
    assert read_cohere({"finish_reason": said}, "m", 1).choices[0].stop == stop
    data = json.dumps({"type": "message-end", "delta": {"finish_reason": said}}).encode()
    assert cohere_streams.Reader().read(data) == [Stopped(reason=stop)]  # type: ignore[arg-type]


def told(reader: Any, *events: Any) -> list[Event]:
    return [found for event in events for found in reader.read(json.dumps(event).encode())]


def block(index: int, **delta: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": delta}}


def begun(index: int, name: str, **more: str) -> dict[str, Any]:
    call = {"toolUseId": f"id-{name}", "name": name, **more}
    return {"contentBlockStart": {"contentBlockIndex": index, "start": {"toolUse": call}}}


def test_a_stream_of_bedrock_is_read():
    events = told(
        bedrock_streams.Reader(),
        {"messageStart": {"role": "assistant"}},
        block(0, reasoningContent={"text": "H"}),
        block(0, reasoningContent={"text": "m"}),
        block(0, reasoningContent={"signature": "s"}),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        block(1, reasoningContent={"redactedContent": "x"}),
        block(2, text="One"),
        block(2, citation={"title": "t"}),
        begun(3, "weather"),
        block(3, toolUse={"input": '{"a"'}),
        begun(4, "time"),
        block(4, toolUse={"input": "{}"}),
        block(3, toolUse={"input": ":1}"}),
        begun(5, "nova_code", type="server_tool_use"),
        block(5, toolUse={"input": "lost"}),
        {"messageStop": {"stopReason": "tool_use"}},
        {"metadata": {"usage": {"inputTokens": 1}}},
        {"somethingNew": {"text": "?"}},
    )
    assert events == [
        ThoughtDelta(text="H", vendor="bedrock"),
        ThoughtDelta(text="m", vendor="bedrock"),
        ThoughtDelta(signature="s", whole="Hm", vendor="bedrock"),
        ThoughtDelta(sealed="x", vendor="bedrock"),
        TextDelta(text="One"),
        CallBegan(number=0, call_id="id-weather", name="weather"),
        CallDelta(number=0, arguments='{"a"'),
        CallBegan(number=1, call_id="id-time", name="time"),
        CallDelta(number=1, arguments="{}"),
        CallDelta(number=0, arguments=":1}"),
        Stopped(reason="tools"),
    ]


def test_exceptions_of_bedrock_are_failures():
    events = told(
        bedrock_streams.Reader(),
        {"throttlingException": {"message": "Too many"}},
        {"modelStreamErrorException": {"originalMessage": "Broke", "originalStatusCode": 500}},
        {"error": {"message": "bare"}},
        {"internalServerException": {}},
    )
    words = ["Too many", "Broke", "bare", "internalServerException"]
    assert events == [Failed(message=message) for message in words]


def test_a_whole_answer_of_cohere_is_read():
    message = {
        "role": "assistant",
        "tool_plan": "I will look.",
        "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "One"}, {"type": "new"}],
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"a":1}'}}],
        "citations": [{"start": 0}],
    }
    choice = read_cohere({"id": "x", "message": message, "finish_reason": "TOOL_CALL"}, "m", 1).choices[0]
    assert choice.parts == (
        Reasoning(text="I will look.", vendor="cohere"),
        Reasoning(text="Hm", vendor="cohere"),
        Text(text="One"),
        ToolCall(call_id="c1", name="weather", arguments='{"a":1}'),
    )


def cohere_event(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


def test_a_stream_of_cohere_is_read():
    def call(**function: str) -> dict[str, Any]:
        return {"id": "c" + function.get("name", ""), "type": "function", "function": function}

    events = told(
        cohere_streams.Reader(),
        {"type": "message-start", "id": "x", "delta": {"message": {"role": "assistant"}}},
        cohere_event("tool-plan-delta", tool_plan="I will"),
        cohere_event("content-start", 0, content={"type": "thinking", "thinking": ""}),
        cohere_event("content-delta", 0, content={"thinking": "Hm"}),
        cohere_event("content-end", 0),
        cohere_event("content-start", 1, content={"type": "text", "text": ""}),
        cohere_event("content-delta", 1, content={"text": "One"}),
        cohere_event("citation-start", 0, citations={"start": 0}),
        cohere_event("tool-call-start", 0, tool_calls=call(name="weather", arguments="")),
        cohere_event("tool-call-delta", 0, tool_calls={"function": {"arguments": "{}"}}),
        cohere_event("tool-call-end", 0),
        cohere_event("tool-call-start", 1, tool_calls=[call(name="time", arguments="{}")]),
        {"type": "debug", "prompt": "?"},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {}}},
    )
    assert events == [
        ThoughtDelta(text="I will", vendor="cohere"),
        ThoughtDelta(text="Hm", vendor="cohere"),
        TextDelta(text="One"),
        CallBegan(number=0, call_id="cweather", name="weather"),
        CallDelta(number=0, arguments="{}"),
        CallBegan(number=1, call_id="ctime", name="time"),
        CallDelta(number=1, arguments="{}"),
        Stopped(reason="tools"),
    ]


def test_errors_of_cohere_are_failures():
    events = told(
        cohere_streams.Reader(),
        {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "out of memory"}},
        {"type": "message-end", "delta": {"finish_reason": "TIMEOUT"}},
        {"message": "internal server error"},
        {"type": "error", "error": "broken"},
    )
    assert [type(event) for event in events] == [Failed] * 4
    assert [event.message for event in events if isinstance(event, Failed)][0::2] == [
        "out of memory",
        "internal server error",
    ]


@pytest.mark.parametrize("reader", [bedrock_streams.Reader, cohere_streams.Reader])
@pytest.mark.parametrize(
    "data",
    [b"", b"no", b"[]", b"{}", b'{"a":1}', b'{"contentBlockDelta":{"delta":[]}}', b'{"contentBlockStart":{}}', b"\xff",
     b'{"type":"content-delta","delta":[]}', b'{"type":"tool-call-start","delta":{"message":{"tool_calls":[]}}}',
     b'{"type":"message-end"}', b'{"type":"content-delta","delta":{"message":{"content":7}}}', b"[" * 2000],
)  # fmt: skip
def test_what_cannot_be_read_says_nothing(reader: Callable[[], Any], data: bytes):
    assert reader().read(data) == []

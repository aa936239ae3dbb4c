"""How much a stream is said to have written where its provider has not told (yet): near what it would have told."""

import json
from typing import Any

import pytest

from airouter.gateway import meter
from airouter.providers.openai_responses import stream
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.registry import PROVIDERS
from airouter.providers.reporting import Habits
from airouter.wire.sse import event_data, split_events
from tests.providers.provider_recordings import CHAT, CONVERSE, cohere_streamed, streamed
from tests.providers.translated_calls import asked
from tests.translation.dialects import traffic

STREAMS = [call for call in traffic() if call.dialect == "responses" and call.status == 200 and call.stream]
GENERATED = [call for call in traffic() if call.dialect == "gemini" and call.status == 200 and call.stream]
MESSAGES = [call for call in traffic() if call.dialect == "anthropic" and call.status == 200 and call.stream]


def reader() -> PassingStreamReader:
    return stream(asked("responses", is_streaming=True, upstream_model="theirs", credential=""), Habits())


def told(events: bytes) -> int:
    """The output that can be seen, as the provider counted it."""
    last = next(event_data(one) for one in split_events(events) if b'"response.completed"' in one)
    usage = json.loads(last)["response"]["usage"]
    return usage["output_tokens"] - usage["output_tokens_details"]["reasoning_tokens"]


@pytest.mark.parametrize("call", STREAMS, ids=lambda call: call.name)
def test_a_response_that_is_cut_before_its_figures_is_estimated_near_them(call: Any):
    cut = call.stream[: call.stream.index(b"response.completed")]
    found = reader()
    for start in range(0, len(cut), 700):
        found.feed(cut[start : start + 700])
    assert found.reported is None
    assert found.written_tokens() <= 2 * told(call.stream) + 10
    if b'output_text.delta"' in cut:
        assert found.written_tokens() >= told(call.stream) // 3


def test_of_a_long_response_a_sample_tells_the_rest():
    event = b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"12345678"}\n\n'
    found = reader()
    for n in range(5_000):
        found.feed(event)
        if n % 1_000 == 0:
            assert found.written_tokens() == 2 * (n + 1)
            assert found.has_outgrown(2 * n + 1)
            assert not found.has_outgrown(2 * n + 2)


def test_what_a_response_repeats_of_its_request_is_not_written():
    found = reader()
    echo = {"type": "response.created", "response": {"id": "r", "instructions": "a.delta" * 10_000}}
    found.feed(b"data: " + json.dumps(echo).encode() + b"\n\n")
    found.feed(b'data: {"type":"response.output_text.delta","delta":"12345678"}\n\n')
    assert found.written_tokens() == 2


@pytest.mark.parametrize("call", MESSAGES, ids=lambda call: call.name)
@pytest.mark.parametrize("end", [meter.cancelled, meter.cut])
def test_a_message_that_is_cut_before_its_last_figures_costs_what_was_written_of_it(call: Any, end: Any):
    """The figure of its beginning is a stand-in: whoever leaves before the end would have the output for nothing."""
    events = [event_data(one) for one in split_events(call.stream)]
    usage = next(json.loads(one)["usage"] for one in events if b'"message_delta"' in one)
    found = PROVIDERS["anthropic"].stream(asked("messages", is_streaming=True, upstream_model="theirs", credential=""))
    found.feed(call.stream[: call.stream.index(b"event: message_delta")])
    metered = end(found)
    beginning = json.loads(next(one for one in events if b'"message_start"' in one))["message"]["usage"]
    assert (metered.source, metered.quantities["input"]) == ("estimated", beginning["input_tokens"])
    assert usage["output_tokens"] // 4 <= metered.quantities["output"] <= usage["output_tokens"] * 3 // 2 + 10
    found.feed(call.stream[call.stream.index(b"event: message_delta") :])
    assert (end(found).source, end(found).quantities["output"]) in {
        ("provider", usage["output_tokens"]),
        ("provider_partial", usage["output_tokens"]),
    }


ALONE = [("bedrock", one.name, streamed, one.answer, one.answer["usage"]["outputTokens"]) for one in CONVERSE] + [
    ("cohere", one.name, cohere_streamed, one.answer, one.answer["usage"]["tokens"]["output_tokens"])
    for one in CHAT
    if one.status == 200
]


@pytest.mark.parametrize("piece", [3, 20])
@pytest.mark.parametrize(("provider", "_name", "make", "answer", "output"), ALONE, ids=[one[1] for one in ALONE])
def test_of_a_stream_in_small_pieces_no_wrapping_is_charged(
    provider: str, _name: str, make: Any, answer: Any, output: int, piece: int
):
    """Of those who tell their figures at the end alone, and are asked in a dialect of their own."""
    found = PROVIDERS[provider].stream(asked("messages", is_streaming=True, upstream_model="theirs", credential=""))
    stream = make(answer, piece)
    for start in range(0, len(stream), 700):
        found.feed(stream[start : start + 700])
    assert found.written_tokens() <= output * 3 // 2 + 10
    if output > 100:  # less may be the names of tools, which are counted and do not stand in pieces
        assert found.written_tokens() >= output // 2
    assert found.has_outgrown(found.written_tokens() - 1)
    assert not found.has_outgrown(found.written_tokens())


@pytest.mark.parametrize("call", GENERATED, ids=lambda call: call.name)
def test_of_what_gemini_streams_neither_pictures_nor_signatures_nor_wrapping_count(call: Any):
    picture = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo" * 40_000}}
    shown = json.dumps({"candidates": [{"index": 0, "content": {"role": "model", "parts": [picture]}}]})
    usage = [json.loads(event_data(one)) for one in split_events(call.stream)][-1]["usageMetadata"]
    found = PROVIDERS["gemini"].stream(asked("generate_content", is_streaming=True, upstream_model="m", credential=""))
    found.feed(f"data: {shown}\n\n".encode() + call.stream)
    told = usage.get("candidatesTokenCount", 0)
    assert told // 4 <= found.written_tokens() <= told * 3 // 2 + usage.get("thoughtsTokenCount", 0) + 40

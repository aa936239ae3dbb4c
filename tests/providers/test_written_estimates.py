"""How much a stream is said to have written where its provider has not told (yet): near what it would have told."""

import json
from typing import Any

import pytest

from airouter.providers.openai_responses import stream
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.reporting import Habits
from airouter.wire.sse import event_data, split_events
from tests.providers.translated_calls import asked
from tests.translation.dialects import traffic

STREAMS = [call for call in traffic() if call.dialect == "responses" and call.status == 200 and call.stream]


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

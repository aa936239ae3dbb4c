"""G6 for Anthropic, Gemini and the responses: bytes pass through, and usage is what the provider reported.

The oracle below knows nothing of our code: it adds up the recorded JSON with the standard library.
"""

import json
from typing import Any

import pytest

from airouter.providers.contract import Call, StreamReader
from airouter.providers.registry import PROVIDERS
from airouter.wire.requests import Named, read_request
from tests.effort import EFFORT
from tests.providers.recordings import ABSENT
from tests.translation.dialects import Traffic, traffic

PROVIDER = {"anthropic": "anthropic", "gemini": "gemini", "responses": "openai"}
ENDPOINT = {"anthropic": "messages", "gemini": "generate_content", "responses": "responses"}
CALLS = [found for found in traffic() if found.dialect in PROVIDER and found.status == 200]
WHOLE = [found for found in CALLS if found.answer is not None]
STREAMS = [found for found in CALLS if found.stream is not None]
READ = {"input", "cached_input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input"}
WRITTEN = {"output", "reasoning", "audio_output", "image_output"}
REMEMBERED = {"background", "previous_response_id", "conversation", "prompt"}


def call_of(found: Traffic, *, is_streaming: bool) -> Call:
    request = {name: value for name, value in found.request.items() if name not in REMEMBERED}
    request.setdefault("model", "m")
    if found.dialect != "gemini":
        request["stream"] = is_streaming
    body = json.dumps(request).encode()
    endpoint: Any = ENDPOINT[found.dialect]
    named = Named(model="m", is_streaming=is_streaming) if found.dialect == "gemini" else None
    head = read_request(endpoint, body, named)
    return Call(endpoint=endpoint, request=head, body=body, upstream_model=head.model, credential="secret")


def test_recordings_are_there():
    assert len(WHOLE) > 190, ABSENT
    assert len(STREAMS) >= 18


def totals(dialect: str, usage: dict[str, Any]) -> tuple[int, int]:
    """(read, written) as each vendor adds them up."""
    if dialect == "anthropic":
        read = sum(
            usage.get(name) or 0 for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        )
        return read, usage.get("output_tokens") or 0
    if dialect == "responses":
        return usage["input_tokens"], usage["output_tokens"]
    read = (usage.get("promptTokenCount") or 0) + (usage.get("toolUsePromptTokenCount") or 0)
    return read, usage["totalTokenCount"] - read


def summed(quantities: dict[Any, int]) -> tuple[int, int]:
    return (
        sum(count for meter, count in quantities.items() if meter in READ),
        sum(count for meter, count in quantities.items() if meter in WRITTEN),
    )


@pytest.mark.parametrize("found", WHOLE, ids=lambda found: found.name)
def test_a_whole_answer_is_metered_as_reported_and_passes_untouched(found: Traffic):
    body = json.dumps(found.answer).encode()
    answered = PROVIDERS[PROVIDER[found.dialect]].answer(call_of(found, is_streaming=False), body)
    assert answered.body is body
    assert found.answer is not None
    usage = found.answer.get("usageMetadata" if found.dialect == "gemini" else "usage")
    if usage is None or usage.keys() == {"trafficType"}:
        assert answered.reported is None
        return
    assert answered.is_proper == (found.answer.get("status") in {None, "completed", "incomplete"})
    assert answered.reported is not None
    assert answered.reported.quantities is not None
    assert min(answered.reported.quantities.values()) >= 0
    assert summed(answered.reported.quantities) == totals(found.dialect, usage)


def stated(found: Traffic) -> dict[str, Any]:
    """The last figures of each name in a stream."""
    usage: dict[str, Any] = {}
    assert found.stream is not None
    for block in found.stream.decode().replace("\r\n", "\n").split("\n\n"):
        for line in block.split("\n"):
            if line.startswith("data:"):
                event = json.loads(line[5:])
                for place in (event, event.get("message") or {}, event.get("response") or {}):
                    said = place.get("usage") or place.get("usageMetadata") or {}
                    usage |= {name: value for name, value in said.items() if value is not None}
    return usage


def fed(reader: StreamReader, stream: bytes, size: int) -> bytes:
    out = b"".join(reader.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    return out + reader.finish()


@pytest.mark.parametrize("found", STREAMS, ids=lambda found: found.name)
def test_a_stream_is_metered_as_reported_however_it_is_cut_and_passes_untouched(found: Traffic):
    assert found.stream is not None
    provider = PROVIDERS[PROVIDER[found.dialect]]
    sizes = (1, 2, 7, 100, 1000, len(found.stream))
    for size in sizes if EFFORT.name != "quick" else sizes[1:]:
        reader = provider.stream(call_of(found, is_streaming=True))
        assert fed(reader, found.stream, size) == found.stream
        assert reader.is_complete
        assert reader.saw_done
        assert reader.reported is not None
        assert reader.reported.quantities is not None
        assert summed(reader.reported.quantities) == totals(found.dialect, stated(found))


@pytest.mark.parametrize("found", STREAMS, ids=lambda found: found.name)
def test_a_stream_cut_anywhere_is_not_complete_and_what_came_passes(found: Traffic):
    assert found.stream is not None
    provider = PROVIDERS[PROVIDER[found.dialect]]
    whole = provider.stream(call_of(found, is_streaming=True))
    end = next(at for at in range(1, len(found.stream) + 1) if whole.feed(found.stream[at - 1 : at]) and whole.saw_done)
    for at in range(0, end - 1, 1 if EFFORT.name == "soak" else max(1, end // 60)):
        reader = provider.stream(call_of(found, is_streaming=True))
        assert reader.feed(found.stream[:at]) == found.stream[:at]
        assert not reader.is_complete
        assert not reader.saw_done


def test_a_gemini_stream_for_a_client_that_wants_an_array_is_one():
    found = next(found for found in STREAMS if found.dialect == "gemini")
    assert found.stream is not None
    body = json.dumps(found.request).encode()
    head = read_request("generate_content", body, Named(model="m", is_streaming=True, is_array=True))
    call = Call(endpoint="generate_content", request=head, body=body, upstream_model="m", credential="secret")
    for size in (1, 50, len(found.stream)):
        reader = PROVIDERS["gemini"].stream(call)
        events = json.loads(fed(reader, found.stream, size))
        assert len(events) == found.stream.count(b"data: ")
        assert reader.content_type == b"application/json"
        assert reader.is_complete

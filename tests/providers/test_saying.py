"""An answer is one if it says something, or what it used: the same rule in every dialect, both ways, at every door."""

import json
from typing import Any

import pytest

from airouter.gateway import meter
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from tests.providers.translated_calls import asked, fed
from tests.wire.frames import event

SERVED = Providers(dict(PROVIDERS))
DOORS = ("chat.completions", "responses", "messages", "generate_content")
OF: dict[str, tuple[str, ...]] = {
    "openai-compatible": DOORS,
    "openai": ("responses",),
    "anthropic": DOORS,
    "gemini": DOORS,
    "cohere": DOORS,
    "bedrock": DOORS,
}
RESPONSE: dict[str, Any] = {"id": "r", "object": "response", "status": "completed", "output": []}
MESSAGE: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn"}
NOTHING: dict[str, dict[str, Any]] = {
    "openai-compatible": {"id": "c", "object": "chat.completion", "choices": []},
    "openai": RESPONSE,
    "anthropic": MESSAGE,
    "gemini": {"candidates": [], "promptFeedback": {}},
    "cohere": {"id": "c", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": []}},
    "bedrock": {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn"},
}
SOMETHING: dict[str, dict[str, Any]] = {
    "openai-compatible": {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]},
    "openai": {"output": [{"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Hi"}]}]},
    "anthropic": {"content": [{"type": "text", "text": "Hi"}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]},
    "cohere": {"message": {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}},
    "bedrock": {"output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}},
}
ZERO: dict[str, dict[str, Any]] = {
    "openai-compatible": {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}},
    "openai": {"usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}},
    "anthropic": {"usage": {"input_tokens": 0, "output_tokens": 0}},
    "gemini": {"usageMetadata": {"promptTokenCount": 0, "totalTokenCount": 0}},
    "cohere": {"usage": {"billed_units": {"input_tokens": 0, "output_tokens": 0}}},
    "bedrock": {"usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}},
}
UNTRUE: dict[str, dict[str, Any]] = {
    "openai-compatible": {"usage": {"prompt_tokens": -1}},
    "openai": {"usage": {"input_tokens": -1}},
    "anthropic": {"usage": {"input_tokens": -1}},
    "gemini": {"usageMetadata": {"promptTokenCount": -1}},
    "cohere": {"usage": {"billed_units": {"input_tokens": -1}}},
    "bedrock": {"usage": {"inputTokens": -1}},
}
PLACES = [(provider, door) for provider, doors in OF.items() for door in doors]


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)


STREAMS: dict[str, dict[str, tuple[bytes, ...]]] = {
    "openai-compatible": {
        "start": (sse({"id": "c", "choices": []}),),
        "said": (sse({"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}),),
        "figures": (sse({"choices": [], **ZERO["openai-compatible"]}),),
        "untrue": (sse({"choices": [], **UNTRUE["openai-compatible"]}),),
        "end": (b"data: [DONE]\n\n",),
    },
    "openai": {
        "start": (sse({"type": "response.created", "response": {**RESPONSE, "status": "in_progress"}}),),
        "said": (
            sse(
                {"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "m"}},
                {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"},
            ),
        ),
        "figures": (),
        "untrue": (),
        "end": (sse({"type": "response.completed", "response": RESPONSE}),),
    },
    "anthropic": {
        "start": (sse({"type": "message_start", "message": {"id": "m", "type": "message", "content": []}}),),
        "said": (
            sse(
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
                {"type": "content_block_stop", "index": 0},
            ),
        ),
        "figures": (sse({"type": "message_delta", "delta": {}, **ZERO["anthropic"]}),),
        "untrue": (sse({"type": "message_delta", "delta": {}, **UNTRUE["anthropic"]}),),
        "end": (sse({"type": "message_stop"}),),
    },
    "gemini": {
        "start": (sse({"candidates": []}),),
        "said": (sse(SOMETHING["gemini"]),),
        "figures": (),
        "untrue": (sse({"candidates": [], **UNTRUE["gemini"]}),),
        "end": (),
    },
    "cohere": {
        "start": (sse({"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant"}}}),),
        "said": (sse({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}}),),
        "figures": (),
        "untrue": (),
        "end": (sse({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}),),
    },
    "bedrock": {
        "start": (event("messageStart", {"role": "assistant"}),),
        "said": (event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),),
        "figures": (event("metadata", ZERO["bedrock"]),),
        "untrue": (event("metadata", UNTRUE["bedrock"]),),
        "end": (event("messageStop", {"stopReason": "end_turn"}),),
    },
}


def ask(provider: str, door: str, *, is_streaming: bool = False) -> Any:
    served = SERVED.serving(provider, door)  # type: ignore[arg-type]
    assert served is not None
    return served, asked(door, is_streaming=is_streaming, upstream_model="m", credential="a:b")


@pytest.mark.parametrize(("provider", "door"), PLACES)
def test_a_whole_answer_that_says_nothing_is_none(provider: str, door: str):
    for more in ({}, UNTRUE[provider]):
        served, call = ask(provider, door)
        answered = served.answer(call, json.dumps({**NOTHING[provider], **more}).encode())
        assert (answered.is_empty, answered.is_proper) == (True, False)
        assert meter.whole(answered, call, is_gone=False).quantities == {}


@pytest.mark.parametrize(("provider", "door"), PLACES)
def test_a_whole_answer_that_says_something_or_what_it_used_is_one(provider: str, door: str):
    for more, source in ((SOMETHING[provider], "estimated"), (ZERO[provider], "provider")):
        served, call = ask(provider, door)
        answered = served.answer(call, json.dumps({**NOTHING[provider], **more}).encode())
        assert (answered.is_empty, answered.is_proper) == (False, True)
        metered = meter.whole(answered, call, is_gone=False)
        assert (metered.source, metered.quantities["request"]) == (source, 1)


def read(provider: str, door: str, *parts: str, size: int) -> Any:
    served, call = ask(provider, door, is_streaming=True)
    reader = served.stream(call)
    fed(reader, b"".join(piece for part in parts for piece in STREAMS[provider][part]), size)
    return reader


@pytest.mark.parametrize("size", [7, 100_000])
@pytest.mark.parametrize(("provider", "door"), PLACES)
def test_a_stream_that_says_nothing_is_no_answer(provider: str, door: str, size: int):
    for parts in (("end",), ("start", "end"), ("start", "end", "untrue"), ("start", "untrue", "end")):
        reader = read(provider, door, *parts, size=size)
        assert not reader.is_complete, parts
        assert meter.finished(reader, is_gone=False).quantities == {}
        assert meter.broken_off(reader).quantities == {}


@pytest.mark.parametrize("size", [7, 100_000])
@pytest.mark.parametrize(("provider", "door"), PLACES)
def test_a_stream_that_says_something_or_what_it_used_is_one(provider: str, door: str, size: int):
    reader = read(provider, door, "start", "said", "end", size=size)
    assert reader.is_complete
    assert meter.finished(reader, is_gone=False).source == "estimated"
    if STREAMS[provider]["figures"]:
        last = ("figures", "end") if provider != "bedrock" else ("end", "figures")
        reader = read(provider, door, "start", *last, size=size)
        assert reader.is_complete
        assert meter.finished(reader, is_gone=False).source == "provider"


def test_a_background_response_that_ends_with_nothing_said_came_to_nothing():
    served, call = ask("openai", "responses")
    ended = served.answer(call, json.dumps(RESPONSE).encode())
    assert ended.kept.status == "failed"
    said = served.answer(call, json.dumps({**RESPONSE, **SOMETHING["openai"]}).encode())
    assert said.kept.status == "ok"
    running = served.answer(call, json.dumps({**RESPONSE, "status": "in_progress"}).encode())
    assert running.kept.status == "running"


@pytest.mark.parametrize(
    ("provider", "door", "nothing"),
    [
        ("openai-compatible", "embeddings", {"object": "list", "data": []}),
        ("cohere", "embeddings", {"embeddings": {"float": []}}),
        ("vertex", "embeddings", {"predictions": []}),
        ("gemini", "batch_embed_contents", {"embeddings": []}),
        ("gemini", "embeddings", {"embeddings": []}),
        ("openai-compatible", "batch_embed_contents", {"object": "list", "data": []}),
    ],
)
def test_no_vectors_are_no_answer(provider: str, door: str, nothing: dict[str, Any]):
    bodies: dict[str, Any] = {
        "embeddings": {"input": ["Hi"]},
        "batch_embed_contents": {"requests": [{"content": {"parts": [{"text": "Hi"}]}}]},
    }
    served = SERVED.serving(provider, door)  # type: ignore[arg-type]
    assert served is not None
    call = asked(door, body=bodies[door], upstream_model="m", credential="k")
    answered = served.answer(call, json.dumps(nothing).encode())
    assert (answered.is_empty, answered.is_proper) == (True, False)
    assert meter.whole(answered, call, is_gone=False).quantities == {}

"""Cohere behind every text door and the embeddings: answers mean the same, and what is billed is what is metered."""

import base64
import json
import struct
from typing import Any

import pytest

from airouter.gateway import meter
from airouter.providers.cohere import CohereProvider
from airouter.providers.contract import Call
from airouter.providers.serving import Providers
from airouter.providers.translated import TranslatedProvider
from airouter.translation.cohere.replies import read as read_cohere
from airouter.translation.support import NotTranslatable
from tests.providers.provider_recordings import CHAT, EMBED, WITH_TOOLS, cohere_streamed
from tests.providers.recordings import ABSENT
from tests.providers.translated_calls import DOORS, asked, fed
from tests.translation.dialects import DIALECTS, events_of, reply_essence, stream_essence
from tests.translation.test_recorded import nearest

COHERE = CohereProvider()
PROVIDERS = Providers({"cohere": COHERE})
ANSWERS = [*(recorded.answer for recorded in CHAT), WITH_TOOLS]


def call(endpoint: Any = "chat.completions", *, is_streaming: bool = False, **members: Any) -> Call:
    made = {"upstream_model": "command-a-03-2025", "credential": "co-key", **members}
    return asked(endpoint, is_streaming=is_streaming, **made)


def door(endpoint: Any) -> TranslatedProvider:
    found = PROVIDERS.serving("cohere", endpoint)
    assert isinstance(found, TranslatedProvider)
    return found


def billed(answer: dict[str, Any]) -> dict[str, int]:
    units = answer["usage"]["billed_units"]
    return {"input": units["input_tokens"], "output": units["output_tokens"], "request": 1}


def test_recordings_are_there():
    assert CHAT, ABSENT
    assert EMBED


@pytest.mark.parametrize("endpoint", list(DOORS))
def test_answers_say_the_same_at_every_door_and_what_is_billed_is_metered(endpoint: str):
    here = DIALECTS[DOORS[endpoint]]
    for answer in ANSWERS:
        answered = door(endpoint).answer(call(endpoint), json.dumps(answer).encode())
        wanted, got = (
            reply_essence(read_cohere(answer, "m", 1)),
            reply_essence(here.read_reply(json.loads(answered.body))),
        )
        wanted["stop"], got["stop"] = nearest(wanted["stop"]), nearest(got["stop"])
        assert got == wanted
        metered = meter.whole(answered, call(endpoint), is_gone=False)
        assert (metered.quantities, metered.source) == (billed(answer), "provider")


@pytest.mark.parametrize("endpoint", list(DOORS))
def test_streams_say_the_same_at_every_door_however_they_are_torn(endpoint: str):
    here = DIALECTS[DOORS[endpoint]]
    for answer in ANSWERS:
        stream = cohere_streamed(answer)
        for size in (1, 9, 400, len(stream)):
            reader = door(endpoint).stream(call(endpoint, is_streaming=True))
            got = stream_essence(events_of(here, fed(reader, stream, size)))
            wanted = reply_essence(read_cohere(answer, "m", 1))
            assert got["failures"] == []
            assert (got["words"], got["calls"]) == (wanted["words"], wanted["calls"])
            assert nearest(got["stop"]) == nearest(wanted["stop"])
            assert reader.saw_done
            metered = meter.finished(reader, is_gone=False)
            assert (metered.quantities, metered.source) == (billed(answer), "provider")


def test_a_stream_cut_at_any_byte_is_charged_by_the_rules():
    """Why the model stopped and what is billed come in one event: until it is whole, nothing is charged."""
    stream = cohere_streamed(WITH_TOOLS, piece=30)
    for at in range(1, len(stream) - 1):
        reader = door("responses").stream(call("responses", is_streaming=True))
        reader.feed(stream[:at])
        reader.close_event()
        assert not reader.has_error
        assert not reader.is_complete
        assert meter.broken_off(reader).quantities == {}
    reader = door("responses").stream(call("responses", is_streaming=True))
    reader.feed(stream)
    assert meter.broken_off(reader).source == "provider"


@pytest.mark.parametrize(
    "end",
    [
        {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "it broke"}},
        {"message": "it broke"},
        {"type": "error", "error": "it broke"},
    ],
)
def test_an_error_inside_a_stream_is_told_and_nothing_unreported_is_charged(end: dict[str, Any]):
    stream = b'data: {"type":"content-delta","delta":{"message":{"content":{"text":"One"}}}}\n\n'
    reader = door("messages").stream(call("messages", is_streaming=True))
    written = fed(reader, stream + b"data: " + json.dumps(end).encode() + b"\n\n", 20)
    assert b"it broke" in written
    assert not reader.is_complete
    assert meter.finished(reader, is_gone=False).quantities == {}


def test_an_answer_that_failed_is_none():
    answer = {**WITH_TOOLS, "finish_reason": "ERROR"}
    answered = door("chat.completions").answer(call(), json.dumps(answer).encode())
    assert not answered.is_proper
    assert meter.whole(answered, call(), is_gone=False).status == "partial"


@pytest.mark.parametrize(
    ("usage", "wanted", "problem"),
    [
        ({"tokens": {"input_tokens": 10, "output_tokens": 2}, "cached_tokens": 4},
         {"input": 6, "cached_input": 4, "output": 2}, None),
        ({"billed_units": {"input_tokens": 3.0, "output_tokens": 2.0, "search_units": 1}, "cached_tokens": 400},
         {"input": 3, "output": 2, "search": 1}, None),
        ({"billed_units": {"input_tokens": -3}}, None, "usage_refused"),
        ({"billed_units": {"input_tokens": 1.5}}, None, "usage_refused"),
    ],
)  # fmt: skip
def test_what_is_billed_counts_and_else_what_was_read(
    usage: dict[str, Any], wanted: dict[str, int] | None, problem: str | None
):
    answered = door("messages").answer(call("messages"), json.dumps({**WITH_TOOLS, "usage": usage}).encode())
    assert answered.reported is not None
    assert answered.reported.quantities == (None if wanted is None else {**wanted, "request": 1})
    assert answered.reported.problem == problem


def test_an_answer_without_figures_is_estimated():
    answer = {"message": {"content": [{"type": "text", "text": "x" * 40}]}, "finish_reason": "COMPLETE"}
    answered = door("messages").answer(call("messages"), json.dumps(answer).encode())
    assert answered.reported is None
    assert answered.written_tokens == 10


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"message":"invalid"}', b'{"embeddings":[]}'])
def test_what_is_no_answer_is_not_taken_for_one(body: bytes):
    assert not door("chat.completions").answer(call(), body).is_proper
    assert not COHERE.answer(embedding({"input": "x"}), body).is_proper


def test_chat_is_asked_at_its_address_with_a_bearer():
    out = door("messages").outgoing(call("messages", is_streaming=True))
    assert (out.path, out.sign) == ("/v2/chat", None)
    assert dict(out.headers)[b"authorization"] == b"Bearer co-key"
    assert json.loads(out.body) == {
        "model": "command-a-03-2025",
        "messages": [{"role": "user", "content": "Go on."}],
        "max_tokens": 1000,
        "stream": True,
    }


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(400, "request"), (401, "credential"), (403, "funds"), (404, "model"), (422, "request"), (429, "limited"),
     (498, "request"), (500, "overloaded"), (503, "overloaded"), (504, "overloaded")],
)  # fmt: skip
def test_whose_fault_a_refusal_is(status: int, verdict: str):
    assert COHERE.refusal(status, b'{"id":"x","message":"no"}') == verdict


def embedding(body: dict[str, Any]) -> Call:
    return asked("embeddings", body=body, upstream_model="embed-v4.0", credential="co-key")


def test_embeddings_are_asked_for_in_cohere_s_words():
    out = COHERE.outgoing(embedding({"input": ["a", "b"], "dimensions": 256, "user": "u", "encoding_format": "base64"}))
    assert out.path == "/v2/embed"
    assert json.loads(out.body) == {
        "model": "embed-v4.0",
        "texts": ["a", "b"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "output_dimension": 256,
    }
    assert out.dropped == ("user",)
    asked_for = COHERE.outgoing(embedding({"input": "a", "input_type": "search_query", "truncate": "END"}))
    body = json.loads(asked_for.body)
    assert (body["texts"], body["input_type"], body["truncate"]) == (["a"], "search_query", "END")
    assert asked_for.dropped == ()


def test_token_ids_of_another_vendor_are_refused():
    with pytest.raises(NotTranslatable):
        COHERE.outgoing(embedding({"input": [1, 2, 3]}))


def test_recorded_vectors_arrive_to_the_last_digit_and_are_charged_as_billed():
    for recorded in EMBED:
        numbers = recorded.answer["embeddings"]["float"]
        asked_for = embedding({"input": "Hello, world!"})
        answered = COHERE.answer(asked_for, json.dumps(recorded.answer).encode())
        found = json.loads(answered.body)
        assert [datum["embedding"] for datum in found["data"]] == numbers
        tokens = recorded.answer["meta"]["billed_units"]["input_tokens"]
        assert found["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
        assert (found["object"], found["model"]) == ("list", "public")
        metered = meter.whole(answered, asked_for, is_gone=False)
        assert (metered.quantities, metered.source) == ({"input": tokens, "request": 1}, "provider")
        packed = COHERE.answer(
            embedding({"input": "x", "encoding_format": "base64"}), json.dumps(recorded.answer).encode()
        )
        data = base64.b64decode(json.loads(packed.body)["data"][0]["embedding"])
        assert struct.unpack(f"<{len(numbers[0])}f", data) == pytest.approx(numbers[0])


def test_google_s_clients_get_vectors_too():
    provider = PROVIDERS.serving("cohere", "batch_embed_contents")
    assert provider is not None
    body = {"requests": [{"content": {"parts": [{"text": word}]}} for word in ("a", "b")]}
    asked_for = asked("batch_embed_contents", body=body, upstream_model="embed-v4.0", credential="co-key")
    assert json.loads(provider.outgoing(asked_for).body)["texts"] == ["a", "b"]
    answer = {"embeddings": {"float": [[0.5], [0.25]]}, "meta": {"billed_units": {"input_tokens": 2.0}}}
    answered = provider.answer(asked_for, json.dumps(answer).encode())
    assert json.loads(answered.body)["embeddings"] == [{"values": [0.5]}, {"values": [0.25]}]
    assert meter.whole(answered, asked_for, is_gone=False).quantities == {"input": 2, "request": 1}


def test_what_cohere_has_not_is_not_asked_of_it():
    assert PROVIDERS.serving("cohere", "moderations") is None

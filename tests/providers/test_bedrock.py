"""Bedrock behind every text door: recorded answers mean the same, and what they used is what is metered."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from airouter.domain.catalogue import ChannelOptions
from airouter.domain.rate_card import INPUT_METERS, OUTPUT_METERS
from airouter.gateway import meter
from airouter.providers.bedrock import BedrockProvider, region_of
from airouter.providers.bedrock_usage import reported_in
from airouter.providers.contract import Call
from airouter.providers.serving import TRANSLATIONS, Providers
from airouter.providers.translated import TranslatedProvider
from airouter.providers.translated_count import TranslatedCount
from airouter.translation.bedrock.replies import read as read_bedrock
from tests.providers.calls import cut_at
from tests.providers.provider_recordings import CONVERSE, EVERY, Recorded, streamed
from tests.providers.recordings import ABSENT
from tests.providers.translated_calls import DOORS, asked, fed
from tests.translation.dialects import DIALECTS, events_of, reply_essence, stream_essence
from tests.translation.test_recorded import nearest
from tests.wire.frames import event, exception

NOW = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
BEDROCK = BedrockProvider(lambda: NOW)
PROVIDERS = Providers({"bedrock": BEDROCK})
URL = "https://bedrock-runtime.eu-west-3.amazonaws.com"


def call(endpoint: Any = "chat.completions", *, is_streaming: bool = False, **members: Any) -> Call:
    made: dict[str, Any] = {"upstream_model": "us.amazon.nova-lite-v1:0", "credential": "AKIA:secret", "base_url": URL}
    return asked(endpoint, is_streaming=is_streaming, **(made | members))


def door(endpoint: Any) -> TranslatedProvider | TranslatedCount:
    found = PROVIDERS.serving("bedrock", endpoint)
    assert isinstance(found, TRANSLATIONS)
    return found


def named(recordings: list[Recorded]) -> Any:
    return pytest.mark.parametrize("recorded", recordings, ids=lambda recorded: recorded.name)


def test_recordings_are_there():
    assert len(CONVERSE) > 50, ABSENT


@named(CONVERSE)
def test_what_a_recorded_answer_used_is_what_is_metered(recorded: Recorded):
    usage = recorded.answer["usage"]
    reported = reported_in(recorded.answer)
    assert reported is not None
    assert reported.problem is None
    metered = reported.quantities
    assert metered is not None
    assert min(metered.values()) >= 0
    assert sum(metered.get(name, 0) for name in (*INPUT_METERS, *OUTPUT_METERS)) == usage["totalTokens"]
    assert sum(metered.get(name, 0) for name in OUTPUT_METERS) == usage["outputTokens"]
    assert metered["input"] == usage["inputTokens"]
    assert metered.get("cached_input", 0) == usage.get("cacheReadInputTokens", 0)
    writes = metered.get("cache_write_5m", 0) + metered.get("cache_write_1h", 0)
    assert writes == usage.get("cacheWriteInputTokens", 0)
    assert metered["request"] == 1


@pytest.mark.parametrize("endpoint", list(DOORS))
def test_recorded_answers_say_the_same_at_every_door(endpoint: str):
    here = DIALECTS[DOORS[endpoint]]
    for recorded in CONVERSE:
        answered = door(endpoint).answer(call(endpoint), json.dumps(recorded.answer).encode())
        assert answered.is_proper
        wanted = reply_essence(read_bedrock(recorded.answer, "m", 1))
        got = reply_essence(here.read_reply(json.loads(answered.body)))
        wanted["stop"], got["stop"] = nearest(wanted["stop"]), nearest(got["stop"])
        assert got == wanted, recorded.name
        metered = meter.whole(answered, call(endpoint), is_gone=False)
        assert (metered.source, metered.status) == ("provider", "ok")


@pytest.mark.parametrize("endpoint", list(DOORS))
def test_their_streams_say_the_same_at_every_door_however_they_are_torn(endpoint: str):
    here = DIALECTS[DOORS[endpoint]]
    for number, recorded in enumerate(CONVERSE):
        stream = streamed(recorded.answer)
        reader = door(endpoint).stream(call(endpoint, is_streaming=True))
        written = fed(reader, stream, (1, 13, 500, len(stream))[number % 4])
        wanted = reply_essence(read_bedrock(recorded.answer, "m", 1))
        got = stream_essence(events_of(here, written))
        assert got["failures"] == []
        assert nearest(got["stop"]) == nearest(wanted["stop"])
        assert (got["words"], got["calls"]) == (wanted["words"], wanted["calls"]), recorded.name
        assert reader.is_complete
        assert reader.saw_done
        assert reader.reported == reported_in(recorded.answer)
        assert meter.finished(reader, is_gone=False).source == "provider"


SAMPLE = next(one for one in CONVERSE if "toolUse" in str(one.answer) and "reasoningContent" in str(one.answer))


def test_a_stream_cut_at_any_byte_is_charged_by_the_rules():
    """Never an exception. Before the model said why it stopped: nothing is charged that nobody reported."""
    stream = streamed(SAMPLE.answer, piece=40)
    end = len(stream) - len(event("metadata", {"usage": SAMPLE.answer["usage"], "metrics": {"latencyMs": 7}}))
    for at in range(1, len(stream)):
        reader = door("messages").stream(call("messages", is_streaming=True))
        written = reader.feed(stream[:at]) + reader.close_event()
        assert written.endswith(b"\n\n") or not written
        assert not reader.has_error
        assert reader.is_complete == (at >= end)
        assert not reader.saw_done
        metered = meter.broken_off(reader)
        assert metered.source == ("estimated" if at >= end else "none")
        assert bool(metered.quantities) == (at >= end)
    reader = door("messages").stream(call("messages", is_streaming=True))
    reader.feed(stream)
    assert meter.broken_off(reader).source == "provider"


@pytest.mark.parametrize("endpoint", list(DOORS))
def test_a_damaged_stream_ends_with_an_error_and_costs_nothing(endpoint: str):
    stream = bytearray(streamed(SAMPLE.answer))
    stream[len(stream) // 2] ^= 1
    reader = door(endpoint).stream(call(endpoint, is_streaming=True))
    written = fed(reader, bytes(stream), 100)
    assert reader.has_error
    assert not reader.is_complete
    assert b"damaged" in written
    assert meter.finished(reader, is_gone=False).quantities == {}


def test_an_exception_inside_a_stream_is_told_and_what_was_reported_is_charged():
    before = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "One"}})
    reader = door("chat.completions").stream(call(is_streaming=True))
    written = fed(reader, before + exception("throttlingException", {"message": "Too many tokens"}), 9)
    assert b"Too many tokens" in written
    assert reader.has_error
    assert meter.finished(reader, is_gone=False).source == "none"


def test_events_nobody_knows_are_passed_over():
    stream = event("guardrailNews", {"a": 1}) + event("contentBlockDelta", {"delta": {"image": {}}})
    reader = door("chat.completions").stream(call(is_streaming=True))
    written = fed(reader, stream + streamed(SAMPLE.answer), 1000)
    assert reader.is_complete
    assert stream_essence(events_of(DIALECTS["chat"], written))["failures"] == []


def test_a_stream_without_figures_is_estimated():
    stream = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "x" * 300}})
    reader = door("chat.completions").stream(call(is_streaming=True))
    written = fed(reader, stream + event("messageStop", {"stopReason": "end_turn"}), 1000)
    assert reader.is_complete
    assert written.endswith(b"data: [DONE]\n\n")
    metered = meter.finished(reader, is_gone=False)
    assert metered.source == "estimated"
    assert 20 < metered.quantities["output"] < 100


@pytest.mark.parametrize(
    ("usage", "wanted", "problem"),
    [
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, {"input": 10, "output": 5}, None),
        ({"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, {"input": 0, "output": 0}, None),
        (  # beside each other
            {"inputTokens": 10, "outputTokens": 5, "totalTokens": 22, "cacheReadInputTokens": 7},
            {"input": 10, "output": 5, "cached_input": 7}, None,
        ),
        (  # inside each other: the total says so
            {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 7},
            {"input": 3, "output": 5, "cached_input": 7}, None,
        ),
        (
            {"inputTokens": 1, "outputTokens": 2, "totalTokens": 13, "cacheWriteInputTokens": 10,
             "cacheDetails": [{"ttl": "1h", "inputTokens": 6}, {"ttl": "5m", "inputTokens": 4}]},
            {"input": 1, "output": 2, "cache_write_5m": 4, "cache_write_1h": 6}, None,
        ),
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 20}, {"input": 10, "output": 5, "reasoning": 5},
         "total_differs"),
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 9}, {"input": 10, "output": 5}, "total_differs"),
        ({"inputTokens": 10, "totalTokens": 15}, {"input": 10, "output": 5}, None),
        ({"inputTokens": -1, "outputTokens": 5}, None, "usage_refused"),
        ({"inputTokens": "1", "outputTokens": 5}, None, "usage_refused"),
    ],
)  # fmt: skip
def test_usage_becomes_disjoint_buckets_checked_against_the_total(
    usage: dict[str, Any], wanted: dict[str, int] | None, problem: str | None
):
    found = reported_in({"usage": usage})
    assert found is not None
    assert found.quantities == (None if wanted is None else {**wanted, "request": 1})
    assert found.problem == problem


def test_a_tier_that_is_not_the_usual_one_is_reported():
    usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    tiers = [reported_in({"usage": usage, "serviceTier": {"type": tier}}) for tier in ("default", "priority")]
    assert [found.service_tier for found in tiers if found] == [None, "priority"]
    assert reported_in({"usage": {}}) is None
    assert reported_in({}) is None


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("us.amazon.nova-lite-v1:0", "/model/us.amazon.nova-lite-v1%3A0/converse"),
        (
            "arn:aws:bedrock:us-east-1:1234:inference-profile/us.x-v1:0",
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1234%3Ainference-profile%2Fus.x-v1%3A0/converse",
        ),
    ],
)
def test_the_model_stands_in_the_address(model: str, path: str):
    assert door("messages").outgoing(call("messages", upstream_model=model)).path == path
    streaming = door("messages").outgoing(call("messages", is_streaming=True, upstream_model=model))
    assert streaming.path == path + "-stream"
    assert "stream" not in json.loads(streaming.body)


def test_recorded_addresses_are_the_ones_we_write():
    for recorded in CONVERSE:
        out = door("messages").outgoing(call("messages", upstream_model=recorded.model))
        assert out.path == "/" + recorded.path


def test_an_access_key_signs_what_goes_out_in_the_end():
    out = door("messages").outgoing(call("messages", credential="AKIA:se/cret+:token=="))
    assert out.sign is not None
    assert not any(name == b"authorization" for name, _ in out.headers)
    headers = dict(out.sign(out))
    assert headers[b"x-amz-date"] == b"20261123T040000Z"
    assert headers[b"x-amz-security-token"] == b"token=="
    assert headers[b"user-agent"] == b"airouter"
    said = headers[b"authorization"].decode()
    assert "Credential=AKIA/20261123/eu-west-3/bedrock/aws4_request" in said
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token," in said
    assert "se/cret" not in str(headers)


def test_an_api_key_is_a_bearer_and_signs_nothing():
    out = door("messages").outgoing(call("messages", credential="ABSKQmVkcm9jaw=="))
    assert out.sign is None
    assert dict(out.headers)[b"authorization"] == b"Bearer ABSKQmVkcm9jaw=="
    again = door("messages").outgoing(call("messages", credential="ABSKQmVkcm9jaw=="))
    assert again.headers is out.headers


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/", "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("https://vpce-0a1b.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"),
        ("https://bedrock.example.com", "us-east-1"),
        ("http://127.0.0.1:8081", "us-east-1"),
    ],
)
def test_the_region_stands_in_the_address(url: str, region: str):
    assert region_of(url) == region


def test_the_way_the_address_is_written_is_signed():
    def signature(url: str) -> bytes:
        out = door("messages").outgoing(call("messages", base_url=url))
        assert out.sign is not None
        return dict(out.sign(out))[b"authorization"][-64:]

    assert signature("http://localhost:80/x/") == signature("http://localhost/x")
    assert len({signature(f"http://localhost{rest}") for rest in ("", "/x", ":81", ":81/x")}) == 4


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, {"message": "This model doesn't support the video content block that you provided."}, "request"),
        (400, {"message": "tools.0.name: the security token included in the request is invalid"}, "request"),
        (400, {"message": "Invocation of model ID x with on-demand throughput isn't supported."}, "channel"),
        (400, {"message": "The provided model identifier is invalid."}, "channel"),
        (403, {"message": "The security token included in the request is expired"}, "credential"),
        (403, {"Message": "The request signature we calculated does not match the one provided."}, "credential"),
        (403, {"message": "You don't have access to the model with the specified model ID."}, "channel"),
        (403, {"message": "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel"}, "funds"),
        (404, {"message": "This model version has reached the end of its life."}, "channel"),
        (400, {"message": "The provided model doesn't support counting tokens."}, "counting"),
        (400, {"message": "Document input not supported for token counting"}, "counting"),
        (408, {"message": "Model has timed out"}, "overloaded"),
        (424, {"message": "The model failed"}, "overloaded"),
        (429, {"message": "Too many requests, please wait before trying again."}, "limited"),
        (500, {"message": "Internal"}, "overloaded"),
        (503, {"message": "Bedrock is unable to process your request."}, "overloaded"),
    ],
)
def test_whose_fault_a_refusal_is(status: int, body: dict[str, str], verdict: str):
    assert BEDROCK.refusal(status, json.dumps(body).encode()) == verdict
    assert door("messages").refusal(status, json.dumps(body).encode()) == verdict


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-haiku-4-5-20251001-v1%3A0"),
        ("us-gov.anthropic.claude-3-7-sonnet-20250219-v1:0", "anthropic.claude-3-7-sonnet-20250219-v1%3A0"),
        ("anthropic.claude-opus-4-1-20250805-v1:0", "anthropic.claude-opus-4-1-20250805-v1%3A0"),
        ("minimax.m2.1", "minimax.m2.1"),
        ("zai.glm-4.7", "zai.glm-4.7"),
    ],
)
def test_a_count_is_asked_of_the_model_and_not_of_its_profile(model: str, path: str):
    body = {"messages": [{"role": "user", "content": "Hi"}]}
    asked_for = asked("messages.count_tokens", body=body, upstream_model=model, credential="k")
    assert door("messages.count_tokens").outgoing(asked_for).path == f"/model/{path}/count-tokens"


@pytest.mark.parametrize(
    ("endpoint", "body", "wanted"),
    [
        ("messages.count_tokens", {"messages": [{"role": "user", "content": "Hi"}]}, {"input_tokens": 8}),
        ("generate_content.count_tokens", {"contents": [{"parts": [{"text": "Hi"}]}]}, {"totalTokens": 8}),
        ("responses.input_tokens", {"input": "Hi"}, {"object": "response.input_tokens", "input_tokens": 8}),
    ],
)
def test_a_count_takes_of_a_conversation_what_is_counted_and_signs_that(
    endpoint: Any, body: dict[str, Any], wanted: dict[str, Any]
):
    rule = {"action": "set", "path": "guardrailConfig", "value": {"id": "g"}}
    options = msgspec.convert({"body": [rule]}, ChannelOptions)
    counted = asked(endpoint, body=body, upstream_model="m", credential="AKIA:se/cret", options=options)
    out = door(endpoint).outgoing(counted)
    said = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
    assert json.loads(out.body) == {"input": {"converse": said}}
    assert out.sign is not None
    assert out.sign(out) != out.sign(msgspec.structs.replace(out, body=b"{}"))
    answered = door(endpoint).answer(counted, b'{"inputTokens":8}')
    assert answered.is_proper
    assert json.loads(answered.body) == wanted
    assert answered.reported is None
    for odd in (b'{"inputTokens":"8"}', b'{"inputTokens":-1}', b"{}", b"<html>"):
        assert not door(endpoint).answer(counted, odd).is_proper


def test_recorded_refusals_are_about_the_request():
    refused = [one for one in EVERY if one.provider == "bedrock" and one.status == 400]
    assert refused
    for one in refused:
        assert BEDROCK.refusal(400, json.dumps(one.answer).encode()) == "request"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"output":{}}', b'{"output":[]}', b'{"message":"x"}'])
def test_what_is_no_answer_is_not_taken_for_one(body: bytes):
    answered = door("chat.completions").answer(call(), body)
    assert not answered.is_proper
    assert answered.reported is None


def test_an_answer_without_figures_is_estimated():
    answer = {"output": {"message": {"content": [{"text": "x" * 40}]}}, "stopReason": "end_turn"}
    answered = door("chat.completions").answer(call(), json.dumps(answer).encode())
    assert answered.is_proper
    assert answered.written_tokens == 10


def test_pieces_of_any_size_make_the_same_stream():
    stream = streamed(SAMPLE.answer)
    whole = fed(door("messages").stream(call("messages", is_streaming=True)), stream, len(stream))
    reader = door("messages").stream(call("messages", is_streaming=True))
    pieces = cut_at(stream, range(0, len(stream), 37))
    assert b"".join(reader.feed(piece) for piece in pieces) + reader.finish() == whole
    assert reader.received_bytes == len(stream)

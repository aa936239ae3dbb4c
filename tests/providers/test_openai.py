"""The provider of OpenAI's dialect: what it sends, and whose fault a refusal is."""

import json

import pytest

from airouter.domain.catalogue import ChannelOptions
from airouter.providers.registry import PROVIDERS
from airouter.providers.vendors import VENDORS
from airouter.wire.endpoint import Endpoint
from airouter.wire.openai import passed_on_error
from tests.providers.calls import call

PROVIDER = PROVIDERS["openai-compatible"]


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [("chat.completions", "/chat/completions"), ("completions", "/completions"), ("embeddings", "/embeddings")],
)
def test_request_goes_to_the_path_under_the_base_url(endpoint: Endpoint, path: str):
    out = PROVIDER.outgoing(call({"model": "m", "messages": [], "input": "x"}, endpoint=endpoint))
    assert (out.method, out.path) == ("POST", path)


def test_headers_carry_our_credential_and_are_made_once():
    first, second = PROVIDER.outgoing(call()), PROVIDER.outgoing(call())
    assert first.headers is second.headers
    assert dict(first.headers)[b"authorization"] == b"Bearer sk-upstream"
    assert dict(first.headers)[b"accept-encoding"] == b"identity"


def test_channel_without_a_credential_sends_none():
    made = call()
    bare = type(made)(
        endpoint=made.endpoint,
        request=made.request,
        body=made.body,
        upstream_model="m",
        credential="",
        base_url="http://upstream.invalid",
    )
    assert b"authorization" not in dict(PROVIDER.outgoing(bare).headers)


def test_usage_is_not_demanded_of_embeddings_nor_of_upstreams_that_refuse():
    streaming = {"model": "m", "stream": True, "messages": [], "input": "x"}
    assert b"stream_options" not in PROVIDER.outgoing(call(streaming, endpoint="embeddings")).body
    old = PROVIDER.outgoing(call(streaming, options=ChannelOptions(include_usage=False)))
    assert b"stream_options" not in old.body
    assert json.loads(PROVIDER.outgoing(call(streaming)).body)["stream_options"] == {"include_usage": True}


def test_model_is_sent_by_the_upstream_s_name():
    assert json.loads(PROVIDER.outgoing(call(upstream_model="vendor/m:free")).body)["model"] == "vendor/m:free"


def test_answer_keeps_its_model_unless_the_channel_rewrites_it():
    body = b'{"object":"chat.completion","model":"up-2025","choices":[{}],"usage":{"total_tokens":1}, "x":1.50}'
    assert PROVIDER.answer(call(), body).body is body
    rewritten = PROVIDER.answer(call(options=ChannelOptions(rewrite_model=True)), body)
    assert rewritten.body == body.replace(b'"up-2025"', b'"m"').replace(b"}, ", b"},")
    assert rewritten.reported is not None


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, b'{"error":{"message":"bad","code":null}}', "request"),
        (404, b"not found", "request"),
        (404, b'{"error":{"message":"The model `up` does not exist","code":"model_not_found"}}', "model"),
        (403, b'{"error":{"message":"No access to model `up`","code":"model_not_found"}}', "model"),
        (404, b'{"object":"error","message":"The model `up` does not exist.","type":"NotFoundError"}', "model"),
        (404, b'{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}', "model"),
        (404, b'{"error":{"code":404,"message":"models/x is not found for API version v1","status":"N"}}', "model"),
        (400, b'{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}', "model"),
        (400, b'{"error":{"message":"a/b is not a valid model ID","code":400}}', "model"),
        (400, b'{"message":"Invalid model: x","type":"invalid_model","code":"1500"}', "model"),
        (404, b'{"error":{"message":"model \'x:7b\' not found","type":"api_error"}}', "model"),
        (400, b'{"error":{"message":"The model `up` does not take images"}}', "request"),
        (404, b'{"error":{"message":"File `model: x` not found","type":"not_found_error"}}', "request"),
        (400, b'{"error":{"message":"Model input names a file that was not found"}}', "request"),
        (413, b"", "request"),
        (422, b'{"detail":[]}', "request"),
        (400, b'{"error":{"message":"Incorrect API key provided: sk-...abc"}}', "credential"),
        (400, b'[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key."}}]', "credential"),
        (400, b'{"error":{"code":"invalid_api_key"}}', "credential"),
        (400, b'{"error":{"code":400,"details":[{"reason":"API_KEY_INVALID"}]}}', "credential"),
        (400, b"Invalid API key", "credential"),
        (404, b'{"error":{"message":"There is no model \'invalid_api_key\'"}}', "request"),
        (
            400,
            b'{"error":{"code":"tool_use_failed","failed_generation":"Incorrect API key, invalid_api_key"}}',
            "request",
        ),
        (400, b'["invalid_api_key"]', "request"),
        (401, b"", "credential"),
        (402, b"", "funds"),
        (403, b"", "funds"),
        (403, b'{"error":"Invalid API key"}', "credential"),
        (405, b"", "channel"),
        (301, b"", "channel"),
        (429, b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}', "limited"),
        (429, b'{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}', "funds"),
        (429, b"Too many requests", "limited"),
        (429, b'{"error":{"message":"Slow down. (You said: insufficient_quota)"}}', "limited"),
        (400, b'{"error":{"message":"Your credit balance is too low"}}', "funds"),
        (408, b"", "overloaded"),
        (500, b"", "overloaded"),
        (503, b"<html>", "overloaded"),
        (529, b"", "overloaded"),
    ],
)
def test_refusal_is_the_fault_of(status: int, body: bytes, verdict: str):
    assert PROVIDER.refusal(status, body) == verdict


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"object":"error","message":"Extra inputs","type":"invalid"}', "Extra inputs"),
        (b'{"detail":"Model is busy"}', "Model is busy"),
        (b'{"detail":[{"loc":["body"],"msg":"missing"}]}', '[{"loc":["body"],"msg":"missing"}]'),
        (b'{"error":"model not found"}', "model not found"),
        (b"plain words\n", "plain words"),
        (b"<html><body>404</body></html>", "The provider refused the request without saying why."),
        (b"", "The provider refused the request without saying why."),
        (b'{"error":{"code":7}}', '{"code":7}'),
        (b"\xff\xfe", "��"),
    ],
)
def test_refusal_in_another_shape_is_put_into_ours(body: bytes, message: str):
    error = json.loads(passed_on_error(body))["error"]
    assert error == {"message": message, "type": "invalid_request_error", "param": None, "code": None}


def test_refusal_in_our_shape_is_passed_on_as_it_came():
    body = b'{ "error": {"message": "no", "type": "x", "param": "messages[3]", "code": 400, "extra": 1}}'
    assert passed_on_error(body) is body


def test_every_provider_has_its_row_in_the_table():
    assert set(PROVIDERS) == set(VENDORS)
    assert all(provider.name == name for name, provider in PROVIDERS.items())
    assert {name: set(one.endpoints) for name, one in PROVIDERS.items()} == {
        name: set(row.endpoints) for name, row in VENDORS.items()
    }


@pytest.mark.parametrize("spelling", ['"models"', '"m\\u006fdels"'])
def test_what_would_let_openrouter_run_another_model_than_the_one_charged_does_not_go_out(spelling: str):
    body = b'{"model": "m", %b: ["dearer"], "route": "fallback", "messages": [{"role": "user", "content": "Hi"}]}'
    asked = call(body % spelling.encode())
    sent = json.loads(PROVIDERS["openrouter"].outgoing(asked).body)
    assert sent == {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert json.loads(PROVIDERS["openai"].outgoing(asked).body)["models"] == ["dearer"]

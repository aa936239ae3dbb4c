"""Reading requests in OpenAI's dialect, and what becomes of them on their way upstream."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.errors import InvalidRequest
from airouter.wire.openai import Request, outgoing_body, read_request

CHAT = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


def chat(**members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [], **members}).encode()


def read(**members: Any) -> Request:
    return read_request("chat.completions", chat(**members))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"null", None),
        (b'"model"', None),
        (b'{"model":"m","messages":[]} x', None),
        (b'\xef\xbb\xbf{"model":"m","messages":[]}', None),
        (b'{"model":"m","messages":[],"x":NaN}', None),
        (b'{"model":"\\ud800","messages":[]}', None),
        (b'{"model":"m","messages":' + b"[" * 200_000 + b"]" * 200_000 + b"}", None),
        (b'{"messages":[]}', "model"),
        (b'{"model":null,"messages":[]}', "model"),
        (b'{"model":"","messages":[]}', "model"),
        (b'{"model":7,"messages":[]}', "model"),
        (b'{"model":"m"}', "messages"),
        (b'{"model":"m","messages":null}', "messages"),
        (b'{"model":"m","messages":"Hi"}', "messages"),
        (chat(stream="yes"), "stream"),
        (chat(stream_options={"include_usage": 1}), "stream_options.include_usage"),
        (chat(max_tokens=-1), "max_tokens"),
        (chat(max_tokens=1.5), "max_tokens"),
        (chat(max_tokens="10"), "max_tokens"),
        (chat(max_completion_tokens=-5), "max_completion_tokens"),
        (chat(n=0), "n"),
        (chat(n=129), "n"),
        (chat(n=-(10**30)), "n"),
        (chat(best_of=0), "best_of"),
    ],
)
def test_request_that_cannot_be_meant_is_refused_naming_the_field(body: bytes, field: str | None):
    with pytest.raises(InvalidRequest) as refused:
        read_request("chat.completions", body)
    assert refused.value.details["field"] == field
    assert refused.value.message.endswith(".")


def test_embeddings_need_an_input_and_completions_need_none():
    with pytest.raises(InvalidRequest) as refused:
        read_request("embeddings", b'{"model":"m"}')
    assert refused.value.details["field"] == "input"
    assert read_request("completions", b'{"model":"m"}').model == "m"


def test_null_means_left_out():
    request = read(stream=None, stream_options=None, max_tokens=None, n=None, tools=None, modalities=None)
    assert not request.is_streaming
    assert not request.wants_usage
    assert request.stated_output_tokens is None
    assert request.choices == 1
    assert request.asks == ()


def test_larger_of_two_stated_maxima_counts():
    assert read(max_tokens=5, max_completion_tokens=9).stated_output_tokens == 9
    assert read(max_tokens=9, max_completion_tokens=5).stated_output_tokens == 9
    assert read(max_completion_tokens=0).stated_output_tokens == 0


@pytest.mark.parametrize(
    ("members", "choices"),
    [
        ({}, 1),
        ({"n": 3}, 3),
        ({"n": 2, "best_of": 5}, 5),
        ({"prompt": "one"}, 1),
        ({"prompt": ["one", "two"]}, 2),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": [[1, 2], [3]], "n": 4}, 8),
        ({"prompt": []}, 1),
    ],
)
def test_every_answer_that_is_written_is_counted(members: dict[str, Any], choices: int):
    body = json.dumps({"model": "m", **members}).encode()
    assert read_request("completions", body).choices == choices


@pytest.mark.parametrize(
    ("members", "asks"),
    [
        ({"tools": [{"type": "function", "function": {"name": "search"}}]}, ()),
        ({"tools": [{"function": {"name": "f"}}, "odd", 7]}, ()),
        ({"tools": "odd"}, ()),
        ({"tools": [{"type": "web_search_preview"}]}, ("search",)),
        ({"web_search_options": {}}, ("search",)),
        ({"web_search_options": None}, ()),
        ({"search_parameters": {"mode": "auto"}}, ("search",)),
        ({"plugins": [{"id": "web"}]}, ("search",)),
        ({"plugins": [{"id": "file-parser"}]}, ()),
        ({"modalities": ["text", "audio"]}, ("audio_output",)),
        ({"modalities": ["image", "text"]}, ("image_output",)),
    ],
)
def test_request_says_what_it_needs_beyond_text(members: dict[str, Any], asks: tuple[str, ...]):
    assert read(**members).asks == asks


def test_bytes_go_out_as_they_came_when_nothing_must_change():
    body = b' { "model" : "m", "messages":[],"seed":1.0e2, "x":{"b":1,"a":[ 1 ]} } '
    request = read_request("chat.completions", body)
    assert outgoing_body(request, body, model="m", include_usage=True) is body


def test_usage_is_demanded_in_front_of_the_client_s_own_bytes():
    body = b' {"model":"m","stream":true,"messages":[],"temperature":0.10}'
    request = read_request("chat.completions", body)
    sent = outgoing_body(request, body, model="m", include_usage=True)
    assert (
        sent == b'{"stream_options":{"include_usage":true},"model":"m","stream":true,"messages":[],"temperature":0.10}'
    )
    assert outgoing_body(request, body, model="m", include_usage=False) is body


@pytest.mark.parametrize(
    ("given_options", "sent_options"),
    [
        ("null", {"include_usage": True}),
        ("{}", {"include_usage": True}),
        ('{"include_usage":false,"x":1}', {"include_usage": True, "x": 1}),
        ('{"include_obfuscation":false}', {"include_obfuscation": False, "include_usage": True}),
    ],
)
def test_other_stream_options_are_kept(given_options: str, sent_options: dict[str, Any]):
    body = f'{{"model":"m","stream":true,"messages":[],"stream_options":{given_options}}}'.encode()
    request = read_request("chat.completions", body)
    sent = json.loads(outgoing_body(request, body, model="m", include_usage=True))
    assert sent == {"model": "m", "stream": True, "messages": [], "stream_options": sent_options}


def test_client_that_asks_for_usage_itself_is_forwarded_unchanged():
    body = chat(stream=True, stream_options={"include_usage": True})
    request = read_request("chat.completions", body)
    assert request.wants_usage
    assert outgoing_body(request, body, model="m", include_usage=True) is body


def test_model_is_renamed_and_every_other_member_keeps_its_bytes():
    body = b'{"temperature":1.50,"model":"m","big":123456789012345678901234567890,"messages":[{"model":"m"}],"e":1E+2}'
    request = read_request("chat.completions", body)
    sent = outgoing_body(request, body, model='up/"stream"', include_usage=True)
    assert sent == (
        b'{"temperature":1.50,"model":"up/\\"stream\\"","big":123456789012345678901234567890,'
        b'"messages":[{"model":"m"}],"e":1E+2}'
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"cheap","model":"dear","messages":[]}',
        b'{"mod\\u0065l":"cheap","model":"dear","messages":[]}',
        b'{"model":"cheap","messages":[],"\\u006dodel":"dear"}',
    ],
)
def test_model_named_twice_goes_out_once_as_admitted(body: bytes):
    request = read_request("chat.completions", body)
    assert request.model == "dear"
    sent = outgoing_body(request, body, model="dear", include_usage=True)
    assert json.loads(sent, object_pairs_hook=list).count(("model", "dear")) == 1
    assert b"cheap" not in sent


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["model", "messages", "stream", "stream_options", "max_tokens", "n", "tools", "modalities", "prompt", "input", "x"]
)


@given(st.binary(max_size=200) | st.dictionaries(NAMES, JSON).map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_refused(body: bytes):
    for endpoint in ("chat.completions", "completions", "embeddings"):
        try:
            request = read_request(endpoint, body)
        except InvalidRequest:
            continue
        assert request.choices >= 1
        assert isinstance(request.asks, tuple)


@given(
    members=st.dictionaries(
        st.text(max_size=6).filter(lambda name: name not in {"stream", "stream_options", "model"}), JSON
    ),
    upstream_model=st.text(min_size=1, max_size=12),
    is_streaming=st.booleans(),
    renames=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
)
def test_members_survive_whatever_has_to_change(
    members: dict[str, Any], upstream_model: str, *, is_streaming: bool, renames: bool, indent: int | None
):
    whole = {**members, "model": "m", "messages": [], "stream": is_streaming}
    for ascii_only in (True, False):
        body = json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        try:
            request = read_request("chat.completions", body)
        except InvalidRequest:
            continue
        model = upstream_model if renames else "m"
        sent = json.loads(outgoing_body(request, body, model=model, include_usage=True))
        wanted = {**json.loads(body), "model": model}
        if is_streaming:
            wanted["stream_options"] = {"include_usage": True}
        assert sent == wanted

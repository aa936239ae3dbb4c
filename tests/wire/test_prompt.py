"""What a request can cost at most in input, and what it is estimated at where nobody counted."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.wire.endpoint import Endpoint
from airouter.wire.openai import Request, read_request
from airouter.wire.prompt import Bound, estimated_input_tokens, estimated_tokens, input_bound


def bound(endpoint: Endpoint, **members: Any) -> tuple[Bound, bytes]:
    body = json.dumps({"model": "m", **members}).encode()
    return input_bound(endpoint, read_request(endpoint, body), body), body


def said(*parts: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


TEXT = {"type": "text", "text": "What is this?"}
PICTURE = base64.b64encode(bytes(100_000)).decode()


def test_text_counts_its_bytes():
    found, body = bound("chat.completions", messages=[{"role": "user", "content": "héllo 你好"}])
    assert found.text_tokens == len(body)
    assert found.media_items == 0
    assert not found.reads_upstream


@given(st.text(max_size=300))
def test_text_is_never_bounded_below_its_utf8_bytes(text: str):
    for ascii_only in (True, False):
        body = json.dumps({"model": "m", "messages": said({"type": "text", "text": text})}, ensure_ascii=ascii_only)
        data = body.encode("utf-8", "replace")
        request = read_request("chat.completions", data)
        found = input_bound("chat.completions", request, data)
        assert found.text_tokens >= len(text.encode("utf-8", "replace"))


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE, "detail": "low"}},
        {"type": "image_url", "image_url": "data:image/png;base64," + PICTURE},
        {"type": "input_audio", "input_audio": {"data": PICTURE, "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64," + PICTURE, "filename": "a.pdf"}},
        {"type": "video_url", "video_url": {"url": "https://example.com/" + "v" * 50_000}},
    ],
)
def test_media_count_by_the_item_and_not_by_their_length(part: dict[str, Any]):
    found, _ = bound("chat.completions", messages=said(TEXT, part, part))
    assert found.media_items == 2
    assert found.text_tokens < 500
    assert not found.reads_upstream


def test_media_spelled_with_escapes_are_found():
    body = (
        b'{"model":"m","messages":[{"role":"user","content":[{"type":"imag\\u0065_url",'
        b'"imag\\u0065_url":{"url":"https://example.com/a.png"}}]}]}'
    )
    assert input_bound("chat.completions", read_request("chat.completions", body), body).media_items == 1


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_file", "file": {"file_url": "https://example.com/long.pdf"}},
        {"type": "document_url", "document_url": "https://example.com/long.pdf"},
    ],
)
def test_what_lies_at_the_upstream_is_not_bounded_by_the_request(part: dict[str, Any]):
    found, _ = bound("chat.completions", messages=said(TEXT, part))
    assert found.reads_upstream


def test_searching_reads_what_no_request_bounds():
    found, _ = bound("chat.completions", messages=[], web_search_options={})
    assert found.reads_upstream


def test_earlier_audio_of_the_assistant_counts_as_an_item():
    found, _ = bound("chat.completions", messages=[{"role": "assistant", "audio": {"id": "audio_1"}}])
    assert found.media_items == 1


def test_words_about_media_are_text():
    words = 'Explain {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}} to me'
    found, body = bound("chat.completions", messages=[{"role": "user", "content": words}])
    assert found.text_tokens == len(body)
    assert found.media_items == 0


def test_tools_add_what_vendors_say_about_them():
    tools = [{"type": "function", "function": {"name": "f"}}]
    found, body = bound("chat.completions", messages=[], tools=tools)
    assert found.text_tokens > len(body)


@pytest.mark.parametrize(("given", "tokens"), [([1, 2, 3], 3), ([[1, 2], [3]], 3), ([7], 1), ([[1], [2], [3], [4]], 4)])
def test_token_ids_count_one_by_one(given: list[Any], tokens: int):
    assert bound("embeddings", input=given)[0].text_tokens == tokens
    assert bound("completions", prompt=given)[0].text_tokens == tokens


@pytest.mark.parametrize("given", ["text", ["a", "b"], [1, "not an id, but long " * 20]])
def test_texts_to_embed_count_their_bytes(given: Any):
    found, body = bound("embeddings", input=given)
    assert found.text_tokens == len(body)


def test_pictures_to_embed_count_by_the_item():
    found, _ = bound("embeddings", input=[{"image": "data:image/png;base64," + PICTURE}, {"text": "a cat"}])
    assert found.media_items == 1
    assert found.text_tokens < 500


def read(endpoint: Endpoint, **members: Any) -> Request:
    return read_request(endpoint, json.dumps({"model": "m", **members}).encode())


def test_estimate_is_a_quarter_of_the_bytes_of_the_texts():
    messages = [{"role": "system", "content": "12345678"}, *said({"type": "text", "text": "1234"})]
    request = read("chat.completions", messages=messages)
    assert estimated_input_tokens("chat.completions", request) == 3
    assert estimated_input_tokens("completions", read("completions", prompt="123456789")) == 3
    assert estimated_input_tokens("embeddings", read("embeddings", input=["1234", "5678"])) == 2
    assert estimated_input_tokens("embeddings", read("embeddings", input=[5, 6, 7])) == 3
    assert estimated_input_tokens("completions", read("completions")) == 0


def test_estimate_leaves_out_media():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}
    request = read("chat.completions", messages=said({"type": "text", "text": "1234"}, image))
    assert estimated_input_tokens("chat.completions", request) == 1


def test_estimated_tokens_round_up():
    assert [estimated_tokens(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]

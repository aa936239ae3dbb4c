"""The scripted upstream: like the real thing for the official client, and obedient to the request."""

import asyncio
import base64
import json
import struct
from typing import Any

import httpx
import openai
import pytest

from airouter.providers.scripted import Failures, ScriptedUpstream
from airouter.upstream.contract import (
    AnswerTooLarge,
    BrokenOff,
    FirstByteTimeout,
    IdleTimeout,
    Origin,
    Timeouts,
    UpstreamAnswer,
    UpstreamClient,
    UpstreamRequest,
)

FAILURES = Failures(
    first_byte_timeout=lambda: FirstByteTimeout("scripted"),
    idle_timeout=lambda before: IdleTimeout("scripted", before_first_byte=before),
    broken_off=lambda before: BrokenOff("scripted", before_first_byte=before),
    too_large=AnswerTooLarge,
)
PATIENT = Timeouts(connect_seconds=60, first_byte_seconds=60, idle_seconds=60)
HURRIED = Timeouts(connect_seconds=0.05, first_byte_seconds=0.05, idle_seconds=0.05)
HI = [{"role": "user", "content": "Hi there"}]


class Naps:
    """Sleeps that are written down and take no time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def upstream(naps: Naps | None = None) -> UpstreamClient:
    """As the gateway sees it: a client like any other."""
    return ScriptedUpstream(FAILURES, lambda: 1_700_000_000.5, naps or Naps())


async def send(
    body: dict[str, Any], path: str = "/v1/chat/completions", timeouts: Timeouts = PATIENT, client: Any = None
) -> UpstreamAnswer:
    request = UpstreamRequest(
        origin=Origin("http", "scripted", 80), method="POST", path=path, body=json.dumps(body).encode()
    )
    return await (client or upstream()).send(request, timeouts)


async def answer(body: dict[str, Any], path: str = "/v1/chat/completions") -> dict[str, Any]:
    return json.loads(await (await send(body, path)).read(10_000_000))


class OverScripted(httpx.AsyncBaseTransport):
    """Lets an HTTP client talk to the scripted upstream without a socket."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = UpstreamRequest(
            origin=Origin("http", "scripted", 80), method="POST", path=request.url.path, body=await request.aread()
        )
        found = await upstream().send(sent, PATIENT)
        return httpx.Response(found.status, headers=list(found.headers), content=await found.read(10_000_000))


@pytest.fixture
async def sdk():
    """The official client on top of it."""
    http = httpx.AsyncClient(transport=OverScripted())
    async with openai.AsyncOpenAI(api_key="sk-x", base_url="http://s/v1", http_client=http, max_retries=0) as client:
        yield client


async def test_same_request_gets_the_same_answer():
    body = {"model": "m", "messages": HI}
    assert await answer(body) == await answer(body)
    assert (await answer(body))["created"] == 1_700_000_000
    assert "Hi there" in (await answer(body))["choices"][0]["message"]["content"]


async def test_usage_follows_the_stated_rule():
    found = await answer({"model": "m", "messages": HI, "scripted": {"text": "123456789"}})
    usage = found["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (2, 3, 5)


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 7, "completion_tokens": -1}, {}])
async def test_usage_is_what_the_script_says(usage: Any):
    found = await answer({"model": "m", "messages": HI, "scripted": {"usage": usage}})
    assert found.get("usage") == usage
    assert ("usage" in found) == (usage is not None)


async def test_official_client_reads_chat(sdk: openai.AsyncOpenAI):
    found = await sdk.chat.completions.create(model="m", messages=HI, n=2, extra_body={"scripted": {"text": "Yes."}})
    assert [choice.message.content for choice in found.choices] == ["Yes.", "Yes."]
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None
    assert found.usage.completion_tokens == 2


async def test_official_client_reads_a_stream(sdk: openai.AsyncOpenAI):
    script = {"scripted": {"text": "one two three"}}
    stream = await sdk.chat.completions.create(model="m", messages=HI, stream=True, extra_body=script)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two three"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    stream = await sdk.chat.completions.create(
        model="m", messages=HI, stream=True, stream_options={"include_usage": True}, extra_body=script
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4


async def test_official_client_collects_tool_calls_from_a_stream(sdk: openai.AsyncOpenAI):
    script = {"scripted": {"tool_calls": [{"name": "weather", "arguments": {"city": "Bern"}}, {"name": "time"}]}}
    async with sdk.chat.completions.stream(model="m", messages=HI, extra_body=script) as stream:
        found = await stream.get_final_completion()
    calls = found.choices[0].message.tool_calls or []
    assert [(made.function.name, made.function.arguments) for made in calls] == [
        ("weather", '{"city":"Bern"}'),
        ("time", "{}"),
    ]
    assert found.choices[0].finish_reason == "tool_calls"


async def test_required_tool_is_called(sdk: openai.AsyncOpenAI):
    found = await sdk.chat.completions.create(
        model="m",
        messages=HI,
        tools=[{"type": "function", "function": {"name": "weather", "parameters": {}}}],
        tool_choice="required",
    )
    calls = found.choices[0].message.tool_calls or []
    assert [made.function.name for made in calls] == ["weather"]


async def test_official_client_reads_completions(sdk: openai.AsyncOpenAI):
    found = await sdk.completions.create(model="m", prompt=["a", "b"], extra_body={"scripted": {"text": "c"}})
    assert [choice.text for choice in found.choices] == ["c", "c"]
    stream = await sdk.completions.create(
        model="m", prompt="a", stream=True, extra_body={"scripted": {"text": "one two"}}
    )
    assert "".join([chunk.choices[0].text async for chunk in stream]) == "one two"


async def test_official_client_reads_embeddings(sdk: openai.AsyncOpenAI):
    found = await sdk.embeddings.create(model="m", input=["a", "b", "a"], dimensions=64)
    first, second, third = (item.embedding for item in found.data)
    assert len(first) == 64
    assert first == third
    assert first != second
    assert sum(number * number for number in first) == pytest.approx(1)
    assert found.usage.prompt_tokens == 3


async def test_embeddings_come_as_numbers_or_as_base64_of_the_same_numbers():
    numbers = (await answer({"model": "m", "input": "a"}, "/v1/embeddings"))["data"][0]["embedding"]
    body = {"model": "m", "input": "a", "encoding_format": "base64"}
    packed = (await answer(body, "/v1/embeddings"))["data"][0]["embedding"]
    assert len(numbers) == 1536
    assert list(struct.unpack("<1536f", base64.b64decode(packed))) == pytest.approx(numbers)


async def test_maximum_cuts_the_text():
    found = await answer({"model": "m", "messages": HI, "max_tokens": 2, "scripted": {"text": "12345678 and more"}})
    assert found["choices"][0]["message"]["content"] == "12345678"
    assert found["choices"][0]["finish_reason"] == "length"
    assert found["usage"]["completion_tokens"] == 2


async def test_status_error_and_headers_are_as_scripted(sdk: openai.AsyncOpenAI):
    script = {"scripted": {"status": 429, "headers": {"Retry-After": "7"}, "error": {"message": "slow", "code": "x"}}}
    with pytest.raises(openai.RateLimitError) as refused:
        await sdk.chat.completions.create(model="m", messages=HI, extra_body=script)
    assert refused.value.code == "x"
    assert refused.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.InternalServerError):
        await sdk.chat.completions.create(model="m", messages=HI, extra_body={"scripted": {"status": 503}})


async def test_unknown_direction_is_refused(sdk: openai.AsyncOpenAI):
    with pytest.raises(openai.BadRequestError, match="shout"):
        await sdk.chat.completions.create(model="m", messages=HI, extra_body={"scripted": {"shout": True}})


async def test_error_inside_a_stream(sdk: openai.AsyncOpenAI):
    script = {"scripted": {"text": "one two", "error": {"message": "lost it"}}}
    stream = await sdk.chat.completions.create(model="m", messages=HI, stream=True, extra_body=script)
    with pytest.raises(openai.APIError, match="lost it"):
        [chunk async for chunk in stream]


async def test_delays_are_kept():
    naps = Naps()
    script = {"text": "abc", "chunks": 3, "chunk_delay_ms": 20, "first_delay_ms": 500}
    found = await send({"model": "m", "messages": HI, "stream": True, "scripted": script}, client=upstream(naps))
    await found.read(100_000)
    assert naps.seconds == [0.5, 0.02, 0.02, 0.02]


async def test_connection_breaks_where_the_script_says():
    for chunks, pieces in ((0, 0), (2, 2), (99, 4)):
        body = {"model": "m", "messages": HI, "stream": True, "scripted": {"text": "abc", "chunks": 3}}
        body["scripted"]["cut_after_chunks"] = chunks
        found = await send(body)
        for _ in range(pieces):
            assert (await found.chunk()).startswith(b"data: {")
        for _ in range(2):
            with pytest.raises(BrokenOff) as broken:
                await found.chunk()
            assert broken.value.before_first_byte == (chunks == 0)


async def test_whole_answer_breaks_too():
    found = await send({"model": "m", "messages": HI, "scripted": {"cut_after_chunks": 0}})
    with pytest.raises(BrokenOff):
        await found.read(100_000)


async def test_silence_is_timed_like_that_of_a_connection():
    with pytest.raises(FirstByteTimeout):
        await send({"model": "m", "messages": HI, "scripted": {"hang": True}}, timeouts=HURRIED)
    with pytest.raises(FirstByteTimeout):
        await send({"model": "m", "messages": HI, "scripted": {"first_delay_ms": 60_000}}, timeouts=HURRIED)
    body = {"model": "m", "messages": HI, "stream": True, "scripted": {"hang_after_chunks": 1}}
    found = await send(body, timeouts=HURRIED)
    assert await found.chunk()
    with pytest.raises(IdleTimeout) as silent:
        await found.chunk()
    assert not silent.value.before_first_byte
    found.close()


async def test_answer_longer_than_wanted_is_refused():
    found = await send({"model": "m", "messages": HI, "scripted": {"text": "x" * 10_000}})
    with pytest.raises(AnswerTooLarge):
        await found.read(1_000)


async def test_closed_answer_says_no_more():
    found = await send({"model": "m", "messages": HI, "stream": True})
    assert await found.chunk()
    found.close()
    assert await found.chunk() == b""


async def test_usage_in_every_chunk_grows():
    body = {
        "model": "m",
        "messages": HI,
        "stream": True,
        "scripted": {"text": "12345678", "chunks": 2, "usage_in_every_chunk": True},
    }
    text = (await (await send(body)).read(100_000)).decode()
    counts = [
        json.loads(line[6:])["usage"]["completion_tokens"] for line in text.split("\n") if line.startswith("data: {")
    ]
    assert counts == [0, 1, 2, 2]

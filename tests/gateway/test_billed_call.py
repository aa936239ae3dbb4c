"""The main promise: an unmodified OpenAI client gets an answer, and the books show to the last unit what it cost."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.live import RATES, Live, serving


@pytest.fixture(params=["hot", "asgi"])
async def live(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    async with serving(database, tmp_path, hot=request.param == "hot") as running:
        yield running


def client_of(live: Live, key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key=key, base_url=f"{live.url}/v1", max_retries=0)


def price(tokens_in: int, tokens_out: int) -> int:
    return -(-(tokens_in * RATES["input"] + tokens_out * RATES["output"]) // 1_000_000) + RATES["request"]


async def test_one_call_is_answered_charged_exactly_and_recorded(live: Live):
    await live.model()
    await live.channel()
    holder = await live.holder(quota=10**12)
    async with client_of(live, holder.key) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="demo", messages=[{"role": "user", "content": "Say hello"}]
        )
        answer = raw.parse()
    assert answer.choices[0].message.content
    assert answer.usage is not None
    cost = price(answer.usage.prompt_tokens, answer.usage.completion_tokens)
    record = await live.record(raw.headers["x-request-id"])
    assert (record["cost"], record["charged"], record["status"]) == (cost, cost, "ok")
    assert await live.balance(holder) == 10**12 - cost


async def test_a_stream_is_forwarded_and_charged_as_reported(live: Live):
    await live.model()
    await live.channel()
    holder = await live.holder()
    async with client_of(live, holder.key) as client:
        stream = await client.chat.completions.create(
            model="demo",
            messages=[{"role": "user", "content": "Say hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        request_id = stream.response.headers["x-request-id"]
        chunks = [chunk async for chunk in stream]
    usage = chunks[-1].usage
    assert usage is not None
    record = await live.record(request_id)
    assert record["cost"] == price(usage.prompt_tokens, usage.completion_tokens)
    assert record["first_token_ms"] is not None
    assert record["is_streaming"]


async def test_a_wrong_key_is_refused_in_openais_shape(live: Live):
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{live.url}/v1/chat/completions",
            headers={"authorization": "Bearer sk-air-wrong"},
            json={"model": "demo", "messages": []},
        )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["x-request-id"]

"""The official Python client against a running gateway: every door, every habit it has."""

import base64
import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from tests.live import RATES, Holder, Live

pytestmark = pytest.mark.asyncio(loop_scope="module")

EMBEDDING_RATE = 20_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(house: Live) -> Holder:
    await house.model("embedder", {"input": EMBEDDING_RATE})
    await house.model("vendor/family:2.5", vendor="Vendor")
    await house.model("hidden")
    await house.sql("INSERT INTO groups (name, multiplier_micros) VALUES ('vip', 500000)")
    await house.channel("more", models=["embedder", "vendor/family:2.5"])
    await house.channel("private", models=["hidden"], groups=["vip"])
    return await house.holder()


@pytest_asyncio.fixture(loop_scope="module")
async def client(house: Live, holder: Holder) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=holder.key, base_url=f"{house.url}/v1", max_retries=0) as made:
        yield made


async def test_chat_with_tools(client: openai.AsyncOpenAI):
    answer = await client.chat.completions.create(
        model="demo",
        messages=[{"role": "user", "content": "What is the weather?"}],
        tools=[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        extra_body={"scripted": {"tool_calls": [{"name": "weather", "arguments": {"city": "Bern"}}]}},
    )
    call = answer.choices[0].message.tool_calls[0]  # type: ignore[index]
    assert call.function.name == "weather"  # type: ignore[union-attr]
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_unknown_fields_pass_both_ways(client: openai.AsyncOpenAI):
    answer = await client.chat.completions.create(
        model="demo",
        messages=[{"role": "user", "content": "hello"}],
        reasoning_effort="low",
        extra_body={"prompt_cache_key": "k", "something_new": {"deep": [1, 2.50, None]}},
    )
    assert answer.system_fingerprint


async def test_streamed_text_is_the_whole_text(client: openai.AsyncOpenAI):
    stream = await client.chat.completions.create(
        model="demo",
        messages=[{"role": "user", "content": "hello"}],
        stream=True,
        extra_body={"scripted": {"text": "Grüezi, 世界! How are you?", "chunks": 9}},
    )
    said = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(said) == "Grüezi, 世界! How are you?"


async def test_completions(client: openai.AsyncOpenAI):
    answer = await client.completions.create(model="demo", prompt="Once upon a time", max_tokens=20)
    assert answer.choices[0].text
    stream = await client.completions.create(model="demo", prompt="Once upon a time", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream])


async def test_embeddings_are_charged_by_their_input(house: Live, holder: Holder, client: openai.AsyncOpenAI):
    raw = await client.embeddings.with_raw_response.create(model="embedder", input=["one", "two words"])
    answer = raw.parse()
    assert [item.index for item in answer.data] == [0, 1]
    assert all(isinstance(item.embedding, list) and len(item.embedding) > 8 for item in answer.data)
    record = await house.record(raw.headers["x-request-id"])
    assert record["endpoint"] == "embeddings"
    assert record["quantities"] == {"input": answer.usage.prompt_tokens, "request": 1}
    assert record["cost"] == -(-answer.usage.prompt_tokens * EMBEDDING_RATE // 1_000_000)


async def test_base64_vectors_are_the_same_numbers(client: openai.AsyncOpenAI):
    plain = await client.embeddings.create(model="embedder", input="same", encoding_format="float")
    packed = await client.embeddings.create(model="embedder", input="same", encoding_format="base64")
    raw = packed.data[0].embedding
    numbers = (
        list(struct.unpack(f"<{len(plain.data[0].embedding)}f", base64.b64decode(raw))) if isinstance(raw, str) else raw
    )
    assert numbers == pytest.approx(plain.data[0].embedding)


async def test_models_are_those_that_the_key_may_use(client: openai.AsyncOpenAI):
    listed = [model async for model in client.models.list()]
    names = {model.id for model in listed}
    assert {"demo", "embedder", "vendor/family:2.5"} <= names
    assert "hidden" not in names
    assert next(model.owned_by for model in listed if model.id == "vendor/family:2.5") == "Vendor"


@pytest.mark.parametrize("spelling", ["vendor/family:2.5", "vendor%2Ffamily%3A2.5"])
async def test_one_model_by_name_raw_and_encoded(house: Live, holder: Holder, spelling: str):
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {holder.key}"}) as http:
        answer = await http.get(f"{house.url}/v1/models/{spelling}")
        assert answer.json()["id"] == "vendor/family:2.5"
        missing = await http.get(f"{house.url}/v1/models/hidden")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "model_not_found"


async def test_models_need_a_key(house: Live):
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{house.url}/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


async def test_the_sdk_raises_its_own_errors(house: Live, client: openai.AsyncOpenAI):
    with pytest.raises(openai.NotFoundError) as refused:
        await client.chat.completions.create(model="nothing", messages=[{"role": "user", "content": "hello"}])
    assert refused.value.code == "model_not_found"
    poor = await house.holder(quota=1)
    asked: list[str] = []

    async def note(request: Any) -> None:
        asked.append(str(request.url))

    http = openai.DefaultAsyncHttpxClient(event_hooks={"request": [note]})
    async with openai.AsyncOpenAI(
        api_key=poor.key, base_url=f"{house.url}/v1", max_retries=5, http_client=http
    ) as retrying:
        with pytest.raises(openai.RateLimitError) as broke:
            await retrying.chat.completions.create(model="demo", messages=[{"role": "user", "content": "hello"}])
    assert broke.value.code == "insufficient_quota"
    assert broke.value.response.headers["x-should-retry"] == "false"
    assert len(asked) == 1, "it was not tried again"
    async with openai.AsyncOpenAI(api_key="sk-air-no", base_url=f"{house.url}/v1", max_retries=0) as stranger:
        with pytest.raises(openai.AuthenticationError):
            await stranger.models.list()


@pytest.mark.parametrize("path", ["/chat/completions", "/v1/v1/chat/completions", "/v1/chat/completions/"])
async def test_other_spellings_of_a_door(house: Live, holder: Holder, path: str):
    body = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {holder.key}"}) as http:
        answer = await http.post(house.url + path, json=body)
    assert answer.json()["object"] == "chat.completion"


async def test_a_page_of_any_origin_may_call_a_door(house: Live, holder: Holder):
    origin = {"origin": "https://some.page.example"}
    async with httpx.AsyncClient() as http:
        asked = await http.options(
            f"{house.url}/v1/chat/completions",
            headers=origin
            | {
                "access-control-request-method": "POST",
                "access-control-request-headers": "authorization,content-type,x-stainless-lang",
            },
        )
        assert asked.status_code == 204
        assert asked.headers["access-control-allow-origin"] == "*"
        assert "x-stainless-lang" in asked.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in asked.headers
        answer = await http.post(
            f"{house.url}/v1/chat/completions",
            headers=origin | {"authorization": f"Bearer {holder.key}"},
            json={"model": "demo", "messages": [{"role": "user", "content": "hello"}]},
        )
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]


async def test_a_clients_own_request_id_is_kept_and_identifies_nothing(house: Live, holder: Holder):
    body = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {holder.key}", "x-request-id": "mine-1"}) as http:
        first, second = [await http.post(f"{house.url}/v1/chat/completions", json=body) for _ in range(2)]
    assert "mine-1" != first.headers["x-request-id"] != second.headers["x-request-id"]
    assert (await house.record(first.headers["x-request-id"]))["client_request_id"] == "mine-1"


async def test_the_key_may_come_as_x_api_key(house: Live, holder: Holder):
    async with httpx.AsyncClient(headers={"x-api-key": holder.key}) as http:
        answer = await http.post(
            f"{house.url}/v1/chat/completions",
            json={"model": "demo", "messages": [{"role": "user", "content": "hello"}]},
        )
        assert answer.status_code == 200
        assert (await http.get(f"{house.url}/v1/models")).status_code == 200


async def test_a_group_multiplier_is_in_the_cost_and_the_record(house: Live):
    vip = await house.holder(group="vip")
    async with openai.AsyncOpenAI(api_key=vip.key, base_url=f"{house.url}/v1", max_retries=0) as dear:
        raw = await dear.chat.completions.with_raw_response.create(
            model="hidden", messages=[{"role": "user", "content": "hello"}]
        )
    usage = raw.parse().usage
    assert usage is not None
    record = await house.record(raw.headers["x-request-id"])
    subtotal = usage.prompt_tokens * RATES["input"] + usage.completion_tokens * RATES["output"]
    assert record["cost"] == -(-(subtotal + RATES["request"] * 10**6) * 500_000 // 10**12)
    assert (record["group_name"], record["multiplier_micros"]) == ("vip", 500_000)

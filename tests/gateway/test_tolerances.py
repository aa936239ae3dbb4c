"""What clients send that no document describes: keys twice, slashes too many, encoded bodies, addresses without /v1."""

import gzip
import json
from typing import Any

import anthropic
import httpx
import pytest
import pytest_asyncio

from tests.live import Holder, Live

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: dict[str, Any] = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
CONTENTS: dict[str, Any] = {"contents": [{"parts": [{"text": "hello"}]}]}
CHAT = "/v1/chat/completions"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(house: Live) -> Holder:
    return await house.holder()


async def ask(house: Live, method: str, path: str, headers: dict[str, str], **options: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.request(method, house.url + path, headers=headers, **options)


@pytest.mark.parametrize("of_a_proxy", ["", "Bearer", "Basic dXNlcjpwYXNz", "Negotiate x"])
async def test_a_key_is_found_beside_an_authorization_that_is_not_ours(house: Live, holder: Holder, of_a_proxy: str):
    for name in ("x-api-key", "x-goog-api-key"):
        answer = await ask(house, "POST", CHAT, {"authorization": of_a_proxy, name: holder.key}, json=HELLO)
        assert answer.status_code == 200, answer.text
    answer = await ask(house, "POST", CHAT, {"authorization": of_a_proxy}, json=HELLO)
    assert answer.status_code == 401


async def test_two_keys_are_never_tried_in_turn(house: Live, holder: Holder):
    headers = {"authorization": "Bearer sk-air-nobody", "x-api-key": holder.key}
    assert (await ask(house, "POST", CHAT, headers, json=HELLO)).status_code == 401


@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1/responses", "/v1beta/models/demo:generateContent"])
async def test_an_encoded_body_is_refused_with_the_reason(house: Live, holder: Holder, path: str):
    headers = {"authorization": f"Bearer {holder.key}", "content-encoding": "gzip"}
    body = gzip.compress(json.dumps(HELLO | CONTENTS).encode())
    answer = await ask(house, "POST", path, headers, content=body)
    assert answer.status_code == 415, answer.text
    error = answer.json()["error"]
    assert "gzip" in error["message"]
    assert error.get("type", "invalid_request_error") == "invalid_request_error"
    assert error.get("status", "INVALID_ARGUMENT") == "INVALID_ARGUMENT"
    plain = headers | {"content-encoding": "identity"}
    assert (await ask(house, "POST", CHAT, plain, json=HELLO)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/demo:generateContent",
        "/v1alpha/models/demo:generateContent",
        "/v1/models/demo:generateContent",
        "//v1beta/models/demo:generateContent",
        "/v1beta//models/demo:generateContent",
        "/v1beta/models/demo:generateContent/",
        "/v1beta/models/demo%3AgenerateContent",
    ],
)
async def test_geminis_doors_are_found_however_they_are_spelled(house: Live, holder: Holder, path: str):
    answer = await ask(house, "POST", path, {"x-goog-api-key": holder.key}, json=CONTENTS)
    assert answer.status_code == 200, answer.text
    assert answer.json()["candidates"]


@pytest.mark.parametrize("path", ["/v1beta/models/demo:predict", "/v1/models/demo:predict", "/v1alpha/models/demo:do"])
async def test_a_verb_that_nobody_knows_is_not_found(house: Live, holder: Holder, path: str):
    answer = await ask(house, "POST", path, {"x-goog-api-key": holder.key}, json=CONTENTS)
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


async def test_one_object_stands_for_a_list_of_one_in_geminis_dialect(house: Live, holder: Holder):
    body = {
        "contents": {"parts": {"text": "hello"}},
        "system_instruction": {"parts": {"text": "Be brief."}},
        "tools": {"functionDeclarations": {"name": "look", "description": "Looks."}},
    }
    path = "/v1beta/models/demo:generateContent"
    answer = await ask(house, "POST", path, {"x-goog-api-key": holder.key}, json=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("headers", "members"),
    [
        ({}, {"message", "type", "param", "code"}),
        ({"x-api-key": "sk-air-nobody"}, {"type", "message"}),
        ({"anthropic-version": "2023-06-01", "authorization": "Bearer sk-air-nobody"}, {"type", "message"}),
        ({"x-goog-api-key": "sk-air-nobody"}, {"code", "message", "status"}),
    ],
)
async def test_the_list_of_models_refuses_in_the_dialect_of_who_asks(
    house: Live, holder: Holder, headers: dict[str, str], members: set[str]
):
    for path in ("/v1/models", "/v1/models/nothing", "/models", "//v1/models"):
        answer = await ask(house, "GET", path, headers)
        assert (answer.status_code, set(answer.json()["error"])) == (401, members), path
    known = {name: value.replace("sk-air-nobody", holder.key) for name, value in headers.items()}
    answer = await ask(house, "GET", "/v1/models/nothing", known or {"authorization": f"Bearer {holder.key}"})
    assert (answer.status_code, set(answer.json()["error"])) == (404, members)


async def test_pages_may_call_every_door_however_it_is_spelled(house: Live):
    wanted = {"origin": "https://app.example", "access-control-request-method": "POST"}
    for path in ("/conversations", "/v1/conversations", "/responses/resp_1", "//v1/models", "/v1//chat/completions",
                 "/v1alpha/models", "/models/demo:generateContent"):  # fmt: skip
        answer = await ask(house, "OPTIONS", path, wanted)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*"), path
    answer = await ask(house, "GET", "/conversations/conv_1", {"origin": "https://app.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (401, "*")


async def test_anthropics_clients_find_the_request_id_under_the_name_that_they_know(house: Live, holder: Holder):
    body = {**HELLO, "max_tokens": 5}
    async with anthropic.AsyncAnthropic(base_url=house.url, api_key=holder.key, max_retries=0) as client:
        message = await client.messages.create(model="demo", max_tokens=5, messages=HELLO["messages"])
        record = await house.record(str(message._request_id))  # pyright: ignore[reportPrivateUsage] - it is the SDK's own word
        assert record["endpoint"] == "messages"
        with pytest.raises(anthropic.NotFoundError) as refused:
            await client.messages.create(model="nothing", max_tokens=5, messages=HELLO["messages"])
        assert refused.value.request_id == refused.value.response.headers["x-request-id"]
    for path in ("/v1/messages", "/v1/messages/count_tokens"):
        answer = await ask(house, "POST", path, {"x-api-key": holder.key}, json=body)
        assert (answer.status_code, answer.headers["request-id"]) == (200, answer.headers["x-request-id"])
    answer = await ask(house, "POST", CHAT, {"x-api-key": holder.key}, json=HELLO)
    assert "request-id" not in answer.headers

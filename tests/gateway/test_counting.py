"""The doors that count: asked of the provider in its own dialect, or estimated and marked; free, limited and never
recorded.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from airouter.domain.policy import Limits
from airouter.gateway.door import DOORS
from tests import paid, postgres
from tests.audit import audit_books
from tests.gateway.upstreams import House, replayed, sent

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOOL = {"type": "object", "properties": {"city": {"type": "string"}}}
ANTHROPIC: dict[str, Any] = {
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": "The weather in Bern?"}],
    "tools": [{"name": "weather", "description": "Weather of a city", "input_schema": TOOL}],
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}
GEMINI: dict[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "The weather in Bern?"}]}],
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": TOOL}]}],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with replayed(dsn, tmp_path_factory.mktemp("home")) as made:
            await made.live.model("of-bedrock")
            await made.live.channel(
                "bedrock",
                provider="bedrock",
                base_url=made.upstream.base_url,
                credentials=["bedrock-api-key"],
                models={"of-bedrock": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
            )
            await made.live.policy(Limits())
            yield made
            rows = await made.live.sql("SELECT count(*) AS n FROM usage_records")
            assert rows[0]["n"] == 0, "a count was recorded"
        await audit_books(dsn)


async def test_doors_that_are_free_are_those_on_the_list():
    assert {f"{door.method} {door.path}" for door in DOORS if door.is_free} <= set(paid.FREE)
    assert not any(f"{door.method} {door.path}" in paid.FREE for door in DOORS if not door.is_free)


async def test_a_count_passes_through_where_both_sides_speak_the_dialect(house: House):
    house.says(b'{"input_tokens": 1581, "context_management": {"original_input_tokens": 1600}}')
    body = {"model": "of-anthropic", **ANTHROPIC}
    answer = await house.post("/v1/messages/count_tokens?beta=true", body, **{"anthropic-beta": "token-counting"})
    assert answer.content == b'{"input_tokens": 1581, "context_management": {"original_input_tokens": 1600}}'
    assert "x-airouter-estimated" not in answer.headers
    assert house.asked.path == "/v1/messages/count_tokens"
    assert house.asked.headers["anthropic-beta"] == "token-counting"
    assert house.asked.headers["x-api-key"] == "sk-upstream"
    assert sent(house.asked) == {**body, "model": "theirs"}


@pytest.mark.parametrize("wrapper", [None, "generateContentRequest", "generate_content_request"])
async def test_both_forms_of_geminis_count_pass_through(house: House, wrapper: str | None):
    house.says(b'{"totalTokens":31,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}')
    inner = {**GEMINI, "model": "models/of-gemini"} if wrapper else GEMINI
    answer = await house.post("/v1beta/models/of-gemini:countTokens", {wrapper: inner} if wrapper else inner)
    assert answer.json()["totalTokens"] == 31
    assert answer.json()["promptTokensDetails"]
    assert house.asked.path == "/v1beta/models/theirs:countTokens"
    assert sent(house.asked) == ({wrapper: {**inner, "model": "models/theirs"}} if wrapper else inner)


async def test_a_count_of_anthropic_is_asked_of_gemini_in_its_words(house: House):
    house.says({"totalTokens": 42})
    answer = await house.post("/v1/messages/count_tokens", {"model": "of-gemini", **ANTHROPIC})
    assert answer.json() == {"input_tokens": 42}
    assert answer.headers["x-airouter-dropped"] == "cache_marks"
    asked = sent(house.asked)["generateContentRequest"]
    assert asked["model"] == "models/theirs"
    assert asked["contents"] == GEMINI["contents"]
    assert asked["systemInstruction"] == GEMINI["systemInstruction"]
    assert asked["tools"][0]["functionDeclarations"][0]["name"] == "weather"


async def test_a_count_of_gemini_is_asked_of_anthropic_without_what_only_an_answer_needs(house: House):
    house.says({"input_tokens": 43})
    generation = {"maxOutputTokens": 900, "temperature": 0.5}
    wrapped = {"generateContentRequest": {"model": "models/of-anthropic", **GEMINI, "generationConfig": generation}}
    answer = await house.post("/v1beta/models/of-anthropic:countTokens", wrapped)
    assert answer.json() == {"totalTokens": 43}
    assert house.asked.path == "/v1/messages/count_tokens"
    assert house.asked.headers["anthropic-version"] == "2023-06-01"
    asked = sent(house.asked)
    assert set(asked) == {"model", "messages", "system", "tools"}
    assert asked["model"] == "theirs"


@pytest.mark.parametrize(
    ("path", "body", "wanted"),
    [
        ("/v1/messages/count_tokens", {"model": "of-openai", **ANTHROPIC}, {"input_tokens": 44}),
        ("/v1beta/models/of-openai:countTokens", GEMINI, {"totalTokens": 44}),
    ],
)
async def test_a_count_is_asked_of_openai_as_a_response(
    house: House, path: str, body: dict[str, Any], wanted: dict[str, Any]
):
    house.says({"object": "response.input_tokens", "input_tokens": 44})
    answer = await house.post(path, body)
    assert answer.json() == wanted
    assert house.asked.path == "/v1/responses/input_tokens"
    asked = sent(house.asked)
    assert asked["model"] == "theirs"
    assert "stream" not in asked
    assert "max_output_tokens" not in asked


@pytest.mark.parametrize(
    ("path", "body", "wanted"),
    [
        ("/v1/messages/count_tokens", {"model": "of-bedrock", **ANTHROPIC}, {"input_tokens": 45}),
        ("/v1beta/models/of-bedrock:countTokens", GEMINI, {"totalTokens": 45}),
        (
            "/v1/responses/input_tokens",
            {"model": "of-bedrock", "input": "The weather in Bern?"},
            {"object": "response.input_tokens", "input_tokens": 45},
        ),
    ],
)
async def test_a_count_is_asked_of_bedrock_as_a_conversation(
    house: House, path: str, body: dict[str, Any], wanted: dict[str, Any]
):
    house.says({"inputTokens": 45})
    answer = await house.post(path, body)
    assert answer.json() == wanted
    assert "x-airouter-estimated" not in answer.headers
    assert house.asked.path == "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens"
    asked = sent(house.asked)["input"]["converse"]
    assert asked["messages"] == [{"role": "user", "content": [{"text": "The weather in Bern?"}]}]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "The provided model doesn't support counting tokens."),
        (403, "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:CountTokens on resource: y"),
        (403, "The security token included in the request is expired"),
        (404, "Could not find it"),
        (429, "Too many requests"),
    ],
)
async def test_a_provider_that_does_not_count_this_is_estimated_for_and_goes_on_answering(
    house: House, status: int, said: str
):
    relay = house.live.app._house.open_doors().gateway._relay
    for model, body in (("of-bedrock", {"message": said}), ("of-anthropic", {"error": {"message": said}})):
        house.says(body, status=status)
        if (status, model) == (400, "of-anthropic"):
            continue
        answer = await house.post("/v1/messages/count_tokens", {"model": model, **ANTHROPIC})
        assert answer.status_code == 200
        assert answer.headers["x-airouter-estimated"] == "true"
        assert answer.json()["input_tokens"] > 0
        assert not relay.health.view(relay._clock()), "it says nothing about calls"
        await house.live.policy(Limits(estimates="off"))
        try:
            unwanted = await house.post("/v1/messages/count_tokens", {"model": model, **ANTHROPIC})
        finally:
            await house.live.policy(Limits())
        assert unwanted.status_code == 404


async def test_where_no_provider_counts_the_estimate_is_marked(house: House):
    before = len(house.upstream.received)
    answer = await house.post("/v1/messages/count_tokens", {"model": "of-openai-compatible", **ANTHROPIC})
    assert answer.headers["x-airouter-estimated"] == "true"
    text = len("Be brief.") + len("The weather in Bern?")
    assert 0 < text // 4 <= answer.json()["input_tokens"] < len(json.dumps(ANTHROPIC))
    other = await house.post("/v1beta/models/of-openai-compatible:countTokens", GEMINI)
    assert other.headers["x-airouter-estimated"] == "true"
    assert other.json()["totalTokens"] > 0
    assert len(house.upstream.received) == before


async def test_an_estimate_that_the_operator_does_not_want_is_a_404(house: House):
    await house.live.policy(Limits(estimates="off"))
    try:
        mine = await house.post("/v1/messages/count_tokens", {"model": "of-openai-compatible", **ANTHROPIC})
        other = await house.post("/v1beta/models/of-openai-compatible:countTokens", GEMINI)
    finally:
        await house.live.policy(Limits())
    assert mine.status_code == other.status_code == 404
    assert mine.json()["error"]["type"] == "not_found_error"
    assert "counts tokens" in mine.json()["error"]["message"]
    assert other.json()["error"]["status"] == "NOT_FOUND"


async def test_a_count_needs_a_model_of_the_key_and_counts_as_a_request(house: House):
    house.says({"input_tokens": 1})
    unknown = await house.post("/v1/messages/count_tokens", {"model": "nothing", **ANTHROPIC})
    assert unknown.status_code == 404
    stranger = await house.post("/v1/messages/count_tokens", {"model": "of-anthropic", **ANTHROPIC}, key="sk-air-no")
    assert stranger.status_code == 401
    broken = await house.post("/v1/messages/count_tokens", {"model": "of-anthropic", "messages": "none"})
    assert broken.status_code == 400
    hurried = await house.live.holder(quota=0, rate_limits={"requests_per_minute": 1})
    asked = {"model": "of-anthropic", **ANTHROPIC}
    first = await house.post("/v1/messages/count_tokens", asked, key=hurried.key)
    assert first.status_code == 200, "a count needs no quota"
    second = await house.post("/v1/messages/count_tokens", asked, key=hurried.key)
    assert second.status_code == 429
    assert second.json()["error"]["type"] == "rate_limit_error"


async def test_refusals_of_the_provider_are_told_as_at_any_door(house: House):
    house.says({"type": "error", "error": {"type": "invalid_request_error", "message": "no such tool"}}, status=400)
    refused = await house.post("/v1beta/models/of-anthropic:countTokens", GEMINI)
    assert refused.status_code == 400
    assert refused.json()["error"] == {"code": 400, "message": "no such tool", "status": "INVALID_ARGUMENT"}
    house.says(b"<html>")
    odd = await house.post("/v1/messages/count_tokens", {"model": "of-anthropic", **ANTHROPIC})
    assert odd.status_code == 502


async def test_a_key_may_stand_in_the_address_or_in_any_vendors_header(house: House):
    secret = house.holder.key
    listed = [
        await house.client.get("/v1/models", headers={"authorization": f"Bearer {secret}"}),
        await house.client.get("/v1/models", headers={"x-api-key": secret}),
        await house.client.get("/v1/models", headers={"x-goog-api-key": secret}),
        await house.client.get("/v1/models", params={"key": secret}),
        await house.client.get("/v1beta/models", params={"key": secret}),
    ]
    assert [answer.status_code for answer in listed] == [200] * 5
    house.says({"totalTokens": 1})
    for spelling in ("/v1beta/models", "/v1/models", "/models", "/v1beta/v1beta/models"):
        answer = await house.client.post(f"{spelling}/of-gemini:countTokens?key={secret}", json=GEMINI)
        assert answer.json() == {"totalTokens": 1}, spelling
        assert secret not in house.asked.path + json.dumps(house.asked.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages/count_tokens",
        "/messages/count_tokens",
        "/v1/moderations",
        "/moderations/",
        "/v1beta/models/of-gemini:countTokens",
        "/v1beta/models/of-gemini:embedContent",
        "/v1beta/models/of-gemini:batchEmbedContents",
    ],
)
async def test_the_new_doors_take_pages_of_any_origin(house: House, path: str):
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    origin = {"origin": "https://chat.example.com"}
    allowed = await house.client.options(path, headers={**wanted, **origin})
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    refused = await house.client.post(path, json={}, headers=origin)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "x-airouter-estimated" in refused.headers["access-control-expose-headers"]
    error = refused.json()["error"]
    shape = "status" if "of-gemini" in path else "code" if "moderations" in path else "type"
    assert error[shape] in {"UNAUTHENTICATED", "invalid_api_key", "authentication_error"}

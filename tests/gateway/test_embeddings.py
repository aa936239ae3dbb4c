"""Vectors and moderations: every dialect over every provider, the same numbers, charged for what was read."""

import base64
import gzip
import json
import struct
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from airouter.domain.policy import Limits
from tests import postgres
from tests.audit import audit_books
from tests.gateway.upstreams import House, replayed, sent
from tests.providers.recordings import FOLDER

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = {"input": 2_000_000_000, "request": 7}
ONE, TWO = [0.25, -1.5e-05, 0.0001220703125], [1, 2.5, -3e-08]
"""Vectors of 32-bit numbers, in spellings that a decoder might change."""
OPENAI = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": 1, "embedding": TWO},
        {"object": "embedding", "index": 0, "embedding": ONE},
    ],
    "model": "theirs",
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
}
GEMINI = {"embeddings": [{"values": ONE}, {"values": TWO}], "usageMetadata": {"promptTokenCount": 14}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with replayed(dsn, tmp_path_factory.mktemp("home"), RATES) as made:
            yield made
        await audit_books(dsn)


async def charged(house: House, answer: httpx.Response, endpoint: str = "embeddings") -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    record = await house.live.record(answer.headers["x-request-id"])
    assert record["endpoint"] == endpoint
    assert record["charged"] == record["cost"] == 7 + record["quantities"].get("input", 0) * 2000
    return record


def recorded_batches() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [row for line in lines if "mbedContent" in (row := json.loads(line))["uri"]]
    return found


async def test_recorded_batches_pass_byte_for_byte_and_cost_what_was_reported(house: House):
    for row in recorded_batches():
        body = json.dumps(row["json"]).encode()
        house.says(body)
        asked = {"requests": [{**one, "model": "models/of-gemini"} for one in row["request"]["requests"]]}
        answer = await house.post("/v1beta/models/of-gemini:batchEmbedContents", asked)
        assert answer.content == body
        assert house.asked.path == "/v1beta/models/theirs:batchEmbedContents"
        assert [one["model"] for one in sent(house.asked)["requests"]] == ["models/theirs"] * len(asked["requests"])
        record = await charged(house, answer)
        assert record["usage_source"] == "provider"
        assert record["quantities"]["input"] == row["json"]["usageMetadata"]["promptTokenCount"]


async def test_one_content_passes_through(house: House):
    house.says(b'{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":2}}')
    asked = {"content": {"parts": [{"text": "Hello"}]}, "taskType": "RETRIEVAL_QUERY"}
    answer = await house.post("/v1beta/models/of-gemini:embedContent", asked)
    assert answer.content == b'{"embedding":{"values":[0.5]},"usageMetadata":{"promptTokenCount":2}}'
    assert sent(house.asked) == asked
    assert (await charged(house, answer))["quantities"] == {"input": 2, "request": 1}


async def test_what_gemini_does_not_count_is_estimated_and_charged(house: House):
    house.says(b'{"embedding":{"values":[0.5]}}')
    asked = {"content": {"parts": [{"text": "12345678"}]}, "taskType": "RETRIEVAL_QUERY"}
    answer = await house.post("/v1beta/models/of-gemini:embedContent", asked)
    record = await charged(house, answer)
    assert (record["usage_source"], record["quantities"]["input"]) == ("estimated", 2)


async def test_openais_client_gets_the_numbers_that_gemini_wrote(house: House):
    house.says(GEMINI)
    asked = {"model": "of-gemini", "input": ["one", "two"], "dimensions": 3, "encoding_format": "float", "user": "u"}
    answer = await house.post("/v1/embeddings", asked)
    body = answer.json()
    assert [one["embedding"] for one in body["data"]] == [ONE, TWO]
    assert [one["index"] for one in body["data"]] == [0, 1]
    assert body["model"] == "of-gemini"
    assert body["usage"] == {"prompt_tokens": 14, "total_tokens": 14}
    assert answer.headers["x-airouter-dropped"] == "user"
    assert house.asked.path == "/v1beta/models/theirs:batchEmbedContents"
    assert sent(house.asked)["requests"] == [
        {"model": "models/theirs", "content": {"parts": [{"text": text}]}, "outputDimensionality": 3}
        for text in ("one", "two")
    ]
    assert (await charged(house, answer))["quantities"]["input"] == 14


async def test_packed_vectors_are_the_same_numbers(house: House):
    house.says(GEMINI)
    answer = await house.post("/v1/embeddings", {"model": "of-gemini", "input": "one", "encoding_format": "base64"})
    packed = base64.b64decode(answer.json()["data"][0]["embedding"])
    assert struct.unpack("<3f", packed) == struct.unpack("<3f", struct.pack("<3f", *ONE))


async def test_geminis_client_gets_the_numbers_that_openai_wrote_in_its_order(house: House):
    house.says(OPENAI)
    asked = {
        "requests": [
            {"content": {"parts": [{"text": "one"}]}, "outputDimensionality": 3, "taskType": "CLUSTERING"},
            {"content": {"parts": [{"text": "t"}, {"text": "wo"}]}, "output_dimensionality": 3},
        ]
    }
    answer = await house.post("/v1beta/models/of-openai-compatible:batchEmbedContents", asked)
    assert answer.json() == {
        "embeddings": [{"values": ONE}, {"values": TWO}],
        "usageMetadata": {"promptTokenCount": 9},
    }
    assert answer.headers["x-airouter-dropped"] == "taskType"
    assert sent(house.asked) == {
        "model": "theirs",
        "input": ["one", "t\nwo"],
        "encoding_format": "float",
        "dimensions": 3,
    }
    assert (await charged(house, answer))["quantities"]["input"] == 9


async def test_one_content_over_a_provider_that_packs_all_the_same(house: House):
    packed = base64.b64encode(struct.pack("<3f", *ONE)).decode()
    house.says({"data": [{"index": 0, "embedding": packed}], "usage": {"total_tokens": 3}})
    answer = await house.post("/v1beta/models/of-openai:embedContent", {"content": {"parts": [{"text": "one"}]}})
    values = answer.json()["embedding"]["values"]
    assert struct.pack("<3f", *values) == struct.pack("<3f", *ONE)
    await charged(house, answer)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/embeddings", {"model": "of-gemini", "input": [1, 2, 3]}, "not_translatable"),
        ("/v1/embeddings", {"model": "of-gemini", "input": [{"image": "x"}]}, "not_translatable"),
        ("/v1/embeddings", {"model": "of-gemini", "input": []}, "invalid_request"),
        ("/v1/embeddings", {"model": "of-anthropic", "input": "one"}, "not_translatable"),
        ("/v1beta/models/of-openai:embedContent", {"content": {"parts": [{"inlineData": {"data": "x"}}]}}, None),
        ("/v1beta/models/of-openai:embedContent", {"contents": "one"}, None),
        ("/v1beta/models/of-openai:batchEmbedContents", {"requests": [3]}, None),
        ("/v1beta/models/of-gemini:batchEmbedContents", {"requests": [3]}, None),
    ],
)
async def test_what_cannot_be_embedded_is_refused_before_anybody_is_asked(
    house: House, path: str, body: dict[str, Any], code: str | None
):
    before = len(house.upstream.received)
    answer = await house.post(path, body)
    assert answer.status_code == 400, answer.text
    assert code is None or answer.json()["error"]["code"] == code
    assert len(house.upstream.received) == before


async def test_token_ids_keep_working_where_they_mean_something(house: House):
    house.says(OPENAI)
    asked = {"model": "of-openai-compatible", "input": [[1, 2], [3]], "encoding_format": "float"}
    answer = await house.post("/v1/embeddings", asked)
    assert answer.json() == OPENAI
    assert sent(house.asked) == {**asked, "model": "theirs"}


MODERATED = b'{"id":"modr-1","model":"omni-moderation-latest","results":[{"flagged":false,"categories":{}}]}'


async def test_a_moderation_passes_and_costs_a_request(house: House):
    house.says(MODERATED)
    answer = await house.post("/v1/moderations", {"model": "of-openai", "input": [{"type": "text", "text": "Hi"}]})
    assert answer.content == MODERATED
    assert house.asked.path == "/v1/moderations"
    record = await charged(house, answer, "moderations")
    assert record["quantities"] == {"request": 1}


async def test_a_moderation_without_a_model_means_openais_own(house: House):
    house.says(MODERATED)
    unknown = await house.post("/v1/moderations", {"input": "Hi"})
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "model_not_found"
    assert "omni-moderation-latest" in unknown.json()["error"]["message"]
    await house.live.model("omni-moderation-latest", RATES)
    await house.live.channel(
        "moderation",
        provider="openai",
        base_url=house.upstream.base_url + "/v1",
        credentials=["sk-upstream"],
        models=["omni-moderation-latest"],
    )
    await house.live.policy(Limits())
    answer = await house.post("/v1/moderations", {"input": "Hi", "model": None})
    assert sent(house.asked) == {"input": "Hi", "model": "omni-moderation-latest"}
    await charged(house, answer, "moderations")


async def test_a_moderation_is_never_free_for_want_of_a_rate(house: House):
    await house.live.model("unpriced", {"input": 5})
    await house.live.channel(
        "unpriced",
        provider="openai",
        base_url=house.upstream.base_url + "/v1",
        credentials=["sk-upstream"],
        models=["unpriced"],
    )
    await house.live.policy(Limits())
    refused = await house.post("/v1/moderations", {"model": "unpriced", "input": "Hi"})
    assert refused.json()["error"]["code"] == "meter_not_priced"


async def test_a_provider_without_moderations_is_not_asked(house: House):
    refused = await house.post("/v1/moderations", {"model": "of-anthropic", "input": "Hi"})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "not_translatable"

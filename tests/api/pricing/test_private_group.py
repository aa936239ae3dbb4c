"""A default account can neither see, price nor use a private group, whichever address it tries."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.builders import Signed, signed_in
from tests.patience import until

ADMIN = "/api/v1/admin"


@pytest.fixture
async def operator(app: Any, database: str) -> AsyncIterator[httpx.AsyncClient]:
    """Who runs a house with a private group `vip`, which alone offers the model `secret-model`."""
    async with signed_in(app, database, role="operator") as signed:
        operator = signed.client
        for model in ("open-model", "secret-model"):
            await operator.post(f"{ADMIN}/models", json={"model": model})
            await operator.post(f"{ADMIN}/rate-cards", json={"model": model, "rates": {"input": 1, "output": 1}})
        await operator.post(f"{ADMIN}/groups", json={"name": "vip", "label": "Confidential", "multiplier_micros": 1})
        await operator.patch(f"{ADMIN}/groups/default", json={"models": ["open-model"]})
        channel = {"name": "c", "provider": "scripted", "models": ["open-model", "secret-model"]}
        answer = await operator.post(f"{ADMIN}/channels", json=channel | {"groups": ["default", "vip"]})
        assert answer.status_code == 201
        yield operator


@pytest.fixture
async def holder(app: Any, database: str, operator: httpx.AsyncClient) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        answer = await operator.post(
            f"{ADMIN}/accounts/{signed.account_id}/adjustments",
            json={"amount": 10**9, "reason": "a test"},
            headers={"idempotency-key": "k"},
        )
        assert answer.status_code == 201
        yield signed


async def key_of(holder: Signed, **body: Any) -> dict[str, Any]:
    answer = await holder.client.post("/api/v1/keys", json={"name": "k"} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def chat(client: httpx.AsyncClient, key: str, model: str) -> httpx.Response:
    return await client.post(
        "/v1/chat/completions",
        json={"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5},
        headers={"authorization": f"Bearer {key}"},
    )


async def test_it_is_seen_nowhere(client: httpx.AsyncClient, holder: Signed) -> None:
    key = await key_of(holder)

    async def is_offered() -> bool:
        return "open-model" in (await client.get("/api/v1/pricing")).text

    await until(is_offered)
    bearer = {"authorization": f"Bearer {key['key']}"}
    answers = [
        await client.get("/api/v1/pricing"),
        await client.get("/api/v1/status"),
        await client.get("/v1/models", headers=bearer),
        await client.get("/v1/models/secret-model", headers=bearer),
        *[
            await holder.client.get(f"/api/v1{address}")
            for address in ("/me", "/pricing", "/keys", "/wallet", "/usage", "/usage/summary", "/wallet/transfers")
        ],
        *[
            await holder.client.get(f"{ADMIN}{address}")
            for address in ("/groups", "/groups/vip", "/models", "/channels")
        ],
    ]
    for answer in answers:
        assert "vip" not in answer.text
        assert "Confidential" not in answer.text
        assert "secret-model" not in answer.text or answer.status_code == 404
    assert "open-model" in answers[2].text


async def test_it_can_be_priced_nowhere(client: httpx.AsyncClient, holder: Signed) -> None:
    for caller in (client, holder.client):
        for body in (
            {"model": "secret-model", "usage": {"input": 1}},
            {"model": "open-model", "usage": {"input": 1}, "group": "vip"},
            {"model": "secret-model", "usage": {"input": 1}, "group": "vip"},
        ):
            assert (await caller.post("/api/v1/pricing/estimate", json=body)).status_code == 404
        assert (await caller.get("/api/v1/pricing", params={"group": "vip"})).status_code == 404


async def test_it_can_be_used_nowhere(client: httpx.AsyncClient, holder: Signed) -> None:
    refused = await holder.client.post("/api/v1/keys", json={"name": "k", "group": "vip"})
    assert (refused.status_code, refused.json()["code"]) == (403, "group_not_allowed")
    unknown = await holder.client.post("/api/v1/keys", json={"name": "k", "group": "nowhere"})
    assert (unknown.status_code, unknown.json()["code"]) == (403, "group_not_allowed"), "unknown looks the same"
    key = await key_of(holder)
    patched = await holder.client.patch(f"/api/v1/keys/{key['id']}", json={"group": "vip"})
    assert (patched.status_code, patched.json()["code"]) == (403, "group_not_allowed")

    async def is_served() -> bool:
        return (await chat(client, key["key"], "open-model")).status_code == 200

    await until(is_served)
    answer = await chat(client, key["key"], "secret-model")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_key_loses_the_group_with_the_right_to_it(
    client: httpx.AsyncClient, operator: httpx.AsyncClient, holder: Signed
) -> None:
    await operator.patch(f"{ADMIN}/groups/vip", json={"usable_by": ["default"]})
    key = await key_of(holder, group="vip")

    async def is_served() -> bool:
        return (await chat(client, key["key"], "secret-model")).status_code == 200

    await until(is_served)
    await operator.patch(f"{ADMIN}/groups/vip", json={"usable_by": []})

    async def is_refused() -> bool:
        answer = await chat(client, key["key"], "secret-model")
        return answer.status_code == 403 and answer.json()["error"]["code"] == "group_not_allowed"

    await until(is_refused)

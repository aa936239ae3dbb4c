"""Prices are versions: checked before anything changes, never in the past, never overwritten."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.builders import run_sql

CARDS = "/api/v1/admin/rate-cards"


@pytest.fixture(autouse=True)
async def model(operator: httpx.AsyncClient) -> None:
    assert (await operator.post("/api/v1/admin/models", json={"model": "m"})).status_code == 201


async def add(operator: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await operator.post(CARDS, json={"model": "m", "rates": {"input": 100, "output": 400}} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_each_price_is_a_new_version_and_history_is_kept(operator: httpx.AsyncClient) -> None:
    first = await add(operator)
    second = await add(operator, rates={"input": 200})
    assert (first["version"], second["version"]) == (1, 2)
    history = (await operator.get(CARDS, params={"model": "m"})).json()["items"]
    assert history == [second, first]
    assert (await operator.get(f"{CARDS}/{first['id']}")).json() == first
    assert (await operator.get("/api/v1/admin/models/m")).json()["rate_card"] == second


async def test_tiers_and_all_meters_come_back_as_they_went_in(operator: httpx.AsyncClient) -> None:
    tiers = [
        {"when": {"input_tokens_above": 200_000}, "rates": {"input": 200}},
        {"when": {"service_tier": "flex", "endpoint": "chat.completions"}, "rates": {"output": 1}},
    ]
    made = await add(operator, rates={"input": 1, "cached_input": 0, "request": 5, "search": 7}, tiers=tiers)
    assert made["rates"] == {"input": 1, "cached_input": 0, "request": 5, "search": 7}
    assert made["tiers"] == tiers


async def test_a_price_may_lie_in_the_future_but_not_in_the_past(operator: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    coming = await add(operator, effective_at=(now + timedelta(days=1)).isoformat())
    assert (await operator.get("/api/v1/admin/models/m")).json()["rate_card"] is None
    refused = await operator.post(
        CARDS,
        json={"model": "m", "rates": {"input": 1}, "effective_at": (now - timedelta(seconds=30)).isoformat()},
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "effective_at")
    assert (await operator.get(CARDS)).json()["items"] == [coming]


async def test_a_malformed_price_changes_nothing_and_names_the_field(
    operator: httpx.AsyncClient, database: str, subtests: pytest.Subtests
) -> None:
    await add(operator)
    for body, field in [
        ({"rates": {}}, "rates"),
        ({"rates": {"input": -1}}, "rates.input"),
        ({"rates": {"input": 1.5}}, "rates.input"),
        ({"rates": {"input": 1.0}}, "rates.input"),
        ({"rates": {"input": "1"}}, "rates.input"),
        ({"rates": {"input": None}}, "rates.input"),
        ({"rates": {"input": 2**53}}, "rates.input"),
        ({"rates": {"inptu": 1}}, "rates.inptu"),
        ({"tiers": [{"when": {}, "rates": {"input": 1}}]}, "tiers[0].when"),
        ({"tiers": [{"when": {"input_tokens_above": -1}, "rates": {"input": 1}}]}, "tiers[0].when.input_tokens_above"),
        ({"tiers": [{"when": {"moon": "full"}, "rates": {"input": 1}}]}, None),
        ({"effective_at": "2031-01-01T00:00:00"}, "effective_at"),
        ({"effective_at": "soon"}, "effective_at"),
        ({"version": 7}, "version"),
    ]:
        with subtests.test(f"{body!r} {field!r}"):
            before = await run_sql(database, "SELECT version FROM versions WHERE name = 'catalogue'")
            answer = await operator.post(CARDS, json={"model": "m", "rates": {"input": 1}} | body)
            assert answer.status_code == 422, answer.text
            if field is not None:
                assert answer.json()["field"] == field
            assert len((await operator.get(CARDS)).json()["items"]) == 1
            assert await run_sql(database, "SELECT version FROM versions WHERE name = 'catalogue'") == before


async def test_a_price_needs_a_model(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(CARDS, json={"model": "nobody", "rates": {"input": 1}})
    assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")


async def test_prices_have_no_address_to_change_or_delete_them(operator: httpx.AsyncClient, database: str) -> None:
    made = await add(operator)
    for method in ("PATCH", "PUT", "DELETE"):
        assert (await operator.request(method, f"{CARDS}/{made['id']}", json={})).status_code == 405
    with pytest.raises(asyncpg.RestrictViolationError):
        await run_sql(database, "UPDATE rate_cards SET version = 9")


async def test_parallel_prices_get_versions_of_their_own(operator: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(add(operator, rates={"input": n}) for n in range(1, 9)))
    assert sorted(one["version"] for one in made) == list(range(1, 9))

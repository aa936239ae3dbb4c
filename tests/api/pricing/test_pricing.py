"""The price list is public where the operator says so, and nothing gives a private group away."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from airouter.domain.ids import RateCardId
from airouter.domain.pricing import cost
from airouter.domain.rate_card import RateCard, Tier, TierCondition
from tests.builders import Signed, signed_in
from tests.patience import until

PRICING = "/api/v1/pricing"
ESTIMATE = "/api/v1/pricing/estimate"
RATES = {"input": 150_000_001, "cached_input": 75_000_000, "output": 600_000_000, "request": 13}
TIERS: list[dict[str, Any]] = [{"when": {"input_tokens_above": 200_000}, "rates": {"input": 300_000_000}}]


@pytest.fixture
async def operator(app: Any, database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(app, database, role="operator") as signed:
        yield signed.client


@pytest.fixture
async def holder(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        yield signed


@pytest.fixture
async def offer(operator: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    """Two models, a public group `cheap` with one of them, a private group `vip`."""
    admin = "/api/v1/admin"
    for model in ("small/m:1", "large"):
        body = {"model": model, "vendor": "Acme", "context_window": 128_000}
        assert (await operator.post(f"{admin}/models", json=body)).status_code == 201
        card = {"model": model, "rates": RATES, "tiers": TIERS}
        assert (await operator.post(f"{admin}/rate-cards", json=card)).status_code == 201
    for group in (
        {"name": "cheap", "label": "Cheap", "multiplier_micros": 500_000, "is_public": True, "models": ["large"]},
        {"name": "vip", "label": "VIP", "multiplier_micros": 800_000, "overrides": {"default": 900_000}},
    ):
        assert (await operator.post(f"{admin}/groups", json=group)).status_code == 201
    await until(lambda: _lists(client, {"group": "cheap"}, ["large"]))


async def _lists(client: httpx.AsyncClient, parameters: dict[str, str], models: list[str]) -> bool:
    answer = await client.get(PRICING, params=parameters)
    return answer.status_code == 200 and [m["model"] for m in answer.json()["models"]] == models


@pytest.mark.usefixtures("offer")
async def test_a_stranger_reads_public_prices_exactly(client: httpx.AsyncClient) -> None:
    prices = (await client.get(PRICING)).json()
    assert prices["group"] == "default"
    assert prices["groups"] == [
        {"name": "cheap", "label": "Cheap", "multiplier_micros": 500_000},
        {"name": "default", "label": "Default", "multiplier_micros": 1_000_000},
    ]
    assert [model["model"] for model in prices["models"]] == ["large", "small/m:1"]
    assert prices["models"][0] == {
        "model": "large",
        "vendor": "Acme",
        "description": None,
        "context_window": 128_000,
        "max_output_tokens": None,
        "rates": {
            "input": {"rate": 150_000_001, "per": 1_000_000},
            "cached_input": {"rate": 75_000_000, "per": 1_000_000},
            "output": {"rate": 600_000_000, "per": 1_000_000},
            "request": {"rate": 13, "per": 1},
        },
        "multiplier_micros": 1_000_000,
        "tiers": [
            {"when": {"input_tokens_above": 200_000}, "rates": {"input": {"rate": 300_000_000, "per": 1_000_000}}}
        ],
    }


@pytest.mark.usefixtures("offer")
async def test_a_group_shows_its_own_models_and_multiplier(client: httpx.AsyncClient) -> None:
    prices = (await client.get(PRICING, params={"group": "cheap"})).json()
    assert [(m["model"], m["multiplier_micros"]) for m in prices["models"]] == [("large", 500_000)]


@pytest.mark.usefixtures("offer")
async def test_a_private_group_looks_like_none_to_strangers_and_to_others(
    client: httpx.AsyncClient, holder: Signed, subtests: pytest.Subtests
) -> None:
    for group in ["vip", "nowhere"]:
        with subtests.test(f"{group!r}"):
            question = {"model": "large", "usage": {"input": 1}, "group": group}
            for caller in (client, holder.client):
                listed = await caller.get(PRICING, params={"group": group})
                asked = await caller.post(ESTIMATE, json=question)
                for answer in (listed, asked):
                    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
                    assert answer.json()["detail"] == f"There is no group '{group}' here."
                assert "vip" not in (await caller.get(PRICING)).text
                assert "vip" not in (await caller.get("/api/v1/status")).text


@pytest.mark.usefixtures("offer")
async def test_an_account_sees_the_private_group_it_may_use_at_the_price_it_would_pay(
    operator: httpx.AsyncClient, client: httpx.AsyncClient, holder: Signed
) -> None:
    await operator.patch("/api/v1/admin/groups/vip", json={"usable_by": ["default"]})
    await until(lambda: _lists(holder.client, {"group": "vip"}, ["large", "small/m:1"]))
    prices = (await holder.client.get(PRICING, params={"group": "vip"})).json()
    assert {m["multiplier_micros"] for m in prices["models"]} == {900_000}, "the pair's override"
    assert [g["name"] for g in prices["groups"]] == ["default", "vip", "cheap"], "one's own first"
    assert (await client.get(PRICING, params={"group": "vip"})).status_code == 404


@pytest.mark.usefixtures("offer")
async def test_members_of_a_private_group_read_their_own_prices_by_default(
    operator: httpx.AsyncClient, holder: Signed
) -> None:
    await operator.patch(f"/api/v1/admin/accounts/{holder.account_id}", json={"group": "vip"})

    async def is_own() -> bool:
        return (await holder.client.get(PRICING)).json()["group"] == "vip"

    await until(is_own)
    assert {m["multiplier_micros"] for m in (await holder.client.get(PRICING)).json()["models"]} == {800_000}


@pytest.mark.usefixtures("offer")
async def test_an_instance_without_a_public_group_lists_nothing(
    operator: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    for group in ("default", "cheap"):
        await operator.patch(f"/api/v1/admin/groups/{group}", json={"is_public": False})

    async def is_empty() -> bool:
        return (await client.get(PRICING)).json() == {"group": None, "groups": [], "models": []}

    await until(is_empty)
    assert (await client.post(ESTIMATE, json={"model": "large", "usage": {}})).json()["code"] == "model_not_found"


@pytest.mark.usefixtures("offer")
async def test_disabled_and_unpriced_models_are_not_listed(
    operator: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await operator.patch("/api/v1/admin/models/large", json={"enabled": False})
    await operator.post("/api/v1/admin/models", json={"model": "unpriced"})
    await until(lambda: _lists(client, {}, ["small/m:1"]))
    for model in ("large", "unpriced", "nobody"):
        answer = await client.post(ESTIMATE, json={"model": model, "usage": {"input": 1}})
        assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")


@pytest.mark.usefixtures("offer")
async def test_an_estimate_is_what_the_gateway_would_charge(
    client: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for usage in [
        {"input": 1},
        {"input": 1_000_003, "output": 77},
        {"input": 150_000, "cached_input": 60_000, "output": 1},
        {"cache_write_5m": 333, "reasoning": 5},
        {},
    ]:
        for group in ["default", "cheap"]:
            with subtests.test(f"{usage!r} {group!r}"):
                answer = await client.post(ESTIMATE, json={"model": "large", "usage": usage, "group": group})
                assert answer.status_code == 200, answer.text
                tiers = tuple(Tier(when=TierCondition(**tier["when"]), rates=tier["rates"]) for tier in TIERS)
                card = RateCard(rate_card_id=RateCardId(None), model="large", version=1, rates=RATES, tiers=tiers)  # type: ignore[arg-type]
                multiplier_micros = {"default": 1_000_000, "cheap": 500_000}[group]
                charged, _ = cost({"request": 1, **usage}, card, multiplier_micros, None, "chat.completions")  # type: ignore[dict-item]
                assert answer.json()["cost"] == charged
                assert answer.json()["multiplier_micros"] == multiplier_micros


@pytest.mark.usefixtures("offer")
async def test_many_calls_cost_as_many_times_one_call(client: httpx.AsyncClient) -> None:
    question = {"model": "large", "usage": {"input": 7, "output": 3}, "group": "cheap"}
    one = (await client.post(ESTIMATE, json=question)).json()
    many = (await client.post(ESTIMATE, json=question | {"requests": 1000})).json()
    assert many["cost"] == 1000 * one["cost"]
    assert [line["quantity"] for line in many["lines"]] == [7000, 3000, 1000]
    assert one["subtotal"] == "2863.000007"
    assert many["subtotal"] == "2863000.007"


@pytest.mark.usefixtures("offer")
async def test_a_question_that_has_no_answer_is_refused(client: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for body, code in [
        ({"usage": {"search": 1}}, "meter_not_priced"),
        ({"usage": {"inptu": 1}}, "invalid_request"),
        ({"usage": {"input": -1}}, "invalid_request"),
        ({"usage": {"input": 1.5}}, "invalid_request"),
        ({"usage": {"input": 1}, "requests": 0}, "invalid_request"),
        ({"usage": {"input": 2**53 - 1}, "requests": 10**9}, "invalid_request"),
        ({}, "invalid_request"),
        ({"usage": {}, "colour": "red"}, "invalid_request"),
    ]:
        with subtests.test(f"{body!r} {code!r}"):
            answer = await client.post(ESTIMATE, json={"model": "large"} | body)
            assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_a_token_that_does_not_hold_is_not_taken_for_a_stranger(client: httpx.AsyncClient) -> None:
    answer = await client.get(PRICING, headers={"authorization": "Bearer nonsense"})
    assert answer.status_code == 401

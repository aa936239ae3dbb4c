"""Limits of accounts, groups and models: set, shown, replaced as a whole, taken away, and noted in the audit log."""

from typing import Any

import httpx
import pytest

from tests.builders import Signed

NONE = {"requests_per_minute": None, "tokens_per_minute": None, "concurrency": None}


@pytest.fixture
def addresses(holder: Signed) -> dict[str, str]:
    return {
        "account": f"/api/v1/admin/accounts/{holder.account_id}",
        "group": "/api/v1/admin/groups/limited",
        "model": "/api/v1/admin/models/limited/model",
    }


async def made(operator: httpx.AsyncClient, noun: str) -> None:
    if noun == "group":
        await operator.post("/api/v1/admin/groups", json={"name": "limited", "multiplier_micros": 1_000_000})
    if noun == "model":
        await operator.post("/api/v1/admin/models", json={"model": "limited/model"})


@pytest.mark.parametrize("noun", ["account", "group", "model"])
async def test_limits_are_set_replaced_as_a_whole_and_taken_away(
    operator: httpx.AsyncClient, addresses: dict[str, str], noun: str
) -> None:
    await made(operator, noun)
    address = addresses[noun]
    before: dict[str, Any] = (await operator.get(address)).json()
    assert before["rate_limits"] == NONE
    limits = {"requests_per_minute": 60, "tokens_per_minute": 100_000}
    assert (await operator.patch(address, json={"rate_limits": limits})).json()["rate_limits"] == NONE | limits
    changed = await operator.patch(address, json={"rate_limits": {"concurrency": 3}})
    assert changed.json()["rate_limits"] == NONE | {"concurrency": 3}
    assert (await operator.get(address)).json()["rate_limits"] == NONE | {"concurrency": 3}
    assert (await operator.patch(address, json={"rate_limits": None})).json() == before
    acts = (await operator.get("/api/v1/admin/audit-log", params={"action": f"{noun}.changed"})).json()["items"]
    assert {act["action"] for act in acts} == {f"{noun}.changed"}


@pytest.mark.parametrize("noun", ["account", "group", "model"])
async def test_what_is_no_limit_is_refused(
    operator: httpx.AsyncClient, addresses: dict[str, str], noun: str, subtests: pytest.Subtests
) -> None:
    await made(operator, noun)
    for limits in ({"concurrency": 0}, {"requests_per_minute": "many"}, {"requests_per_hour": 5}):
        with subtests.test(f"{limits!r}"):
            answer = await operator.patch(addresses[noun], json={"rate_limits": limits})
            assert answer.status_code == 422, answer.text
            assert answer.json()["field"].startswith("rate_limits")

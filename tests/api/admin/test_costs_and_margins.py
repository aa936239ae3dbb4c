"""What channels cost, what calls record of it, and what is earned."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.services.channel_costs import ChannelCosts, CostDraft
from airouter.services.rate_cards import Rates
from tests.builders import api_key, grant, priced_model, run_sql, signed_in, spend
from tests.live import RATES, serving

CHAT = "/v1/chat/completions"


async def a_channel(operator: httpx.AsyncClient, **facts: Any) -> str:
    answer = await operator.post(
        "/api/v1/admin/channels", json={"name": "one", "provider": "scripted", "models": ["demo-small"], **facts}
    )
    return answer.json()["id"]


async def test_costs_are_versions_of_which_the_newest_in_force_counts(operator: httpx.AsyncClient) -> None:
    costs = f"/api/v1/admin/channels/{await a_channel(operator)}/costs"
    assert (await operator.get(costs)).json() == {"items": [], "upcoming": []}
    first = await operator.put(costs, json={"model": "demo-small", "rates": {"input": 5}})
    assert (first.status_code, first.json()["version"]) == (200, 1)
    later = {"model": "demo-small", "rates": {"input": 9}, "effective_at": "2099-01-01T00:00:00Z"}
    await operator.put(costs, json=later)
    await operator.put(costs, json={"model": "demo-small", "rates": {"input": 6}})
    shown = (await operator.get(costs)).json()
    assert [(one["version"], one["rates"]) for one in shown["items"]] == [(3, {"input": 6})]
    assert [(one["version"], one["rates"]) for one in shown["upcoming"]] == [(2, {"input": 9})]
    assert (await operator.delete(costs, params={"model": "demo-small"})).status_code == 204
    assert (await operator.get(costs)).json()["items"] == []
    assert (await operator.delete(costs, params={"model": "demo-small"})).status_code == 404


async def test_a_cost_that_says_nothing_is_refused(operator: httpx.AsyncClient) -> None:
    costs = f"/api/v1/admin/channels/{await a_channel(operator)}/costs"
    refused: list[dict[str, Any]] = [
        {"model": "demo-small", "rates": {}},
        {"model": "demo-small", "rates": {"input": -1}},
        {"model": "another", "rates": {"input": 1}},
        {"model": "demo-small", "rates": {"input": 1}, "effective_at": "2020-01-01T00:00:00Z"},
        {"model": "demo-small", "rates": {"input": 1}, "effective_at": "2099-01-01T00:00:00"},
    ]
    for draft in refused:
        assert (await operator.put(costs, json=draft)).status_code == 422, draft
    assert (await operator.get(costs)).json()["items"] == []


async def test_a_cost_is_never_rewritten(operator: httpx.AsyncClient, database: str) -> None:
    channel_id = await a_channel(operator)
    costs = f"/api/v1/admin/channels/{channel_id}/costs"
    await operator.put(costs, json={"model": "demo-small", "rates": {"input": 5}})
    with pytest.raises(Exception, match="immutable"):
        await run_sql(database, "UPDATE channel_costs SET rates = '{}'")
    await operator.delete(f"/api/v1/admin/channels/{channel_id}")
    assert (await operator.get(costs)).status_code == 404
    assert len(await run_sql(database, "SELECT 1 FROM channel_costs")) == 1, "what was recorded can be explained"


async def test_a_call_records_what_its_provider_charges_where_that_is_known(database: str, tmp_path: Path) -> None:
    async with serving(database, tmp_path) as live, live.database() as opened, httpx.AsyncClient() as client:
        await live.model()
        await live.model("partly")
        await live.model("free")
        channel_id = await live.channel(models=["demo", "partly", "free"])
        costs = ChannelCosts(opened)
        await costs.put(channel_id, CostDraft(model="demo", rates=Rates(input=1_000_000_000, output=5_000_000_000)))
        await costs.put(channel_id, CostDraft(model="partly", rates=Rates(input=1_000_000_000)))
        await live.in_force()
        holder = await live.holder()

        async def record(model: str) -> dict[str, Any]:
            body = {"model": model, "messages": [{"role": "user", "content": "hello there"}]}
            headers = {"authorization": f"Bearer {holder.key}"}
            answer = await client.post(live.url + CHAT, json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            return await live.record(answer.headers["x-request-id"])

        known = await record("demo")
        used = known["quantities"]
        assert set(used) <= {"input", "cached_input", "output", "request"}
        entry = used["input"] + used.get("cached_input", 0)
        assert known["provider_cost"] == -(-(entry * 10**9 + used["output"] * 5 * 10**9) // 10**6)
        assert known["cost"] > known["provider_cost"]
        assert (await record("partly"))["provider_cost"] is None, "a part of a cost is no cost"
        assert (await record("free"))["provider_cost"] is None
        assert RATES["input"] > 10**9


async def test_margins_count_only_what_has_a_known_cost(operator: httpx.AsyncClient, app: Any, database: str) -> None:
    channel_id, one_day = await a_channel(operator), datetime.now(UTC)
    async with signed_in(app, database) as somebody:
        await grant(database, somebody.account_id, 10**12)
        key_id, card_id = await api_key(database, somebody.account_id), await priced_model(database)
        calls = [await spend(database, key_id, card_id, at=one_day) for _ in range(3)]  # 2 000 000 each
    await run_sql(
        database,
        "UPDATE usage_records SET channel_id = $1, provider_cost = $3 WHERE request_id = ANY($2::uuid[])",
        channel_id, calls[:2], 1_500_000,
    )  # fmt: skip

    async def margins(**question: Any) -> dict[str, Any]:
        answer = await operator.get("/api/v1/admin/margins", params=question)
        assert answer.status_code == 200, answer.text
        return answer.json()

    total = (await margins())["total"]
    assert total == {
        "key": "", "label": None, "requests": 3, "covered_requests": 2, "charged": "6000000", "covered": "4000000",
        "provider_cost": "3000000", "margin": "1000000",
    }  # fmt: skip
    by_channel = (await margins(group_by="channel"))["items"]
    assert [(one["key"], one["label"], one["margin"]) for one in by_channel] == [
        (channel_id, "one", "1000000"), ("", None, "0"),
    ]  # fmt: skip
    (by_account,) = (await margins(group_by="account"))["items"]
    assert (by_account["key"], by_account["charged"]) == (str(somebody.account_id), "6000000")
    assert [one["key"] for one in (await margins(group_by="model"))["items"]] == ["demo-small"]
    assert (await margins(channel_id=channel_id))["total"]["charged"] == "4000000"
    assert (await margins(model="another"))["items"] == []
    assert len((await margins(tz="Asia/Shanghai"))["items"]) == 1
    usage = (await operator.get("/api/v1/admin/usage")).json()["items"]
    assert sorted(one["provider_cost"] or 0 for one in usage) == [0, 1_500_000, 1_500_000]
    receipt = (await operator.get(f"/api/v1/admin/usage/{calls[0]}")).json()
    assert receipt["provider_cost"] == 1_500_000


async def test_sums_of_everything_hold_whatever_is_left_out_of_the_list(
    operator: httpx.AsyncClient, app: Any, database: str
) -> None:
    many = 5_003
    async with signed_in(app, database) as somebody:
        await grant(database, somebody.account_id, 10**12)
        key_id, card_id = await api_key(database, somebody.account_id), await priced_model(database)
        await spend(database, key_id, card_id)
    ((before,),) = await run_sql(database, "SELECT charged FROM usage_records")
    await run_sql(
        database,
        """
        INSERT INTO usage_records (created_at, request_id, account_id, wallet_id, key_id, model, endpoint, status,
          usage_source, quantities, rate_card_id, multiplier_micros, group_name, cost, charged, is_streaming,
          latency_ms)
        SELECT r.created_at, gen_random_uuid(), gen_random_uuid(), r.wallet_id, gen_random_uuid(), r.model, r.endpoint,
          'ok', 'provider', '{"input": 2, "searches of old": 1}', r.rate_card_id, r.multiplier_micros, r.group_name, 3,
          3, false, 1
        FROM usage_records r, generate_series(1, $1)
        """,
        many,
    )
    margins = (await operator.get("/api/v1/admin/margins", params={"group_by": "account"})).json()
    assert len(margins["items"]) == 5_000
    assert (margins["total"]["requests"], margins["total"]["charged"]) == (many + 1, str(3 * many + before))
    summary = (await operator.get("/api/v1/admin/usage/summary", params={"group_by": "key"})).json()
    assert len(summary["items"]) == 5_000
    assert (summary["total"]["requests"], int(summary["total"]["charged"])) == (many + 1, 3 * many + before)
    assert summary["total"]["usage"]["searches of old"] == many
    nothing = (await operator.get("/api/v1/admin/usage/summary", params={"group_by": "key", "model": "none"})).json()
    assert (nothing["items"], nothing["total"]["requests"], nothing["total"]["usage"]) == ([], 0, {})
    await run_sql(database, "DELETE FROM usage_records WHERE cost = 3")  # they never were: the books are audited


async def test_a_report_that_cannot_be_made_is_refused(operator: httpx.AsyncClient) -> None:
    refused = [
        ({"tz": "Mars/Base"}, "tz"),
        ({"from": "2030-01-01T00:00:00"}, "from"),
        ({"from": "2030-01-02T00:00:00Z", "to": "2030-01-01T00:00:00Z"}, "to"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}, "from"),
        ({"group_by": "colour"}, "group_by"),
    ]
    for question, field in refused:
        answer = await operator.get("/api/v1/admin/margins", params=question)
        assert (answer.status_code, answer.json()["field"]) == (422, field), question

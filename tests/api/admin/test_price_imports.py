"""Price lists: read in as proposals, compared, accepted line by line; nothing changes by reading one."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import httpx

from tests.builders import run_sql
from tests.payments.http_server import served

IMPORTS = "/api/v1/admin/price-imports"
LIST = json.dumps({
    "gpt-a": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06,
              "output_cost_per_token": 4e-06, "max_input_tokens": 128000},
    "gpt-b": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2e-06,
              "output_cost_per_token": 8e-06, "vector_store_cost_per_gb_per_day": 0.1},
    "azure/gpt-a": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 1.1e-06},
    "nothing": {"litellm_provider": "openai", "mode": "chat"},
})  # fmt: skip


async def start(operator: httpx.AsyncClient, **draft: Any) -> dict[str, Any]:
    answer = await operator.post(IMPORTS, json={"source": "litellm", "content": LIST, **draft})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def lines(operator: httpx.AsyncClient, import_id: str, **filters: Any) -> list[dict[str, Any]]:
    answer = await operator.get(f"{IMPORTS}/{import_id}/lines", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def accept(operator: httpx.AsyncClient, import_id: str, *numbers: int, **wish: Any) -> httpx.Response:
    return await operator.post(f"{IMPORTS}/{import_id}/accept", json={"lines": numbers, **wish})


async def priced(operator: httpx.AsyncClient, model: str, **rates: int) -> str:
    await operator.post("/api/v1/admin/models", json={"model": model})
    answer = await operator.post("/api/v1/admin/rate-cards", json={"model": model, "rates": rates})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def rates_of(operator: httpx.AsyncClient, model: str) -> dict[str, int] | None:
    card = (await operator.get(f"/api/v1/admin/models/{model}")).json()["rate_card"]
    return card and card["rates"]


async def test_reading_a_list_changes_no_price_and_shows_what_would(operator: httpx.AsyncClient) -> None:
    await priced(operator, "gpt-a", input=800_000_000, output=4_000_000_000)
    made = await start(operator, markup_micros=100_000, file_name="prices.json")
    assert (made["factor"], made["currency"], made["lines"], made["accepted"]) == ("1", "USD", 3, 0)
    assert (made["changes"], made["vendors"]) == ({"new": 2, "dearer": 1}, {"azure": 1, "openai": 2})
    assert made["skipped"] == [{"name": "nothing", "reason": "it has no price"}]
    assert made["created_by_email"].endswith("@example.com")
    (dearer,) = await lines(operator, made["id"], change="dearer")
    assert (dearer["model"], dearer["is_known"], dearer["rates"]["input"]) == ("gpt-a", True, 1_100_000_000)
    assert dearer["source_rates"]["input"] == {"price": "0.000001", "per": 1}
    entry, out = dearer["differences"]
    assert (entry["current"], entry["proposed"], entry["change_micros"]) == (800_000_000, 1_100_000_000, 375_000)
    assert (out["change_micros"], out["margin_micros"]) == (100_000, None)
    assert await rates_of(operator, "gpt-a") == {"input": 800_000_000, "output": 4_000_000_000}
    assert (await operator.get("/api/v1/admin/models/gpt-b")).status_code == 404
    listed = (await operator.get(IMPORTS)).json()["items"]
    assert [(one["id"], one["origin"], one["lines"]) for one in listed] == [(made["id"], "prices.json", 3)]


async def test_accepted_lines_become_rate_cards_once(operator: httpx.AsyncClient, database: str) -> None:
    made = await start(operator, factor="7.25")
    refused = await accept(operator, made["id"], 1, 2)
    assert (refused.status_code, refused.json()["code"]) == (409, "model_missing")
    assert refused.json()["models"] == ["gpt-a", "gpt-b"]
    both = await asyncio.gather(*(accept(operator, made["id"], 1, 2, create_models=True) for _ in range(2)))
    assert [answer.status_code for answer in both] == [200, 200]
    assert {line["state"] for answer in both for line in answer.json()["lines"]} == {"accepted"}
    assert await rates_of(operator, "gpt-a") == {"input": 7_250_000_000, "output": 29_000_000_000}
    assert (await operator.get("/api/v1/admin/models/gpt-a")).json()["context_window"] == 128_000
    cards = await run_sql(database, "SELECT model, version FROM rate_cards ORDER BY model")
    assert [tuple(row) for row in cards] == [("gpt-a", 1), ("gpt-b", 1)]
    acts = await run_sql(
        database, "SELECT action, count(*) FROM audit_log WHERE action <> 'session.opened' GROUP BY action"
    )
    assert {row["action"]: row["count"] for row in acts} == {
        "model.created": 2, "price_import.accepted": 1, "price_import.created": 1, "rate_card.created": 2,
    }  # fmt: skip
    prices = (await operator.get("/api/v1/pricing")).json()["models"]
    assert [model["model"] for model in prices] == ["gpt-a", "gpt-b"]


async def test_a_price_that_changed_since_is_compared_anew_before_it_is_accepted(operator: httpx.AsyncClient) -> None:
    await priced(operator, "gpt-a", input=1)
    made = await start(operator)
    await priced(operator, "gpt-a", input=1_000_000_000, output=4_000_000_000)
    refused = await accept(operator, made["id"], 1, 2, create_models=True)
    assert (refused.status_code, refused.json()["code"]) == (409, "price_changed")
    assert (refused.json()["lines"], refused.json()["models"]) == ([1], ["gpt-a"])
    assert (await operator.get("/api/v1/admin/models/gpt-b")).status_code == 404, "all lines or none"
    refreshed = (await operator.post(f"{IMPORTS}/{made['id']}/refresh")).json()
    assert refreshed["changes"] == {"new": 2, "same": 1}
    assert (await accept(operator, made["id"], 1)).status_code == 200
    history = (await operator.get("/api/v1/admin/rate-cards", params={"model": "gpt-a"})).json()["items"]
    assert len(history) == 2, "what is the same needs no new version"


async def test_a_line_becomes_the_price_of_the_model_that_it_is_renamed_to(
    operator: httpx.AsyncClient, database: str
) -> None:
    await priced(operator, "ours", input=1)
    made = await start(operator)
    at = f"{IMPORTS}/{made['id']}/rename"
    for wrong in ("", "two words"):
        assert (await operator.post(at, json={"line": 1, "model": wrong})).status_code == 422
    assert (await operator.post(at, json={"line": 99, "model": "ours"})).status_code == 404
    renamed = await operator.post(at, json={"line": 1, "model": "ours"})
    assert renamed.status_code == 200, renamed.text
    line = renamed.json()
    assert (line["model"], line["name"], line["is_known"]) == ("ours", "gpt-a", True)
    assert line["change"] in {"dearer", "mixed"}
    assert line["base_id"] is not None
    await priced(operator, "ours", input=2)
    refused = await accept(operator, made["id"], 1)
    assert refused.json()["code"] == "price_changed", "it is the price of that model now"
    await operator.post(f"{IMPORTS}/{made['id']}/refresh")
    assert (await accept(operator, made["id"], 1)).status_code == 200
    assert await rates_of(operator, "ours") == line["rates"]
    assert (await operator.get("/api/v1/admin/models/gpt-a")).status_code == 404
    assert (await operator.post(at, json={"line": 1, "model": "late"})).status_code == 422
    acts = await run_sql(database, "SELECT after FROM audit_log WHERE action = 'price_import.line_renamed'")
    assert [json.loads(act["after"]) for act in acts] == [{"line": 1, "from": "gpt-a", "to": "ours"}]


async def test_a_card_that_lies_in_the_future_counts_as_a_change(operator: httpx.AsyncClient) -> None:
    await priced(operator, "gpt-a", input=1)
    made = await start(operator)
    later = {"model": "gpt-a", "rates": {"input": 2}, "effective_at": "2099-01-01T00:00:00Z"}
    await operator.post("/api/v1/admin/rate-cards", json=later)
    assert (await accept(operator, made["id"], 1)).status_code == 409
    await operator.post(f"{IMPORTS}/{made['id']}/refresh")
    accepted = await accept(operator, made["id"], 1, effective_at="2098-01-01T00:00:00Z")
    assert accepted.status_code == 200
    assert await rates_of(operator, "gpt-a") == {"input": 1}
    past = await accept(operator, made["id"], 2, create_models=True, effective_at="2020-01-01T00:00:00Z")
    assert past.status_code == 422


async def test_lines_are_skipped_filtered_and_paged(operator: httpx.AsyncClient) -> None:
    made = await start(operator)
    skipped = await operator.post(f"{IMPORTS}/{made['id']}/skip", json={"lines": [2]})
    assert [line["state"] for line in skipped.json()["lines"]] == ["skipped"]
    assert [line["line"] for line in await lines(operator, made["id"], state="open")] == [1, 3]
    assert [line["model"] for line in await lines(operator, made["id"], has_unmapped="true")] == ["gpt-b"]
    assert [line["line"] for line in await lines(operator, made["id"], search="GPT-A")] == [1, 3]
    assert [line["line"] for line in await lines(operator, made["id"], vendor="azure")] == [3]
    assert await lines(operator, made["id"], is_known="true") == []
    first = (await operator.get(f"{IMPORTS}/{made['id']}/lines", params={"limit": 2})).json()
    then = (await operator.get(f"{IMPORTS}/{made['id']}/lines", params={"cursor": first["next_cursor"]})).json()
    assert [line["line"] for line in first["items"] + then["items"]] == [1, 2, 3]
    assert then["next_cursor"] is None
    await operator.post(f"{IMPORTS}/{made['id']}/skip", json={"lines": [2], "reopen": True})
    assert len(await lines(operator, made["id"], state="open")) == 3


REFUSED: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"content": "{"}, 422, "invalid_request", "content"),
    ({"content": '{"a": {"price": 1}}'}, 422, "invalid_request", "content"),
    ({"content": '{"a": {"litellm_provider": "x"}}'}, 422, "invalid_request", "content"),
    ({"url": "https://example.com/x.json"}, 422, "invalid_request", "content"),
    ({"content": None}, 422, "invalid_request", "content"),
    ({"content": None, "url": "file:///etc/passwd"}, 422, "invalid_request", "url"),
    ({"content": None, "url": "http://127.0.0.1:1/x"}, 502, "list_unreachable", None),
    ({"factor": "0"}, 422, "invalid_request", "factor"),
    ({"factor": "7,2"}, 422, "invalid_request", "factor"),
    ({"group": "vip"}, 422, "invalid_request", "group"),
    ({"source": "shipped"}, 422, "invalid_request", "source"),
    ({"channel_id": str(uuid4())}, 404, "not_found", None),
    (
        {"source": "pricing_page", "content": '{"data": [{"model_name": "m", "model_ratio": 1}]}'},
        422, "factor_required", "factor",
    ),
]  # fmt: skip


async def test_a_list_that_cannot_be_read_changes_nothing(operator: httpx.AsyncClient, database: str) -> None:
    for draft, status, code, field in REFUSED:
        answer = await operator.post(IMPORTS, json={"source": "litellm", "content": LIST, **draft})
        said = (answer.status_code, answer.json()["code"], answer.json().get("field"))
        assert said == (status, code, field), draft
    assert (await run_sql(database, "SELECT count(*) FROM price_imports"))[0]["count"] == 0


async def test_a_list_is_fetched_from_where_the_policy_allows(operator: httpx.AsyncClient) -> None:
    documents = {"/list.json": (200, json.loads(LIST)), "/moved": (302, {})}
    with served(lambda asked: documents.get(asked.path, (404, {}))) as address:
        draft = {"source": "litellm", "url": f"{address}/list.json"}
        assert (await operator.post(IMPORTS, json=draft)).json()["code"] == "list_unreachable"
        await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
        made = (await operator.post(IMPORTS, json=draft)).json()
        assert (made["origin"], made["lines"]) == (f"{address}/list.json", 3)
        for path in ("/gone", "/moved"):
            refused = await operator.post(IMPORTS, json={**draft, "url": address + path})
            assert (refused.status_code, refused.json()["code"]) == (502, "list_unreachable")


async def test_the_shipped_catalogue_is_imported_whole(operator: httpx.AsyncClient) -> None:
    sources = (await operator.get(f"{IMPORTS}/sources")).json()
    shipped = sources["items"][0]
    assert (sources["ledger_currency"], shipped["source"], shipped["currency"]) == ("USD", "shipped", "USD")
    made = (await operator.post(IMPORTS, json={"source": "shipped"})).json()
    assert made["facts"] == {
        "title": shipped["title"], "version": shipped["version"], "date": shipped["date"], "licence": "MIT",
    }  # fmt: skip
    assert made["lines"] == made["changes"]["new"] == shipped["models"]
    two = [line["line"] for line in await lines(operator, made["id"], vendor="openai", limit=2)]
    assert (await accept(operator, made["id"], *two, create_models=True)).status_code == 200


async def test_a_list_says_what_a_channel_costs_for_the_models_that_it_serves(operator: httpx.AsyncClient) -> None:
    await priced(operator, "house-model", input=2_200_000_000, output=1)
    channel = {"name": "azure", "provider": "scripted", "models": {"house-model": "gpt-a", "other": "unknown"}}
    channel_id = (await operator.post("/api/v1/admin/channels", json=channel)).json()["id"]
    made = await start(operator, channel_id=channel_id)
    assert (made["channel"], made["lines"]) == ("azure", 2)
    one, two = await lines(operator, made["id"])
    assert [(line["model"], line["name"]) for line in (one, two)] == [
        ("house-model", "gpt-a"), ("house-model", "azure/gpt-a"),
    ]  # fmt: skip
    assert two["differences"][0]["margin_micros"] == 500_000
    twice = await accept(operator, made["id"], 1, 2)
    assert twice.status_code == 422
    assert (await accept(operator, made["id"], 2)).status_code == 200
    assert (await accept(operator, made["id"], 1)).json()["code"] == "price_changed"
    costs = (await operator.get(f"/api/v1/admin/channels/{channel_id}/costs")).json()
    assert [(cost["model"], cost["rates"]) for cost in costs["items"]] == [("house-model", {"input": 1_100_000_000})]
    assert await rates_of(operator, "house-model") == {"input": 2_200_000_000, "output": 1}, "no price changed"
    prices = await start(operator, content=LIST.replace("gpt-a", "house-model"))
    (line,) = await lines(operator, prices["id"], search="house-model", vendor="openai")
    entry = line["differences"][0]
    assert (entry["against"], entry["margin_micros"], entry["margin_now_micros"]) == (1_100_000_000, -100_000, 500_000)
    await operator.delete(f"/api/v1/admin/channels/{channel_id}")
    assert (await accept(operator, made["id"], 1)).status_code == 404

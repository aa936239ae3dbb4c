"""Codes in an operator's own words, changing batches, and who redeemed what."""

from typing import Any

import httpx
import pytest

from tests.builders import run_sql, signed_in

BATCHES = "/api/v1/admin/redemption-batches"
CAMPAIGN = {
    "name": "Spring",
    "amount": 700,
    "count": 1,
    "code": "Spring-2030",
    "uses_per_code": 3,
    "expires_at": "2099-01-01T00:00:00Z",
}


async def test_a_campaign_code_is_redeemed_and_kept_as_a_hash(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as boss, signed_in(app, database) as ada:
        made = await boss.client.post(BATCHES, json=CAMPAIGN)
        assert (made.status_code, made.json()["codes"], made.json()["is_campaign"]) == (201, ["Spring-2030"], True)
        answer = await ada.client.post("/api/v1/redemptions", json={"code": "spring 2O3O"})
        assert (answer.status_code, answer.json()) == (201, {"amount": 700, "balance": 700})
        again = await ada.client.post("/api/v1/redemptions", json={"code": "SPRING2030"})
        assert (again.status_code, again.json()["by_you"]) == (409, True)
    for table in ["redemption_codes", "redemption_batches", "audit_log"]:
        kept = await run_sql(
            database, f"SELECT coalesce(string_agg({table}::text, ' '), '') AS everything FROM {table}"
        )
        assert "SPRING2" not in kept[0]["everything"].upper().replace("-", "")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"expires_at": None}, 422, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"count": 2}, 422, "count"),
        ({"code": "a b"}, 422, "code"),
        ({"code": "AB"}, 422, "code"),
        ({"code": "0" * 28}, 422, "code"),
        ({"code": "SPRING2O3O"}, 409, "code"),
    ],
)
async def test_a_campaign_is_bounded_and_its_words_are_new(
    app: Any, database: str, change: dict[str, Any], status: int, field: str
) -> None:
    async with signed_in(app, database, role="operator") as boss:
        assert (await boss.client.post(BATCHES, json=CAMPAIGN)).status_code == 201
        answer = await boss.client.post(BATCHES, json={**CAMPAIGN, "code": "Other", **change})
        assert (answer.status_code, answer.json().get("field")) == (status, field), answer.text


async def test_guessing_campaign_codes_is_budgeted(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as boss, signed_in(app, database) as eve:
        assert (await boss.client.post(BATCHES, json=CAMPAIGN)).status_code == 201
        for year in range(2010, 2020):
            assert (await eve.client.post("/api/v1/redemptions", json={"code": f"Spring-{year}"})).status_code == 404
        answer = await eve.client.post("/api/v1/redemptions", json={"code": "Spring-2030"})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")


async def test_a_batch_is_renamed_and_its_end_moved_but_never_opened_again(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as boss:
        batch = (await boss.client.post(BATCHES, json={"name": "One", "amount": 5, "count": 2})).json()
        path = f"{BATCHES}/{batch['id']}"
        moved = await boss.client.patch(path, json={"name": "Two", "expires_at": "2099-01-01T00:00:00Z"})
        assert (moved.status_code, moved.json()["name"], moved.json()["count"]) == (200, "Two", 2)
        assert moved.json()["expires_at"] == "2099-01-01T00:00:00Z"
        endless = await boss.client.patch(path, json={"expires_at": None})
        assert (endless.json()["name"], endless.json()["expires_at"]) == ("Two", None)
        past = await boss.client.patch(path, json={"expires_at": "2001-01-01T00:00:00Z"})
        assert (past.status_code, past.json()["field"]) == (422, "expires_at")
        for spoil in [
            "UPDATE redemption_batches SET expires_at = now() - interval '1 second'",
            "UPDATE redemption_batches SET expires_at = NULL, revoked_at = now()",
        ]:
            await run_sql(database, spoil)
            closed = await boss.client.patch(path, json={"expires_at": "2099-01-01T00:00:00Z"})
            assert (closed.status_code, closed.json()["code"]) == (409, "batch_closed")
        assert (await boss.client.patch(path, json={"name": "Three"})).json()["name"] == "Three"
        log = (await boss.client.get("/api/v1/admin/audit-log", params={"action": "batch.changed"})).json()["items"]
        assert log[0]["after"] == {"name": "Three"}


async def test_a_campaign_keeps_its_end(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as boss:
        batch = (await boss.client.post(BATCHES, json=CAMPAIGN)).json()
        answer = await boss.client.patch(f"{BATCHES}/{batch['id']}", json={"expires_at": None})
        assert (answer.status_code, answer.json()["field"]) == (422, "expires_at")


async def test_who_redeemed_what_is_found_over_all_batches_and_by_a_code_that_is_shown(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as boss, signed_in(app, database) as ada:
        batch = (await boss.client.post(BATCHES, json={"name": "One", "amount": 5, "count": 2})).json()
        await boss.client.post(BATCHES, json=CAMPAIGN)
        for code in [batch["codes"][0], "Spring-2030"]:
            assert (await ada.client.post("/api/v1/redemptions", json={"code": code})).status_code == 201
        found = await _redemptions(boss.client)
        assert [(one["batch_name"], one["account_id"], one["amount"]) for one in found] == [
            ("Spring", str(ada.account_id), 700), ("One", str(ada.account_id), 5),
        ]  # fmt: skip
        assert found[0]["user_email"] == ada.email
        middle = found[0]["redeemed_at"]
        for query, count in [
            ({"batch_id": batch["id"]}, 1), ({"account_id": str(ada.account_id)}, 2), ({"account_id": batch["id"]}, 0),
            ({"from": middle}, 1), ({"to": middle}, 1), ({"limit": "1"}, 1),
        ]:  # fmt: skip
            assert len(await _redemptions(boss.client, **query)) == count, query
        naive = await boss.client.get("/api/v1/admin/redemptions", params={"from": "2030-01-01T00:00:00"})
        assert naive.status_code == 422
        shown = await boss.client.post(
            "/api/v1/admin/redemption-codes/find", json={"code": batch["codes"][0].lower().replace("-", " ")}
        )
        assert shown.status_code == 200
        assert (shown.json()["batch"]["id"], shown.json()["code"]["status"]) == (batch["id"], "used")
        assert shown.json()["code"]["last_account_id"] == str(ada.account_id)
        unknown = await boss.client.post("/api/v1/admin/redemption-codes/find", json={"code": "nothing"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "code_unknown")


async def _redemptions(client: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/admin/redemptions", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]

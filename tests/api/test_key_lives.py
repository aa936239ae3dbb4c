"""Budgets, rotation with grace and short-lived keys, through the management API and at the doors."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from airouter.gateway import pipeline
from airouter.services.keys import EPHEMERAL_KEYS_MAX, hash_secret
from airouter.storage import keys as rows
from airouter.storage.database import Database
from airouter.storage.keys import forget_ephemeral_keys
from airouter.world import now
from tests.builders import grant, priced_model, run_sql, signed_in, spend
from tests.live import serving

KEYS = "/api/v1/keys"
NOWHERE = "018f0000-0000-7000-8000-000000000000"


async def found(dsn: str, secret: str) -> Any:
    opened = await Database.open(dsn, size_max=1)
    async with opened.connection() as connection:
        caller = await rows.find_caller(connection, hash_secret(secret))
    await opened.close()
    return caller


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{KEYS}/ephemeral"),
        ("DELETE", f"{KEYS}/{NOWHERE}/previous-secret"),
        ("GET", f"/api/v1/accounts/{NOWHERE}/members/{NOWHERE}/budgets"),
        ("PUT", f"/api/v1/accounts/{NOWHERE}/members/{NOWHERE}/budgets"),
        ("GET", f"/api/v1/accounts/{NOWHERE}/time-zone"),
        ("PUT", f"/api/v1/accounts/{NOWHERE}/time-zone"),
    ],
)
async def test_a_stranger_changes_nothing(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_keys_budgets_are_set_shown_and_replaced(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        asked = {"name": "k", "budgets": [{"period": "month", "limit": 900}, {"period": "total", "limit": 2_000}]}
        key = (await ada.client.post(KEYS, json=asked)).json()
        assert (key["spend_limit"], key["remaining"]) == (2_000, 900)
        assert [(b["period"], b["limit"], b["spent"]) for b in key["budgets"]] == [("month", 900, 0)]
        assert key["budgets"][0]["resets_at"].endswith("-01T00:00:00Z")
        assert (await found(database, key["key"])).is_limited
        address = f"{KEYS}/{key['id']}"
        only_named = (await ada.client.patch(address, json={"name": "other"})).json()
        assert only_named["budgets"] == key["budgets"]
        await run_sql(database, "UPDATE budgets SET spent = 100")
        day = [{"period": "day", "limit": 50}, {"period": "month", "limit": 800}]
        changed = (await ada.client.patch(address, json={"budgets": day})).json()
        assert [(b["period"], b["limit"], b["spent"]) for b in changed["budgets"]] == [
            ("day", 50, 0),
            ("month", 800, 100),
        ]
        assert (changed["spend_limit"], changed["remaining"]) == (2_000, 50)
        await run_sql(database, "UPDATE budgets SET spent = 0")
        none = (await ada.client.patch(address, json={"budgets": None, "spend_limit": None})).json()
        assert (none["budgets"], none["remaining"]) == ([], None)
        assert not (await found(database, key["key"])).is_limited


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"budgets": [{"period": "day", "limit": 1}, {"period": "day", "limit": 2}]}, "budgets[1].period"),
        ({"budgets": [{"period": "total", "limit": 1}], "spend_limit": 2}, "spend_limit"),
        ({"budgets": [{"period": "year", "limit": 1}]}, "budgets[0].period"),
        ({"budgets": [{"period": "day", "limit": -1}]}, "budgets[0].limit"),
    ],
)
async def test_budgets_that_cannot_be_meant_are_named(app: Any, database: str, body: Any, field: str) -> None:
    async with signed_in(app, database) as ada:
        answer = await ada.client.post(KEYS, json={"name": "k", **body})
        assert answer.status_code == 422, answer.text
        assert field in answer.text


async def test_a_member_is_bound_by_the_owner_and_by_nobody_else(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob, signed_in(app, database) as eve:
        joining = "INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, 'member')"
        await run_sql(database, joining, ada.account_id, bob.user_id)
        await run_sql(database, "UPDATE versions SET version = version + 1")
        address = f"/api/v1/accounts/{ada.account_id}/members/{bob.user_id}/budgets"
        body = {"budgets": [{"period": "week", "limit": 70}]}
        assert (await eve.client.put(address, json=body)).status_code == 404
        set_ = await ada.client.put(address, json=body)
        assert [(b["period"], b["limit"]) for b in set_.json()["items"]] == [("week", 70)]
        nobody = f"/api/v1/accounts/{ada.account_id}/members/{eve.user_id}/budgets"
        assert (await ada.client.put(nobody, json=body)).status_code == 404
        made = await run_sql(
            database,
            "INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix)"
            " SELECT gen_random_uuid(), account_id, wallet_id, $2, 'k', 'x', 'sk-' FROM wallets"
            " WHERE account_id = $1 AND kind = 'main'"
            " RETURNING is_budgeted",
            ada.account_id,
            bob.user_id,
        )
        assert made[0]["is_budgeted"], "a new key counts in the budget of its member"
        assert (await ada.client.put(address, json={"budgets": []})).json()["items"] == []
        assert not (await run_sql(database, "SELECT is_budgeted FROM keys"))[0]["is_budgeted"]


async def test_a_handed_over_key_takes_its_leases_to_the_other_members_budget(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as bob:
        await run_sql(
            database, "INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, 'admin')", ada.account_id,
            bob.user_id,
        )  # fmt: skip
        key_id = UUID((await ada.client.post(KEYS, json={"name": "k"})).json()["id"])
        for user, limit in ((ada.user_id, 100), (bob.user_id, 10)):
            address = f"/api/v1/accounts/{ada.account_id}/members/{user}/budgets"
            assert (await ada.client.put(address, json={"budgets": [{"period": "day", "limit": limit}]})).is_success
        await run_sql(database, "UPDATE keys SET leased = 30 WHERE key_id = $1", key_id)
        await run_sql(database, "UPDATE budgets SET leased = 30 WHERE user_id = $1", ada.user_id)
        await run_sql(database, "UPDATE keys SET user_id = $2 WHERE key_id = $1", key_id, bob.user_id)
        found = await run_sql(database, "SELECT user_id, leased, excess FROM budgets")
        assert {row["user_id"]: (row["leased"], row["excess"]) for row in found} == {
            ada.user_id: (0, 0), bob.user_id: (30, 20),
        }  # fmt: skip
        await run_sql(database, "UPDATE budgets SET leased = 0, excess = 0")
        await run_sql(database, "UPDATE keys SET leased = 0")


async def test_both_secrets_work_in_the_grace_and_one_after_it(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(database, tmp_path / "a") as here, serving(database, tmp_path / "b") as there:
        await here.model()
        await here.channel()
        holder = await here.holder()
        async with signed_in(here.app, database) as ada:
            await run_sql(
                database, "INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, 'owner')",
                holder.account_id, ada.user_id,
            )  # fmt: skip
            ada.client.headers["x-account-id"] = str(holder.account_id)
            address = f"{KEYS}/{holder.key_id}"

            async def status(live: Any, secret: str) -> int:
                body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
                async with httpx.AsyncClient(base_url=live.url) as http:
                    bearer = {"authorization": f"Bearer {secret}"}
                    return (await http.post("/v1/chat/completions", json=body, headers=bearer)).status_code

            rotated = await ada.client.post(f"{address}/rotate", json={"grace_seconds": 3600})
            assert rotated.status_code == 200, rotated.text
            new = rotated.json()["key"]
            assert rotated.json()["previous_secret_until"] is not None
            for live in (here, there):
                assert [await status(live, new), await status(live, holder.key)] == [200, 200]
            ended = await ada.client.delete(f"{address}/previous-secret")
            assert ended.json()["previous_secret_until"] is None
            for live in (here, there):
                await live.in_force()
                assert [await status(live, new), await status(live, holder.key)] == [200, 401]
            again = await ada.client.post(f"{address}/rotate", json={"grace_seconds": 3600})
            third = again.json()["key"]
            assert await status(there, new) == 200
            later = now() + timedelta(seconds=3601)
            monkeypatch.setattr(pipeline, "now", lambda: later)  # nobody is told: each process knows when it ends
            assert [await status(there, new), await status(there, third)] == [401, 200]


async def test_a_playground_key_lives_for_an_hour_in_no_list(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = await ada.client.post(f"{KEYS}/ephemeral", json={"model": "demo-small", "spend_limit": 70})
        key = made.json()
        assert made.status_code == 201, made.text
        assert (key["spend_limit"], key["models"]) == (70, ["demo-small"])
        assert (await ada.client.get(KEYS)).json()["items"] == []
        lifetime = await run_sql(database, "SELECT expires_at - created_at AS span, kind FROM keys")
        assert (lifetime[0]["span"].total_seconds(), lifetime[0]["kind"]) == (3600, "ephemeral")
        assert (await found(database, key["key"])).is_limited
        empty = (await ada.client.post(f"{KEYS}/ephemeral", json={})).json()
        assert empty["spend_limit"] == 0, "what the balance is"
        await run_sql(database, "UPDATE keys SET expires_at = now() WHERE key_id = $1", UUID(key["id"]))
        opened = await Database.open(database, size_max=1)
        async with opened.connection() as connection:
            await forget_ephemeral_keys(connection)
        await opened.close()
        assert (await ada.client.get(f"{KEYS}/{key['id']}")).status_code == 404


async def test_a_playground_key_stays_as_it_was_made_until_it_is_deleted(app: Any, database: str) -> None:
    """In no list, it must not outlive its hour, lose its limit or become another secret."""
    async with signed_in(app, database) as ada:
        at = f"{KEYS}/{(await ada.client.post(f'{KEYS}/ephemeral', json={})).json()['id']}"
        for change in ({"expires_at": None}, {"spend_limit": None}, {"status": "disabled"}):
            assert (await ada.client.patch(at, json=change)).status_code == 404
        assert (await ada.client.post(f"{at}/rotate", json={})).status_code == 404
        assert (await ada.client.post(f"{at}/hand-over", json={"user_id": str(ada.user_id)})).status_code == 404
        assert (await ada.client.get(at)).json()["spend_limit"] == 0
        assert (await ada.client.delete(at)).status_code == 204
        assert (await ada.client.get(at)).status_code == 404


async def test_nobody_has_more_playground_keys_than_one_can_have(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        asked = (ada.client.post(f"{KEYS}/ephemeral", json={}) for _ in range(EPHEMERAL_KEYS_MAX + 5))
        answers = await asyncio.gather(*asked)
        assert sorted(answer.status_code for answer in answers) == [201] * EPHEMERAL_KEYS_MAX + [409] * 5
        refused = next(answer for answer in answers if answer.status_code == 409).json()
        assert (refused["code"], refused["limit"]) == ("too_many_ephemeral_keys", EPHEMERAL_KEYS_MAX)


async def test_the_accounts_time_zone_says_when_a_day_begins(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        await ada.client.post(KEYS, json={"name": "k", "budgets": [{"period": "day", "limit": 5}]})
        address = f"/api/v1/accounts/{ada.account_id}/time-zone"
        assert (await ada.client.get(address)).json() == {"time_zone": "UTC"}
        wrong = await ada.client.put(address, json={"time_zone": "Mars/Olympus"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "time_zone")
        assert (await ada.client.put(address, json={"time_zone": "Asia/Kolkata"})).status_code == 200
        resets = (await ada.client.get(KEYS)).json()["items"][0]["budgets"][0]["resets_at"]
        assert resets.endswith("T18:30:00Z")


async def test_usage_says_that_a_playground_key_made_it(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        await grant(database, ada.account_id, 10**13)
        card = await priced_model(database)
        made = (await ada.client.post(f"{KEYS}/ephemeral", json={})).json()
        usual = (await ada.client.post(KEYS, json={"name": "k"})).json()
        for key in (usual, made):
            await spend(database, UUID(key["id"]), card)
        items = (await ada.client.get("/api/v1/usage")).json()["items"]
        assert {item["key_id"]: item["key_kind"] for item in items} == {
            made["id"]: "ephemeral",
            usual["id"]: "standard",
        }

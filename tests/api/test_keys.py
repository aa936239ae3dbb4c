"""API keys: made once, shown once, limited, changed, taken away; and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from airouter.domain.rate_limit import RateLimits
from airouter.services.keys import hash_secret
from airouter.services.recall import with_recall
from airouter.storage import keys as rows
from airouter.storage.changes import RECALL
from airouter.storage.database import Database
from tests.builders import run_sql, signed_in
from tests.patience import PATIENCE_SECONDS

KEYS = "/api/v1/keys"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", KEYS),
        ("POST", KEYS),
        ("GET", f"{KEYS}/018f0000-0000-7000-8000-000000000000"),
        ("PATCH", f"{KEYS}/018f0000-0000-7000-8000-000000000000"),
        ("DELETE", f"{KEYS}/018f0000-0000-7000-8000-000000000000"),
        ("POST", f"{KEYS}/018f0000-0000-7000-8000-000000000000/rotate"),
    ],
)
async def test_a_stranger_has_no_keys(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, json={"name": "x"} if method in {"POST", "PATCH"} else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_keys_secret_is_shown_once_and_kept_as_a_hash(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = await ada.client.post(KEYS, json={"name": "laptop", "spend_limit": 1000})
        assert made.status_code == 201
        key = made.json()
        assert key["key"].startswith("sk-air-")
        assert len(key["key"]) == 47
        assert key["key"].startswith(key["prefix"])
        assert (key["spent"], key["remaining"], key["status"], key["last_used_at"]) == (0, 1000, "active", None)
        listed = (await ada.client.get(KEYS)).json()
        assert listed["next_cursor"] is None
        assert [item["id"] for item in listed["items"]] == [key["id"]]
        assert "key" not in listed["items"][0]
    stored = await run_sql(database, "SELECT secret_hash, keys::text AS everything FROM keys")
    assert stored[0]["secret_hash"] == hash_secret(key["key"])
    assert key["key"] not in stored[0]["everything"]


async def test_nobody_reaches_another_accounts_key(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database, role="owner") as eve:
        key_id = (await ada.client.post(KEYS, json={"name": "laptop"})).json()["id"]
        address = f"{KEYS}/{key_id}"
        assert (await eve.client.get(address)).status_code == 404
        assert (await eve.client.patch(address, json={"name": "mine"})).status_code == 404
        assert (await eve.client.delete(address)).status_code == 404
        assert (await eve.client.post(f"{address}/rotate", json={})).status_code == 404
        assert (await eve.client.get(KEYS)).json()["items"] == []
        foreign = await eve.client.get(KEYS, headers={"x-account-id": str(ada.account_id)})
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")


async def test_the_doors_find_a_caller_by_its_secret_in_one_look(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as ada:
        body = {
            "name": "k", "models": ["a", "b", "a"], "allowed_ips": ["203.0.113.7", "2001:db8::1/64"],
            "rate_limits": {"requests_per_minute": 5, "concurrency": 2}, "spend_limit": 7,
        }  # fmt: skip
        key = (await ada.client.post(KEYS, json=body)).json()
        assert key["allowed_ips"] == ["203.0.113.7/32", "2001:db8::/64"]
        opened = await Database.open(database)
        try:
            async with opened.connection() as connection:
                caller = await rows.find_caller(connection, hash_secret(key["key"]))
                await ada.client.delete(f"{KEYS}/{key['id']}")
                gone = await rows.find_caller(connection, hash_secret(key["key"]))
        finally:
            await opened.close()
    assert caller is not None
    assert caller.key_id == UUID(key["id"])
    assert caller.account_id == ada.account_id
    assert caller.models == frozenset({"a", "b"})
    assert caller.is_limited
    assert caller.is_operator
    assert caller.rate_limits == RateLimits(requests_per_minute=5, concurrency=2)
    assert caller.networks is not None
    assert gone is None


async def test_a_limit_that_does_not_exist_is_refused(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        answer = await ada.client.post(KEYS, json={"name": "k", "rate_limits": {"requests_per_day": 5}})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "k", "spend_limit": -1}, "spend_limit"),
        ({"name": "k", "spend_limit": "5"}, "spend_limit"),
        ({"name": "k", "spend_limit": 2**53}, "spend_limit"),
        ({"name": "k", "unknown": 1}, "unknown"),
        ({"name": "k", "allowed_ips": ["10.0.0.999"]}, "allowed_ips[0]"),
        ({"name": "k", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "k", "expires_at": "2040-01-01T00:00:00"}, "expires_at"),
        ({"name": "k", "rate_limits": {"concurrency": 0}}, "rate_limits.concurrency"),
    ],
)
async def test_what_cannot_be_meant_is_named(app: Any, database: str, body: dict[str, Any], field: str) -> None:
    async with signed_in(app, database) as ada:
        answer = await ada.client.post(KEYS, json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["field"] == field
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_group_has_to_be_usable_by_the_account(app: Any, database: str) -> None:
    await run_sql(
        database,
        "INSERT INTO groups (name, multiplier_micros, usable_by) VALUES ('vip', 1, '{}'), ('fast', 1, '{default}')",
    )
    async with signed_in(app, database) as ada:
        for group, status in (("vip", 403), ("nothing", 403), ("fast", 201), ("default", 201)):
            answer = await ada.client.post(KEYS, json={"name": "k", "group": group})
            assert answer.status_code == status, group
            if status == 403:
                assert answer.json()["code"] == "group_not_allowed"
        changed = await ada.client.patch(f"{KEYS}/{answer.json()['id']}", json={"group": "vip"})
        assert changed.status_code == 403


async def test_a_key_is_changed_field_by_field(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        body = {"name": "k", "spend_limit": 10, "models": ["a"], "rate_limits": {"concurrency": 3}}
        key = (await ada.client.post(KEYS, json=body)).json()
        address = f"{KEYS}/{key['id']}"
        changed = (await ada.client.patch(address, json={"status": "disabled"})).json()
        assert changed == {**{k: v for k, v in key.items() if k != "key"}, "status": "disabled"}
        free = (await ada.client.patch(address, json={"spend_limit": None, "models": None, "rate_limits": None})).json()
        assert (free["spend_limit"], free["remaining"], free["models"]) == (None, None, None)
        assert free["rate_limits"] == {
            "requests_per_minute": None, "tokens_per_minute": None, "concurrency": None,
        }  # fmt: skip


@asynccontextmanager
async def recalls(dsn: str) -> AsyncIterator[asyncio.Event]:
    """Is set when somebody asks for quota back that calls hold."""
    is_recalled = asyncio.Event()
    connection = await asyncpg.connect(dsn)
    try:
        await connection.add_listener(RECALL, lambda *_: is_recalled.set())
        yield is_recalled
    finally:
        await connection.close()


@pytest.mark.books_spoiled
async def test_a_limit_is_not_lowered_below_what_is_spent_and_held(
    app: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signed_in(app, database) as ada, recalls(database) as is_recalled:
        address = f"{KEYS}/{(await ada.client.post(KEYS, json={'name': 'k', 'spend_limit': 100})).json()['id']}"
        await run_sql(database, "UPDATE keys SET spent = 30, leased = 40")
        below = await ada.client.patch(address, json={"spend_limit": 29})
        assert (below.status_code, below.json()["field"]) == (422, "spend_limit")
        monkeypatch.setitem(with_recall.__kwdefaults__, "wait_seconds", 0)
        held = await ada.client.patch(address, json={"spend_limit": 60})
        assert (held.status_code, held.json()["code"]) == (409, "quota_in_use")
        assert int(held.headers["retry-after"]) > 0
        monkeypatch.setitem(with_recall.__kwdefaults__, "wait_seconds", PATIENCE_SECONDS)
        is_recalled.clear()
        waiting = asyncio.create_task(ada.client.patch(address, json={"spend_limit": 60}))
        await is_recalled.wait()
        await run_sql(database, "UPDATE keys SET leased = 0")
        assert (await waiting).json()["remaining"] == 30


async def test_a_rotated_key_has_a_new_secret_at_once(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        key = (await ada.client.post(KEYS, json={"name": "k"})).json()
        answer = await ada.client.post(f"{KEYS}/{key['id']}/rotate")
        assert answer.status_code == 200, answer.text
        new = answer.json()
        assert new["id"] == key["id"]
        assert new["key"] != key["key"]
    stored = await run_sql(database, "SELECT secret_hash FROM keys")
    assert [row["secret_hash"] for row in stored] == [hash_secret(new["key"])]


async def test_pages_follow_each_other_without_gaps(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = [(await ada.client.post(KEYS, json={"name": f"k{n}"})).json()["id"] for n in range(5)]
        seen, cursor = [], None
        while True:
            page = (await ada.client.get(KEYS, params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == made[::-1]
        for wrong in ({"limit": 0}, {"limit": 201}, {"limit": -1}, {"limit": "x"}, {"cursor": "nonsense"}):
            answer = await ada.client.get(KEYS, params=wrong)
            assert (answer.status_code, answer.json()["field"]) == (422, next(iter(wrong)))


async def test_fallback_models_keep_their_order_and_lie_within_the_keys_models(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        made = await ada.client.post(KEYS, json={"name": "k", "fallback_models": ["zeta", "alpha", "zeta"]})
        assert made.json()["fallback_models"] == ["zeta", "alpha"]
        address = f"{KEYS}/{made.json()['id']}"
        narrowed = await ada.client.patch(address, json={"models": ["alpha"]})
        assert (narrowed.status_code, narrowed.json()["field"]) == (422, "fallback_models[0]")
        for bad in ([], [""], ["m"] * 6):
            assert (await ada.client.patch(address, json={"fallback_models": bad})).status_code == 422
        assert (await ada.client.patch(address, json={"name": "same"})).json()["fallback_models"] == ["zeta", "alpha"]
        assert (await ada.client.patch(address, json={"fallback_models": None})).json()["fallback_models"] is None

"""Whoever changed something can use it with the next request."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.builders import PASSWORD, person
from tests.live import Live, serving


@pytest.fixture
async def live(database: str, tmp_path: Path) -> AsyncIterator[Live]:
    async with serving(database, tmp_path) as served:
        yield served


async def test_a_model_is_called_right_after_it_was_set_up_and_a_key_refused_right_after_it_was_disabled(live: Live):
    email, _ = await person(live.dsn, role="owner")
    holder = await live.holder()
    caller = {"authorization": f"Bearer {holder.key}"}
    body = {"model": "fresh", "messages": [{"role": "user", "content": "hello"}]}
    async with httpx.AsyncClient(base_url=live.url) as client:
        signed = await client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
        client.headers["authorization"] = f"Bearer {signed.json()['access_token']}"
        for price in (1, 2, 3):
            await client.post("/api/v1/admin/models", json={"model": "fresh"})
            card = {"model": "fresh", "rates": {"request": price}}
            assert (await client.post("/api/v1/admin/rate-cards", json=card)).status_code == 201
            channel = {"name": "scripted", "provider": "scripted", "models": ["fresh"]}
            await client.post("/api/v1/admin/channels", json=channel)
            answer = await client.post("/v1/chat/completions", headers=caller, json=body)
            assert answer.status_code == 200, answer.text
            assert (await live.record(answer.headers["x-request-id"]))["cost"] == price
        account = f"/api/v1/admin/accounts/{holder.account_id}"
        for status, code in (("paused", 403), ("active", 200), ("paused", 403)):
            assert (await client.patch(account, json={"status": status})).status_code == 200
            answer = await client.post("/v1/chat/completions", headers=caller, json=body)
            assert answer.status_code == code

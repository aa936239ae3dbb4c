"""Whoever ends a session keeps out what came with it a moment before: it adds no way in, and changes none."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pyotp
import pytest

from tests.api.conftest import CONSOLE
from tests.api.test_factors import CONFIRM, RENEW, TOTP, enrol
from tests.api.test_passkeys import MINE
from tests.authenticator import Authenticator
from tests.builders import PASSWORD, Signed, run_sql, signed_in
from tests.patience import until

Step = Callable[[], Awaitable[httpx.Response]]
LEFT = """SELECT (SELECT count(*) FROM passkeys), (SELECT count(*) FROM totp_factors WHERE confirmed_at IS NOT NULL),
  (SELECT array_agg(code_hash ORDER BY code_hash) FROM recovery_codes), (SELECT count(*) FROM mailed_links),
  (SELECT count(*) FROM management_tokens), (SELECT count(*) FROM mails), (SELECT array_agg(password_hash) FROM users)
"""
WAITING = """SELECT FROM pg_stat_activity
WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock'"""


async def a_passkey(ada: Signed) -> Step:
    options = (await ada.client.post(f"{MINE}/options")).json()["public_key"]
    credential = Authenticator(CONSOLE, "console.example.com").make(options)
    return lambda: ada.client.post(MINE, json={"name": "Laptop", "credential": credential})


async def an_app(ada: Signed) -> Step:
    secret = (await ada.client.post(TOTP)).json()["secret"]
    return lambda: ada.client.post(CONFIRM, json={"code": pyotp.TOTP(secret).now()})


async def recovery_codes(ada: Signed) -> Step:
    await enrol(ada)
    return lambda: ada.client.post(RENEW)


async def a_token(ada: Signed) -> Step:
    return lambda: ada.client.post("/api/v1/tokens", json={"name": "t", "scopes": ["usage.read"]})


async def a_password(ada: Signed) -> Step:
    change = {"current_password": PASSWORD, "new_password": "seven purple trams at noon"}
    return lambda: ada.client.post("/api/v1/me/password", json=change)


async def an_address(ada: Signed) -> Step:
    return lambda: ada.client.post("/api/v1/me/email", json={"email": "elsewhere@example.com"})


@pytest.mark.parametrize("way", [a_passkey, an_app, recovery_codes, a_token, a_password, an_address])
async def test_a_session_that_ends_while_a_request_runs_adds_no_way_in(
    named: Any, database: str, way: Callable[[Signed], Awaitable[Step]]
) -> None:
    async with signed_in(named, database) as ada:
        step = await way(ada)
        before = await run_sql(database, LEFT)
        blocker = await asyncpg.connect(database)
        try:
            async with blocker.transaction():
                await blocker.execute("SELECT FROM users WHERE user_id = $1 FOR UPDATE", ada.user_id)
                late = asyncio.create_task(step())
                await until(lambda: _waits(database))  # it has been recognised, and is about to be carried out
                await run_sql(database, "UPDATE sessions SET revoked_at = now() WHERE user_id = $1", ada.user_id)
            answer = await late
        finally:
            await blocker.close()
        assert (answer.status_code, answer.json()["code"]) == (401, "session_expired"), answer.text
    assert await run_sql(database, LEFT) == before


async def _waits(database: str) -> bool:
    return bool(await run_sql(database, WAITING))

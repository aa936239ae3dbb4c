"""Whoever ends a session or a role keeps out what came with it a moment before: it adds no way in, and changes none."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pyotp
import pytest

from tests.api.conftest import CONSOLE, client_of
from tests.api.test_factors import CONFIRM, MFA, RENEW, TOTP, enrol, first_step
from tests.api.test_lock_order import WAITING
from tests.api.test_passkeys import MINE
from tests.authenticator import Authenticator
from tests.builders import PASSWORD, Signed, run_sql, signed_in
from tests.patience import until

Step = Callable[[], Awaitable[httpx.Response]]
LEFT = """SELECT (SELECT count(*) FROM passkeys), (SELECT count(*) FROM totp_factors WHERE confirmed_at IS NOT NULL),
  (SELECT array_agg(code_hash ORDER BY code_hash) FROM recovery_codes), (SELECT count(*) FROM mailed_links),
  (SELECT count(*) FROM management_tokens), (SELECT count(*) FROM mails), (SELECT array_agg(password_hash) FROM users)
"""


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


async def link(who: Signed, whom: Signed) -> httpx.Response:
    return await who.client.post(f"/api/v1/admin/users/{whom.user_id}/password-link")


async def appointment(who: Signed, whom: Signed) -> httpx.Response:
    return await who.client.patch(f"/api/v1/admin/users/{whom.user_id}", json={"role": "owner"})


async def withdrawal(who: Signed, whom: Signed) -> httpx.Response:
    return await who.client.delete(f"/api/v1/admin/users/{whom.user_id}/second-factor")


@pytest.mark.parametrize(("act", "waits_for"), [(link, "friend"), (withdrawal, "friend"), (appointment, "themselves")])
async def test_who_is_dismissed_while_a_request_runs_lets_nobody_in_and_appoints_nobody(
    named: Any, database: str, act: Callable[[Signed, Signed], Awaitable[httpx.Response]], waits_for: str
) -> None:
    async with (
        signed_in(named, database, role="owner"),
        signed_in(named, database, role="owner") as quick,
        signed_in(named, database) as friend,
    ):
        blocker = await asyncpg.connect(database)
        try:
            async with blocker.transaction():
                held = friend if waits_for == "friend" else quick
                await blocker.execute("SELECT FROM users WHERE user_id = $1 FOR UPDATE", held.user_id)
                late = asyncio.create_task(act(quick, friend))
                await until(lambda: _waits(database))
                await blocker.execute("UPDATE users SET role = 'user' WHERE user_id = $1", quick.user_id)
            answer = await late
        finally:
            await blocker.close()
        assert (answer.status_code, answer.json()["code"]) == (403, "role_required"), answer.text
    assert not await run_sql(database, "SELECT FROM mailed_links")
    [row] = await run_sql(database, "SELECT role FROM users WHERE user_id = $1", friend.user_id)
    assert row["role"] == "user"


async def test_a_second_step_waits_for_a_password_that_is_being_changed_and_opens_nothing(
    named: Any, database: str
) -> None:
    async with signed_in(named, database) as ada, client_of(named) as browser:
        _, codes = await enrol(ada)
        begun = (await first_step(browser, ada))["mfa_token"]
        blocker = await asyncpg.connect(database)
        try:
            async with blocker.transaction():  # what a reset does
                await blocker.execute("SELECT FROM users WHERE user_id = $1 FOR NO KEY UPDATE", ada.user_id)
                step = {"mfa_token": begun, "method": "recovery_code", "code": codes[0]}
                late = asyncio.create_task(browser.post(MFA, json=step))
                await until(lambda: _waits_or_is_done(database, late))
                await blocker.execute("UPDATE users SET password_hash = 'another' WHERE user_id = $1", ada.user_id)
                await blocker.execute("UPDATE sessions SET revoked_at = now() WHERE user_id = $1", ada.user_id)
            answer = await late
        finally:
            await blocker.close()
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_expired"), answer.text
    assert not await run_sql(database, "SELECT FROM sessions WHERE revoked_at IS NULL")


async def _waits_or_is_done(database: str, task: asyncio.Task[httpx.Response]) -> bool:
    return task.done() or await _waits(database)


async def _waits(database: str) -> bool:
    return bool(await run_sql(database, WAITING))

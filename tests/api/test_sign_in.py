"""Signing in, staying signed in, and being thrown out."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from airouter.app import create_app
from airouter.services.passwords import Passwords
from tests.api.conftest import client_of, running
from tests.builders import PASSWORD, cookie_of, person, run_sql, signed_in
from tests.patience import until
from tests.settings import settings_for

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"


async def test_a_stranger_is_told_to_sign_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzaWQiOiJ4In0.", ""])
async def test_a_token_of_somebody_elses_making_is_refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_who_is_signed_in_is_told_who_they_are(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        body = (await ada.client.get("/api/v1/me")).json()
    assert body["user"] == {"id": str(ada.user_id), "email": ada.email, "role": "user", "locale": None}
    assert body["account"]["id"] == str(ada.account_id)
    assert body["account"]["group"] == "default"
    assert [a["team_role"] for a in body["accounts"]] == ["owner"]


async def test_a_wrong_password_and_an_unknown_address_say_the_same(client: httpx.AsyncClient, database: str) -> None:
    email, _ = await person(database)
    wrong = await client.post(LOGIN, json={"email": email, "password": "not the password"})
    unknown = await client.post(LOGIN, json={"email": "nobody@example.com", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["code"] == unknown.json()["code"] == "invalid_credentials"
    assert wrong.json()["detail"] == unknown.json()["detail"]


async def test_guessing_a_password_ends_after_ten_even_in_parallel(client: httpx.AsyncClient, database: str) -> None:
    email, _ = await person(database)
    guesses = [client.post(LOGIN, json={"email": email, "password": f"guess number {n}"}) for n in range(16)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*guesses))
    assert statuses == [401] * 10 + [429] * 6
    refused = await client.post(LOGIN, json={"email": email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= 900


async def test_a_success_gives_the_budget_back(client: httpx.AsyncClient, database: str) -> None:
    email, _ = await person(database)
    for _ in range(3):
        for _ in range(6):
            await client.post(LOGIN, json={"email": email, "password": "not the password"})
        assert (await client.post(LOGIN, json={"email": email, "password": PASSWORD})).status_code == 200


async def test_who_signs_in_twice_at_once_is_in_twice_also_when_that_renews_the_hash(
    client: httpx.AsyncClient, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, _ = await person(database)  # whose hash was made with other costs
    both, renew = asyncio.Barrier(2), Passwords.hash

    async def renewed(self: Passwords, password: str) -> str:
        await both.wait()
        return await renew(self, password)

    monkeypatch.setattr(Passwords, "hash", renewed)
    answers = await asyncio.gather(*(client.post(LOGIN, json={"email": email, "password": PASSWORD}) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]


async def test_one_address_may_fail_a_hundred_times_whatever_it_claims_to_be(app: Any) -> None:
    statuses = []
    async with client_of(app, address="192.0.2.66") as client:
        for start in range(0, 105, 15):
            guesses = [
                client.post(
                    LOGIN,
                    json={"email": f"nobody{n}@example.com", "password": "guess"},
                    headers={"x-forwarded-for": f"198.51.100.{n}"},
                )
                for n in range(start, start + 15)
            ]
            statuses += [answer.status_code for answer in await asyncio.gather(*guesses)]
    assert sorted(statuses) == [401] * 100 + [429] * 5


async def test_the_refresh_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient, database: str
) -> None:
    email, _ = await person(database)
    answer = await client.post(LOGIN, json={"email": email, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/api/v1/auth" in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert "refresh" not in answer.text


async def test_a_refresh_token_used_twice_at_once_gets_the_same_successor(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        first = await ada.client.post(REFRESH)
        successor = cookie_of(first)
        again = await _refresh_with(app, cookie_of(await _login(app, ada.email)))
        assert again.status_code == 200
        old = ada.client.cookies
        assert old
        both = await asyncio.gather(_refresh_with(app, successor), _refresh_with(app, successor))
        assert {answer.status_code for answer in both} == {200}
        assert len({cookie_of(answer) for answer in both}) == 1


async def test_a_refresh_token_used_again_later_ends_the_session(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        first = cookie_of(await _login(app, ada.email))
        second = await _refresh_with(app, first)
        await run_sql(database, "UPDATE sessions SET rotated_at = rotated_at - interval '21 seconds'")
        stolen = await _refresh_with(app, first)
        assert (stolen.status_code, stolen.json()["code"]) == (401, "session_expired")
        assert (await _refresh_with(app, cookie_of(second))).status_code == 401
        token = second.json()["access_token"]
        answer = await ada.client.get("/api/v1/me", headers={"authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")


async def test_refresh_and_sign_out_are_for_our_own_pages(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        for path in (REFRESH, "/api/v1/auth/logout"):
            for origin in ("https://evil.example", "null"):
                answer = await ada.client.post(path, headers={"origin": origin})
                assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
        ours = await ada.client.post(REFRESH, headers={"origin": "http://127.0.0.1:8080"})
        assert ours.status_code == 200


async def test_signing_out_ends_the_session_at_once(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        assert (await ada.client.post("/api/v1/auth/logout")).status_code == 204
        assert (await ada.client.get("/api/v1/me")).status_code == 401
        assert (await ada.client.post("/api/v1/auth/logout")).status_code == 204
        [act] = await run_sql(database, "SELECT user_id, address FROM audit_log WHERE action = 'session.ended'")
        assert (act["user_id"], act["address"]) == (ada.user_id, "198.51.100.7")


async def test_a_ban_and_a_lost_role_hold_in_another_process(app: Any, database: str) -> None:
    async with signed_in(app, database, role="operator") as ada:

        async def is_user() -> bool:
            return (await ada.client.get("/api/v1/me")).json()["user"]["role"] == "user"

        async def is_out() -> bool:
            return (await ada.client.get("/api/v1/me")).status_code == 401

        assert not await is_user()
        await _announced(database, "UPDATE users SET role = 'user'")
        await until(is_user)
        await _announced(database, "UPDATE users SET status = 'banned'")
        await until(is_out)


async def test_sign_up_is_closed_until_the_operator_opens_it(client: httpx.AsyncClient, database: str) -> None:
    body = {"email": "new@example.com", "password": PASSWORD}
    closed = await client.post("/api/v1/auth/register", json=body)
    assert (closed.status_code, closed.json()["code"]) == (403, "sign_up_closed")
    await run_sql(database, """INSERT INTO policies (topic, value) VALUES ('signup', '{"mode": "open"}')""")
    opened = await client.post("/api/v1/auth/register", json=body)
    assert opened.status_code == 201
    assert set(opened.json()) == {"access_token", "token_type", "expires_in"}
    taken = await client.post("/api/v1/auth/register", json={**body, "email": "NEW@example.com"})
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    weak = await client.post("/api/v1/auth/register", json={"email": "b@example.com", "password": "short"})
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")


async def test_a_changed_password_ends_the_other_sessions(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        other = (await _login(app, ada.email)).json()["access_token"]
        change = {"current_password": PASSWORD, "new_password": "a new and longer password"}
        assert (await ada.client.post("/api/v1/me/password", json=change)).status_code == 204
        assert (await ada.client.get("/api/v1/me")).status_code == 200
        answer = await ada.client.get("/api/v1/me", headers={"authorization": f"Bearer {other}"})
        assert answer.status_code == 401


async def test_sessions_are_listed_and_ended_by_their_owner_only(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada, signed_in(app, database) as eve:
        items = (await ada.client.get("/api/v1/me/sessions")).json()["items"]
        assert [item["is_current"] for item in items] == [True]
        address = f"/api/v1/me/sessions/{items[0]['id']}"
        assert (await eve.client.delete(address)).status_code == 404
        assert (await ada.client.delete(address)).status_code == 204
        assert (await ada.client.get("/api/v1/me")).status_code == 401


async def test_a_session_ended_in_one_process_is_over_in_the_other(app: Any, database: str, tmp_path: Path) -> None:
    other = create_app(settings_for(database, tmp_path / "other"))
    async with running(other), signed_in(app, database) as ada, client_of(other) as elsewhere:
        elsewhere.headers["authorization"] = f"Bearer {ada.access_token}"
        assert (await elsewhere.get("/api/v1/me")).status_code == 200
        assert (await ada.client.post("/api/v1/auth/logout")).status_code == 204
        await until(lambda: _is_refused(elsewhere))
        answer = await elsewhere.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")


async def _is_refused(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/me")).status_code == 401


async def _login(app: Any, email: str) -> httpx.Response:
    async with client_of(app) as client:
        return await client.post(LOGIN, json={"email": email, "password": PASSWORD})


async def _refresh_with(app: Any, cookie: str) -> httpx.Response:
    async with client_of(app) as client:
        return await client.post(REFRESH, headers={"cookie": f"airouter_refresh={cookie}"})


async def _announced(database: str, change: str) -> None:
    """As another process would do it."""
    await run_sql(database, change)
    await run_sql(database, "UPDATE versions SET version = version + 1 WHERE name = 'sessions'")
    await run_sql(database, "SELECT pg_notify('airouter_changed', 'sessions')")

"""How the first operator gets in, and nobody else."""

from typing import Any

import httpx

from airouter.services.links import Links
from airouter.services.vault import Vault
from airouter.storage.database import Database
from tests.builders import PASSWORD, person, run_sql, signed_in
from tests.settings import SECRET

ACCEPT, SETUP = "/api/v1/auth/accept", "/api/v1/setup"


async def test_an_operator_link_works_once(client: httpx.AsyncClient, database: str) -> None:
    token = await _operator_link(database, "Root@Example.com")
    weak = await client.post(ACCEPT, json={"token": token, "password": "short"})
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    answer = await client.post(ACCEPT, json={"token": token, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    me = (await client.get("/api/v1/me", headers=headers)).json()
    assert (me["user"]["email"], me["user"]["role"]) == ("root@example.com", "operator")
    again = await client.post(ACCEPT, json={"token": token, "password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_token")


async def test_a_newer_link_replaces_the_older_and_both_end_after_a_day(
    client: httpx.AsyncClient, database: str
) -> None:
    older, newer = await _operator_link(database, "a@example.com"), await _operator_link(database, "a@example.com")
    assert (await client.post(ACCEPT, json={"token": older, "password": PASSWORD})).status_code == 401
    await run_sql(database, "UPDATE one_time_links SET expires_at = now() - interval '1 second'")
    assert (await client.post(ACCEPT, json={"token": newer, "password": PASSWORD})).status_code == 401


async def test_a_link_makes_an_operator_of_somebody_who_is_here_already(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        token = await _operator_link(database, ada.email)
        answer = await ada.client.post(ACCEPT, json={"token": token, "password": "another long password"})
        assert answer.status_code == 200
        assert (await ada.client.get("/api/v1/me")).status_code == 401
        headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
        me = (await ada.client.get("/api/v1/me", headers=headers)).json()
        assert (me["user"]["id"], me["user"]["role"]) == (str(ada.user_id), "operator")


async def test_set_up_is_not_there_without_the_token_and_only_once(client: httpx.AsyncClient, database: str) -> None:
    body = {"email": "first@example.com", "password": PASSWORD}
    for token in ("", "x" * 43):
        answer = await client.post(SETUP, json={"token": token, **body})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await client.get(SETUP)).status_code == 404
    assert (await client.post(SETUP)).status_code == 404
    token = await _setup_token(database)
    assert token is not None
    assert (await client.get(SETUP, params={"token": token})).json() == {"is_open": True}
    assert (await client.post(SETUP, json={"token": token, **body})).status_code == 200
    assert (await client.post(SETUP, json={"token": token, **body})).status_code == 404
    assert (await client.get(SETUP, params={"token": token})).status_code == 404
    assert await _setup_token(database) is None


async def test_a_set_up_token_is_worth_nothing_once_somebody_runs_the_place(
    client: httpx.AsyncClient, database: str
) -> None:
    token = await _setup_token(database)
    await person(database, role="operator")
    answer = await client.post(SETUP, json={"token": token, "email": "late@example.com", "password": PASSWORD})
    assert answer.status_code == 404


async def _operator_link(dsn: str, email: str) -> str:
    database = await Database.open(dsn)
    try:
        return await Links(database, Vault([SECRET])).operator_link(email)
    finally:
        await database.close()


async def _setup_token(dsn: str) -> str | None:
    database = await Database.open(dsn)
    try:
        return await Links(database, Vault([SECRET])).setup_token()
    finally:
        await database.close()

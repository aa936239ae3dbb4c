"""A new password by mail, and another address: for whoever reads the mail, and nobody else."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from airouter.services.passwords import Passwords
from tests.api.conftest import client_of
from tests.api.test_sign_up import letters, policy, token_in, verify
from tests.builders import PASSWORD, Signed, run_sql, signed_in

NEW = "seven purple trams at noon"


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


@pytest.fixture
async def ada(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database) as signed:
        yield signed


async def ask(client: httpx.AsyncClient, email: str) -> httpx.Response:
    return await client.post("/api/v1/auth/password-reset", json={"email": email})


async def confirm(client: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    return await client.post("/api/v1/auth/password-reset/confirm", json={"token": token, "password": password})


async def sign_in(client: httpx.AsyncClient, email: str, password: str) -> int:
    return (await client.post("/api/v1/auth/login", json={"email": email, "password": password})).status_code


async def test_whoever_asks_is_told_the_same_and_only_the_owner_of_an_address_has_mail(
    client: httpx.AsyncClient, owner: Signed, ada: Signed
) -> None:
    known, unknown = await ask(client, ada.email), await ask(client, "nobody@example.com")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, known.content)
    assert [letter for letter, _ in await letters(owner, ada.email)] == ["reset_password"]
    assert await letters(owner, "nobody@example.com") == []


async def test_a_reset_ends_every_session_and_is_told_by_mail(
    client: httpx.AsyncClient, owner: Signed, ada: Signed, database: str
) -> None:
    await ask(client, ada.email)
    ((_, text),) = await letters(owner, ada.email)
    token = token_in(text)
    assert (await confirm(client, token, "password123")).json()["code"] == "weak_password"
    answers = await asyncio.gather(*(confirm(client, token) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert (await ada.client.get("/api/v1/me")).status_code == 401
    assert await sign_in(client, ada.email, PASSWORD) == 401
    assert await sign_in(client, ada.email, NEW) == 200
    assert [letter for letter, _ in await letters(owner, ada.email)] == ["reset_password", "password_changed"]
    assert len(await run_sql(database, "SELECT 1 FROM audit_log WHERE action = 'user.password_reset'")) == 1


async def test_only_the_newest_link_of_a_person_works_and_not_for_long(
    client: httpx.AsyncClient, owner: Signed, ada: Signed, database: str
) -> None:
    await ask(client, ada.email)
    await ask(client, ada.email)
    first, second = [token_in(text) for _, text in await letters(owner, ada.email)]
    assert (await confirm(client, first)).status_code == 401
    await run_sql(database, "UPDATE mailed_links SET expires_at = now() - interval '1 second'")
    assert (await confirm(client, second)).status_code == 401
    assert await sign_in(client, ada.email, PASSWORD) == 200


async def test_a_new_password_ends_a_change_of_address_that_a_stranger_began(
    client: httpx.AsyncClient, owner: Signed, ada: Signed, database: str
) -> None:
    """Somebody in a stolen session asks for their own address; the owner of the account chooses a new password."""
    assert (await ada.client.post("/api/v1/me/email", json={"email": "thief@example.com"})).status_code == 202
    await ask(client, ada.email)
    reset = token_in((await letters(owner, ada.email))[-1][1])
    assert (await confirm(client, reset)).status_code == 200
    ((_, text),) = await letters(owner, "thief@example.com")
    assert (await verify(client, token_in(text))).status_code == 401
    assert await sign_in(client, ada.email, NEW) == 200
    acts = await run_sql(database, "SELECT action FROM audit_log WHERE subject = 'user' ORDER BY act_id")
    said = ["user.email_change_requested", "user.password_reset_requested", "user.password_reset"]
    assert [act["action"] for act in acts] == said


async def test_a_changed_password_ends_a_reset_that_is_on_its_way(
    client: httpx.AsyncClient, owner: Signed, ada: Signed
) -> None:
    await ask(client, ada.email)
    ((_, text),) = await letters(owner, ada.email)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert (await ada.client.post("/api/v1/me/password", json=body)).status_code == 204
    assert (await confirm(client, token_in(text), "eight yellow ferries at dusk")).status_code == 401
    assert await sign_in(client, ada.email, NEW) == 200


async def test_a_password_that_changes_while_the_old_one_is_checked_lets_nobody_in_and_stays(
    client: httpx.AsyncClient, ada: Signed, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking takes a while, and people wait for their turn: what it said may be over by then."""
    check, fresh = Passwords.verify, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(NEW)

    async def overtaken(self: Passwords, stored: str | None, password: str) -> bool:
        fits = await check(self, stored, password)
        await run_sql(database, "UPDATE users SET password_hash = $2 WHERE user_id = $1", ada.user_id, fresh)
        return fits

    old = await run_sql(database, "SELECT password_hash FROM users WHERE user_id = $1", ada.user_id)
    monkeypatch.setattr(Passwords, "verify", overtaken)
    assert await sign_in(client, ada.email, PASSWORD) == 401
    await run_sql(database, "UPDATE users SET password_hash = $2 WHERE user_id = $1", ada.user_id, old[0][0])
    body = {"current_password": PASSWORD, "new_password": "eight yellow ferries at dusk"}
    assert (await ada.client.post("/api/v1/me/password", json=body)).status_code == 422
    monkeypatch.setattr(Passwords, "verify", check)
    assert await sign_in(client, ada.email, NEW) == 200


async def test_a_banned_person_resets_nothing(
    client: httpx.AsyncClient, owner: Signed, ada: Signed, database: str
) -> None:
    await ask(client, ada.email)
    ((_, text),) = await letters(owner, ada.email)
    await run_sql(database, "UPDATE users SET status = 'banned' WHERE user_id = $1", ada.user_id)
    assert (await confirm(client, token_in(text))).status_code == 401
    await ask(client, ada.email)
    assert len(await letters(owner, ada.email)) == 1


async def test_asking_is_limited_for_one_address_and_for_one_network(app: Any, client: httpx.AsyncClient) -> None:
    codes = []
    for number in range(6):
        async with client_of(app, address=f"203.0.113.{number + 50}") as other:
            codes.append((await ask(other, "ada@example.com")).status_code)
    assert codes == [202] * 5 + [429]
    codes = [(await ask(client, f"p{number}@example.com")).status_code for number in range(21)]
    assert codes == [202] * 20 + [429]


async def test_no_token_lies_readable_in_the_database(
    client: httpx.AsyncClient, owner: Signed, ada: Signed, database: str
) -> None:
    await ask(client, ada.email)
    ((_, text),) = await letters(owner, ada.email)
    (row,) = await run_sql(database, "SELECT token_hash FROM mailed_links")
    assert token_in(text).encode() not in bytes(row["token_hash"])


async def test_another_address_holds_once_its_link_was_followed_and_the_old_one_is_told(
    client: httpx.AsyncClient, owner: Signed, ada: Signed
) -> None:
    assert (await client.post("/api/v1/me/email", json={"email": "new@example.com"})).status_code == 401
    asked = await ada.client.post("/api/v1/me/email", json={"email": "new@example.com"})
    assert asked.status_code == 202
    assert await sign_in(client, ada.email, PASSWORD) == 200
    ((letter, text),) = await letters(owner, "new@example.com")
    assert letter == "change_email"
    answer = await verify(client, token_in(text))
    assert (answer.status_code, answer.content) == (204, b"")
    assert await sign_in(client, ada.email, PASSWORD) == 401
    assert await sign_in(client, "new@example.com", PASSWORD) == 200
    assert (await ada.client.get("/api/v1/me")).json()["user"]["email"] == "new@example.com"
    assert [letter for letter, _ in await letters(owner, ada.email)] == ["email_changed"]
    assert (await verify(client, token_in(text))).status_code == 401


async def test_an_address_that_somebody_has_is_not_taken_and_not_told(
    client: httpx.AsyncClient, owner: Signed, ada: Signed, database: str
) -> None:
    asked = await ada.client.post("/api/v1/me/email", json={"email": owner.email})
    assert (asked.status_code, asked.json()) == (202, {"verification": "email"})
    assert [letter for letter, _ in await letters(owner, owner.email)] == ["sign_up_exists"]
    await ada.client.post("/api/v1/me/email", json={"email": "new@example.com"})
    ((_, text),) = await letters(owner, "new@example.com")
    await run_sql(
        database,
        "UPDATE users SET email = 'new@example.com', email_normal = 'new@example.com' WHERE user_id = $1",
        owner.user_id,
    )
    assert (await verify(client, token_in(text))).status_code == 401


async def test_nobody_moves_to_an_address_with_which_they_could_not_have_joined(
    client: httpx.AsyncClient, owner: Signed, ada: Signed
) -> None:
    await policy(owner, blocked_domains=["spam.example"])
    for email in ("ada@spam.example", "ada@mail.SPAM.example"):
        refused = await ada.client.post("/api/v1/me/email", json={"email": email})
        assert (refused.status_code, refused.json()["code"]) == (403, "email_domain_not_allowed")
        assert refused.json()["field"] == "email"
        assert await letters(owner, email) == []
    await policy(owner, allowed_domains=["corp.example"])
    refused = await ada.client.post("/api/v1/me/email", json={"email": "ada@new.example"})
    assert refused.json()["code"] == "email_domain_not_allowed"
    assert (await ada.client.post("/api/v1/me/email", json={"email": "ada@eu.corp.example"})).status_code == 202
    ((_, text),) = await letters(owner, "ada@eu.corp.example")
    assert (await verify(client, token_in(text))).status_code == 204


async def test_whoever_moves_is_held_to_the_domains_of_the_moment(
    client: httpx.AsyncClient, owner: Signed, ada: Signed
) -> None:
    await ada.client.post("/api/v1/me/email", json={"email": "ada@corp.example"})
    ((_, text),) = await letters(owner, "ada@corp.example")
    await policy(owner, blocked_domains=["corp.example"])
    refused = await verify(client, token_in(text))
    assert (refused.status_code, refused.json()["code"]) == (403, "email_domain_not_allowed")
    assert await sign_in(client, ada.email, PASSWORD) == 200
    await policy(owner)
    assert (await verify(client, token_in(text))).status_code == 204
    assert await sign_in(client, "ada@corp.example", PASSWORD) == 200

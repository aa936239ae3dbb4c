"""Joining: what strangers are told, what the operator's policy lets through, and what a mailed link is worth."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest

from airouter.services.sign_up_challenges import Puzzle, solve
from tests.api.conftest import client_of
from tests.builders import PASSWORD, Signed, cookie_of, run_sql, signed_in

EMAIL = "newcomer@example.com"


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


async def policy(owner: Signed, **fields: Any) -> httpx.Response:
    return await owner.client.put("/api/v1/admin/policies/signup", json={"mode": "open", **fields})


async def register(client: httpx.AsyncClient, email: str = EMAIL, **more: Any) -> httpx.Response:
    return await client.post("/api/v1/auth/register", json={"email": email, "password": PASSWORD, **more})


async def letters(owner: Signed, to: str = EMAIL) -> list[tuple[str, str]]:
    """(letter, text) of what was written to somebody, oldest first."""
    lines = (await owner.client.get("/api/v1/admin/mails")).json()["items"]
    found = []
    for line in reversed([line for line in lines if line["to"] == to]):
        text = (await owner.client.get(f"/api/v1/admin/mails/{line['id']}")).json()["text"]
        found.append((line["letter"], text))
    return found


def token_in(text: str) -> str:
    found = re.search(r"/(?:verify|reset)#(\S+)", text)
    assert found, text
    return found[1]


async def verify(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/v1/auth/verify", json={"token": token})


async def balance(client: httpx.AsyncClient, token: str) -> int:
    answer = await client.get("/api/v1/wallet", headers={"authorization": f"Bearer {token}"})
    return answer.json()["balance"]


async def test_a_stranger_may_not_see_mail_or_secrets_and_nobody_reads_a_secret_back(
    client: httpx.AsyncClient, app: Any, database: str, owner: Signed
) -> None:
    for path in ("/api/v1/admin/mails", "/api/v1/admin/secrets", "/api/v1/admin/policies/signup/history"):
        assert (await client.get(path)).status_code == 401
    async with signed_in(app, database) as somebody, signed_in(app, database, role="operator") as operator:
        assert (await somebody.client.get("/api/v1/admin/mails")).status_code == 403
        put = await operator.client.put("/api/v1/admin/secrets/turnstile", json={"secret": "s3cret-of-ours"})
        assert put.status_code == 403
    put = await owner.client.put("/api/v1/admin/secrets/turnstile", json={"secret": "s3cret-of-ours"})
    assert put.json()["is_set"] is True
    seen = await owner.client.get("/api/v1/admin/secrets")
    assert "s3cret-of-ours" not in seen.text + put.text
    (row,) = await run_sql(database, "SELECT ciphertext FROM instance_secrets")
    assert b"s3cret" not in bytes(row["ciphertext"])
    (act,) = await run_sql(database, "SELECT * FROM audit_log WHERE action = 'secret.set'")
    assert "s3cret" not in str(dict(act))


async def test_joining_is_refused_as_the_policy_says(client: httpx.AsyncClient, owner: Signed) -> None:
    assert (await register(client)).json()["code"] == "sign_up_closed"
    await policy(owner, mode="invitation")
    assert (await register(client)).json()["code"] == "invitation_required"
    await policy(owner, blocked_domains=["spam.example"])
    for email in ("a@spam.example", "a@mail.SPAM.example", "a@x.spam\u3002example"):
        assert (await register(client, email)).json()["code"] == "email_domain_not_allowed"
    await policy(owner, allowed_domains=["corp.example"])
    assert (await register(client, "a@notcorp.example")).status_code == 403
    assert (await register(client, "a@eu.corp.example")).status_code == 201


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"welcome_grant": 5}, "welcome_grant"),
        ({"allowed_domains": ["@x"]}, "allowed_domains[0]"),
        ({"challenge": "turnstile"}, "turnstile_site_key"),
        ({"group": "none-such"}, "group"),
    ],
)
async def test_a_policy_that_cannot_be_followed_is_refused_at_its_field(
    owner: Signed, fields: dict[str, Any], wrong: str
) -> None:
    answer = await policy(owner, **fields)
    assert answer.status_code == 422
    assert answer.json()["field"] == wrong


@pytest.mark.parametrize("password", ["password1234", "newcomer@example.com", "qwertyuiop123", "aaaaaaaaaaaaaaaa"])
async def test_a_password_that_is_guessed_soon_is_refused(
    client: httpx.AsyncClient, owner: Signed, password: str
) -> None:
    await policy(owner)
    answer = await register(client, password=password)
    assert answer.status_code == 422
    assert answer.json()["code"] == "weak_password"


async def test_an_address_is_verified_before_anybody_is_in(
    client: httpx.AsyncClient, owner: Signed, database: str
) -> None:
    assert (await policy(owner, verify_email=True, welcome_grant=7_000)).status_code == 200
    answer = await register(client, locale="zh-CN")
    assert (answer.status_code, answer.json()) == (202, {"verification": "email"})
    assert "set-cookie" not in answer.headers
    assert await run_sql(database, "SELECT 1 FROM users WHERE email = $1", EMAIL) == []
    refused = await client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
    wrong = await client.post("/api/v1/auth/login", json={"email": EMAIL, "password": "not " + PASSWORD})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    ((letter, text),) = await letters(owner)
    assert letter == "verify_email"
    assert "确认" in text
    joined = await verify(client, token_in(text))
    assert joined.status_code == 200
    assert cookie_of(joined)
    assert await balance(client, joined.json()["access_token"]) == 7_000
    assert (await verify(client, token_in(text))).status_code == 401
    (row,) = await run_sql(
        database, "SELECT email_verified_at IS NOT NULL AS is_verified FROM users WHERE email = $1", EMAIL
    )
    assert row["is_verified"]


async def test_an_address_that_somebody_has_gets_the_same_answer_and_its_owner_a_mail(
    client: httpx.AsyncClient, owner: Signed, database: str
) -> None:
    await policy(owner, verify_email=True)
    known, unknown = await register(client, owner.email), await register(client)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert [letter for letter, _ in await letters(owner, owner.email)] == ["sign_up_exists"]
    assert len(await run_sql(database, "SELECT 1 FROM registrations")) == 1


async def test_one_link_used_by_many_at_once_lets_one_in(
    client: httpx.AsyncClient, owner: Signed, database: str
) -> None:
    await policy(owner, verify_email=True, welcome_grant=7_000)
    await register(client)
    ((_, text),) = await letters(owner)
    answers = await asyncio.gather(*(verify(client, token_in(text)) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 7]
    assert len(await run_sql(database, "SELECT 1 FROM transfers WHERE reference LIKE 'welcome:%'")) == 1


async def test_one_address_registered_many_times_at_once_becomes_one_person(
    client: httpx.AsyncClient, owner: Signed, database: str
) -> None:
    await policy(owner, verify_email=True, welcome_grant=7_000)
    answers = await asyncio.gather(*(register(client) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    tokens = [token_in(text) for _, text in await letters(owner)]
    assert len(set(tokens)) == 5
    answers = await asyncio.gather(*(verify(client, token) for token in tokens))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 4]
    assert len(await run_sql(database, "SELECT 1 FROM users WHERE email = $1", EMAIL)) == 1
    assert await run_sql(database, "SELECT 1 FROM registrations") == []


async def test_one_mailbox_is_welcomed_once_under_all_its_names_and_after_the_person_is_gone(
    client: httpx.AsyncClient, owner: Signed
) -> None:
    await policy(owner, verify_email=True, welcome_grant=7_000)
    balances = []
    for email in ("first@gmail.com", "f.irst+shop@googlemail.com", "First+2@gmail.com", "second@gmail.com"):
        assert (await register(client, email)).status_code == 202
        ((_, text),) = await letters(owner, email)
        joined = await verify(client, token_in(text))
        balances.append(await balance(client, joined.json()["access_token"]))
    assert balances == [7_000, 0, 0, 7_000]


@pytest.mark.parametrize(
    ("now", "code"),
    [
        ({"mode": "closed"}, "sign_up_closed"),
        ({"mode": "invitation"}, "invitation_required"),
        ({"blocked_domains": ["example.com"]}, "email_domain_not_allowed"),
    ],
)
async def test_whoever_is_on_the_way_in_is_held_to_the_policy_of_the_moment(
    client: httpx.AsyncClient, owner: Signed, now: dict[str, Any], code: str
) -> None:
    await policy(owner, verify_email=True)
    await register(client)
    ((_, text),) = await letters(owner)
    await policy(owner, verify_email=True, **now)
    refused = await verify(client, token_in(text))
    assert (refused.status_code, refused.json()["code"]) == (403, code)
    await policy(owner, verify_email=True)
    assert (await verify(client, token_in(text))).status_code == 200


async def test_another_mail_replaces_the_link_and_is_sent_to_nobody_else(
    client: httpx.AsyncClient, owner: Signed
) -> None:
    await policy(owner, verify_email=True)
    await register(client)
    for email in (EMAIL, "nobody@example.com"):
        again = await client.post("/api/v1/auth/verification", json={"email": email})
        assert (again.status_code, again.json()) == (202, {"verification": "email"})
    first, second = [token_in(text) for _, text in await letters(owner)]
    assert await letters(owner, "nobody@example.com") == []
    assert (await verify(client, first)).status_code == 401
    assert (await verify(client, second)).status_code == 200


async def test_mail_to_one_address_is_limited_whoever_asks(app: Any, client: httpx.AsyncClient, owner: Signed) -> None:
    await policy(owner, verify_email=True)
    await register(client)
    codes = []
    for number in range(6):
        async with client_of(app, address=f"203.0.113.{number + 50}") as other:
            codes.append((await other.post("/api/v1/auth/verification", json={"email": EMAIL})).status_code)
    assert codes == [202] * 4 + [429] * 2


async def test_guessing_a_link_is_given_up(client: httpx.AsyncClient) -> None:
    codes = [(await verify(client, f"guess{number}")).status_code for number in range(22)]
    assert codes == [401] * 20 + [429] * 2


async def test_a_proof_of_work_lets_one_registration_through(client: httpx.AsyncClient, owner: Signed) -> None:
    assert (await client.post("/api/v1/auth/challenge", json={"purpose": "register"})).status_code == 404
    await policy(owner, challenge="proof_of_work", proof_of_work_bits=10)
    status = (await client.get("/api/v1/status")).json()
    assert status["registration"]["challenge"]["type"] == "proof_of_work"
    assert (await register(client)).json()["code"] == "challenge_required"
    told = (await client.post("/api/v1/auth/challenge", json={"purpose": "register"})).json()
    answer = solve(Puzzle(challenge=told["challenge"], bits=told["bits"], expires_in_seconds=1))
    assert hashlib.sha256(answer.encode()).digest()[0] == 0
    guesses = (f"{told['challenge']}:x{number}" for number in count())
    unsolved = next(guess for guess in guesses if hashlib.sha256(guess.encode()).digest()[0])
    end = "AA" if not told["challenge"].endswith("AA") else "BA"
    for wrong in (unsolved, "nonsense", f"{told['challenge'][:-2]}{end}:{answer.rpartition(':')[2]}"):
        assert (await register(client, challenge=wrong)).json()["code"] == "challenge_failed"
    answers = await asyncio.gather(*(register(client, f"p{n}@example.com", challenge=answer) for n in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 422, 422, 422]


async def test_what_a_policy_said_is_kept_and_can_be_restored(owner: Signed, client: httpx.AsyncClient) -> None:
    await policy(owner, blocked_domains=["spam.example"])
    await policy(owner)
    history = (await owner.client.get("/api/v1/admin/policies/signup/history")).json()["items"]
    assert [version["version"] for version in history] == [2, 1]
    assert history[0]["changed_by_email"] == owner.email
    restored = await owner.client.post("/api/v1/admin/policies/signup/restore", json={"version": 1})
    assert restored.status_code == 204
    assert (await register(client, "a@spam.example")).json()["code"] == "email_domain_not_allowed"
    missing = await owner.client.post("/api/v1/admin/policies/signup/restore", json={"version": 9})
    assert missing.status_code == 404

"""A Turnstile-compatible challenge, verified by a server of this test's own; and policies that promise mail."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from airouter.domain.errors import InvalidRequest
from airouter.domain.policy import SignUp
from airouter.services.policies import PolicyBook
from airouter.storage.database import Database
from tests.builders import PASSWORD, Signed, signed_in
from tests.listening import listening

SECRET = "the-secret-of-the-widget"


class Verifier:
    """Says yes to the answer `right`, once; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        form = parse_qs((await reader.readexactly(length)).decode())
        is_right = form["response"] == ["right"] and form not in self.asked
        self.asked.append(form)
        body = b'{"success": true, "hostname": "x"}' if is_right else b'{"success": false, "error-codes": ["x"]}'
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()


@pytest.fixture
async def verifier() -> AsyncIterator[Verifier]:
    answering = Verifier()
    async with listening(answering) as port:
        answering.url = f"http://127.0.0.1:{port}/siteverify"
        yield answering


@pytest.fixture
async def owner(app: Any, database: str) -> AsyncIterator[Signed]:
    async with signed_in(app, database, role="owner") as signed:
        yield signed


async def register(client: httpx.AsyncClient, email: str, challenge: str) -> tuple[int, str | None]:
    draft = {"email": email, "password": PASSWORD, "challenge": challenge}
    answer = await client.post("/api/v1/auth/register", json=draft)
    return answer.status_code, answer.json().get("code")


async def test_a_widget_is_verified_where_the_operator_says_and_its_secret_goes_nowhere_else(
    client: httpx.AsyncClient, owner: Signed, verifier: Verifier
) -> None:
    policy = {
        "mode": "open", "challenge": "turnstile", "turnstile_site_key": "site", "turnstile_verify_url": verifier.url,
        "turnstile_script_url": "https://widget.example/api.js",
    }  # fmt: skip
    path = "/api/v1/admin/policies/signup"
    assert (await owner.client.put(path, json=policy)).json()["field"] == "challenge"
    await owner.client.put("/api/v1/admin/secrets/turnstile", json={"secret": SECRET})
    elsewhere = await owner.client.put(path, json={**policy, "turnstile_script_url": "https://other.example/api.js"})
    assert (elsewhere.status_code, elsewhere.json()["field"]) == (422, "turnstile_script_url")
    assert "AIROUTER_CHALLENGE_ORIGIN to https://other.example" in elsewhere.json()["detail"]
    assert (await owner.client.put(path, json=policy)).status_code == 200
    status = (await client.get("/api/v1/status")).text
    assert '"site_key":"site"' in status
    assert SECRET not in status
    # Private addresses are closed to the house's own errands until policy `network` opens them.
    assert await register(client, "a@example.com", "right") == (503, "challenge_unavailable")
    assert verifier.asked == []
    await owner.client.put("/api/v1/admin/policies/network", json={"allow_private": True})
    assert await register(client, "a@example.com", "wrong") == (422, "challenge_failed")
    assert await register(client, "a@example.com", "right") == (201, None)
    assert await register(client, "b@example.com", "right") == (422, "challenge_failed")
    assert verifier.asked[0] == {"secret": [SECRET], "response": ["wrong"], "remoteip": ["203.0.113.9"]}


async def test_a_policy_that_promises_mail_is_refused_without_a_mail_server(database: str) -> None:
    opened = await Database.open(database)
    try:
        with pytest.raises(InvalidRequest, match="AIROUTER_MAIL_URL") as refused:
            await PolicyBook(opened).put(SignUp(mode="open", verify_email=True))
        assert refused.value.details["field"] == "verify_email"
        await PolicyBook(opened, has_mail=True).put(SignUp(mode="open", verify_email=True))
    finally:
        await opened.close()

"""Every answer carries its request id, and every refusal has the shape of its dialect."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from airouter.api.door_errors import dialect_of
from airouter.domain.errors import DatabaseUnavailable
from airouter.gateway.door import DOORS, NAMING_PREFIX, PLAIN, spellings
from tests.builders import PASSWORD, signed_in


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing"])
async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "not_found"
    assert body["status"] == 404
    assert body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/v1/nothing", {"message", "type", "param", "code"}),
        ("/v1beta/nothing", {"message", "code", "status"}),
        ("/v1/messages/nothing", {"message", "type"}),
    ],
)
async def test_an_unknown_door_answers_in_its_dialect(client: httpx.AsyncClient, path: str, members: set[str]) -> None:
    answer = await client.post(path, json={})
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == members
    assert answer.headers["x-request-id"]


def test_every_door_is_known_by_its_address():
    for door in PLAIN:
        for path in spellings(door.path):
            assert dialect_of(path) == door.dialect, path
    for door in DOORS:
        if door.dialect == "gemini":
            verb = door.path.removeprefix(NAMING_PREFIX)
            assert {dialect_of(f"{prefix}/models/{verb}") for prefix in ("", "/v1", "/v1beta")} == {"gemini"}


async def test_a_wrong_method_says_which_are_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/healthz")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "GET" in answer.headers["allow"]


async def test_health_and_readiness(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok", "reasons": {}}
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": {}})


async def test_a_clients_own_request_id_identifies_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"x-request-id": "mine"})
    assert answer.headers["x-request-id"] != "mine"
    assert len(answer.headers.get_list("x-request-id")) == 1


async def test_bodies_are_bounded_declared_and_json(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        large = await ada.client.post("/api/v1/keys", json={"name": "x" * (1024 * 1024)})
        assert (large.status_code, large.json()["code"]) == (413, "body_too_large")

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b" " * 65536

        endless = await ada.client.post(
            "/api/v1/keys", content=chunks(), headers={"content-type": "application/json", "idempotency-key": "k"}
        )
        assert (endless.status_code, endless.json()["code"]) == (413, "body_too_large")
        form = await ada.client.post("/api/v1/keys", data={"name": "k"})
        assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")
        for body in (b"{", b"\xff", b"[1]", b"null", b"7", b'{"name": NaN}', b""):
            broken = await ada.client.post(
                "/api/v1/keys", content=body, headers={"content-type": "application/json; charset=utf-8"}
            )
            assert (broken.status_code, broken.json()["code"]) == (422, "invalid_request"), body


async def test_an_error_of_ours_gives_nothing_away_but_the_request_id(
    app: Any, database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    async with signed_in(app, database) as ada:
        monkeypatch.setattr("airouter.services.keys.Keys.list", broken)
        answer = await ada.client.get("/api/v1/keys")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert any(getattr(record, "request_id", None) == answer.json()["request_id"] for record in caplog.records)


async def test_a_database_that_is_away_is_worth_waiting_for(
    app: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable

    async with signed_in(app, database) as ada:
        monkeypatch.setattr("airouter.services.keys.Keys.list", away)
        answer = await ada.client.get("/api/v1/keys")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_a_change_that_is_done_is_answered_as_done_though_the_database_is_away_by_then(
    app: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise ConnectionResetError

    async with signed_in(app, database) as ada:
        monkeypatch.setattr("airouter.storage.changes.echo", away)
        made = await ada.client.post("/api/v1/keys", json={"name": "k"})
        assert made.status_code == 201, "a client that was told 503 would make a second one"
        monkeypatch.undo()
        assert [key["id"] for key in (await ada.client.get("/api/v1/keys")).json()["items"]] == [made.json()["id"]]


async def test_the_console_of_our_origin_may_call_with_credentials_and_no_other_page(client: httpx.AsyncClient) -> None:
    ours, theirs = "http://127.0.0.1:8080", "https://evil.example"
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    yes = await client.options("/api/v1/keys", headers={"origin": ours, **asked})
    assert yes.status_code == 204
    assert yes.headers["access-control-allow-origin"] == ours
    assert yes.headers["access-control-allow-credentials"] == "true"
    assert yes.headers["access-control-allow-headers"] == "authorization,content-type"
    assert yes.headers["vary"] == "Origin"
    no = await client.options("/api/v1/keys", headers={"origin": theirs, **asked})
    assert "access-control-allow-origin" not in no.headers
    assert "access-control-allow-methods" not in no.headers
    refused = await client.get("/api/v1/me", headers={"origin": ours})
    assert refused.headers["access-control-allow-origin"] == ours
    door = await client.options("/v1/chat/completions", headers={"origin": theirs, **asked})
    assert door.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in door.headers
    lost = await client.get("/v1/nothing", headers={"origin": theirs})
    assert lost.headers["access-control-allow-origin"] == "*"


async def test_no_secret_reaches_a_log(app: Any, database: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with signed_in(app, database) as ada:
        key = (await ada.client.post("/api/v1/keys", json={"name": "k"})).json()["key"]
        await ada.client.post("/api/v1/redemptions", json={"code": "7B3K-9QXT-SECRET"})
        await ada.client.post("/api/v1/auth/login", json={"email": ada.email, "password": "wrong horse"})
        link = (await ada.client.post("/api/v1/usage/exports")).json()["url"]
        ours = [record for record in caplog.records if record.name.startswith("airouter")]
    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    for secret in (key, PASSWORD, "wrong horse", "7B3K", ada.access_token, link.partition("token=")[2]):
        assert secret not in told


async def test_an_id_that_is_none_is_not_found_and_a_slash_at_the_end_does_not_matter(app: Any, database: str) -> None:
    async with signed_in(app, database) as ada:
        for path in ("/api/v1/keys/xyz", "/api/v1/usage/xyz", "/api/v1/me/sessions/1"):
            answer = await ada.client.get(path) if "sessions" not in path else await ada.client.delete(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        assert (await ada.client.get("/api/v1/keys/")).status_code == 200
        wrong = await ada.client.get("/api/v1/me", headers={"x-account-id": "xyz"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "X-Account-Id")

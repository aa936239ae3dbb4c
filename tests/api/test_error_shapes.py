"""Every answer carries its request id, and every refusal has the shape of its dialect."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing"])
async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == "not_found"
    assert body["status"] == 404
    assert body["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1beta/nothing"])
async def test_an_unknown_door_answers_in_its_dialect(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, json={})
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["x-request-id"]


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

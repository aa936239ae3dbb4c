"""Channels: credentials go in and never come out; addresses and providers are checked."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import run_sql

CHANNELS = "/api/v1/admin/channels"
SECRET = "sk-very-secret-provider-key-1234"
DRAFT: dict[str, Any] = {
    "name": "main",
    "provider": "openai",
    "base_url": "https://api.openai.com/v1",
    "credentials": [SECRET],
    "models": ["gpt-4o"],
}


async def create(operator: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await operator.post(CHANNELS, json=DRAFT | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_channel_is_made_with_the_contracts_defaults(operator: httpx.AsyncClient) -> None:
    made = await create(operator)
    assert made["models"] == {"gpt-4o": "gpt-4o"}
    assert made["groups"] == ["default"]
    assert (made["priority"], made["weight"], made["enabled"]) == (0, 1, True)
    assert (await operator.get(f"{CHANNELS}/{made['id']}")).json() == made
    assert (await operator.get(CHANNELS)).json() == {"items": [made], "next_cursor": None}


async def test_models_may_be_mapped_to_the_upstreams_names(operator: httpx.AsyncClient) -> None:
    made = await create(operator, models={"openai/gpt-4o:mini": "deployment-7"})
    assert made["models"] == {"openai/gpt-4o:mini": "deployment-7"}


async def test_a_credential_never_comes_out_and_is_stored_encrypted(operator: httpx.AsyncClient, database: str) -> None:
    made = await create(operator)
    answers = [
        await operator.get(CHANNELS),
        await operator.get(f"{CHANNELS}/{made['id']}"),
        await operator.patch(f"{CHANNELS}/{made['id']}", json={"weight": 3}),
    ]
    assert all(SECRET not in answer.text for answer in answers)
    assert [one["hint"] for one in made["credentials"]] == ["1234"]
    stored = await run_sql(database, "SELECT c::text AS row FROM channel_credentials c")
    assert len(stored) == 1
    assert SECRET not in stored[0]["row"]
    assert SECRET.encode().hex() not in stored[0]["row"]


async def test_a_short_credential_shows_nothing_of_itself(operator: httpx.AsyncClient) -> None:
    made = await create(operator, credentials=["short"])
    assert [one["hint"] for one in made["credentials"]] == [""]


async def test_a_patch_changes_what_is_present_and_keeps_the_rest(operator: httpx.AsyncClient) -> None:
    made = await create(operator)
    answer = await operator.patch(f"{CHANNELS}/{made['id']}", json={"enabled": False, "groups": ["vip"]})
    assert answer.status_code == 200
    changed = answer.json()
    differing = {name for name in made if made[name] != changed[name]}
    assert differing == {"enabled", "groups", "health", "updated_at"}
    assert changed["health"]["state"] == "off"
    replaced = await operator.patch(f"{CHANNELS}/{made['id']}", json={"credentials": ["another-long-secret-9876"]})
    assert [one["hint"] for one in replaced.json()["credentials"]] == ["9876"]


async def test_what_cannot_be_a_channel_is_refused_by_field(
    operator: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    made = await create(operator, name="there")
    for change, field in [
        ({"name": None}, "name"),
        ({"priority": "1"}, "priority"),
        ({"weight": -1}, "weight"),
        ({"options": {"nonsense": True}}, "options.nonsense"),
        ({"options": {"on_disconnect": "ask"}}, "options.on_disconnect"),
        ({"options": {"test_model": "unserved"}}, "options.test_model"),
        ({"options": {"probe_minutes": 0}}, "options.probe_minutes"),
        ({"colour": "red"}, "colour"),
        ({"provider": "skynet"}, "provider"),
        ({"base_url": "https://user:pw@api.example.com/v1"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "https://api.example.com/v1?key=1"}, "base_url"),
        ({"base_url": "https://api.example.com:99999/v1"}, "base_url"),
        ({"base_url": "https:///v1"}, "base_url"),
        ({"base_url": "http://127.0.0.1:8000/v1"}, "base_url"),
        ({"base_url": "http://[::ffff:10.0.0.1]/v1"}, "base_url"),
        ({"base_url": "http://2130706433/v1"}, "base_url"),
        ({"base_url": "http://169.254.169.254/latest"}, "base_url"),
        ({"base_url": ""}, "base_url"),
    ]:
        with subtests.test(f"{change!r} {field!r}"):
            created = await operator.post(CHANNELS, json=DRAFT | change)
            assert (created.status_code, created.json().get("field")) == (422, field), created.text
            patched = await operator.patch(f"{CHANNELS}/{made['id']}", json=change)
            assert (patched.status_code, patched.json().get("field")) == (422, field), patched.text
            assert (await operator.get(f"{CHANNELS}/{made['id']}")).json() == made


async def test_an_unknown_provider_is_told_the_known_ones(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(CHANNELS, json=DRAFT | {"provider": "skynet"})
    assert "openai-compatible" in answer.json()["detail"]


async def test_a_private_address_is_allowed_by_policy_but_never_a_metadata_service(
    operator: httpx.AsyncClient,
) -> None:
    put = await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
    assert put.status_code == 200, put.text
    made = await create(operator, base_url="http://127.0.0.1:8000/v1/")
    assert made["base_url"] == "http://127.0.0.1:8000/v1"
    refused = await operator.post(CHANNELS, json=DRAFT | {"name": "b", "base_url": "http://169.254.169.254/"})
    assert refused.status_code == 422


async def test_a_scripted_channel_needs_neither_address_nor_credential(operator: httpx.AsyncClient) -> None:
    answer = await operator.post(CHANNELS, json={"name": "demo", "provider": "scripted", "models": ["demo"]})
    assert answer.status_code == 201, answer.text
    assert answer.json()["credentials"] == []


async def test_two_channels_of_one_name_are_a_conflict(operator: httpx.AsyncClient) -> None:
    await create(operator)
    other = await create(operator, name="other")
    for answer in (
        await operator.post(CHANNELS, json=DRAFT),
        await operator.patch(f"{CHANNELS}/{other['id']}", json={"name": "main"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


async def test_a_deleted_channel_is_gone_with_its_credentials(operator: httpx.AsyncClient, database: str) -> None:
    made = await create(operator)
    assert (await operator.delete(f"{CHANNELS}/{made['id']}")).status_code == 204
    assert (await operator.get(f"{CHANNELS}/{made['id']}")).status_code == 404
    assert await run_sql(database, "SELECT 1 FROM channel_credentials") == []


async def test_what_is_not_there_is_not_found(operator: httpx.AsyncClient) -> None:
    address = f"{CHANNELS}/{uuid4()}"
    answers = [
        await operator.get(address),
        await operator.patch(address, json={}),
        await operator.delete(address),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert (await operator.get(f"{CHANNELS}/not-an-id")).status_code == 404


async def test_lists_go_page_by_page_by_name(operator: httpx.AsyncClient) -> None:
    for name in ("b", "d", "a", "c", "e"):
        await create(operator, name=name)
    names, cursor = [], None
    for _ in range(3):
        page = (await operator.get(CHANNELS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        names += [one["name"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert names == ["a", "b", "c", "d", "e"]
    assert cursor is None


async def test_a_page_that_cannot_be_is_refused(operator: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for parameters in [{"limit": 0}, {"limit": -1}, {"limit": 201}, {"cursor": "AA"}, {"cursor": "é"}]:
        with subtests.test(f"{parameters!r}"):
            assert (await operator.get(CHANNELS, params=parameters)).status_code == 422


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
async def test_an_address_with_a_version_is_refused_where_the_vendor_takes_none(
    operator: httpx.AsyncClient, provider: str
) -> None:
    refused = await operator.post(
        CHANNELS, json=DRAFT | {"provider": provider, "base_url": "https://api.example.com/v1"}
    )
    assert refused.status_code == 422
    assert refused.json()["field"] == "base_url"
    await create(operator, provider=provider, base_url="https://api.example.com")

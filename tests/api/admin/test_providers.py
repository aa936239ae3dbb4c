"""What a form needs to know of vendors, and what a channel may say of its own ways."""

import json
from typing import Any

import httpx

from airouter.providers.vendors import VENDORS
from tests.builders import run_sql
from tests.providers.test_azure import APPLICATION
from tests.providers.test_vertex import key_file

CHANNELS = "/api/v1/admin/channels"
DRAFT: dict[str, Any] = {"name": "main", "provider": "openai", "base_url": "https://api.openai.com/v1", "models": ["m"]}
PROXY = "http://router:hush-hush@proxy.example.com:3128"


async def test_providers_are_listed_as_the_table_has_them(
    operator: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    answer = await operator.get("/api/v1/admin/providers")
    assert answer.status_code == 200, answer.text
    found = {one["name"]: one for one in answer.json()["items"]}
    assert set(found) == set(VENDORS)
    assert found["openai"]["base_url"] == "https://api.openai.com/v1"
    assert found["vertex"]["credential"] == "service_account"
    assert found["vllm"]["notes"]["en"] == VENDORS["vllm"].notes
    assert "地址" in found["vllm"]["notes"]["zh"]
    assert found["groq"]["credential_hint"] == {"en": "gsk_…", "zh": "gsk_…"}
    assert found["cerebras"]["notes"] == {"en": "", "zh": ""}
    assert [name for name, one in found.items() if not one["needs_address"]] == ["scripted"]
    labels = [one["label"].lower() for one in answer.json()["items"]]
    assert labels == sorted(labels)
    assert (await client.get("/api/v1/admin/providers")).status_code == 401


async def test_a_channel_is_made_with_what_the_form_fills_in_for_each_vendor(operator: httpx.AsyncClient) -> None:
    """The address that stands in the form or the example beside it, and a credential of the form that it asks for."""
    secrets = {
        "key": ["k"],
        "aws": ["AKIA1:s"],
        "azure": ["k"],
        "service_account": [key_file()],
        "optional": [],
        "none": [],
    }
    for one in (await operator.get("/api/v1/admin/providers")).json()["items"]:
        address = one["base_url"] or one["base_url_hint"]
        assert bool(address) == one["needs_address"], one["name"]
        draft = {
            "name": one["name"],
            "provider": one["name"],
            "models": ["m"],
            "credentials": secrets[one["credential"]],
        }
        answer = await operator.post(CHANNELS, json={**draft, **({"base_url": address} if address else {})})
        assert answer.status_code == 201, (one["name"], answer.text)
        assert (answer.json()["base_url"] or "") == address


async def test_proxy_is_kept_encrypted_and_shown_without_its_password(
    operator: httpx.AsyncClient, database: str
) -> None:
    made = (await operator.post(CHANNELS, json={**DRAFT, "proxy": PROXY})).json()
    address = f"{CHANNELS}/{made['id']}"
    changed = await operator.patch(address, json={"weight": 3})
    assert made["proxy"] == changed.json()["proxy"] == "http://proxy.example.com:3128"
    others = [await operator.get(address), await operator.get("/api/v1/admin/audit-log")]
    assert all("hush" not in answer.text for answer in (changed, *others))
    rows = await run_sql(database, "SELECT c::text AS row FROM channels c")
    assert "hush" not in rows[0]["row"]
    assert b"hush".hex() not in rows[0]["row"]
    assert (await operator.patch(address, json={"proxy": None})).json()["proxy"] is None


async def test_proxy_at_an_address_that_no_upstream_may_have_is_refused(operator: httpx.AsyncClient) -> None:
    for proxy in ("socks5://p.example.com:1080", "http://u:hush@10.0.0.1:3128", "http://u:hush@169.254.169.254", "x"):
        answer = await operator.post(CHANNELS, json={**DRAFT, "proxy": proxy})
        assert (answer.status_code, answer.json()["field"]) == (422, "proxy"), answer.text
        assert "hush" not in answer.text


async def test_rule_that_could_cost_more_than_is_held_is_never_stored(operator: httpx.AsyncClient) -> None:
    made = (await operator.post(CHANNELS, json=DRAFT)).json()
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"body": [{"action": "set", "path": "model", "value": "dearer"}]}, "options.body.0"),
        ({"headers": [{"action": "set", "name": "Authorization", "value": "x"}]}, "options.headers.0"),
    )
    for options, field in refused:
        answer = await operator.post(CHANNELS, json={**DRAFT, "name": "other", "options": options})
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
        assert (await operator.patch(f"{CHANNELS}/{made['id']}", json={"options": options})).status_code == 422


async def test_rules_and_time_outs_come_back_as_they_were_given(operator: httpx.AsyncClient) -> None:
    options = {
        "body": [{"action": "set", "path": "a.b", "value": None, "when": {"models": ["m"]}}],
        "headers": [{"action": "remove", "name": "x-a"}],
        "timeouts": {"total_seconds": 90, "connect_seconds": 2},
        "api_version": "2024-10-21",
    }
    made = await operator.post(CHANNELS, json={**DRAFT, "options": options})
    assert made.status_code == 201, made.text
    assert (await operator.get(f"{CHANNELS}/{made.json()['id']}")).json()["options"] == options


async def test_credential_of_a_service_account_is_checked_and_known_by_its_address(operator: httpx.AsyncClient) -> None:
    draft = {**DRAFT, "provider": "vertex", "base_url": "https://aiplatform.googleapis.com"}
    refused = await operator.post(CHANNELS, json={**draft, "credentials": ['{"type": "authorized_user"}']})
    assert (refused.status_code, refused.json()["field"]) == (422, "credentials")
    made = await operator.post(CHANNELS, json={**draft, "credentials": [key_file()]})
    assert made.status_code == 201, made.text
    assert made.json()["credentials"][0]["hint"] == "router@my-project.iam.gserviceaccount.com"
    deployment = "https://res.openai.azure.com/openai/deployments/gpt"
    wrong = await operator.post(CHANNELS, json={**DRAFT, "provider": "azure-openai", "base_url": deployment})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "base_url")
    azure = {**DRAFT, "name": "azure", "provider": "azure-openai", "credentials": [APPLICATION]}
    assert (await operator.post(CHANNELS, json=azure)).json()["credentials"][0]["hint"] == "c-1"


async def test_another_provider_has_to_accept_the_credentials_that_are_there(operator: httpx.AsyncClient) -> None:
    made = (await operator.post(CHANNELS, json=DRAFT)).json()
    address = f"{CHANNELS}/{made['id']}"
    vertex = {"provider": "vertex", "base_url": "https://aiplatform.googleapis.com"}
    there = {"type": "service_account", "client_email": "a@b.c"}  # no private key
    assert (await operator.patch(address, json={"credentials": [json.dumps(there)]})).status_code == 200
    refused = await operator.patch(address, json=vertex)
    assert (refused.status_code, refused.json()["field"]) == (422, "credentials"), refused.text
    assert (await operator.get(address)).json()["provider"] == DRAFT["provider"]
    both = await operator.patch(address, json={**vertex, "credentials": ["AIza-express-mode"]})
    assert (both.status_code, both.json()["provider"]) == (200, "vertex"), both.text

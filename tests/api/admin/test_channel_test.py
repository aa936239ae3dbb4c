"""A test call says in words whether a channel works, whatever the upstream does."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import run_sql
from tests.patience import until
from tests.ports import kept_port
from tests.upstream.server import Line, running

CHANNELS = "/api/v1/admin/channels"
SECRET = "sk-very-secret-provider-key-1234"


async def create(operator: httpx.AsyncClient, **body: Any) -> str:
    answer = await operator.post(CHANNELS, json={"name": "c", "credentials": [SECRET], "models": ["m"]} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_scripted_channel_works_even_when_disabled(operator: httpx.AsyncClient) -> None:
    channel = await create(operator, provider="scripted", models={"m": "upstream-m"}, enabled=False)
    answer = await operator.post(f"{CHANNELS}/{channel}/test")
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert (result["ok"], result["status"], result["error"]) == (True, 200, None)
    assert (result["model"], result["upstream_model"]) == ("m", "upstream-m")
    assert result["latency_ms"] >= 0


@pytest.fixture
async def private_allowed(operator: httpx.AsyncClient, database: str) -> None:
    """Policy `network` lets channels lie on this machine, and the process has heard of it."""
    answer = await operator.put("/api/v1/admin/policies/network", json={"allow_private": True})
    assert answer.status_code == 200


@pytest.mark.usefixtures("private_allowed")
async def test_a_refusal_is_told_in_the_providers_words_without_the_credential(
    operator: httpx.AsyncClient, database: str
) -> None:
    async def script(line: Line) -> None:
        refusal = f'{{"error": {{"message": "Wrong key {SECRET}."}}}}'.encode()
        await line.raw(b"HTTP/1.1 401 X\r\ncontent-length: %d\r\n\r\n%b" % (len(refusal), refusal))

    async with running(script) as upstream:
        channel = await create(operator, provider="openai-compatible", base_url=f"http://127.0.0.1:{upstream.port}/v1")
        result: dict[str, Any] = {}

        async def was_asked() -> bool:  # until the process has heard of the policy, its guard refuses the address
            result.update((await operator.post(f"{CHANNELS}/{channel}/test", json={})).json())
            return result["status"] is not None

        await until(was_asked)
    assert (result["ok"], result["status"]) == (False, 401)
    assert result["error"] == "The upstream answered with status 401: Wrong key …."
    assert upstream.received[0].headers["authorization"] == f"Bearer {SECRET}"
    assert await run_sql(database, "SELECT 1 FROM usage_records") == []


@pytest.mark.usefixtures("private_allowed")
async def test_an_upstream_that_is_not_there_is_a_result_not_an_error(operator: httpx.AsyncClient) -> None:
    with kept_port() as port:
        channel = await create(operator, provider="openai-compatible", base_url=f"http://127.0.0.1:{port}/v1")
        answer = await operator.post(f"{CHANNELS}/{channel}/test", json={"endpoint": "embeddings"})
    assert answer.status_code == 200
    assert (answer.json()["ok"], answer.json()["status"]) == (False, None)
    assert answer.json()["error"]


async def test_only_what_the_channel_serves_can_be_tried(operator: httpx.AsyncClient) -> None:
    channel = await create(operator, provider="scripted")
    answer = await operator.post(f"{CHANNELS}/{channel}/test", json={"model": "other"})
    assert (answer.status_code, answer.json()["field"]) == (422, "model")
    empty = await create(operator, name="empty", provider="scripted", models=[])
    assert (await operator.post(f"{CHANNELS}/{empty}/test", json={})).status_code == 422
    assert (await operator.post(f"{CHANNELS}/{uuid4()}/test", json={})).status_code == 404


@pytest.mark.usefixtures("private_allowed")
async def test_each_credential_is_tried_and_its_last_result_kept(operator: httpx.AsyncClient, database: str) -> None:
    async def script(line: Line) -> None:
        if line.received.headers["authorization"].endswith("bad-5678"):
            await line.raw(b"HTTP/1.1 403 X\r\ncontent-length: 2\r\n\r\nno")
        else:
            await line.json(b'{"choices": []}')

    async with running(script) as upstream:
        at = await create(
            operator,
            provider="openai-compatible",
            base_url=f"http://127.0.0.1:{upstream.port}/v1",
            credentials=[SECRET, "sk-another-key-bad-5678"],
            models=["a", "b"],
            options={"test_model": "b"},
        )
        result: dict[str, Any] = {}

        async def was_asked() -> bool:
            result.update((await operator.post(f"{CHANNELS}/{at}/test", json={"all": True})).json())
            return None not in [one["status"] for one in result["results"]]

        await until(was_asked)
    assert (result["ok"], result["model"], result["status"]) == (False, "b", 403)
    assert [(one["hint"], one["ok"], one["status"]) for one in result["results"]] == [
        ("1234", True, 200),
        ("5678", False, 403),
    ]
    shown = (await operator.get(f"{CHANNELS}/{at}")).json()
    kept = [one["last_test"] for one in shown["credentials"]]
    assert [(one["ok"], one["status"], one["model"]) for one in kept] == [(True, 200, "b"), (False, 403, "b")]
    assert kept[1]["error"] == "The upstream answered with status 403: no"
    assert shown["concerns"] == ["test_failed"]
    bad = shown["credentials"][1]["id"]
    await operator.patch(f"{CHANNELS}/{at}/credentials/{bad}", json={"enabled": False})
    alone = (await operator.post(f"{CHANNELS}/{at}/test", json={"credential_id": bad})).json()
    assert [one["credential_id"] for one in alone["results"]] == [bad]
    foreign = await operator.post(f"{CHANNELS}/{at}/test", json={"credential_id": str(uuid4())})
    assert (foreign.status_code, foreign.json()["field"]) == (422, "credential_id")


async def test_a_channel_is_tested_by_itself_as_often_as_its_operator_wants(
    app: Any, operator: httpx.AsyncClient, database: str
) -> None:
    regular = await create(operator, provider="scripted", credentials=[], options={"probe_minutes": 5})
    await create(operator, name="never", provider="scripted", credentials=[])
    await create(operator, name="off", provider="scripted", enabled=False, options={"probe_minutes": 5})

    async def tested() -> list[Any]:
        return await run_sql(database, "SELECT channel_id::text, is_ok, tested_at FROM channel_probes")

    await app._house.services().jobs.run("channel_probes")
    assert [(row["channel_id"], row["is_ok"]) for row in await tested()] == [(regular, True)]
    assert (await operator.get(f"{CHANNELS}/{regular}")).json()["last_test"]["ok"] is True
    for minutes, is_due in [(4, False), (5, True)]:
        moved = "UPDATE channel_probes SET tested_at = now() - $1 * interval '1 minute' RETURNING tested_at"
        before = (await run_sql(database, moved, minutes))[0]["tested_at"]
        await app._house.services().jobs.run("channel_probes")
        assert ((await tested())[0]["tested_at"] > before) is is_due
    assert await run_sql(database, "SELECT 1 FROM usage_records") == []

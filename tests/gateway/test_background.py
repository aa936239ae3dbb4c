"""Background responses: reserved for when they begin, charged once when they end, whoever asks and whoever leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from airouter.domain.background import LOST_AFTER
from airouter.domain.policy import Network
from tests import postgres
from tests.audit import audit_books
from tests.live import RATES, Holder, Live, serving
from tests.upstream.kept import KeptResponses, keeping

pytestmark = pytest.mark.asyncio(loop_scope="module")

COST = (20 * 2500) + (10 * 1250) + (12 * 10_000) + 7
MODEL = "keeper"
DAY = timedelta(hours=24)
"""Policy `limits.background_hours_max`."""


class House:
    """Two nodes on one database, an upstream that keeps responses, and a way to call."""

    def __init__(self, nodes: tuple[Live, Live], kept: KeptResponses, client: httpx.AsyncClient) -> None:
        self.nodes = nodes
        self.live = nodes[0]
        self.kept = kept
        self._client = client

    async def ask(
        self, holder: Holder, method: str, path: str, body: dict[str, Any] | None = None, *, node: int = 0
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {holder.key}"}
        url = f"{self.nodes[node].url}/v1/responses{path}"
        return await self._client.request(method, url, json=body, headers=headers)

    async def begin(self, holder: Holder, **more: Any) -> tuple[str, str]:
        """The names of a new background response: ours and the provider's."""
        body = {"model": MODEL, "input": "Hello", "background": True, **more}
        answer = await self.ask(holder, "POST", "", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == "queued"
        return answer.headers["x-request-id"], answer.json()["id"]

    async def sweep(self, *nodes: int) -> None:
        """What the recurring work does when the time has come, on these nodes at once."""
        await self.live.sql("UPDATE background_jobs SET ask_at = now() WHERE ask_at IS NOT NULL")
        await asyncio.gather(*(self.nodes[n].app._house._background_jobs.ask_due() for n in nodes or (0,)))

    async def age(self, job_id: str, age: timedelta) -> None:
        await self.live.sql(
            "UPDATE background_jobs SET created_at = now() - $2::interval WHERE job_id = $1::text::uuid", job_id, age
        )

    async def is_open(self, job_id: str) -> bool:
        rows = await self.live.sql("SELECT ask_at FROM background_jobs WHERE job_id = $1::text::uuid", job_id)
        return bool(rows) and rows[0]["ask_at"] is not None

    async def wallet(self, holder: Holder) -> tuple[int, int]:
        """(main, reserved)."""
        rows = await self.live.sql(
            "SELECT kind, balance FROM wallets WHERE account_id = $1 AND kind IN ('main', 'reserved')",
            holder.account_id,
        )
        found = {row["kind"]: row["balance"] for row in rows}
        return found["main"], found.get("reserved", 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn, keeping() as (kept, _):
        homes = [tmp_path_factory.mktemp("home") for _ in range(2)]
        async with serving(dsn, homes[0]) as live, serving(dsn, homes[1], hot=False) as other:
            await live.policy(Network(allow_private=True))
            await live.model(MODEL, {**RATES, "reasoning": 10_000_000_000}, context_window=1000)
            await live.channel(
                "keeper",
                provider="openai",
                base_url=kept.base_url,
                credentials=["sk-one"],
                models=[MODEL],
                options={"caps": {"concurrency": 2}},  # of requests under way: jobs that go on take no place
            )
            await other.in_force()
            async with httpx.AsyncClient() as client:
                yield House((live, other), kept, client)
        await audit_books(dsn)


async def test_it_is_charged_when_it_ends_although_nobody_asks_again(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    main, reserved = await house.wallet(holder)
    assert reserved > COST
    assert main + reserved == 10**9
    await house.sweep()
    assert await house.is_open(job_id), "it goes on"
    house.kept.finish(name)
    await house.sweep(1)
    record = await house.live.record(job_id)
    assert (record["status"], record["usage_source"], record["charged"]) == ("ok", "provider", COST)
    assert (record["upstream_model"], record["endpoint"], record["account_id"]) == (
        MODEL, "responses", holder.account_id,
    )  # fmt: skip
    assert await house.wallet(holder) == (10**9 - COST, 0)


async def test_a_question_that_finds_it_ended_charges_it_before_the_answer(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    assert (await house.ask(holder, "GET", f"/{name}", node=1)).json()["status"] == "queued"
    assert (await house.ask(holder, "DELETE", f"/{name}")).json()["error"]["code"] == "response_in_progress"
    house.kept.finish(name)
    assert (await house.ask(holder, "GET", f"/{name}", node=1)).json()["status"] == "completed"
    assert await house.wallet(holder) == (10**9 - COST, 0), "nothing is left to wait for"
    assert (await house.live.record(job_id))["charged"] == COST
    assert (await house.ask(holder, "DELETE", f"/{name}")).status_code == 200


async def test_many_who_hear_of_the_end_at_once_charge_it_once(house: House):
    holder = await house.live.holder(quota=10**9)
    jobs = [await house.begin(holder) for _ in range(4)]
    for _, name in jobs:
        house.kept.finish(name)
    asking = [house.ask(holder, "GET", f"/{name}", node=n % 2) for _, name in jobs for n in range(4)]
    _, *answers = await asyncio.gather(house.sweep(0, 1), *asking)
    assert all(answer.status_code == 200 for answer in answers)
    assert await house.wallet(holder) == (10**9 - 4 * COST, 0)
    rows = await house.live.sql(
        "SELECT count(*) AS records, sum(charged) AS charged FROM usage_records WHERE account_id = $1",
        holder.account_id,
    )
    assert (rows[0]["records"], rows[0]["charged"]) == (4, 4 * COST)


async def test_a_cancelled_one_pays_what_it_used_and_a_failed_one_nothing(house: House):
    holder = await house.live.holder(quota=10**9)
    cancelled, name = await house.begin(holder)
    answer = await house.ask(holder, "POST", f"/{name}/cancel")
    assert answer.json()["status"] == "cancelled"
    record = await house.live.record(cancelled)
    assert (record["status"], record["usage_source"]) == ("cancelled", "estimated")
    assert record["quantities"] == {"input": 2, "output": 0, "request": 1}  # the prompt was read
    failed, name = await house.begin(holder)
    house.kept.finish(name, "failed", usage=None)
    await house.sweep()
    record = await house.live.record(failed)
    assert (record["status"], record["usage_source"], record["charged"]) == ("failed", "none", 0)


async def test_one_that_its_provider_forgot_is_given_up_in_time_and_the_operator_is_told(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    house.kept.forget(name)
    await house.sweep()
    assert await house.is_open(job_id), "it may be known in a moment"
    await house.age(job_id, LOST_AFTER + timedelta(minutes=1))
    await house.sweep()
    record = await house.live.record(job_id)
    assert (record["status"], record["charged"], record["error"]) == ("failed", 0, "unknown_to_provider")
    assert await house.wallet(holder) == (10**9, 0)
    acts = await house.live.sql("SELECT subject_id FROM audit_log WHERE action = 'background_job.given_up'")
    assert job_id in {act["subject_id"] for act in acts}


async def test_one_whose_node_died_before_it_had_a_name_is_given_up(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    await house.live.sql("UPDATE background_jobs SET response_id = NULL WHERE job_id = $1::text::uuid", job_id)
    house.kept.finish(name)
    await house.sweep()
    assert await house.is_open(job_id)
    await house.age(job_id, LOST_AFTER + timedelta(minutes=1))
    await house.sweep()
    assert (await house.live.record(job_id))["error"] == "never_begun"


async def test_one_whose_channel_is_gone_waits_for_it_as_long_as_it_may_run(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, _ = await house.begin(holder)
    await house.live.sql(
        "UPDATE background_jobs SET channel_id = gen_random_uuid() WHERE job_id = $1::text::uuid", job_id
    )
    await house.age(job_id, DAY + LOST_AFTER - timedelta(minutes=1))
    await house.sweep()
    assert await house.is_open(job_id)
    await house.age(job_id, DAY + LOST_AFTER + timedelta(minutes=1))
    await house.sweep()
    assert (await house.live.record(job_id))["error"] == "channel_gone"


async def test_one_that_never_ends_is_stopped_in_time_and_pays_what_it_used(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    house.kept.write(name, "Hello there")
    await house.age(job_id, DAY - timedelta(minutes=1))
    await house.sweep()
    assert await house.is_open(job_id)
    await house.age(job_id, DAY + timedelta(minutes=1))
    await house.sweep()
    assert house.kept.asked[-1][:2] == ("POST", f"/responses/{name}/cancel")
    record = await house.live.record(job_id)
    assert (record["status"], record["usage_source"], record["error"]) == (
        "cancelled", "estimated", "background_too_long",
    )  # fmt: skip
    assert record["quantities"] == {"input": 2, "output": 3, "request": 1}
    assert await house.wallet(holder) == (10**9 - record["charged"], 0)
    assert (await house.ask(holder, "GET", f"/{name}")).json()["status"] == "cancelled"


async def test_one_that_cannot_be_stopped_ends_all_the_same(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    house.kept.cannot_stop.add(name)
    await house.age(job_id, DAY + timedelta(minutes=1))
    await house.sweep()
    assert await house.is_open(job_id), "it is asked again"
    await house.age(job_id, DAY + LOST_AFTER + timedelta(minutes=1))
    await house.sweep()
    record = await house.live.record(job_id)
    assert (record["status"], record["error"]) == ("cancelled", "background_too_long")
    assert await house.wallet(holder) == (10**9 - record["charged"], 0)


async def test_one_that_ends_while_it_is_stopped_pays_what_it_reports(house: House):
    holder = await house.live.holder(quota=10**9)
    job_id, name = await house.begin(holder)
    house.kept.ends_when_stopped.add(name)
    await house.age(job_id, DAY + timedelta(minutes=1))
    await house.sweep()
    record = await house.live.record(job_id)
    assert (record["status"], record["usage_source"], record["charged"]) == ("ok", "provider", COST)
    assert record["error"] is None


async def test_a_streamed_one_is_charged_once_whether_or_not_its_client_stays(house: House):
    holder = await house.live.holder(quota=10**9)
    headers = {"authorization": f"Bearer {holder.key}"}
    body = {"model": MODEL, "input": "Hello", "background": True, "stream": True}
    async with httpx.AsyncClient(base_url=house.live.url) as client:
        async with client.stream("POST", "/v1/responses", json=body, headers=headers) as answer:
            stayed = answer.headers["x-request-id"]
            text = (await answer.aread()).decode()
        assert text.count('"response.completed"') == 1
        assert await house.wallet(holder) == (10**9 - COST, 0)
        house.kept.finishes_streams = False
        async with client.stream("POST", "/v1/responses", json=body, headers=headers) as answer:
            left = answer.headers["x-request-id"]
            events = answer.aiter_lines()
            lines = [await anext(events) for _ in range(2)]
            name = json.loads(lines[1].removeprefix("data: "))["response"]["id"]
    house.kept.finishes_streams = True
    assert await house.is_open(left)
    house.kept.finish(name)
    async with httpx.AsyncClient(base_url=house.nodes[1].url) as client:
        again = await client.get(f"/v1/responses/{name}?stream=true&starting_after=1", headers=headers)
    assert '"response.completed"' in again.text
    assert await house.wallet(holder) == (10**9 - 2 * COST, 0)
    await house.sweep()
    assert [(await house.live.record(job_id))["charged"] for job_id in (stayed, left)] == [COST, COST]


async def test_what_the_provider_refuses_to_begin_costs_nothing(house: House):
    holder = await house.live.holder(quota=10**9)
    made = await house.ask(holder, "POST", "", {"model": MODEL, "input": "Hello"})
    house.kept.forget(made.json()["id"])
    body = {"model": MODEL, "input": "x", "background": True, "previous_response_id": made.json()["id"]}
    answer = await house.ask(holder, "POST", "", body)
    assert answer.status_code == 400
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"]) == ("failed", 0)


async def test_who_cannot_pay_the_worst_case_begins_nothing(house: House):
    holder = await house.live.holder(quota=1000)
    asked = len(house.kept.asked)
    answer = await house.ask(holder, "POST", "", {"model": MODEL, "input": "x", "background": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")
    limited = await house.live.holder(quota=10**9, spend_limit=1000)
    answer = await house.ask(limited, "POST", "", {"model": MODEL, "input": "x", "background": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "key_limit_reached")
    assert len(house.kept.asked) == asked

"""Background responses whose gateway is killed: what was reserved comes back, and what was used is charged once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from airouter.domain.background import LOST_AFTER
from airouter.domain.policy import Network
from tests.audit import audit_books
from tests.crash.test_killed_gateway import Gateway, gateway_process
from tests.live import RATES, Furniture, Holder
from tests.upstream.kept import KeptResponses, keeping

MODEL = "keeper"
QUOTA = 10**9
COST = (20 * 2500) + (10 * 1250) + (12 * 10_000) + 7


class House:
    """A gateway process that may be killed, an upstream that keeps responses, and a holder of a key."""

    def __init__(self, furniture: Furniture, gateway: Gateway, kept: KeptResponses, holder: Holder) -> None:
        self.furniture = furniture
        self.gateway = gateway
        self.kept = kept
        self.holder = holder

    async def ask(self, method: str, path: str = "", body: dict[str, Any] | None = None) -> httpx.Response:
        url = f"http://127.0.0.1:{self.gateway.port}/v1/responses{path}"
        async with httpx.AsyncClient(timeout=60) as client:
            return await client.request(method, url, json=body, headers={"authorization": f"Bearer {self.holder.key}"})

    async def begin(self) -> httpx.Response:
        return await self.ask("POST", body={"model": MODEL, "input": "Hello", "background": True})

    async def killed(self, task: asyncio.Task[httpx.Response]) -> None:
        """The process dies under a request; another takes its place."""
        await self.gateway.kill()
        with pytest.raises(httpx.HTTPError):
            await task
        await self.gateway.start()

    async def wallet(self) -> tuple[int, int]:
        """(main, reserved)."""
        rows = await self.furniture.sql(
            "SELECT kind, balance FROM wallets WHERE account_id = $1 AND kind IN ('main', 'reserved')",
            self.holder.account_id,
        )
        found = {row["kind"]: row["balance"] for row in rows}
        return found["main"], found.get("reserved", 0)

    async def records(self) -> list[tuple[str, str, int]]:
        """What the recurring work of the new process came to, once nothing is open."""
        while await self.furniture.sql("SELECT 1 FROM background_jobs WHERE ask_at IS NOT NULL"):
            await asyncio.sleep(0.1)
        rows = await self.furniture.sql("SELECT status, coalesce(error, '') AS error, charged FROM usage_records")
        return [(row["status"], row["error"], row["charged"]) for row in rows]

    async def due(self, age: str = "0") -> None:
        await self.furniture.sql(
            "UPDATE background_jobs SET ask_at = now(), created_at = created_at - $1::text::interval "
            "WHERE ask_at IS NOT NULL",
            age,
        )


@pytest.fixture
async def house(database: str, tmp_path: Path) -> AsyncIterator[House]:
    furniture = Furniture(database)
    async with keeping() as (kept, _):
        await furniture.policy(Network(allow_private=True))
        await furniture.model(MODEL, {**RATES, "reasoning": 10_000_000_000}, context_window=1000)
        await furniture.channel(
            "keeper", provider="openai", base_url=kept.base_url, credentials=["sk-one"], models=[MODEL]
        )
        async with gateway_process(database, tmp_path) as gateway:
            yield House(furniture, gateway, kept, await furniture.holder(quota=QUOTA))
    await furniture.close()
    await audit_books(database)


async def test_between_asking_the_provider_and_noting_its_name_the_account_pays_nothing(house: House):
    house.kept.holds_back.set()
    asking = asyncio.create_task(house.begin())
    while not house.kept.asked:
        await asyncio.sleep(0.01)
    await house.killed(asking)
    main, reserved = await house.wallet()
    assert reserved > COST
    assert main + reserved == QUOTA, "held, because the job may be known in a moment"
    await house.due(str(LOST_AFTER))
    assert await house.records() == [("failed", "never_begun", 0)]
    assert await house.wallet() == (QUOTA, 0)
    acts = await house.furniture.sql("SELECT subject_id FROM audit_log WHERE action = 'background_job.given_up'")
    assert len(acts) == 1, "the provider may bill the operator for it"


async def test_while_it_waits_it_is_charged_by_whoever_comes_after(house: House):
    begun = (await house.begin()).json()
    await house.gateway.kill()
    house.kept.finish(begun["id"])
    await house.gateway.start()
    await house.due()
    assert await house.records() == [("ok", "", COST)]
    assert await house.wallet() == (QUOTA - COST, 0)
    assert (await house.ask("GET", f"/{begun['id']}")).json()["status"] == "completed"


async def test_while_it_settles_it_is_charged_once(house: House, database: str):
    begun = (await house.begin()).json()
    blocker = await asyncpg.connect(database)
    try:
        async with blocker.transaction():
            await blocker.execute("SELECT 1 FROM background_jobs FOR UPDATE")
            house.kept.finish(begun["id"])
            asking = asyncio.create_task(house.ask("GET", f"/{begun['id']}"))
            while not await house.furniture.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            await house.killed(asking)
            assert (await house.wallet())[1] > COST, "nothing of it is done"
    finally:
        await blocker.close()
    await asyncio.gather(*(house.ask("GET", f"/{begun['id']}") for _ in range(4)), house.due())
    assert await house.records() == [("ok", "", COST)]
    assert await house.wallet() == (QUOTA - COST, 0)

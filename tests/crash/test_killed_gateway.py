"""G2 from outside: whoever got a complete answer has exactly one charge, however often the gateway is killed."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from tests.builders import run_sql
from tests.effort import EFFORT
from tests.live import RATES, Furniture, Holder
from tests.ports import kept_port

CLIENTS = 6
WHOLE_MIN = 20
"""With fewer answers between the kills there would be little to count."""


class Gateway:
    """A process on a port of its own, killed and started again."""

    def __init__(self, dsn: str, home: Path, port: int) -> None:
        self.port = port
        self._arguments = [sys.executable, "-m", "tests.crash.server", dsn, str(home), str(port)]
        self._process: asyncio.subprocess.Process

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._arguments, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        self._process.kill()
        await self._process.communicate()

    async def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.communicate()


@contextlib.asynccontextmanager
async def gateway_process(dsn: str, home: Path) -> AsyncIterator[Gateway]:
    """It runs, and is stopped in the end."""
    with kept_port() as port:
        gateway = Gateway(dsn, home, port)
        try:
            await gateway.start()
            yield gateway
        finally:
            await gateway.stop()


class Clients:
    """Programs that call again and again, and note every answer that they got whole, with its price."""

    def __init__(self, url: str, holder: Holder, draw: random.Random) -> None:
        self._url = url
        self._holder = holder
        self._draw = draw
        self.whole: dict[str, int] = {}
        self.is_over = False

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=10, headers={"authorization": f"Bearer {self._holder.key}"}) as client:
            await asyncio.gather(*(self._call_on(client) for _ in range(CLIENTS)))

    async def _call_on(self, client: httpx.AsyncClient) -> None:
        while not self.is_over:
            try:
                await self._call(client)
            except httpx.HTTPError:
                await asyncio.sleep(0.02)

    async def _call(self, client: httpx.AsyncClient) -> None:
        tokens_in, tokens_out = self._draw.randint(1, 900), self._draw.randint(1, 900)
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        body = {
            "model": "demo",
            "messages": [{"role": "user", "content": "hello"}],
            "stream": self._draw.random() < 0.5,
            "scripted": {"usage": usage, "first_delay_ms": self._draw.randint(0, 20), "chunks": 3},
        }
        answer = await client.post(self._url, json=body)
        if answer.status_code == 200 and (not body["stream"] or b"data: [DONE]" in answer.content):
            tokens = tokens_in * RATES["input"] + tokens_out * RATES["output"]
            self.whole[answer.headers["x-request-id"]] = -(-tokens // 1_000_000) + RATES["request"]


async def _at_rest(furniture: Furniture) -> None:
    """Until nothing is leased: what killed processes left is adopted and settled."""
    while (await furniture.sql("SELECT sum(leased)::bigint AS leased FROM wallets"))[0]["leased"]:
        await asyncio.sleep(0.05)


async def test_a_complete_answer_is_charged_once_however_often_the_gateway_is_killed(
    database: str, tmp_path: Path
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    furniture = Furniture(database)
    await furniture.model()
    await furniture.channel()
    holder = await furniture.holder(quota=10**14)
    async with gateway_process(database, tmp_path) as gateway:
        clients = Clients(f"http://127.0.0.1:{gateway.port}/v1/chat/completions", holder, random.Random(seed + 1))
        calling = asyncio.create_task(clients.run())
        for _ in range(max(3, EFFORT.kills // 4)):
            await asyncio.sleep(draw.uniform(0.3, 1.2))
            await gateway.kill()
            await gateway.start()
        while len(clients.whole) <= WHOLE_MIN and not calling.done():
            await asyncio.sleep(0.05)
        clients.is_over = True
        await calling
        await _at_rest(furniture)
    rows = await run_sql(database, "SELECT request_id::text, cost, charged FROM usage_records WHERE status <> 'failed'")
    charged = {row["request_id"]: (row["cost"], row["charged"]) for row in rows}
    assert len(charged) == len(rows)
    assert {request: charged.get(request) for request in clients.whole} == {
        request: (cost, cost) for request, cost in clients.whole.items()
    }
    spent = 10**14 - await furniture.balance(holder)
    assert spent == sum(amount for _, amount in charged.values())
    await furniture.close()

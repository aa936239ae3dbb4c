"""An API in a process of its own, an owner who sets up payment methods, and somebody who buys."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from airouter.domain.ids import AccountId
from airouter.domain.policy import Network
from tests.builders import PASSWORD, person, run_sql
from tests.live import Furniture
from tests.ports import kept_port


class Shop:
    """`owner` and `buyer` are signed in; their tokens outlive the process."""

    def __init__(self, dsn: str, home: Path, port: int, buyer_account_id: AccountId) -> None:
        self.dsn = dsn
        self.url = f"http://127.0.0.1:{port}"
        self._home = home
        self._buyer_account_id = buyer_account_id
        self._arguments = [sys.executable, "-m", "tests.payments.server", dsn, str(home), str(port)]
        self._process: asyncio.subprocess.Process | None = None
        self.owner: httpx.AsyncClient
        self.buyer: httpx.AsyncClient

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._arguments, stdout=asyncio.subprocess.PIPE)
        assert self._process.stdout is not None
        assert await self._process.stdout.readline() == b"ready\n"

    async def kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.communicate()

    async def has_died(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    def die_at(self, point: str) -> None:
        (self._home / "die").write_text(point)

    async def method(self, processor: str, *, config: dict[str, Any], secrets: dict[str, str], **more: Any) -> None:
        draft = {
            "id": "main",
            "processor": processor,
            "label": "Main",
            "currency": "USD",
            "quota_per_minor_unit": 10_000_000,
            "config": config,
            "secrets": secrets,
            **more,
        }
        answer = await self.owner.post("admin/payment-methods", json=draft)
        assert answer.status_code == 201, answer.text
        assert answer.json()["off_because"] is None

    async def order(self, amount: int, key: str = "once") -> dict[str, Any]:
        body = {"method": "main", "amount": amount}
        answer = await self.buyer.post("topup/orders", json=body, headers={"idempotency-key": key})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def status(self, order_id: str) -> str:
        return (await self.buyer.get(f"topup/orders/{order_id}")).json()["status"]

    async def balance(self) -> int:
        return (await self.buyer.get("wallet")).json()["balance"]

    async def booked(self) -> int:
        """The buyer's balance in Postgres, which can be asked while the process is dead."""
        statement = "SELECT balance FROM wallets WHERE account_id = $1 AND kind = 'main'"
        [row] = await run_sql(self.dsn, statement, self._buyer_account_id)
        return row["balance"]

    async def deliver(self, method: str = "POST", **request: Any) -> httpx.Response | None:
        """As a processor does; None when the connection broke."""
        async with httpx.AsyncClient() as processor:
            try:
                return await processor.request(method, f"{self.url}/api/v1/webhooks/main", **request)
            except httpx.TransportError:
                return None

    async def signed_in(self, email: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(base_url=f"{self.url}/api/v1/")
        answer = await client.post("auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return client


@asynccontextmanager
async def open_shop(dsn: str, home: Path) -> AsyncIterator[Shop]:
    """Processors of these tests live on this machine, so policy `network` allows it."""
    await Furniture(dsn).policy(Network(allow_private=True))
    owner, _ = await person(dsn, role="owner")
    buyer, joined = await person(dsn)
    async with AsyncExitStack() as stack:
        shop = Shop(dsn, home, stack.enter_context(kept_port()), joined.account_id)
        stack.push_async_callback(shop.kill)
        await shop.start()
        shop.owner = await shop.signed_in(owner)
        stack.push_async_callback(shop.owner.aclose)
        shop.buyer = await shop.signed_in(buyer)
        stack.push_async_callback(shop.buyer.aclose)
        yield shop

"""People who bring people, and orders of those they brought."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec

from airouter.domain.errors import DatabaseUnavailable, DomainError, EmailTaken
from airouter.domain.ids import AccountId
from airouter.domain.policies.referral import Referral
from airouter.domain.policy import TOPICS
from airouter.services.audit_log import SYSTEM
from airouter.services.referrals import Referrals
from airouter.services.rewards import Rewards
from airouter.services.users import Client, Joined, join
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.world import new_id
from tests.builders import run_sql
from tests.settings import SECRET

ADDRESS = "203.0.113.5"


class PaidOrder(msgspec.Struct, frozen=True, kw_only=True):
    """As much of an order as referrals look at."""

    order_id: UUID
    account_id: AccountId
    credited_quota: int
    taken_quota: int = 0


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Services of one process."""

    dsn: str
    database: Database
    referrals: Referrals
    rewards: Rewards

    async def policy(self, **fields: Any) -> None:
        """In force for those who join from now on."""
        value = Referral(is_enabled=True, **fields)
        value.check()
        assert TOPICS["referral"] is Referral
        await run_sql(
            self.dsn,
            "INSERT INTO policies (topic, value) VALUES ('referral', $1::text::jsonb) "
            "ON CONFLICT (topic) DO UPDATE SET value = excluded.value",
            msgspec.json.encode(value).decode(),
        )

    async def person(self, email: str | None = None, *, code: str | None = None, address: str = ADDRESS) -> Joined:
        """Somebody new, perhaps brought by the owner of a code."""
        async with self.database.transaction() as connection:
            joined = await join(connection, email or f"{new_id()}@example.com", None)
            await self.referrals.joined(connection, joined, code, Client(address=address, user_agent=""))
        return joined

    async def code(self, who: Joined) -> str:
        found = (await self.referrals.overview(who.account_id, is_personal=True)).code
        assert found is not None
        return found

    async def order(self, who: Joined, quota: int) -> PaidOrder:
        """Paid."""
        order = PaidOrder(order_id=new_id(), account_id=who.account_id, credited_quota=quota)
        async with self.database.transaction() as connection:
            await self.referrals.order_paid(connection, order)
        await self.rewards.work()
        return order

    async def give_back(self, order: PaidOrder, taken: int) -> None:
        """So much of it in all."""
        async with self.database.transaction() as connection:
            stands = msgspec.structs.replace(order, taken_quota=taken)
            await self.referrals.order_refunded(connection, stands)
        await self.rewards.work()

    async def wallets(self, who: Joined) -> dict[str, int]:
        """Balances by kind, the empty ones left out."""
        sql = "SELECT kind, balance FROM wallets WHERE account_id = $1 AND balance <> 0"
        return {row["kind"]: row["balance"] for row in await run_sql(self.dsn, sql, who.account_id)}

    async def states(self, who: Joined) -> list[tuple[str, str, int]]:
        """(state, cause without its id, quota posted) of the rewards of an account, oldest first."""
        sql = (
            "SELECT state, split_part(cause, '/', 1) AS cause, posted FROM rewards "
            "WHERE account_id = $1 ORDER BY created_at, reward_id"
        )
        return [(row["state"], row["cause"], row["posted"]) for row in await run_sql(self.dsn, sql, who.account_id)]


@asynccontextmanager
async def scene(dsn: str, *, connections: int = 10) -> AsyncIterator[Scene]:
    database = await Database.open(dsn, size_max=connections)
    vault = Vault([SECRET])
    try:
        yield Scene(
            dsn=dsn,
            database=database,
            referrals=Referrals(database, vault, "https://console.example"),
            rewards=Rewards(database),
        )
    finally:
        await database.close()


async def in_processes(act: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Every call in a process of its own, all at once."""
    with ProcessPoolExecutor(len(arguments), mp_context=multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        return list(await asyncio.gather(*(loop.run_in_executor(pool, act, *given) for given in arguments)))


def work(dsn: str, times: int) -> None:
    """A process whose job runs several times at once with itself."""

    async def run() -> None:
        async with scene(dsn) as here:

            async def one() -> None:
                while True:
                    try:
                        await here.rewards.work()
                    except DatabaseUnavailable:  # the job runs again
                        continue
                    return

            await asyncio.gather(*(one() for _ in range(times)))

    asyncio.run(run())


def join_many(dsn: str, code: str, emails: Sequence[str], address: str) -> list[str]:
    """Newcomers with a code, all at once: `joined`, or why not."""

    async def run() -> list[str]:
        async with scene(dsn) as here:

            async def one(email: str) -> str:
                while True:
                    try:
                        await here.person(email, code=code, address=address)
                    except DatabaseUnavailable:
                        continue
                    except EmailTaken as refused:
                        return refused.code
                    return "joined"

            return list(await asyncio.gather(*(one(email) for email in emails)))

    return asyncio.run(run())


def transfer_many(dsn: str, account_id: UUID, amount: int, transfer_ids: Sequence[UUID]) -> list[str]:
    """Transfers to the balance, all at once: `transferred`, or why not."""

    async def run() -> list[str]:
        async with scene(dsn) as here:

            async def one(transfer_id: UUID) -> str:
                while True:
                    try:
                        await here.referrals.transfer(AccountId(account_id), amount, transfer_id, SYSTEM)
                    except DatabaseUnavailable:
                        continue
                    except DomainError as refused:
                        return refused.code
                    return "transferred"

            return list(await asyncio.gather(*(one(transfer_id) for transfer_id in transfer_ids)))

    return asyncio.run(run())

"""Budgets at the doors of several processes: nobody spends more of one than it allows, and the refusal says which."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from airouter.domain.errors import KeyLimitReached, QuotaInUse
from airouter.domain.ids import KeyId
from airouter.gateway.leases.credit import Credit
from airouter.services.budgets import Budget, Budgets, set_key_budgets
from airouter.storage.database import Database
from tests.builders import run_sql
from tests.customers import Customer, customer
from tests.gateway.test_credit import Start, settled, start, swept, value

__all__ = ["start"]

Set = Callable[..., Awaitable[None]]
ROW = "SELECT spent, leased, excess FROM budgets"


@pytest.fixture
async def budgets(database: str) -> Any:
    opened = await Database.open(database, size_max=4)
    yield Budgets(opened)
    await opened.close()


async def bound_key(dsn: str, who: Customer, key: int, limit: int, period: str = "day") -> None:
    """A budget of one key."""
    opened = await Database.open(dsn, size_max=1)
    async with opened.transaction() as connection:
        await set_key_budgets(connection, who.account_id, who.keys[key], [Budget(period=period, limit=limit)])
    await opened.close()


async def call(credit: Credit, who: Customer, key: KeyId, hold: int, cost: int) -> bool:
    """One call; False: there was no room for it."""
    try:
        held = await credit.hold(who.wallet_id, key, True, hold)
    except (KeyLimitReached, QuotaInUse):
        return False
    await asyncio.sleep(random.uniform(0, 0.01))
    credit.settle(held, who.record(cost, key))
    return True


async def figures(dsn: str) -> tuple[int, ...]:
    return tuple((await run_sql(dsn, ROW))[0])


async def test_a_keys_budget_refuses_what_does_not_fit_and_says_when_it_begins_anew(
    database: str, start: Start
) -> None:
    who = await customer(database, 10_000, [None])
    await bound_key(database, who, 1, 500, "month")
    credit = await start()
    assert await call(credit, who, who.keys[1], 400, 400)
    await settled(credit)
    with pytest.raises(
        KeyLimitReached, match=r"this key's monthly budget of 500 leaves 100\. It starts anew at"
    ) as said:
        await credit.hold(who.wallet_id, who.keys[1], True, 101)
    ends = await value(database, "SELECT window_end FROM budgets")
    facts = {"budget": "key", "period": "month", "limit": 500, "available": 100, "needed": 101, "resets_at": ends}
    assert said.value.details == facts
    assert "9600" not in str(said.value)  # nothing of the balance
    assert (await figures(database))[0] == 400


async def test_a_members_budget_bounds_all_their_keys_together(database: str, start: Start, budgets: Budgets) -> None:
    who = await customer(database, 10_000, [None, None])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="week", limit=300)])
    credit = await start()
    assert await call(credit, who, who.keys[1], 200, 200)
    await settled(credit)
    with pytest.raises(KeyLimitReached, match="the weekly budget of its member of 300 leaves 100") as said:
        await credit.hold(who.wallet_id, who.keys[2], True, 150)
    assert said.value.details["budget"] == "member"
    assert await call(credit, who, who.keys[0], 100, 100)


async def test_what_an_idle_process_leased_of_a_shared_budget_comes_back(
    database: str, start: Start, budgets: Budgets
) -> None:
    who = await customer(database, 10_000, [None, None])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="day", limit=1_000)])
    one, two = await start(idle_return_ms=600_000), await start(idle_return_ms=600_000)
    one.release(await one.hold(who.wallet_id, who.keys[1], True, 900))
    assert await value(database, "SELECT leased FROM budgets") >= 900
    two.release(await two.hold(who.wallet_id, who.keys[2], True, 900))


async def test_a_budget_that_only_running_calls_hold_is_in_use(database: str, start: Start, budgets: Budgets) -> None:
    who = await customer(database, 10_000, [None, None])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="total", limit=1_000)])
    one, two = await start(), await start(wait_max_ms=400, sync_timeout_ms=20_000)
    held = await one.hold(who.wallet_id, who.keys[1], True, 900)
    with pytest.raises(QuotaInUse):
        await two.hold(who.wallet_id, who.keys[2], True, 900)
    one.release(held)


@pytest.mark.parametrize("processes", [1, 2, 4])
async def test_racing_processes_never_spend_more_than_a_budget_together(
    database: str, start: Start, budgets: Budgets, processes: int
) -> None:
    who = await customer(database, 1_000_000, [None, None, 4_000])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="month", limit=6_000)])
    await bound_key(database, who, 1, 2_500)
    nodes = [await start() for _ in range(processes)]
    calls = [
        call(credit, who, random.choice(who.keys), 100, random.randint(60, 100))
        for credit in nodes
        for _ in range(160 // processes)
    ]
    served = await asyncio.gather(*calls)
    for credit in nodes:
        await settled(credit)
    rows = await run_sql(database, "SELECT key_id, quota_max, spent FROM budgets")
    by_owner = {row["key_id"]: row for row in rows}
    assert 5_900 < by_owner[None]["spent"] <= 6_000, "what was left was too little for a call"
    assert by_owner[who.keys[1]]["spent"] <= 2_500
    assert 60 <= sum(served) < 160
    assert await value(database, "SELECT sum(cost - charged) FROM usage_records") == 0


async def test_budgets_set_and_dropped_under_load_leave_exact_books(
    database: str, start: Start, budgets: Budgets
) -> None:
    who = await customer(database, 1_000_000, [None, 50_000])
    nodes = [await start(), await start()]
    is_over = False

    async def caller(credit: Credit) -> None:
        while not is_over:
            await call(credit, who, random.choice(who.keys), 100, random.randint(0, 120))

    async def operator() -> None:
        for _ in range(12):
            chosen = random.sample(["total", "day", "week", "month"], random.randint(0, 3))
            limits = [Budget(period=period, limit=random.choice([0, 200, 100_000])) for period in chosen]
            await budgets.set_member(who.account_id, who.user_id, limits)
            await bound_key(database, who, random.randint(0, 2), random.choice([0, 500, 100_000]))
            await budgets.set_time_zone(who.account_id, random.choice(["Asia/Shanghai", "UTC", "Pacific/Apia"]))
            await asyncio.sleep(0.02)

    callers = [asyncio.create_task(caller(credit)) for credit in nodes for _ in range(4)]
    await operator()
    is_over = True
    await asyncio.gather(*callers)
    for credit in nodes:
        await settled(credit)  # then the fixture audits the books, budgets included


async def test_a_call_of_the_last_window_does_not_count_in_the_new_one(
    database: str, start: Start, budgets: Budgets
) -> None:
    who = await customer(database, 10_000, [None])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="day", limit=1_000)])
    credit = await start()
    assert await call(credit, who, who.keys[1], 100, 100)
    held = await credit.hold(who.wallet_id, who.keys[1], True, 300)
    began = who.record(300, who.keys[1])
    await settled(credit)
    await asyncio.sleep(0.01)
    await run_sql(database, "UPDATE budgets SET window_end = now()")  # midnight
    credit.settle(held, began)
    await settled(credit)
    assert await value(database, "SELECT spent FROM budgets") == 0
    assert await value(database, "SELECT spent FROM keys WHERE key_id = $1", who.keys[1]) == 400
    assert await call(credit, who, who.keys[1], 1_000, 250)
    await settled(credit)
    assert await value(database, "SELECT spent FROM budgets") == 250


async def test_a_lowered_budget_holds_at_once_and_lets_running_calls_finish(
    database: str, start: Start, budgets: Budgets
) -> None:
    who = await customer(database, 10_000, [None])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="day", limit=1_000)])
    credit = await start()
    assert await call(credit, who, who.keys[1], 400, 400)
    held = await credit.hold(who.wallet_id, who.keys[1], True, 300)
    await settled(credit)
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="day", limit=100)])
    with pytest.raises(KeyLimitReached, match="of 100 leaves 0"):
        await credit.hold(who.wallet_id, who.keys[1], True, 700)
    credit.settle(held, who.record(300, who.keys[1]))
    await settled(credit)
    assert await value(database, "SELECT charged FROM usage_records ORDER BY created_at DESC LIMIT 1") == 300
    assert await value(database, "SELECT spent FROM budgets") == 700


async def test_a_swept_process_gives_its_leases_back_to_the_budgets(
    database: str, start: Start, budgets: Budgets
) -> None:
    who = await customer(database, 10_000, [None])
    await budgets.set_member(who.account_id, who.user_id, [Budget(period="day", limit=1_000)])
    gone, other = await start(), await start()
    held = await gone.hold(who.wallet_id, who.keys[1], True, 800)
    await swept(database, gone.node_id)
    assert await value(database, "SELECT leased FROM budgets") == 0
    other.release(await other.hold(who.wallet_id, who.keys[1], True, 900))
    gone.release(held)

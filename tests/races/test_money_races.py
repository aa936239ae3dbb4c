"""Many calls with money for a few, in several processes on one Postgres: nobody pays twice, nothing goes below zero."""

import asyncio
import json
import os
from pathlib import Path

import asyncpg
import msgspec
import pytest

from airouter.domain.errors import BalanceInsufficient, QuotaInUseByCalls
from airouter.services.wallets import Wallets
from airouter.storage.database import Database
from tests.crash.gateways import QUICK, Gateways, assert_settled
from tests.customers import customer
from tests.effort import EFFORT

ROUNDS = max(1, EFFORT.seeds // 200)
SEED = int(os.environ.get("AIROUTER_TEST_SEED", "1"))
PATIENT = msgspec.structs.replace(
    QUICK, ttl_ms=180_000, margin_ms=10_000, wait_max_ms=60_000, sync_timeout_ms=60_000, observer_gap_ms=60_000
)
"""Nobody is killed here: no process is given up, and no call in vain, because the machine is slow."""


async def row(dsn: str, sql: str, *arguments: object) -> asyncpg.Record:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetchrow(sql, *arguments)
        assert found is not None
        return found
    finally:
        await connection.close()


@pytest.mark.parametrize("processes", [1, 2, 4])
async def test_calls_with_money_for_seven_are_charged_seven_times(
    database: str, tmp_path: Path, processes: int
) -> None:
    for round_ in range(ROUNDS):
        who = await customer(database, 7_500)
        folder = tmp_path / str(round_)
        folder.mkdir()
        gateways = Gateways(
            folder,
            database,
            [who],
            seed=SEED + round_,
            clients=60 // processes,
            calls_max=1,
            hold_max=1_000,
            exact=True,
        )
        gateways.settings = PATIENT
        try:
            for _ in range(processes):
                gateways.start()
            gateways.wait()
        finally:
            gateways.end()
        assert await assert_settled(database, gateways) == gateways.stats["ok"] == 7, gateways.stats
        left = await row(database, "SELECT balance, overrun FROM wallets WHERE wallet_id = $1", who.wallet_id)
        assert tuple(left) == (500, 0)


@pytest.mark.parametrize("processes", [2, 4])
async def test_no_key_goes_above_its_limit_and_no_balance_below_zero_while_money_moves(
    database: str, tmp_path: Path, processes: int
) -> None:
    who = await customer(database, 400_000, [60_000, 30_000])
    gateways = Gateways(tmp_path, database, [who], seed=SEED, clients=40 // processes, calls_max=15)
    gateways.settings = PATIENT
    pool = await Database.open(database)
    moved: list[int] = []
    try:
        for _ in range(processes):
            gateways.start()
        running = asyncio.create_task(asyncio.to_thread(gateways.wait))
        while not running.done():
            try:
                step = -3_000 if len(moved) % 3 else 5_000
                await Wallets(pool).adjust(who.account_id, step, reference=f"step{len(moved)}", reason="race")
                moved.append(step)
            except (BalanceInsufficient, QuotaInUseByCalls):
                moved.append(0)
            await asyncio.sleep(0.05)
        await running
    finally:
        gateways.end()
        await pool.close()
    await assert_settled(database, gateways)
    left = await row(database, "SELECT balance FROM wallets WHERE wallet_id = $1", who.wallet_id)
    spent = await row(database, "SELECT sum(charged) FROM usage_records")
    assert left["balance"] == 400_000 + sum(moved) - spent[0]
    over = await row(database, "SELECT count(*) FROM keys WHERE spent > spend_limit")
    assert over[0] == 0


async def test_two_hundred_calls_that_outgrow_their_holds_stay_within_the_overrun_bound_of_each_process(
    database: str, tmp_path: Path
) -> None:
    who = await customer(database, 2_000)
    bound = 600
    gateways = Gateways(
        tmp_path,
        database,
        [who],
        seed=SEED,
        clients=100,
        calls_max=1,
        hold_max=1_000,
        excess_share=1.0,
        overrun_max=bound,
    )
    gateways.settings = PATIENT
    try:
        for _ in range(2):
            gateways.start()
        gateways.wait()
    finally:
        gateways.end()
    await assert_settled(database, gateways)
    owed = await row(database, "SELECT balance, overrun FROM wallets WHERE wallet_id = $1", who.wallet_id)
    assert owed["balance"] >= 0
    assert 0 < owed["overrun"] <= 2 * bound
    print(json.dumps(dict(owed)), dict(gateways.stats))


async def test_a_transfer_sent_a_hundred_times_moves_once(database: str) -> None:
    who = await customer(database, 100)
    pool = await Database.open(database, size_max=10)
    try:
        transfers = await asyncio.gather(
            *(Wallets(pool).grant(who.account_id, 50, reference="webhook") for _ in range(100))
        )
    finally:
        await pool.close()
    assert len({transfer.transfer_id for transfer in transfers}) == 1
    assert (await row(database, "SELECT balance FROM wallets WHERE wallet_id = $1", who.wallet_id))[0] == 150


async def test_of_many_debits_only_those_that_the_balance_has_are_made(database: str) -> None:
    who = await customer(database, 1_000)
    pool = await Database.open(database, size_max=10)

    async def take(number: int) -> bool:
        try:
            await Wallets(pool).adjust(who.account_id, -300, reference=f"take{number}", reason="race")
        except BalanceInsufficient:
            return False
        return True

    try:
        made = await asyncio.gather(*(take(number) for number in range(10)))
    finally:
        await pool.close()
    assert sum(made) == 3
    assert (await row(database, "SELECT balance FROM wallets WHERE wallet_id = $1", who.wallet_id))[0] == 100

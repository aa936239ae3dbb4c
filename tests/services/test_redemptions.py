"""A code credits as often as it should, whoever comes at once (G9)."""

import asyncio
import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from airouter.domain.ids import BatchId
from airouter.services.attempts import Attempts
from airouter.services.redemptions import BatchDraft, Redemptions
from airouter.services.vault import Vault
from airouter.storage.database import Database
from airouter.world import new_id
from tests.builders import people, run_sql
from tests.services.racers import redeem
from tests.settings import SECRET

PROCESSES = 3
TOMORROW = datetime.now(UTC) + timedelta(days=1)


async def test_fifty_people_in_three_processes_race_for_one_code_and_one_is_credited(database: str) -> None:
    [code] = await _codes(database, BatchDraft(name="race", amount=7, count=1))
    results = await _race(database, code, 50)
    assert results == Counter({"credited": 1, "code_already_redeemed": 49})
    assert await _credited(database) == (1, 7)


async def test_a_code_for_five_credits_five_of_fifty(database: str) -> None:
    [code] = await _codes(database, BatchDraft(name="race", amount=7, count=1, uses_per_code=5))
    results = await _race(database, code, 50)
    assert results == Counter({"credited": 5, "code_uses_exhausted": 45})
    assert await _credited(database) == (5, 35)


async def test_a_code_for_forty_credits_forty_of_two_hundred(database: str) -> None:
    """A gateway whose row locks were silently ignored credited 397."""
    [code] = await _codes(database, BatchDraft(name="race", amount=7, count=1, uses_per_code=40))
    results = await _race(database, code, 200)
    assert results == Counter({"credited": 40, "code_uses_exhausted": 160})
    assert await _credited(database) == (40, 280)


async def test_a_campaign_code_credits_as_often_as_it_should(database: str) -> None:
    draft = BatchDraft(name="race", amount=7, count=1, uses_per_code=5, code="Spring-2026", expires_at=TOMORROW)
    [code] = await _codes(database, draft)
    assert code == "Spring-2026"
    results = await _race(database, " spring 2O26 ", 50)
    assert results == Counter({"credited": 5, "code_uses_exhausted": 45})
    assert await _credited(database) == (5, 35)


async def test_one_account_racing_against_itself_is_credited_once(database: str) -> None:
    [code] = await _codes(database, BatchDraft(name="race", amount=7, count=1, uses_per_code=50))
    [ada] = await people(database, 1)
    results = await _in_processes(database, code, [[ada] * 3] * PROCESSES)
    assert results == Counter({"credited": 1, "code_already_redeemed": 8})
    assert await _credited(database) == (1, 7)


async def _race(dsn: str, code: str, count: int) -> Counter[str]:
    everybody = await people(dsn, count)
    return await _in_processes(dsn, code, [everybody[n::PROCESSES] for n in range(PROCESSES)])


async def _in_processes(dsn: str, code: str, shares: list[list[Any]]) -> Counter[str]:
    with ProcessPoolExecutor(len(shares), mp_context=multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(*(loop.run_in_executor(pool, redeem, dsn, code, share) for share in shares))
    return Counter(result for share in results for result in share)


async def _codes(dsn: str, draft: BatchDraft) -> list[str]:
    opened, vault = await Database.open(dsn), Vault([SECRET])
    try:
        redemptions = Redemptions(opened, vault, Attempts(opened, vault))
        _, codes = await redemptions.create_batch(draft, BatchId(new_id()), None)
    finally:
        await opened.close()
    assert codes is not None
    return codes


async def _credited(dsn: str) -> tuple[int, int]:
    rows = await run_sql(
        dsn,
        "SELECT (SELECT count(*) FROM transfers WHERE kind = 'redemption') AS transfers, "
        "(SELECT sum(balance)::bigint FROM wallets WHERE kind = 'main') AS balances",
    )
    return rows[0]["transfers"], rows[0]["balances"]

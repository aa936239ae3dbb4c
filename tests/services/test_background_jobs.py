"""Background jobs in the books: reserved for once, ended once, and never at somebody else's expense."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from airouter.domain.background import Ended
from airouter.domain.errors import InsufficientQuota, KeyLimitReached
from airouter.domain.ids import AccountId, RateCardId, RequestId, WalletId
from airouter.services import background_jobs
from airouter.services.accounts import Accounts
from airouter.services.background_jobs import BackgroundJobs
from airouter.services.partitions import make_partitions
from airouter.storage.background_jobs import JobRow, NewJob
from airouter.storage.database import Database
from airouter.world import new_id
from tests.live import Furniture, Holder

RESERVED = 5_000_000
USED = Ended(status="ok", source="provider", quantities={"input": 1000, "output": 100, "request": 1})
COST = 1000 * 2500 + 100 * 10_000 + 7


class Books:
    """A database with a model and a holder, and the verbs on it."""

    def __init__(self, furniture: Furniture, database: Database, holder: Holder) -> None:
        self.furniture = furniture
        self.database = database
        self.holder = holder
        self.jobs = BackgroundJobs(database)

    async def job(self, **changes: Any) -> NewJob:
        card = (await self.furniture.sql("SELECT rate_card_id FROM rate_cards"))[0]["rate_card_id"]
        job = NewJob(
            job_id=RequestId(new_id()),
            account_id=AccountId(self.holder.account_id),
            wallet_id=WalletId(self.holder.wallet_id),
            key_id=self.holder.key_id,
            key_is_limited=False,
            reserved=RESERVED,
            model="demo",
            endpoint="responses",
            rate_card_id=RateCardId(card),
            multiplier_micros=1_000_000,
            group_name="default",
            estimated_input_tokens=10,
            is_streaming=False,
            client_request_id=None,
        )
        return msgspec.structs.replace(job, **changes)

    async def charged(self, job: NewJob) -> list[tuple[str, int, int]]:
        rows = await self.furniture.sql(
            "SELECT status, cost, charged FROM usage_records WHERE request_id = $1", job.job_id
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def books(database: str, request: pytest.FixtureRequest) -> AsyncIterator[Books]:
    furniture = Furniture(database)
    await furniture.model()
    holder = await furniture.holder(quota=10_000_000, **getattr(request, "param", {}))
    await make_partitions(database)
    async with furniture.database() as opened:
        yield Books(furniture, opened, holder)
    await furniture.close()


async def test_a_job_is_reserved_for_once_and_charged_once_whoever_tells_its_end(books: Books):
    job = await books.job()
    await asyncio.gather(*(books.jobs.reserve(job, None) for _ in range(4)))
    wallet = await Accounts(books.database).wallet(job.account_id)
    assert (wallet.balance, wallet.held, wallet.available) == (10_000_000, RESERVED, 5_000_000)
    async with books.furniture.database() as other:
        elsewhere = BackgroundJobs(other)
        heard = await asyncio.gather(*((books.jobs, elsewhere)[n % 2].end(job.job_id, USED) for n in range(8)))
    assert sorted(heard) == [False] * 7 + [True]
    assert await books.charged(job) == [("ok", COST, COST)]
    wallet = await Accounts(books.database).wallet(job.account_id)
    assert (wallet.balance, wallet.held) == (10_000_000 - COST, 0)
    assert wallet.used_total == str(COST)


async def test_jobs_together_cannot_reserve_more_than_there_is(books: Books):
    jobs = [await books.job() for _ in range(5)]
    outcomes = await asyncio.gather(*(books.jobs.reserve(job, None) for job in jobs), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InsufficientQuota"] * 3 + ["NoneType"] * 2
    for job, outcome in zip(jobs, outcomes, strict=True):
        assert await books.jobs.end(job.job_id, USED) == (outcome is None)


async def test_a_job_that_used_more_than_was_reserved_takes_it_from_the_balance(books: Books):
    job = await books.job(reserved=10)
    await books.jobs.reserve(job, None)
    assert await books.jobs.end(job.job_id, USED)
    assert await books.charged(job) == [("ok", COST, COST)]


@pytest.mark.parametrize("books", [{"spend_limit": RESERVED + 1000}], indirect=True)
async def test_a_limited_key_lends_what_its_job_may_cost(books: Books):
    first, second = await books.job(key_is_limited=True), await books.job(key_is_limited=True)
    await books.jobs.reserve(first, None)
    leased = (await books.furniture.sql("SELECT leased FROM keys WHERE key_id = $1", first.key_id))[0]["leased"]
    assert leased == RESERVED
    with pytest.raises(KeyLimitReached):
        await books.jobs.reserve(msgspec.structs.replace(second, reserved=RESERVED + 1001), None)
    await books.jobs.end(first.job_id, USED)
    key = (await books.furniture.sql("SELECT leased, spent FROM keys WHERE key_id = $1", first.key_id))[0]
    assert (key["leased"], key["spent"]) == (0, COST)
    with pytest.raises(KeyLimitReached):
        await books.jobs.reserve(second, None)


async def test_who_owes_too_much_to_overruns_begins_no_job(books: Books):
    await books.furniture.sql("UPDATE wallets SET overrun = 50 WHERE wallet_id = $1", books.holder.wallet_id)
    job = await books.job()
    with pytest.raises(InsufficientQuota):
        await books.jobs.reserve(job, 49)
    await books.jobs.reserve(job, 50)
    await books.jobs.end(job.job_id, USED)
    kept = await books.furniture.sql("SELECT overrun FROM wallets WHERE wallet_id = $1", books.holder.wallet_id)
    assert kept[0]["overrun"] == 50  # what comes back is no new money


async def test_the_recurring_work_ends_what_has_ended_and_asks_again_about_the_rest(
    books: Books, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(background_jobs, "ASK_FIRST", timedelta(hours=1))
    done, running = await books.job(), await books.job(reserved=0)
    asked: list[RequestId] = []

    async def ask(job: JobRow) -> Ended | None:
        asked.append(job.job_id)
        return USED if job.job_id == done.job_id else None

    await books.jobs.reserve(done, None)
    await books.jobs.reserve(running, None)
    await books.jobs.ask_due()
    books.jobs.ask_with(ask)
    await books.jobs.ask_due()
    assert asked == []  # not due yet
    await books.furniture.sql("UPDATE background_jobs SET ask_at = now()")
    await books.jobs.ask_due()
    await books.jobs.ask_due()
    assert sorted(asked) == sorted([done.job_id, running.job_id])
    assert await books.charged(done) == [("ok", COST, COST)]
    assert await books.charged(running) == []
    await books.jobs.end(running.job_id, USED)


async def test_a_lost_job_costs_nothing_and_the_operator_can_read_why(books: Books):
    job = await books.job()
    await books.jobs.reserve(job, None)
    lost = Ended(status="failed", source="none", quantities={}, loss="unknown_to_provider")
    assert await books.jobs.end(job.job_id, lost)
    assert await books.charged(job) == [("failed", 0, 0)]
    acts = await books.furniture.sql("SELECT subject_id FROM audit_log WHERE action = 'background_job.given_up'")
    assert [row["subject_id"] for row in acts] == [str(job.job_id)]

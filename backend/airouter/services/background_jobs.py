"""Background jobs: reserved for when they begin, charged once when they end, whoever hears of it first.

The worst case of a job moves to the account's reserved wallet (`reserve`), and a limited key lends as much to the node
that stands for all jobs. When the job has ended, one transaction moves the whole reserve back (`release`) and charges
what was used, by the terms of admission. Both are fenced by the job's row: of many who tell the same end, one is heard.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, Literal

from airouter.domain import pricing
from airouter.domain.background import JOBS_NODE, Ended
from airouter.domain.errors import InsufficientQuota, KeyLimitReached, OutOfQuota, QuotaInUse
from airouter.domain.ids import AccountId, RequestId, TransferId, WalletId
from airouter.domain.lease import Fund, Level, PurseId, purse_name
from airouter.domain.stored_id import StoredId
from airouter.domain.usage import UsageRecord
from airouter.services.audit_log import SYSTEM, Act, record
from airouter.services.jobs import Job
from airouter.services.recall import with_recall
from airouter.services.settlement import settle_alone
from airouter.storage import background_jobs as rows
from airouter.storage import changes, leases, nodes, rate_cards, stored_ids, transfers, wallets
from airouter.storage.background_jobs import JobRow, NewJob, Place
from airouter.storage.database import Connection, Database
from airouter.world import new_id, now

logger = logging.getLogger(__name__)

JOB: Final = "background"
ASK_FIRST: Final = timedelta(seconds=5)
ASK_LAST: Final = timedelta(minutes=5)
"""How soon, and in the end how seldom, a provider is asked about a job that nobody else asks about."""
_AT_ONCE: Final = 100
_SIDE_BY_SIDE: Final = 8

Ask = Callable[[JobRow], Awaitable[Ended | None]]
"""Asks a provider about a job: how it ended, or None while it has not."""


class BackgroundJobs:
    """The verbs of jobs, and the recurring work that ends those nobody asks about."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ask: Ask | None = None

    @property
    def job(self) -> Job:
        return Job(name=JOB, run=self.ask_due, pause=ASK_FIRST)

    def ask_with(self, ask: Ask | None) -> None:
        """Whom to ask about jobs; None: the recurring work leaves them be."""
        self._ask = ask

    async def reserve(self, job: NewJob, overrun_max: int | None) -> None:
        """Sets the worst case aside and makes the job known; the same job twice is reserved for once.

        Raises:
            InsufficientQuota, KeyLimitReached: not enough even with nothing in flight.
            QuotaInUse: enough, but held by calls in flight.
        """

        async def attempt(connection: Connection) -> Literal["reserved"] | OutOfQuota | None:
            return await _reserve(connection, job, overrun_max)

        outcome = await with_recall(self._database, job.wallet_id, attempt)
        if outcome is None:
            raise QuotaInUse(retry_after_seconds=1)
        if isinstance(outcome, OutOfQuota):
            raise outcome

    async def place(self, job_id: RequestId, place: Place, names: list[StoredId]) -> None:
        """The provider has taken the job. When this returns, every process finds it by its name."""
        async with self._database.transaction() as connection:
            await rows.place_job(connection, job_id, place, ASK_FIRST)
            await stored_ids.insert_stored_ids(connection, names)

    async def open_job(self, account_id: AccountId, response_id: str) -> JobRow | None:
        """The job behind a name, if it has not ended."""
        async with self._database.connection() as connection:
            return await rows.open_job_of(connection, account_id, response_id)

    async def end(self, job_id: RequestId, ended: Ended) -> bool:
        """Releases the reserve and charges what was used, once. False: somebody else has done it."""
        async with self._database.transaction() as connection:
            job = await rows.lock_open_job(connection, job_id)
            if job is None:
                return False
            await _end(connection, job, ended)
        if ended.loss is not None:
            logger.error(
                "background.given_up job=%s account=%s response=%s reason=%s reserved=%s",
                job_id, job.account_id, job.response_id, ended.loss, job.reserved,
            )  # fmt: skip
        return True

    async def ask_due(self) -> None:
        """Asks about each job whose time has come, and ends those that have ended. One that cannot be asked waits."""
        ask = self._ask
        if ask is None:
            return
        async with self._database.transaction() as connection:
            due = await rows.claim_due_jobs(connection, _AT_ONCE, ASK_FIRST, ASK_LAST)
        gate = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def look_after(job: JobRow) -> None:
            async with gate:
                try:
                    ended = await ask(job)
                    if ended is not None:
                        await self.end(job.job_id, ended)
                except Exception:
                    logger.exception("background.not_asked job=%s", job.job_id)

        await asyncio.gather(*(look_after(job) for job in due))


async def _reserve(
    connection: Connection, job: NewJob, overrun_max: int | None
) -> Literal["reserved"] | OutOfQuota | None:
    """Done, or why it never can be; None: too much is leased just now.

    Lock order: the node's row, wallets by id, the key, its budgets.
    """
    mine = await _lent_by(connection, job) if job.key_is_limited else {}
    reserved_wallet = await wallets.reserved_wallet_of(connection, job.account_id)
    locked = await leases.lock(connection, {job.wallet_id, reserved_wallet}, {job.key_id}, mine)
    wallet, key = locked.wallets[job.wallet_id], locked.keys[job.key_id]
    refusal = _refusal(job, wallet, key, locked.overruns.get(job.wallet_id, 0), overrun_max)
    if refusal is not None:
        return refusal
    if job.key_is_limited and key.free < job.reserved:
        await changes.recall(connection, purse_name(job.key_id))
        return None
    if wallet.free < job.reserved:
        return None
    if not await rows.insert_job(connection, job, ASK_FIRST):
        return "reserved"  # before: it is known, and so is its reserve
    if job.reserved:
        await _move(connection, job, wallet_id=job.wallet_id, reserved_wallet=reserved_wallet, is_release=False)
    if job.key_is_limited:
        key.lend(job.reserved)
        await leases.write(connection, JOBS_NODE, locked, {})
    return "reserved"


def _refusal(job: NewJob, wallet: Fund, key: Fund, overrun: int, overrun_max: int | None) -> OutOfQuota | None:
    needed = job.reserved
    if overrun_max is not None and overrun > overrun_max:
        return InsufficientQuota(
            f"Earlier calls used {overrun} quota more than the balance could pay. Top up to go on.",
            needed=needed, available=0,
        )  # fmt: skip
    if job.key_is_limited and key.payable < needed:
        return KeyLimitReached(
            f"This job can cost up to {needed} quota and this key's limits leave {max(0, key.payable)}."
            " Raise them, or ask for fewer output tokens.",
            needed=needed, available=max(0, key.payable),
        )  # fmt: skip
    if wallet.total < needed:
        return InsufficientQuota(
            f"This job can cost up to {needed} quota and the balance is {wallet.total}."
            " Top up, or ask for fewer output tokens.",
            needed=needed, available=wallet.total,
        )  # fmt: skip
    return None


async def _end(connection: Connection, job: JobRow, ended: Ended) -> None:
    """Release everything, then charge what was used. Nobody can come between: the wallet is locked."""
    mine = await _lent_by(connection, job) if job.key_is_limited else {}
    reserved_wallet = await wallets.reserved_wallet_of(connection, job.account_id)
    if job.reserved:
        await _move(connection, job, wallet_id=job.wallet_id, reserved_wallet=reserved_wallet, is_release=True)
    usage = await _record_of(connection, job, ended)
    rest = mine.get(job.key_id, 0) - job.reserved
    await settle_alone(
        connection,
        JOBS_NODE,
        usage,
        reference=f"background/{job.job_id}",
        levels={job.key_id: Level(busy=rest, want=rest)} if job.key_is_limited else {},
        mine=mine,
    )
    await rows.end_job(connection, job.job_id, ended.status, ended.loss)
    await changes.announce_wallet(connection, job.wallet_id)
    if ended.loss is not None:
        facts = {"reason": ended.loss, "response_id": job.response_id, "reserved": job.reserved, "model": job.model}
        act = Act(
            action="background_job.given_up", subject="background_job", subject_id=str(job.job_id),
            account_id=job.account_id, after=facts,
        )  # fmt: skip
        await record(connection, SYSTEM, act)


async def _lent_by(connection: Connection, job: NewJob) -> dict[PurseId, int]:
    """What the job's key has lent to jobs, with the node's row locked."""
    await nodes.lock_node(connection, JOBS_NODE)
    lent = await leases.key_lease_of(connection, JOBS_NODE, job.key_id)
    return {job.key_id: lent}


async def _move(
    connection: Connection, job: NewJob, *, wallet_id: WalletId, reserved_wallet: WalletId, is_release: bool
) -> None:
    """The reserve, to or fro, as a transfer that can stand only once."""
    locked = await wallets.lock(connection, {wallet_id, reserved_wallet})
    source, target = (reserved_wallet, wallet_id) if is_release else (wallet_id, reserved_wallet)
    made = await transfers.insert_once(
        connection,
        transfer_id=TransferId(new_id()),
        kind="release" if is_release else "reserve",
        reference=f"background/{job.job_id}",
        debit_wallet=source,
        credit_wallet=target,
        amount=job.reserved,
        debit_balance=locked[source].balance - job.reserved,
        credit_balance=locked[target].balance + job.reserved,
        memo=None,
        made_by=None,
    )
    assert made is not None, "the job's row lets one through"
    left = await wallets.money_out(connection, source, job.reserved)
    assert left is not None, "it was free under the lock"
    await wallets.give_back(connection, target, job.reserved)


async def _record_of(connection: Connection, job: JobRow, ended: Ended) -> UsageRecord:
    found = await rate_cards.find_rate_card(connection, job.rate_card_id)
    assert found is not None, "rate cards are kept for ever"
    cost, unpriced = (
        pricing.cost(ended.quantities, found.card(), job.multiplier_micros, ended.service_tier, job.endpoint)
        if ended.quantities
        else (0, ())
    )
    return UsageRecord(
        request_id=job.job_id,
        account_id=job.account_id,
        wallet_id=job.wallet_id,
        key_id=job.key_id,
        key_is_limited=job.key_is_limited,
        model=job.model,
        endpoint=job.endpoint,
        status=ended.status,
        usage_source=ended.source,
        quantities={**ended.quantities},
        rate_card_id=job.rate_card_id,
        multiplier_micros=job.multiplier_micros,
        group=job.group_name,
        service_tier=ended.service_tier,
        cost=cost,
        covered=min(cost, job.reserved),
        unpriced=unpriced,
        channel_id=job.channel_id,
        upstream_model=job.upstream_model,
        client_request_id=job.client_request_id,
        is_streaming=job.is_streaming,
        latency_ms=int((now() - job.created_at).total_seconds() * 1000),
        error=ended.error or ended.loss,
        provider_cost=ended.provider_cost,
    )

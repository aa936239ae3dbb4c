"""Rows of background jobs. An open one has a time when its provider is asked next."""

from datetime import datetime, timedelta

import msgspec

from airouter.domain.ids import AccountId, ChannelId, CredentialId, KeyId, RateCardId, RequestId, WalletId
from airouter.domain.usage import UsageStatus
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("background_jobs")


class NewJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it was admitted: its terms never change. `reserved` is its worst case."""

    job_id: RequestId
    account_id: AccountId
    wallet_id: WalletId
    key_id: KeyId
    key_is_limited: bool
    reserved: int
    model: str
    endpoint: str
    rate_card_id: RateCardId
    multiplier_micros: int
    group_name: str
    estimated_input_tokens: int
    is_streaming: bool
    client_request_id: str | None


class JobRow(NewJob, frozen=True, kw_only=True):
    """An open job, and where it runs once that is known."""

    response_id: str | None
    channel_id: ChannelId | None
    credential_id: CredentialId | None
    upstream_model: str | None
    created_at: datetime
    asks: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a job runs, and what it is called there."""

    response_id: str
    channel_id: ChannelId
    credential_id: CredentialId | None
    upstream_model: str | None


async def insert_job(connection: Connection, job: NewJob, ask_in: timedelta) -> bool:
    """False: it is known."""
    found = await connection.fetchval(
        QUERIES.insert_job,
        job.job_id, job.account_id, job.wallet_id, job.key_id, job.key_is_limited, job.reserved, job.model,
        job.endpoint, job.rate_card_id, job.multiplier_micros, job.group_name, job.estimated_input_tokens,
        job.is_streaming, job.client_request_id, ask_in,
    )  # fmt: skip
    return found is not None


async def place_job(connection: Connection, job_id: RequestId, place: Place, ask_in: timedelta) -> bool:
    """False: it has ended."""
    found = await connection.fetchval(
        QUERIES.place_job, job_id, place.response_id, place.channel_id, place.credential_id, place.upstream_model,
        ask_in,
    )  # fmt: skip
    return found is not None


async def lock_open_job(connection: Connection, job_id: RequestId) -> JobRow | None:
    """None: it has ended, or never was. Whoever comes at once waits here."""
    row = await connection.fetchrow(QUERIES.lock_open_job, job_id)
    return None if row is None else row_as(JobRow, row)


async def open_job_of(connection: Connection, account_id: AccountId, response_id: str) -> JobRow | None:
    row = await connection.fetchrow(QUERIES.open_job_of, account_id, response_id)
    return None if row is None else row_as(JobRow, row)


async def claim_due_jobs(
    connection: Connection, limit: int, pause_min: timedelta, pause_max: timedelta
) -> list[JobRow]:
    """Those whose providers are to be asked now; nobody else gets them until `pause_min` is over."""
    rows = await connection.fetch(QUERIES.claim_due_jobs, limit, pause_min, pause_max)
    return [row_as(JobRow, row) for row in rows]


async def end_job(connection: Connection, job_id: RequestId, outcome: UsageStatus, reason: str | None) -> None:
    await connection.execute(QUERIES.end_job, job_id, outcome, reason)


async def forget_ended(connection: Connection) -> None:
    """Jobs that ended long ago; their usage records stay."""
    await connection.execute(QUERIES.forget_ended)

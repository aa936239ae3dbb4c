"""Rows of the outbox: mail that is posted within a transaction and sent after it."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("mails")

MailState = Literal["queued", "sending", "sent", "failed", "given_up"]


class NewMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to be. `facts` is encrypted for `mail_id`."""

    mail_id: UUID
    recipient: str
    locale: str | None
    letter: str
    facts: bytes
    once: str | None
    lifetime: timedelta


class ClaimedMail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail that is ours to send. `is_late`: too late to be of use."""

    mail_id: UUID
    recipient: str
    locale: str | None
    letter: str
    facts: bytes | None
    attempts: int
    is_late: bool


class MailRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail as a list shows it. `next_at` counts while the state is `queued` or `failed`."""

    mail_id: UUID
    recipient: str
    locale: str | None
    letter: str
    state: MailState
    attempts: int
    next_at: datetime
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


class KeptMail(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is needed to read a letter again. `facts` None: wiped."""

    mail_id: UUID
    recipient: str
    locale: str | None
    letter: str
    facts: bytes | None


async def insert_mail(connection: Connection, mail: NewMail) -> bool:
    """False: its occasion was written about already."""
    inserted = await connection.fetchval(
        QUERIES.insert_mail,
        mail.mail_id, mail.recipient, mail.locale, mail.letter, mail.facts, mail.once, mail.lifetime,
    )  # fmt: skip
    return inserted is not None


async def claim_mails(connection: Connection, limit: int, patience: timedelta) -> list[ClaimedMail]:
    """Mail that nobody else sends until `patience` is over."""
    return [row_as(ClaimedMail, row) for row in await connection.fetch(QUERIES.claim_mails, limit, patience)]


async def mail_is_sent(connection: Connection, mail_id: UUID, *, keep_letter: bool) -> None:
    await connection.execute(QUERIES.mail_is_sent, mail_id, keep_letter)


async def mail_failed(connection: Connection, mail_id: UUID, error: str, pause: timedelta) -> None:
    """It is tried again after `pause`, the last time when it is too late."""
    await connection.execute(QUERIES.mail_failed, mail_id, error, pause)


async def mail_is_given_up(connection: Connection, mail_id: UUID, error: str) -> None:
    await connection.execute(QUERIES.mail_is_given_up, mail_id, error)


async def retry_mail(connection: Connection, mail_id: UUID) -> bool:
    """False: it does not wait for another try."""
    return await connection.fetchval(QUERIES.retry_mail, mail_id) is not None


async def mails(
    connection: Connection, *, state: MailState | None, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[MailRow]:
    """Newest first."""
    return [row_as(MailRow, row) for row in await connection.fetch(QUERIES.mails, state, after_time, after_id, limit)]


async def find_mail(connection: Connection, mail_id: UUID) -> KeptMail | None:
    row = await connection.fetchrow(QUERIES.find_mail, mail_id)
    return None if row is None else row_as(KeptMail, row)


async def forget_mails(connection: Connection) -> None:
    await connection.execute(QUERIES.forget_mails)

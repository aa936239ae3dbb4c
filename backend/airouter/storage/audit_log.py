"""The audit log: rows that are written once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, UserId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("audit_log")

ExportFormat = Literal["csv", "jsonl"]


class ActRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act. `user_id` None: the house itself, or a stranger; `is_erased`: personal details were taken out;
    `is_member`: they belong to the account that it concerns.
    """

    act_id: UUID
    created_at: datetime
    action: str
    subject: str
    subject_id: str
    account_id: AccountId | None
    user_id: UserId | None
    user_email: str | None
    token_id: UUID | None
    address: str | None
    request_id: UUID | None
    before: Any
    after: Any
    is_erased: bool
    is_member: bool


class NewAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act to be."""

    act_id: UUID
    action: str
    subject: str
    subject_id: str
    account_id: AccountId | None
    user_id: UserId | None
    token_id: UUID | None
    address: str | None
    request_id: UUID | None
    before: Any
    after: Any


class ActFilters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which acts; None: any. `action` is a whole one, or how several begin: `channel` finds `channel.created`."""

    user_id: UUID | None = None
    action: str | None = None
    subject: str | None = None
    subject_id: str | None = None
    account_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditExportRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link that was just used up."""

    filters: ActFilters
    format: ExportFormat
    is_open: bool


async def insert_act(connection: Connection, act: NewAct) -> None:
    await connection.execute(QUERIES.insert_act, *msgspec.structs.astuple(act))


async def page_of_acts(
    connection: Connection, filters: ActFilters, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[ActRow]:
    """Newest first."""
    records = await connection.fetch(
        QUERIES.page_of_acts, *msgspec.structs.astuple(filters), after_time, after_id, limit
    )
    return [row_as(ActRow, record) for record in records]


async def find_act(connection: Connection, act_id: UUID) -> ActRow | None:
    record = await connection.fetchrow(QUERIES.find_act, act_id)
    return record and row_as(ActRow, record)


async def erase_person_from_acts(
    connection: Connection, user_id: UserId, email: str, accounts: Sequence[AccountId]
) -> int:
    """How many rows lost details. `accounts`: those that nobody else belongs to."""
    erased = await connection.fetchval(QUERIES.erase_person_from_acts, user_id, email, list(accounts))
    return value_as(int, erased)


async def put_audit_export(
    connection: Connection, token_hash: bytes, filters: ActFilters, file_format: ExportFormat, lifetime: timedelta
) -> None:
    await connection.execute(
        QUERIES.put_audit_export, token_hash, msgspec.to_builtins(filters, builtin_types=()), file_format, lifetime
    )


async def use_audit_export(connection: Connection, token_hashes: tuple[bytes, ...]) -> AuditExportRow | None:
    """The link, which nobody can use again."""
    record = await connection.fetchrow(QUERIES.use_audit_export, list(token_hashes))
    return record and row_as(AuditExportRow, record)

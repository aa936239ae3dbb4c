"""What is held about a person, and the files it is put together into."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, UserId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("personal_data")

CHAPTERS: Final[dict[str, str]] = {
    "profile": QUERIES.of_profile,
    "sessions": QUERIES.of_sessions,
    "passkeys": QUERIES.of_passkeys,
    "second_factors": QUERIES.of_second_factors,
    "identities": QUERIES.of_identities,
    "accounts": QUERIES.of_accounts,
    "keys": QUERIES.of_keys,
    "tokens": QUERIES.of_tokens,
    "mails": QUERIES.of_mails,
    "invitations": QUERIES.of_invitations,
    "transfers": QUERIES.of_transfers,
    "redemptions": QUERIES.of_redemptions,
    "orders": QUERIES.of_orders,
    "referrals": QUERIES.of_referrals,
    "rewards": QUERIES.of_rewards,
    "audit_log": QUERIES.of_acts,
}
"""What an export has, each chapter by one query that takes the person's id. Usage comes in pages of its own."""


class ExportRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state of an export. It is ready from `finished_at` to `expires_at`."""

    export_id: UUID
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    size_bytes: int | None
    is_pending: bool
    is_ready: bool


class OpenExportRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One that is still to be put together, and whom to tell."""

    export_id: UUID
    user_id: UserId
    email: str
    locale: str | None


class TakenExportRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    export_id: UUID
    content: bytes


async def put_personal_export(connection: Connection, export_id: UUID, user_id: UserId) -> bool:
    """False: one is being put together already."""
    return await connection.fetchval(QUERIES.put_personal_export, export_id, user_id) is not None


async def latest_personal_export(connection: Connection, user_id: UserId) -> ExportRow | None:
    record = await connection.fetchrow(QUERIES.latest_personal_export, user_id)
    return record and row_as(ExportRow, record)


async def open_personal_exports(connection: Connection) -> list[OpenExportRow]:
    return [row_as(OpenExportRow, record) for record in await connection.fetch(QUERIES.open_personal_exports)]


async def finish_personal_export(
    connection: Connection, export: OpenExportRow, lifetime: timedelta, content: bytes, size_bytes: int
) -> bool:
    """False: somebody else finished it."""
    return (
        await connection.fetchval(
            QUERIES.finish_personal_export, export.export_id, export.user_id, lifetime, content, size_bytes
        )
        is not None
    )


async def link_personal_export(connection: Connection, user_id: UserId, token_hash: bytes) -> bool:
    """False: there is nothing to link to."""
    return await connection.fetchval(QUERIES.link_personal_export, user_id, token_hash) is not None


async def take_personal_export(connection: Connection, token_hashes: tuple[bytes, ...]) -> TakenExportRow | None:
    """The content behind a link, which nobody can use again."""
    record = await connection.fetchrow(QUERIES.take_personal_export, list(token_hashes))
    return record and row_as(TakenExportRow, record)


async def forget_personal_exports(connection: Connection) -> None:
    """Those whose day is over."""
    await connection.execute(QUERIES.forget_personal_exports)


async def chapter(connection: Connection, name: str, user_id: UserId) -> list[dict[str, Any]]:
    """One of CHAPTERS, a dictionary a row."""
    return [dict(record) for record in await connection.fetch(CHAPTERS[name], user_id)]


async def usage_page(
    connection: Connection,
    user_id: UserId,
    *,
    accounts: list[AccountId],
    personal: AccountId | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Newest first."""
    after_time, after_id = after or (None, None)
    records = await connection.fetch(QUERIES.of_usage, user_id, accounts, personal, after_time, after_id, limit)
    return [dict(record) for record in records]

"""Deletions that were asked for, and what an erased person leaves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from airouter.domain.email_address import normal
from airouter.domain.ids import AccountId, KeyId, UserId, WalletId
from airouter.storage import alerts
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("erasure")

_OF_PERSON: Final = (
    QUERIES.end_management_tokens,
    QUERIES.drop_mailed_links,
    QUERIES.drop_identities,
    QUERIES.drop_totp,
    QUERIES.drop_passkeys,
    QUERIES.drop_recovery_codes,
    QUERIES.blank_sessions,
    QUERIES.drop_personal_exports,
)
"""What goes of a person, each by a statement that takes their id."""
_OF_ACCOUNTS: Final = (
    QUERIES.blank_keys,
    QUERIES.forget_networks,
)
"""What goes of the accounts that nobody else belongs to, each by a statement that takes their ids."""


class DeletionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deletion that was asked for. `requested_by` None: by the person."""

    user_id: UserId
    requested_at: datetime
    requested_by: UserId | None
    due_at: datetime
    ends_keys_now: bool


class PurseRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wallet with something in it."""

    wallet_id: WalletId
    account_id: AccountId
    balance: int
    leased: int


async def put_deletion(
    connection: Connection, user_id: UserId, requested_by: UserId | None, grace: timedelta, *, ends_keys_now: bool
) -> bool:
    """False: they were erased already."""
    return await connection.fetchval(QUERIES.put_deletion, user_id, requested_by, grace, ends_keys_now) is not None


async def find_deletion(connection: Connection, user_id: UserId) -> DeletionRow | None:
    record = await connection.fetchrow(QUERIES.find_deletion, user_id)
    return record and row_as(DeletionRow, record)


async def cancel_deletion(connection: Connection, user_id: UserId) -> bool:
    """False: there is none that could still be cancelled."""
    return await connection.fetchval(QUERIES.cancel_deletion, user_id) is not None


async def due_deletions(connection: Connection) -> list[DeletionRow]:
    return [row_as(DeletionRow, record) for record in await connection.fetch(QUERIES.due_deletions)]


async def lock_due_deletion(connection: Connection, user_id: UserId) -> DeletionRow | None:
    """None: it was cancelled, or finished by another process."""
    record = await connection.fetchrow(QUERIES.lock_due_deletion, user_id)
    return record and row_as(DeletionRow, record)


async def postpone_deletion(connection: Connection, user_id: UserId, by: timedelta) -> None:
    await connection.execute(QUERIES.postpone_deletion, user_id, by)


async def finish_deletion(connection: Connection, user_id: UserId) -> None:
    await connection.execute(QUERIES.finish_deletion, user_id)


async def teams_that_need_them(connection: Connection, user_id: UserId) -> list[AccountId]:
    """Teams with other members that would be left without an owner."""
    return [row["account_id"] for row in await connection.fetch(QUERIES.teams_that_need_them, user_id)]


async def is_last_instance_owner(connection: Connection, user_id: UserId) -> bool:
    return value_as(bool, await connection.fetchval(QUERIES.is_last_instance_owner, user_id))


async def accounts_left_behind(connection: Connection, user_id: UserId) -> list[AccountId]:
    """Accounts that nobody else belongs to: their own, and teams of one."""
    return [row["account_id"] for row in await connection.fetch(QUERIES.accounts_left_behind, user_id)]


async def purses_left_behind(connection: Connection, accounts: Sequence[AccountId]) -> list[PurseRow]:
    """Their wallets with something in them."""
    return [row_as(PurseRow, record) for record in await connection.fetch(QUERIES.purses_left_behind, list(accounts))]


async def end_keys_of(connection: Connection, user_id: UserId, accounts: Sequence[AccountId]) -> list[KeyId]:
    """Those that were working until now."""
    return [row["key_id"] for row in await connection.fetch(QUERIES.end_keys_of, user_id, list(accounts))]


async def end_management_tokens(connection: Connection, user_id: UserId) -> None:
    await connection.execute(QUERIES.end_management_tokens, user_id)


async def pause_accounts(connection: Connection, accounts: Sequence[AccountId]) -> list[AccountId]:
    """Those that were not paused."""
    return [row["account_id"] for row in await connection.fetch(QUERIES.pause_accounts, list(accounts))]


async def erase_person(connection: Connection, user_id: UserId, email: str, accounts: Sequence[AccountId]) -> None:
    """Everything that says who they were, but the audit log (storage/audit_log.py)."""
    await connection.execute(QUERIES.blank_accounts, list(accounts))
    await connection.execute(QUERIES.blank_invitations_to, normal(email), user_id)
    await connection.execute(QUERIES.leave_teams, user_id, list(accounts))
    for statement in _OF_ACCOUNTS:
        await connection.execute(statement, list(accounts))
    await alerts.delete_alerts_in(connection, accounts)
    for statement in _OF_PERSON:
        await connection.execute(statement, user_id)
    await connection.execute(QUERIES.drop_links_to, email, normal(email))
    await connection.execute(QUERIES.drop_mails_to, email)
    await connection.execute(QUERIES.drop_registrations_of, normal(email))
    await connection.execute(QUERIES.drop_kept_answers, [f"%{one}%" for one in (user_id, *accounts)])
    await connection.execute(QUERIES.erase_user, user_id)

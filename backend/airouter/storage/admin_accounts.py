"""Accounts and people as an operator looks them up: across all of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, UserId, WalletId
from airouter.domain.rate_limit import RateLimits
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load
from airouter.storage.sessions import Role, TeamRole
from airouter.storage.users import UserStatus

QUERIES = load("admin_accounts")

AccountStatus = Literal["active", "paused"]
AccountKind = Literal["personal", "team"]


class AccountRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account with what its wallets hold."""

    account_id: AccountId
    name: str
    kind: AccountKind
    group_name: str
    status: AccountStatus
    rate_limits: RateLimits
    created_at: datetime
    deleted_at: datetime | None
    deletion_due_at: datetime | None
    wallet_id: WalletId
    balance: int
    held: int
    overrun: int
    reward_balance: int
    debt: int


class MemberRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who belongs to an account."""

    account_id: AccountId
    user_id: UserId
    email: str
    team_role: TeamRole
    role: Role
    status: UserStatus


class PersonRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who signs in."""

    user_id: UserId
    email: str
    role: Role
    status: UserStatus
    locale: str | None
    created_at: datetime
    erased_at: datetime | None
    deletion_due_at: datetime | None
    has_second_factor: bool


class MembershipRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that somebody belongs to."""

    user_id: UserId
    account_id: AccountId
    name: str
    kind: AccountKind
    team_role: TeamRole


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Where the page before ended, and how many rows are wanted."""

    after_time: datetime | None
    after_id: UUID | None
    limit: int


def containing(text: str | None) -> str | None:
    """A LIKE pattern for whatever contains this text, whose own `%` and `_` mean themselves."""
    if not text:
        return None
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


async def search_accounts(
    connection: Connection, *, text: str | None, group_name: str | None, status: AccountStatus | None, page: Page
) -> list[AccountRow]:
    """Newest first."""
    rows = await connection.fetch(
        QUERIES.search_accounts,
        containing(text), group_name, status, page.after_time, page.after_id, page.limit,
    )  # fmt: skip
    return [row_as(AccountRow, row) for row in rows]


async def find_account(connection: Connection, account_id: AccountId) -> AccountRow | None:
    row = await connection.fetchrow(QUERIES.find_account, account_id)
    return None if row is None else row_as(AccountRow, row)


async def members_of(connection: Connection, account_ids: Sequence[AccountId]) -> dict[AccountId, list[MemberRow]]:
    """By account, in the order in which they joined."""
    found: dict[AccountId, list[MemberRow]] = {account_id: [] for account_id in account_ids}
    for row in await connection.fetch(QUERIES.members_of, account_ids):
        member = row_as(MemberRow, row)
        found[member.account_id].append(member)
    return found


async def change_account(
    connection: Connection,
    account_id: AccountId,
    group_name: str | None,
    status: AccountStatus | None,
    rate_limits: RateLimits | None,
) -> bool:
    """Whether there is one. None: as it is. Raises asyncpg.ForeignKeyViolationError for a group that is none."""
    limits = None if rate_limits is None else msgspec.to_builtins(rate_limits)
    return await connection.fetchrow(QUERIES.change_account, account_id, group_name, status, limits) is not None


async def search_users(
    connection: Connection, *, text: str | None, role: Role | None, status: UserStatus | None, page: Page
) -> list[PersonRow]:
    """Newest first."""
    rows = await connection.fetch(
        QUERIES.search_users,
        containing(text), role, status, page.after_time, page.after_id, page.limit,
    )  # fmt: skip
    return [row_as(PersonRow, row) for row in rows]


async def find_person(connection: Connection, user_id: UserId) -> PersonRow | None:
    row = await connection.fetchrow(QUERIES.find_person, user_id)
    return None if row is None else row_as(PersonRow, row)


async def accounts_of(connection: Connection, user_ids: Sequence[UserId]) -> dict[UserId, list[MembershipRow]]:
    """By person, in the order in which they joined."""
    found: dict[UserId, list[MembershipRow]] = {user_id: [] for user_id in user_ids}
    for row in await connection.fetch(QUERIES.accounts_of, user_ids):
        membership = row_as(MembershipRow, row)
        found[membership.user_id].append(membership)
    return found

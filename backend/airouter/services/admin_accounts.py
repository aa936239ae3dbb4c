"""Accounts and people as an operator keeps them. Money moves elsewhere (wallets); here are group, status and role."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from airouter.domain.access_errors import LastOwner
from airouter.domain.errors import InvalidRequest, NotFound, RoleRequired
from airouter.domain.ids import AccountId, UserId
from airouter.domain.rate_limit import RateLimits
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.rate_limit_views import RateLimitsView, limits_view
from airouter.services.sessions import Sessions
from airouter.storage import accounts, orders, users
from airouter.storage import admin_accounts as rows
from airouter.storage.admin_accounts import (
    AccountKind,
    AccountRow,
    AccountStatus,
    MemberRow,
    MembershipRow,
    Page,
    PersonRow,
)
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.registrations import drop_mailed_links
from airouter.storage.sessions import Role, TeamRole
from airouter.storage.users import UserStatus


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who belongs to an account."""

    user_id: UserId
    email: str
    team_role: TeamRole
    role: Role
    status: UserStatus


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a list. `overrun` is what the operator bore since its last top-up; from `deletion_due_at` on a team
    is deleted, since `deleted_at` it is nobody's any more.
    """

    id: AccountId
    name: str
    kind: AccountKind
    group: str
    status: AccountStatus
    balance: int
    held: int
    available: int
    reward_balance: int
    debt: int
    overrun: int
    rate_limits: RateLimitsView
    members: list[MemberView]
    created_at: datetime
    deletion_due_at: datetime | None
    deleted_at: datetime | None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """The same with what it used since it began, a decimal string."""

    id: AccountId
    name: str
    kind: AccountKind
    group: str
    status: AccountStatus
    balance: int
    held: int
    available: int
    reward_balance: int
    debt: int
    overrun: int
    rate_limits: RateLimitsView
    members: list[MemberView]
    created_at: datetime
    deletion_due_at: datetime | None
    deleted_at: datetime | None
    used_total: str


class MembershipView(msgspec.Struct, frozen=True, kw_only=True):
    """An account that somebody belongs to."""

    id: AccountId
    name: str
    kind: AccountKind
    team_role: TeamRole


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signs in; from `deletion_due_at` on they are erased, since `erased_at` only the id is left."""

    id: UserId
    email: str
    role: Role
    status: UserStatus
    locale: str | None
    created_at: datetime
    deletion_due_at: datetime | None
    erased_at: datetime | None
    has_second_factor: bool
    accounts: list[MembershipView]


class AdminAccounts:
    """The operator's verbs for accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(
        self, *, text: str | None, group: str | None, status: AccountStatus | None, page: Page
    ) -> list[AccountLine]:
        """Newest first; `text` is looked for in names and members' addresses."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.search_accounts(connection, text=text, group_name=group, status=status, page=page)
            members = await rows.members_of(connection, [row.account_id for row in found])
        return [_line(row, members[row.account_id]) for row in found]

    async def get(self, account_id: AccountId) -> AccountView:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            return await self._view(connection, account_id)

    async def change(
        self,
        account_id: AccountId,
        *,
        group: str | None,
        status: AccountStatus | None,
        rate_limits: RateLimits | None = None,
        actor: Actor = SYSTEM,
    ) -> AccountView:
        """Moves it to another group, pauses it or lets it go on, limits it; None: as it is. Holds everywhere within a
        second.

        Raises:
            NotFound
            InvalidRequest: there is no such group.
        """
        async with self._database.transaction() as connection:
            before = _said(await self._view(connection, account_id))
            if status is not None:  # orders come before their account, as when they pause it
                await orders.forget_pauses(connection, account_id)
            try:
                is_there = await rows.change_account(connection, account_id, group, status, rate_limits)
            except asyncpg.ForeignKeyViolationError:
                raise InvalidRequest(f"group: there is no group {group!r}.", field="group") from None
            if not is_there:
                raise _no_account()
            await announce(connection, "accounts", account_id)
            view = await self._view(connection, account_id)
            act = Act(
                action="account.changed",
                subject="account",
                subject_id=str(account_id),
                account_id=account_id,
                before=before,
                after=_said(view),
            )
            await record(connection, actor, act)
            return view

    async def _view(self, connection: Connection, account_id: AccountId) -> AccountView:
        row = await rows.find_account(connection, account_id)
        if row is None:
            raise _no_account()
        members = await rows.members_of(connection, [account_id])
        line = msgspec.structs.asdict(_line(row, members[account_id]))
        return AccountView(**line, used_total=await accounts.used_total(connection, row.wallet_id))


class People:
    """The operators' verbs for those who sign in."""

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions

    async def search(
        self, *, text: str | None, role: Role | None, status: UserStatus | None, page: Page
    ) -> list[PersonView]:
        """Newest first; `text` is looked for in the address."""
        async with self._database.transaction(is_read_only=True) as connection:
            found = await rows.search_users(connection, text=text, role=role, status=status, page=page)
            memberships = await rows.accounts_of(connection, [row.user_id for row in found])
        return [_person(row, memberships[row.user_id]) for row in found]

    async def get(self, user_id: UserId) -> PersonView:
        """Raises NotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            row = await rows.find_person(connection, user_id)
            if row is None:
                raise NotFound("There is no such user.")
            return _person(row, (await rows.accounts_of(connection, [user_id]))[user_id])

    async def change(
        self,
        user_id: UserId,
        *,
        role: Role | None,
        status: UserStatus | None,
        made_by: UserId,
        may_touch_operators: bool,
        actor: Actor = SYSTEM,
    ) -> PersonView:
        """Appoints or dismisses, bans or lets in again; None: as it is. Holds everywhere within a second.

        A ban ends all sessions and tokens, and no key that the person is responsible for is answered any more.

        Raises:
            NotFound
            InvalidRequest: nobody does this to themselves.
            RoleRequired: roles, and those who run the place, are an owner's business.
            LastOwner: nobody would be left who is one.
        """
        if user_id == made_by and (role is not None or status is not None):
            raise InvalidRequest(
                "Nobody changes their own role or status; another owner has to do it.", field="user_id"
            )
        async with self._database.transaction() as connection:
            owners = await users.lock_owners(connection)  # before the person: all who do this take turns
            before = await users.lock_user(connection, user_id)
            if before is None:
                raise NotFound("There is no such user.")
            role, status = role or before.role, status or before.status
            may_touch_operators = may_touch_operators and made_by in owners  # another owner may have been quicker
            if not may_touch_operators and (role != before.role or before.role != "user"):
                raise RoleRequired("This needs the role owner.")
            is_owner_after = role == "owner" and status == "active"
            if before.role == "owner" and not is_owner_after and not set(owners) - {user_id}:
                raise LastOwner
            if (role, status) != (before.role, before.status):
                await users.set_standing(connection, user_id, role, status)
                await drop_mailed_links(connection, user_id)  # whoever made one may have no right to what they are now
                await announce(connection, "sessions")
                await announce(connection, "keys")  # a key remembers whether its member is banned, or an operator
                await record(connection, actor, _standing_changed(user_id, before, role, status))
                if status == "banned":
                    await self._sessions.end_all(connection, user_id)
        self._sessions.forget()
        return await self.get(user_id)


def _standing_changed(user_id: UserId, before: users.UserRow, role: Role, status: UserStatus) -> Act:
    return Act(
        action="user.changed",
        subject="user",
        subject_id=str(user_id),
        before={"role": before.role, "status": before.status},
        after={"role": role, "status": status},
    )


def _said(view: AccountView) -> dict[str, Any]:
    """What an operator changes of an account."""
    return {"group": view.group, "status": view.status, "rate_limits": msgspec.to_builtins(view.rate_limits)}


def _no_account() -> NotFound:
    return NotFound("There is no such account.")


def _line(row: AccountRow, members: list[MemberRow]) -> AccountLine:
    return AccountLine(
        id=row.account_id,
        name=row.name,
        kind=row.kind,
        group=row.group_name,
        status=row.status,
        balance=row.balance,
        held=row.held,
        available=row.balance - row.held,
        reward_balance=row.reward_balance,
        debt=row.debt,
        overrun=row.overrun,
        rate_limits=limits_view(row.rate_limits),
        members=[
            MemberView(user_id=one.user_id, email=one.email, team_role=one.team_role, role=one.role, status=one.status)
            for one in members
        ],
        created_at=row.created_at,
        deletion_due_at=row.deletion_due_at,
        deleted_at=row.deleted_at,
    )


def _person(row: PersonRow, memberships: list[MembershipRow]) -> PersonView:
    return PersonView(
        id=row.user_id,
        email=row.email,
        role=row.role,
        status=row.status,
        locale=row.locale,
        created_at=row.created_at,
        deletion_due_at=row.deletion_due_at,
        erased_at=row.erased_at,
        has_second_factor=row.has_second_factor,
        accounts=[
            MembershipView(id=one.account_id, name=one.name, kind=one.kind, team_role=one.team_role)
            for one in memberships
        ],
    )

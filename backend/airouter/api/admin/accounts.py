"""Accounts across the house: looking them up, their group and status, and adjustments of their balance."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from airouter.api.admin.users import Search, page_of
from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.idempotency import NewId
from airouter.api.paging import Paging, cursor_of
from airouter.domain.errors import IdempotencyKeyRequired
from airouter.domain.ids import AccountId
from airouter.domain.quota import WALLET_MAX
from airouter.domain.rate_limit import UNLIMITED, RateLimits
from airouter.services.admin_accounts import AccountLine, AccountView, AdminAccounts
from airouter.services.audit_log import Actor
from airouter.services.step_up import StepUp
from airouter.services.wallets import Wallets
from airouter.storage.admin_accounts import AccountStatus


class AccountList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[AccountLine]
    next_cursor: str | None


class AccountChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays. `rate_limits` are replaced as a whole; null takes them away."""

    group: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    status: AccountStatus | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET


class AdjustmentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`amount` is signed: negative takes. `allow_partial`: take what there is when that is less."""

    amount: Annotated[int, Meta(ge=-WALLET_MAX, le=WALLET_MAX)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    allow_partial: bool = False


class AdjustmentView(msgspec.Struct, frozen=True, kw_only=True):
    """What moved: `amount` is signed, from the account's view; `balance` is the balance right after it."""

    id: UUID
    amount: int
    balance: int
    reason: str
    created_at: datetime


class AccountController(Controller):
    """Below /admin/accounts."""

    path = "/admin/accounts"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listAccounts",
        permission="operator.read",
        summary="Accounts, newest first",
        responses=refusals(401, 403, 422),
    )
    async def accounts(
        self,
        *,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        admin_accounts: NamedDependency[AdminAccounts],
        q: Search = None,
        group: Annotated[str | None, QueryParameter(max_length=64)] = None,
        status: FromQuery[AccountStatus | None] = None,
    ) -> AccountList:
        del operator
        found = await admin_accounts.search(text=q, group=group, status=status, page=page_of(paging))
        shown, last = paging.split(found)
        return AccountList(items=shown, next_cursor=last and cursor_of(last.created_at, last.id))

    @get(
        "/{account_id:uuid}",
        operation_id="getAccount",
        permission="operator.read",
        summary="An account",
        responses=refusals(401, 403, 404),
    )
    async def account(
        self,
        account_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        admin_accounts: NamedDependency[AdminAccounts],
    ) -> AccountView:
        del operator
        return await admin_accounts.get(AccountId(account_id))

    @patch(
        "/{account_id:uuid}",
        operation_id="updateAccount",
        permission="accounts.write",
        summary="Move an account to another group, pause it or let it go on, limit what it may do at a time",
        responses=refusals(401, 403, 404, 422),
    )
    async def change(
        self,
        account_id: FromPath[UUID],
        data: JSONBody[AccountChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        admin_accounts: NamedDependency[AdminAccounts],
    ) -> AccountView:
        """Holds at every door within a second."""
        del operator
        return await admin_accounts.change(
            AccountId(account_id),
            group=None if data.group is UNSET else data.group,
            status=None if data.status is UNSET else data.status,
            rate_limits=None if data.rate_limits is UNSET else data.rate_limits or UNLIMITED,
            actor=actor,
        )

    @post(
        "/{account_id:uuid}/adjustments",
        operation_id="adjustBalance",
        permission="money.write",
        summary="Give or take quota",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def adjust(
        self,
        *,
        account_id: FromPath[UUID],
        data: JSONBody[AdjustmentBody],
        new_id: NamedDependency[NewId],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        wallets: NamedDependency[Wallets],
        step_up: NamedDependency[StepUp],
    ) -> AdjustmentView:
        """Needs an `Idempotency-Key`. Taking more than the balance is refused with what is there (`balance`), unless
        `allow_partial` says to take that much; quota that running calls hold is waited for up to two seconds.
        More than policy `sign_in.reauthenticate_above` needs a fresh proof of who one is.
        """
        if not new_id.is_claimed:
            raise IdempotencyKeyRequired
        await step_up.require_above(operator.person, abs(data.amount))
        transfer = await wallets.adjust(
            AccountId(account_id),
            data.amount,
            reference=str(new_id.value),
            reason=data.reason,
            made_by=operator.user_id,
            allow_partial=data.allow_partial,
            actor=actor,
        )
        is_given = transfer.credit_balance is not None
        balance = transfer.credit_balance if is_given else transfer.debit_balance
        assert balance is not None, "one side of an adjustment is the account's wallet"
        return AdjustmentView(
            id=transfer.transfer_id,
            amount=transfer.amount if is_given else -transfer.amount,
            balance=balance,
            reason=transfer.memo or "",
            created_at=transfer.created_at,
        )

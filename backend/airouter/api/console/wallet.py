"""The account's wallet: what is there, and what moved."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from airouter.api.callers import AccountHolder
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ledger import TransferKind
from airouter.services.accounts import Accounts, Wallet

Kind = Literal["usage", TransferKind]


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` is signed, from this wallet's view. `balance_after` is the balance right after it."""

    id: UUID
    kind: str
    amount: int
    balance_after: int | None
    reference: str
    created_at: datetime


class TransferList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[TransferView]
    next_cursor: str | None


class WalletController(Controller):
    """Below /wallet."""

    path = "/wallet"
    tags = ("Wallet",)

    @get(
        "/",
        operation_id="getWallet",
        permission="wallet.read",
        summary="Balance, and what of it is held",
        responses=refusals(401, 404),
    )
    async def wallet(self, holder: NamedDependency[AccountHolder], accounts: NamedDependency[Accounts]) -> Wallet:
        return await accounts.wallet(holder.account_id)

    @get(
        "/transfers",
        operation_id="listTransfers",
        permission="transfers.read",
        summary="What moved, newest first; usage is one line a day unless it is asked for",
        responses=refusals(401, 404, 422),
    )
    async def transfers(
        self,
        holder: NamedDependency[AccountHolder],
        paging: NamedDependency[Paging],
        accounts: NamedDependency[Accounts],
        kind: Annotated[
            Kind | None, QueryParameter(description="Only this kind; `usage`: transfer by transfer")
        ] = None,
    ) -> TransferList:
        lines = await accounts.statement(
            holder.wallet_id,
            kind=kind,
            after_time=paging.after_time,
            after_id=paging.after_id,
            limit=paging.rows_wanted,
        )
        shown, last = paging.split(lines)
        return TransferList(
            items=[
                TransferView(
                    id=line.transfer_id,
                    kind=line.kind,
                    amount=line.amount,
                    balance_after=line.balance_after,
                    reference=line.reference,
                    created_at=line.created_at,
                )
                for line in shown
            ],
            next_cursor=last and cursor_of(last.created_at, last.transfer_id),
        )

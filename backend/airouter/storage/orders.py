"""Rows of `orders`, and of the refunds that operators asked for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from airouter.domain.errors import InUse
from airouter.domain.ids import AccountId, UserId
from airouter.domain.order import Order, Status
from airouter.storage.admin_accounts import containing
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("orders")


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is promised when an order is placed."""

    order_id: UUID
    account_id: AccountId
    user_id: UserId | None
    method_id: str
    processor: str
    currency: str
    exponent: int
    amount: int
    fee: int
    quota: int
    bonus_quota: int
    quota_per_minor_unit: int
    package_id: str | None
    group_name: str
    expires_at: datetime
    ask_at: datetime | None


class OrderNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose order it is, in words; `buyer` None: the person was erased."""

    order_id: UUID
    account_name: str
    buyer: str | None


class OrderFilters(msgspec.Struct, frozen=True, kw_only=True):
    """None: any. `text` is looked for in names, addresses, and the ids of order and trade."""

    status: Status | None = None
    method_id: str | None = None
    account_id: UUID | None = None
    text: str | None = None


class RefundRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refund that an operator asked for."""

    refund_id: UUID
    order_id: UUID
    amount: int
    refunded_total: int
    at_processor: bool
    reason: str
    status: Literal["started", "done", "failed"]
    detail: str
    made_by: UUID | None
    created_at: datetime
    updated_at: datetime


async def open_orders_of(connection: Connection, account_id: AccountId) -> int:
    """How many are waiting to be paid; holds the account's row, so that nobody else places one meanwhile."""
    await connection.execute(QUERIES.hold_account, account_id)
    return value_as(int, await connection.fetchval(QUERIES.open_orders_of, account_id))


async def insert_order(connection: Connection, order: NewOrder) -> bool:
    """False: there is an order of this id."""
    return await connection.fetchval(QUERIES.insert_order, *msgspec.structs.astuple(order)) is not None


async def find_order(connection: Connection, order_id: UUID) -> Order | None:
    row = await connection.fetchrow(QUERIES.find_order, order_id)
    return row and row_as(Order, row)


async def lock_order(connection: Connection, order_id: UUID) -> Order | None:
    row = await connection.fetchrow(QUERIES.lock_order, order_id)
    return row and row_as(Order, row)


async def order_by_trade_number(connection: Connection, method_id: str, trade_number: str) -> UUID | None:
    return await connection.fetchval(QUERIES.order_by_trade_number, method_id, trade_number)


async def save_order(connection: Connection, order: Order) -> None:
    """What facts change."""
    await connection.execute(
        QUERIES.save_order, order.order_id, order.status, order.reason, order.trade_number, order.paid_amount,
        order.paid_currency, order.paid_at, order.credited_quota, order.credited_bonus, order.refunded_amount,
        order.taken_quota, order.taken_bonus, order.disputes, order.has_paused,
    )  # fmt: skip


async def keep_next(connection: Connection, order_id: UUID, next_step: object, reference: str | None) -> Order | None:
    """None: it is not pending any more."""
    row = await connection.fetchrow(QUERIES.keep_next, order_id, next_step, reference)
    return row and row_as(Order, row)


async def cancel_order(connection: Connection, order_id: UUID, account_id: AccountId) -> bool:
    """False: it is not pending."""
    return await connection.fetchval(QUERIES.cancel_order, order_id, account_id) is not None


async def expire_orders(connection: Connection, limit: int) -> int:
    """How many; fewer than `limit`: none is left."""
    return len(await connection.fetch(QUERIES.expire_orders, limit))


async def orders_to_ask(
    connection: Connection, limit: int, *, stop_after: timedelta, first_pause: timedelta, pause_max: timedelta
) -> list[Order]:
    """Unpaid orders whose processor is to be asked now; each is put off for its next time."""
    records = await connection.fetch(QUERIES.orders_to_ask, limit, stop_after, first_pause, pause_max)
    return [row_as(Order, record) for record in records]


async def orders_of(
    connection: Connection,
    account_id: AccountId,
    *,
    status: Status | None,
    after_time: datetime | None,
    after_id: UUID | None,
    limit: int,
) -> list[Order]:
    """Newest first."""
    records = await connection.fetch(QUERIES.orders_of, account_id, status, after_time, after_id, limit)
    return [row_as(Order, record) for record in records]


async def search_orders(
    connection: Connection, filters: OrderFilters, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[Order]:
    """Newest first."""
    records = await connection.fetch(
        QUERIES.search_orders, filters.status, filters.method_id, filters.account_id, containing(filters.text),
        after_time, after_id, limit,
    )  # fmt: skip
    return [row_as(Order, record) for record in records]


async def names_of(connection: Connection, orders: Sequence[UUID]) -> dict[UUID, OrderNames]:
    found = [row_as(OrderNames, record) for record in await connection.fetch(QUERIES.names_of, list(orders))]
    return {names.order_id: names for names in found}


async def pause_account(connection: Connection, account_id: AccountId) -> bool:
    """False: it was not active."""
    return await connection.fetchval(QUERIES.pause_account, account_id) is not None


async def is_paused_by_orders(connection: Connection, account_id: AccountId) -> bool:
    return value_as(bool, await connection.fetchval(QUERIES.is_paused_by_orders, account_id))


async def forget_pauses(connection: Connection, account_id: AccountId) -> None:
    await connection.execute(QUERIES.forget_pauses, account_id)


async def resume_account(connection: Connection, account_id: AccountId, for_order: UUID) -> bool:
    """False: it is not paused, or stays so for another order."""
    return await connection.fetchval(QUERIES.resume_account, account_id, for_order) is not None


async def insert_refund(
    connection: Connection,
    refund_id: UUID,
    order_id: UUID,
    *,
    amount: int,
    refunded_total: int,
    at_processor: bool,
    reason: str,
    made_by: UserId | None,
    ask_after: timedelta,
) -> bool:
    """False: there is a refund of this id.

    Raises:
        InUse: another refund of the order is under way.
    """
    try:
        made = await connection.fetchval(
            QUERIES.insert_refund, refund_id, order_id, amount, refunded_total, at_processor, reason, made_by, ask_after
        )
    except asyncpg.UniqueViolationError:
        raise InUse("Another refund of this order is under way.") from None
    return made is not None


async def finish_refund(
    connection: Connection, refund_id: UUID, status: Literal["done", "failed"], detail: str
) -> bool:
    """False: it was finished before."""
    return await connection.fetchval(QUERIES.finish_refund, refund_id, status, detail) is not None


async def find_refund(connection: Connection, refund_id: UUID) -> RefundRow | None:
    row = await connection.fetchrow(QUERIES.find_refund, refund_id)
    return row and row_as(RefundRow, row)


async def refunds_of(connection: Connection, order_id: UUID) -> list[RefundRow]:
    return [row_as(RefundRow, record) for record in await connection.fetch(QUERIES.refunds_of, order_id)]


async def refunds_to_ask(connection: Connection, limit: int, pause: timedelta) -> list[RefundRow]:
    """Started ones that nobody finished; each is put off."""
    return [row_as(RefundRow, record) for record in await connection.fetch(QUERIES.refunds_to_ask, limit, pause)]

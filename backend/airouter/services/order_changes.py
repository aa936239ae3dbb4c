"""What a change of an order does to everything else, in one transaction: quota, debt, rewards, pauses, the audit log.

Locks: the event's row, then the order's, then wallets by id.
"""

import logging
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from airouter.domain.ids import WalletId
from airouter.domain.ledger import GRANTS, SALES
from airouter.domain.order import Order
from airouter.domain.policy import TopUp
from airouter.services.audit_log import Act, Actor, record
from airouter.services.wallets import Movement, credit, take_or_owe
from airouter.storage import orders as rows
from airouter.storage import wallets
from airouter.storage.changes import announce
from airouter.storage.database import Connection

logger = logging.getLogger(__name__)

_TOLD: Final = (
    "status",
    "reason",
    "trade_number",
    "paid_amount",
    "paid_currency",
    "credited_quota",
    "credited_bonus",
    "refunded_amount",
    "taken_quota",
    "taken_bonus",
    "disputes",
)
"""What the audit log says of an order."""


class Hearers(Protocol):
    """Who else wants to know: `services.referrals.Referrals`."""

    async def order_paid(self, connection: Connection, order: Order) -> None: ...
    async def order_refunded(self, connection: Connection, order: Order) -> None: ...


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An order before and after. `key` makes its movements unique: the event's."""

    before: Order
    after: Order
    key: UUID
    reason: str | None = None

    @property
    def to_credit(self) -> tuple[int, int]:
        """(quota, bonus) that is new, or given back."""
        return self._more("quota"), self._more("bonus")

    @property
    def to_take(self) -> tuple[int, int]:
        """(quota, bonus) that is taken back now."""
        before, after = self.before, self.after
        return max(0, after.taken_quota - before.taken_quota), max(0, after.taken_bonus - before.taken_bonus)

    def _more(self, part: str) -> int:
        before, after = self.before, self.after
        fresh = getattr(after, f"credited_{part}") - getattr(before, f"credited_{part}")
        returned = max(0, getattr(before, f"taken_{part}") - getattr(after, f"taken_{part}"))
        return fresh + returned


async def carry_out(
    connection: Connection, change: Change, actor: Actor, hearers: Hearers, policy: TopUp, *, is_last_try: bool
) -> Order | None:
    """Everything that follows from a change, and the change itself; the order as it was saved.

    None, and nothing was done: leases hold what is to be taken back, and it is not the last try.

    Raises:
        AmountTooLarge: the account's wallet cannot hold that much.
        AccountDeleted: nobody would have what is credited.
    """
    before, after = change.before, change.after
    wallet_id = await wallets.main_wallet_of(connection, before.account_id)
    assert wallet_id is not None, "an order's account has a wallet"
    row = (await wallets.lock(connection, {wallet_id}))[wallet_id]
    lacking = sum(change.to_take) - sum(change.to_credit) - row.free
    if lacking > 0 and row.leased > 0 and not is_last_try:
        return None
    await _credit(connection, change, wallet_id, actor)
    owed = await _take(connection, change, wallet_id, actor)
    after = await _pause_or_resume(connection, before, after, policy, has_debt=owed > 0)
    await rows.save_order(connection, after)
    await _tell(connection, before, after, hearers)
    act = Act(
        action=f"order.{_verb(before, after)}",
        subject="order",
        subject_id=str(after.order_id),
        account_id=after.account_id,
        before=_told(before),
        after={**_told(after), **({"owed": owed} if owed else {}), **_because(change.reason)},
    )
    await record(connection, actor, act)
    return after


async def _credit(connection: Connection, change: Change, wallet_id: WalletId, actor: Actor) -> None:
    """An order's first credit has no key in its reference, so that there cannot be two, whoever comes with what."""
    quota, bonus = change.to_credit
    ending = f"/{change.key}" if change.before.is_paid else ""
    for part, amount, source in (("quota", quota, SALES), ("bonus", bonus, GRANTS)):
        if amount > 0:
            await credit(
                connection,
                kind="top_up",
                reference=f"order/{change.before.order_id}/{part}{ending}",
                wallet_id=wallet_id,
                amount=amount,
                debit_wallet=source,
                made_by=actor.user_id,
            )


async def _take(connection: Connection, change: Change, wallet_id: WalletId, actor: Actor) -> int:
    """What became debt."""
    quota, bonus = change.to_take
    owed = 0
    for part, amount, target in (("quota", quota, SALES), ("bonus", bonus, GRANTS)):
        if amount > 0:
            movement = Movement(
                kind="refund",
                reference=f"order/{change.before.order_id}/{part}/{change.key}",
                debit_wallet=wallet_id,
                credit_wallet=target,
                amount=amount,
                made_by=actor.user_id,
            )
            taken = await take_or_owe(connection, change.before.account_id, movement)
            assert taken is not None, "the last try"
            owed += taken.owed
    return owed


async def _pause_or_resume(
    connection: Connection, before: Order, after: Order, policy: TopUp, *, has_debt: bool
) -> Order:
    is_news = before.status != "disputed" or after.open_disputes > before.open_disputes
    if (after.status == "disputed" and is_news and policy.pause_on_dispute) or (has_debt and policy.pause_on_debt):
        if await rows.pause_account(connection, after.account_id):
            await announce(connection, "accounts", after.account_id)
            return msgspec.structs.replace(after, has_paused=True)
        if await rows.is_paused_by_orders(connection, after.account_id):
            return msgspec.structs.replace(after, has_paused=True)  # else an operator did, and lets it in again
    elif after.has_paused and before.status == "disputed" and after.status == "paid" and not after.is_lost:
        await rows.resume_account(connection, after.account_id, after.order_id)
        await announce(connection, "accounts", after.account_id)
        return msgspec.structs.replace(after, has_paused=False)
    return after


async def _tell(connection: Connection, before: Order, after: Order, hearers: Hearers) -> None:
    if after.is_paid and not before.is_paid:
        await hearers.order_paid(connection, after)
    if (after.taken_quota, after.taken_bonus) != (before.taken_quota, before.taken_bonus):
        await hearers.order_refunded(connection, after)


def _verb(before: Order, after: Order) -> str:
    return after.status if after.status != before.status else "changed"


def _told(order: Order) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _TOLD}


def _because(reason: str | None) -> dict[str, str]:
    return {"because": reason} if reason else {}

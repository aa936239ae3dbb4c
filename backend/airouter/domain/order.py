"""Orders: what they may become, and what a fact that a processor tells changes. Pure; amounts are minor units.

Facts come late, twice and in any order. So an order keeps what it heard (paid, refunded so far, disputes), and its
state and what is taken back are computed from that: a refund heard of before its payment takes effect with it.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from airouter.domain.dispute import Dispute, Disputes, State, with_heard
from airouter.domain.ids import AccountId, UserId

Status = Literal["pending", "paid", "expired", "failed", "refunded", "disputed", "review"]
Kind = Literal[
    "paid", "failed", "expired", "refunded", "dispute_opened", "dispute_won", "dispute_lost", "refund_failed"
]
Outcome = Literal[
    "applied",
    "known",
    "review",
    "paid_twice",
    "too_late",
    "refund_unclear",
    "order_unknown",
    "order_of_another_method",
]
"""What became of an event: `applied` changed the order, `known` was nothing new; see ALARMING for the rest."""

MOVES: Final[dict[Status, frozenset[Status]]] = {
    "pending": frozenset({"paid", "expired", "failed", "review", "refunded", "disputed"}),
    "expired": frozenset({"paid", "review", "refunded", "disputed"}),
    "failed": frozenset({"paid", "review", "refunded", "disputed"}),
    "review": frozenset({"paid", "failed", "refunded", "disputed"}),
    "paid": frozenset({"refunded", "disputed"}),
    "disputed": frozenset({"paid", "refunded"}),
    "refunded": frozenset({"paid", "disputed"}),
}
"""What each state may become. Nothing becomes unpaid again; `refunded` is left only when a refund failed, or for a
dispute. From the unpaid ones straight to `refunded` or `disputed`: the payment was heard of after what undid it."""

UNPAID: Final[frozenset[Status]] = frozenset({"pending", "expired", "failed"})
"""A payment may still come."""
ALARMING: Final[frozenset[Outcome]] = frozenset(
    {"review", "paid_twice", "refund_unclear", "order_unknown", "order_of_another_method"}
)
"""Outcomes that a person has to look at."""
REJECTED: Final = "rejected"
"""The reason of an order that failed because an operator decided so."""


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order, with what was promised when it was placed and what was heard of it since.

    `refunded_amount` is what was refunded so far; what is or was disputed stands beside it.
    """

    order_id: UUID
    account_id: AccountId
    user_id: UserId | None
    method_id: str
    processor: str
    status: Status
    reason: str | None
    currency: str
    exponent: int
    amount: int
    fee: int
    quota: int
    bonus_quota: int
    quota_per_minor_unit: int
    package_id: str | None
    group_name: str
    next: Any
    processor_reference: str | None
    trade_number: str | None
    paid_amount: int | None
    paid_currency: str | None
    paid_at: datetime | None
    credited_quota: int
    credited_bonus: int
    refunded_amount: int
    taken_quota: int
    taken_bonus: int
    disputes: Disputes
    has_paused: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    ask_at: datetime | None
    asks: int

    @property
    def total(self) -> int:
        """What the buyer has to pay."""
        return self.amount + self.fee

    @property
    def is_paid(self) -> bool:
        """Whether quota was ever credited for it."""
        return self.credited_quota > 0

    @property
    def open_disputes(self) -> int:
        """How many are not decided."""
        return sum(one.state == "open" for one in self.disputes)

    @property
    def is_lost(self) -> bool:
        """Whether a dispute of it was ever lost."""
        return any(one.state == "lost" for one in self.disputes)

    @property
    def given_back_amount(self) -> int:
        """What the buyer has back: what was refunded, and what disputes that were lost were about."""
        return self.gone_amount(with_open=False)

    @property
    def refundable_amount(self) -> int:
        """What of the payment may still be given back: not while a dispute or nobody's payment is open."""
        is_decided = self.status in {"paid", "review"} and not self.open_disputes
        is_ours = is_decided and self.paid_currency == self.currency
        return max(0, (self.paid_amount or 0) - self.given_back_amount) if is_ours else 0

    def gone_amount(self, *, with_open: bool) -> int:
        """What was refunded and what was lost in disputes, with or without the open ones: never more than was paid,
        once it was.
        """
        if self.paid_amount is None:
            return self.refunded_amount
        counted = [one for one in self.disputes if one.state == "lost" or (with_open and one.state == "open")]
        disputed = sum(self.paid_amount if one.amount is None else one.amount for one in counted)
        return min(self.paid_amount, self.refunded_amount + disputed)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of an order. `amount`: what was paid or is disputed; `refunded_total`: refunds so far.

    `dispute_name` and `dispute_reason` are the processor's, where it has them.
    """

    kind: Kind
    amount: int | None = None
    refunded_total: int | None = None
    currency: str | None = None
    trade_number: str | None = None
    dispute_name: str | None = None
    dispute_reason: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The order after a fact, and what the fact was worth. What moves is the difference to the order before."""

    order: Order
    outcome: Outcome


def judge(order: Order, fact: Fact, *, at: datetime, dispute_takes_back: bool) -> Verdict:
    """What a fact makes of an order. The same fact once more changes nothing."""
    match fact.kind:
        case "paid":
            verdict = _paid(order, fact, at)
        case "failed" | "expired":
            verdict = _not_paid(order, fact)
        case "refunded" | "refund_failed":
            verdict = _refunded(order, fact)
        case "dispute_opened" | "dispute_won" | "dispute_lost":
            verdict = _disputed(order, fact, at)
    after = settled(verdict.order, dispute_takes_back=dispute_takes_back)
    assert after.status == order.status or after.status in MOVES[order.status], f"{order.status} -> {after.status}"
    return msgspec.structs.replace(verdict, order=after)


def settled(order: Order, *, dispute_takes_back: bool) -> Order:
    """State, and what is taken back in all, from what is known of a paid order."""
    if not order.is_paid:
        return order
    gone, paid = _share_gone(order, with_open=dispute_takes_back)
    status: Status = "paid"
    if order.open_disputes:
        status = "disputed"
    elif gone == paid:
        status = "refunded"
    return msgspec.structs.replace(
        order,
        status=status,
        refunded_amount=min(order.refunded_amount, order.paid_amount or 0),
        taken_quota=part_of(order.credited_quota, gone, paid),
        taken_bonus=part_of(order.credited_bonus, gone, paid),
    )


def credited(order: Order, quota: int, bonus: int, at: datetime) -> Order:
    """The order with its quota credited."""
    return msgspec.structs.replace(
        order, status="paid", reason=None, credited_quota=quota, credited_bonus=bonus, paid_at=order.paid_at or at
    )


def worth(order: Order) -> tuple[int, int]:
    """(quota, bonus) of what was really paid, in proportion to the total; the bonus never above its promise."""
    paid = order.paid_amount or 0
    bonus = part_of(order.bonus_quota, min(paid, order.total), order.total)
    return part_of(order.quota, paid, order.total), bonus


def part_of(whole: int, part: int, of: int) -> int:
    """`whole x part / of`, down: cumulative, so that parts which add up to everything take exactly everything."""
    return whole * part // of if of else 0


def _share_gone(order: Order, *, with_open: bool) -> tuple[int, int]:
    """(part, whole) of the payment. Where nothing that counts was paid, a dispute is about everything."""
    if not order.paid_amount:
        return int(order.is_lost or (with_open and order.open_disputes > 0)), 1
    return order.gone_amount(with_open=with_open), order.paid_amount


def _paid(order: Order, fact: Fact, at: datetime) -> Verdict:
    is_same = fact.trade_number is None or order.trade_number in {None, fact.trade_number}
    if order.status not in UNPAID:
        known = msgspec.structs.replace(order, trade_number=order.trade_number or fact.trade_number)
        return Verdict(order=known, outcome="known" if is_same else "paid_twice")
    if order.reason == REJECTED and order.trade_number is not None and fact.trade_number == order.trade_number:
        return Verdict(order=order, outcome="known")  # somebody looked at this payment and decided
    heard = msgspec.structs.replace(
        order,
        trade_number=fact.trade_number or order.trade_number,
        paid_amount=fact.amount,
        paid_currency=fact.currency or order.currency,
        paid_at=at,
    )
    reason = _objection(order, fact)
    if reason is not None:
        return Verdict(order=msgspec.structs.replace(heard, status="review", reason=reason), outcome="review")
    return Verdict(order=credited(heard, order.quota, order.bonus_quota, at), outcome="applied")


def _objection(order: Order, fact: Fact) -> str | None:
    if fact.currency is not None and fact.currency.upper() != order.currency:
        return "currency_differs"
    if fact.amount is None:
        return "amount_unknown"
    if fact.amount != order.total:
        return "underpaid" if fact.amount < order.total else "overpaid"
    return None


def _not_paid(order: Order, fact: Fact) -> Verdict:
    if order.status != "pending":
        return Verdict(order=order, outcome="too_late" if order.status in UNPAID else "known")
    if fact.kind == "expired":
        return Verdict(order=msgspec.structs.replace(order, status="expired", reason=None), outcome="applied")
    return Verdict(order=msgspec.structs.replace(order, status="failed", reason="declined"), outcome="applied")


def _refunded(order: Order, fact: Fact) -> Verdict:
    if fact.refunded_total is None or (fact.currency or order.currency).upper() != order.currency:
        return Verdict(order=order, outcome="refund_unclear")
    choose = min if fact.kind == "refund_failed" else max
    total = choose(order.refunded_amount, fact.refunded_total)
    if order.is_paid and order.paid_amount is not None:
        total = min(total, order.paid_amount)
    if total == order.refunded_amount:
        return Verdict(order=order, outcome="known")
    trade_number = order.trade_number or fact.trade_number
    after = msgspec.structs.replace(order, refunded_amount=total, trade_number=trade_number)
    return Verdict(order=after, outcome="applied")


_STATES: Final[dict[Kind, State]] = {"dispute_opened": "open", "dispute_won": "won", "dispute_lost": "lost"}


def _disputed(order: Order, fact: Fact, at: datetime) -> Verdict:
    state = _STATES[fact.kind]
    heard = Dispute(
        name=fact.dispute_name,
        state=state,
        amount=_disputed_amount(order, fact),
        reason=fact.dispute_reason,
        heard_at=at,
        decided_at=None if state == "open" else at,
    )
    disputes = with_heard(order.disputes, heard)
    if disputes is None:
        return Verdict(order=order, outcome="refund_unclear")
    outcome = "known" if disputes == order.disputes else "applied"
    return Verdict(order=msgspec.structs.replace(order, disputes=disputes), outcome=outcome)


def _disputed_amount(order: Order, fact: Fact) -> int | None:
    """None, all of it, where nobody said a part, or in money that was not paid with."""
    if fact.amount is None:
        return None
    is_comparable = fact.currency is None or fact.currency.upper() == (order.paid_currency or order.currency).upper()
    return fact.amount if is_comparable and fact.amount > 0 else None

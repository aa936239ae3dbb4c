"""What buyers send and see: offers, quotes and orders. Amounts are minor units of the method's currency."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId, UserId
from airouter.domain.order import Order, Status
from airouter.domain.quota import WALLET_MAX
from airouter.domain.quote import Minor, is_for, quote
from airouter.services.payment_method_forms import Fee
from airouter.services.payment_methods import OpenMethod

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=63)]


class Choice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to buy: `amount` in minor units of the method's currency, or one of its packages."""

    method: Name
    amount: Minor | None = None
    package: Name | None = None


class Agreed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the buyer was shown: `total` to pay, for `quota` and `bonus_quota`."""

    total: Minor
    quota: Annotated[int, msgspec.Meta(ge=1, le=WALLET_MAX)]
    bonus_quota: Annotated[int, msgspec.Meta(ge=0, le=WALLET_MAX)]


class Purchase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A choice to order. `agreed`: for exactly this, or 409 `quote_changed`; null: for what it costs now."""

    method: Name
    amount: Minor | None = None
    package: Name | None = None
    agreed: Agreed | None = None

    @property
    def choice(self) -> Choice:
        return Choice(method=self.method, amount=self.amount, package=self.package)


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """Who buys, for which account."""

    account_id: AccountId
    group: str
    user_id: UserId
    email: str
    locale: str | None
    address: str


class QuoteView(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is paid, `quota` and `bonus_quota` are credited: exactly this, if it is ordered now."""

    method: str
    package: str | None
    currency: str
    exponent: int
    amount: int
    fee: int
    total: int
    quota: int
    bonus_quota: int
    quota_per_minor_unit: int


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer does now: go to `url`, post `fields` to it, scan it, or read `text` and use `fields`."""

    type: str
    url: str | None
    fields: dict[str, str] | None
    text: str | None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order. `next` null: nothing is to be done, or the processor was not told yet (`POST …/start`). Instructions of
    an order that expired are still there, for who is about to write them on a transfer or looks up what was written.

    `refunded_amount` of `paid_amount` was given back: refunds, and what a lost dispute was about. `taken_quota` (bonus
    included) was taken back for it, or is while a dispute is open.
    """

    id: UUID
    status: Status
    reason: str | None
    method: str
    package: str | None
    currency: str
    exponent: int
    amount: int
    fee: int
    total: int
    quota: int
    bonus_quota: int
    paid_amount: int | None
    paid_currency: str | None
    credited_quota: int
    refunded_amount: int
    taken_quota: int
    reference: str | None
    trade_number: str | None
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    next: NextStep | None


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """Something to buy; `amount`, `fee` and `total` are minor units of the method's currency."""

    id: str
    label: str
    amount: int
    fee: int
    total: int
    quota: int
    bonus_quota: int


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """A way to pay. `fee` comes on top of the amount; the quote has it to the unit."""

    id: str
    label: str
    text: str
    currency: str
    exponent: int
    minimum: int | None
    maximum: int | None
    custom_amount: bool
    quota_per_minor_unit: int
    fee: Fee
    packages: list[PackageView]


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is sold to an account of a group; `seller` is for receipts."""

    redemption_enabled: bool
    seller: str
    methods: list[OfferView]


def order_view(order: Order) -> OrderView:
    """What a buyer sees of an order."""
    return OrderView(
        id=order.order_id,
        status=order.status,
        reason=order.reason,
        method=order.method_id,
        package=order.package_id,
        currency=order.currency,
        exponent=order.exponent,
        amount=order.amount,
        fee=order.fee,
        total=order.total,
        quota=order.quota,
        bonus_quota=order.bonus_quota,
        paid_amount=order.paid_amount,
        paid_currency=order.paid_currency,
        credited_quota=order.credited_quota + order.credited_bonus,
        refunded_amount=order.given_back_amount,
        taken_quota=order.taken_quota + order.taken_bonus,
        reference=order.processor_reference,
        trade_number=order.trade_number,
        created_at=order.created_at,
        expires_at=order.expires_at,
        paid_at=order.paid_at,
        next=_next_step(order),
    )


def _next_step(order: Order) -> NextStep | None:
    """Words to pay by outlive the time to pay: a transfer takes days, and it still counts. Pages end with the order."""
    kept: dict[str, Any] | None = order.next
    if kept is None:
        return None
    has_expired = order.status == "expired" and order.reason != "cancelled"
    if order.status != "pending" and not (has_expired and kept["type"] == "instructions"):
        return None
    return NextStep(type=kept["type"], url=kept.get("url"), fields=kept.get("fields"), text=kept.get("text"))


def offer_view(method: OpenMethod, group: str) -> OfferView:
    row, terms = method.row, method.terms
    return OfferView(
        id=row.method_id,
        label=row.label,
        text=row.text,
        currency=row.currency,
        exponent=terms.exponent,
        minimum=row.minimum,
        maximum=row.maximum,
        custom_amount=row.custom_amount,
        quota_per_minor_unit=row.quota_per_minor_unit,
        fee=Fee(fixed=row.fee_fixed, micros=row.fee_micros),
        packages=_packages(method, group),
    )


def _packages(method: OpenMethod, group: str) -> list[PackageView]:
    offered = [package for package in method.row.packages if is_for(package.groups, group)]
    quotes = [(package, quote(method.terms, group, package_id=package.id)) for package in offered]
    return [
        PackageView(
            id=package.id,
            label=package.label,
            amount=quoted.amount,
            fee=quoted.fee,
            total=quoted.total,
            quota=quoted.quota,
            bonus_quota=quoted.bonus_quota,
        )
        for package, quoted in quotes
    ]

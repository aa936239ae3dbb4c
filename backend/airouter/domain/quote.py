"""What an amount of money buys. The quote that is shown and the order that is placed are the same function.

Two roundings, each named: the buyer's fee up to the next minor unit, a bonus in millionths down to the next quota.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from airouter.domain.currency import in_words
from airouter.domain.errors import AmountTooLarge, InvalidRequest
from airouter.domain.order_errors import AmountOutOfBounds
from airouter.domain.quota import MICROS, WALLET_MAX, ceil_div

AMOUNT_MAX: Final = 10**12
"""Minor units: no order is larger, whatever the operator allows."""

Minor = Annotated[int, Meta(ge=1, le=AMOUNT_MAX)]
"""Minor units of a currency."""
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Groups = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(min_length=1, max_length=200)]


class Package(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something ready to buy. `quota` null: what the amount buys at the method's rate; `bonus_quota` null: by tier."""

    id: Slug
    label: Annotated[str, Meta(min_length=1, max_length=120)]
    amount: Minor
    quota: Annotated[int, Meta(ge=1, le=WALLET_MAX)] | None = None
    bonus_quota: Annotated[int, Meta(ge=0, le=WALLET_MAX)] | None = None
    groups: Groups | None = None


class BonusTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From `minimum` on: so many millionths of the quota on top, and so much. Of several the largest bonus counts."""

    minimum: Minor
    bonus_micros: Annotated[int, Meta(ge=0, le=10 * MICROS)] = 0
    bonus_quota: Annotated[int, Meta(ge=0, le=WALLET_MAX)] = 0
    groups: Groups | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment method sells for. `fee_micros`: millionths of the amount, on top of `fee_fixed`."""

    currency: str
    exponent: int
    quota_per_minor_unit: int
    minimum: int | None = None
    maximum: int | None = None
    custom_amount: bool = True
    packages: tuple[Package, ...] = ()
    bonus_tiers: tuple[BonusTier, ...] = ()
    fee_fixed: int = 0
    fee_micros: int = 0


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Minor units of `currency`: `amount` is for the quota, `fee` comes on top, `total` is what is paid."""

    currency: str
    exponent: int
    amount: int
    fee: int
    total: int
    quota: int
    bonus_quota: int
    quota_per_minor_unit: int
    package_id: str | None


def quote(terms: Terms, group: str, *, amount: int | None = None, package_id: str | None = None) -> Quote:
    """Exactly what is credited and paid.

    Raises:
        InvalidRequest: neither or both of amount and package, no such package, no custom amounts here.
        AmountOutOfBounds: with the method's `minimum` and `maximum`.
        AmountTooLarge: no wallet holds that much.
    """
    package = _package(terms, group, package_id) if package_id is not None else None
    if (amount is None) == (package is None):
        raise InvalidRequest("amount: say either an amount or a package.", field="amount")
    bought = package.amount if package is not None else _within_bounds(terms, amount or 0)
    quota = bought * terms.quota_per_minor_unit
    if package is not None and package.quota is not None:
        quota = package.quota
    bonus = package.bonus_quota if package is not None else None
    if bonus is None:
        bonus = max((_bonus(tier, quota) for tier in terms.bonus_tiers if _holds(tier, bought, group)), default=0)
    if quota + bonus > WALLET_MAX:
        raise AmountTooLarge(field="amount")
    fee = terms.fee_fixed + ceil_div(bought * terms.fee_micros, MICROS)
    return Quote(
        currency=terms.currency,
        exponent=terms.exponent,
        amount=bought,
        fee=fee,
        total=bought + fee,
        quota=quota,
        bonus_quota=bonus,
        quota_per_minor_unit=terms.quota_per_minor_unit,
        package_id=package_id,
    )


def is_for(groups: tuple[str, ...] | None, group: str) -> bool:
    """None: for everybody."""
    return groups is None or group in groups


def _package(terms: Terms, group: str, package_id: str) -> Package:
    for package in terms.packages:
        if package.id == package_id and is_for(package.groups, group):
            return package
    raise InvalidRequest(f"package: there is no package {package_id!r}.", field="package")


def _within_bounds(terms: Terms, amount: int) -> int:
    if not terms.custom_amount:
        raise InvalidRequest("amount: only the packages of this payment method are sold.", field="amount")
    minimum, maximum = max(1, terms.minimum or 1), min(AMOUNT_MAX, terms.maximum or AMOUNT_MAX)
    if not minimum <= amount <= maximum:
        lower, upper = in_words(minimum, terms.currency), in_words(maximum, terms.currency)
        words = f"amount: from {lower} to {upper}." if terms.maximum else f"amount: at least {lower}."
        raise AmountOutOfBounds(words, field="amount", minimum=minimum, maximum=terms.maximum)
    return amount


def _holds(tier: BonusTier, amount: int, group: str) -> bool:
    return amount >= tier.minimum and is_for(tier.groups, group)


def _bonus(tier: BonusTier, quota: int) -> int:
    """Down to the next quota."""
    return tier.bonus_quota + quota * tier.bonus_micros // MICROS

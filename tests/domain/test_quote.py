"""What an amount buys, against exact fractions; and every bound said in words."""

from fractions import Fraction
from math import ceil, floor

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.currency import EXPONENTS, exponent_of, in_words
from airouter.domain.errors import AmountTooLarge, DomainError, InvalidRequest
from airouter.domain.order_errors import AmountOutOfBounds
from airouter.domain.quota import WALLET_MAX
from airouter.domain.quote import BonusTier, Package, Terms, quote

GROUPS = st.none() | st.lists(st.sampled_from(["default", "vip"]), min_size=1, max_size=2).map(tuple)
TIERS = st.lists(
    st.builds(
        BonusTier,
        minimum=st.integers(1, 10_000),
        bonus_micros=st.integers(0, 2_000_000),
        bonus_quota=st.integers(0, 10**9),
        groups=GROUPS,
    ),
    max_size=4,
).map(tuple)


@given(
    amount=st.integers(1, 10_000),
    rate=st.integers(1, 10**8),
    tiers=TIERS,
    fee_fixed=st.integers(0, 500),
    fee_micros=st.integers(0, 1_000_000),
    group=st.sampled_from(["default", "vip"]),
)
def test_a_quote_is_what_exact_fractions_say(
    *, amount: int, rate: int, tiers: tuple[BonusTier, ...], fee_fixed: int, fee_micros: int, group: str
) -> None:
    terms = Terms(
        currency="EUR", exponent=2, quota_per_minor_unit=rate, bonus_tiers=tiers, fee_fixed=fee_fixed,
        fee_micros=fee_micros,
    )  # fmt: skip
    quoted = quote(terms, group, amount=amount)
    quota = Fraction(amount) * rate
    holding = [t for t in tiers if t.minimum <= amount and (t.groups is None or group in t.groups)]
    bonuses = [floor(quota * Fraction(t.bonus_micros, 1_000_000)) + t.bonus_quota for t in holding]
    assert quoted.quota == quota
    assert quoted.bonus_quota == max(bonuses, default=0)
    assert quoted.fee == fee_fixed + ceil(Fraction(amount * fee_micros, 1_000_000))
    assert quoted.total == quoted.amount + quoted.fee == amount + quoted.fee
    assert quote(terms, group, amount=amount) == quoted


PACKAGES = (
    Package(id="small", label="Small", amount=500),
    Package(id="big", label="Big", amount=5_000, quota=60_000, bonus_quota=7),
    Package(id="vip", label="For friends", amount=900, quota=9_999, groups=("vip",)),
)
TERMS = Terms(
    currency="USD",
    exponent=2,
    quota_per_minor_unit=10,
    minimum=100,
    maximum=10_000,
    packages=PACKAGES,
    bonus_tiers=(BonusTier(minimum=500, bonus_micros=100_000),),
)


def test_a_package_has_its_own_quota_and_bonus_or_those_of_its_amount() -> None:
    assert (
        quote(TERMS, "default", package_id="small").quota,
        quote(TERMS, "default", package_id="small").bonus_quota,
    ) == (5_000, 500)
    big = quote(TERMS, "default", package_id="big")
    assert (big.amount, big.quota, big.bonus_quota, big.package_id) == (5_000, 60_000, 7, "big")
    assert quote(TERMS, "vip", package_id="vip").quota == 9_999


@pytest.mark.parametrize(
    ("asked", "kind", "field"),
    [
        ({}, InvalidRequest, "amount"),
        ({"amount": 500, "package_id": "small"}, InvalidRequest, "amount"),
        ({"package_id": "nothing"}, InvalidRequest, "package"),
        ({"package_id": "vip"}, InvalidRequest, "package"),
        ({"amount": 99}, AmountOutOfBounds, "amount"),
        ({"amount": 10_001}, AmountOutOfBounds, "amount"),
        ({"amount": 0}, AmountOutOfBounds, "amount"),
        ({"amount": -500}, AmountOutOfBounds, "amount"),
    ],
)
def test_what_is_not_sold_is_refused_with_its_field(asked: dict, kind: type[DomainError], field: str) -> None:
    with pytest.raises(kind) as refused:
        quote(TERMS, "default", **asked)
    assert refused.value.details["field"] == field


def test_a_bound_is_named_in_words_and_in_minor_units() -> None:
    with pytest.raises(AmountOutOfBounds) as refused:
        quote(TERMS, "default", amount=1)
    assert refused.value.message == "amount: from 1.00 USD to 100.00 USD."
    assert (refused.value.details["minimum"], refused.value.details["maximum"]) == (100, 10_000)


def test_where_only_packages_are_sold_an_amount_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        quote(msgspec.structs.replace(TERMS, custom_amount=False), "default", amount=500)


def test_no_order_promises_more_than_a_wallet_holds() -> None:
    terms = Terms(currency="USD", exponent=2, quota_per_minor_unit=WALLET_MAX)
    assert quote(terms, "default", amount=1).quota == WALLET_MAX
    with pytest.raises(AmountTooLarge):
        quote(terms, "default", amount=2)


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [
        (1234, "USD", "12.34 USD"),
        (5, "EUR", "0.05 EUR"),
        (500, "JPY", "500 JPY"),
        (1, "KWD", "0.001 KWD"),
        (-7, "USD", "-0.07 USD"),
    ],
)
def test_minor_units_are_said_with_the_places_of_their_currency(minor: int, currency: str, words: str) -> None:
    assert in_words(minor, currency) == words


def test_currencies_have_the_places_of_the_standard() -> None:
    assert {code: exponent_of(code) for code in ("USD", "JPY", "KWD", "CLF", "CNY")} == {
        "USD": 2, "JPY": 0, "KWD": 3, "CLF": 4, "CNY": 2,
    }  # fmt: skip
    assert exponent_of("XXX") is None
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    assert len(EXPONENTS) > 150

"""Minor units and the decimal strings of processors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.payments.amounts import from_decimal, to_decimal
from airouter.payments.contract import WebhookUnreadable


@given(amount=st.integers(0, 10**15), exponent=st.integers(0, 4))
def test_what_is_written_is_read_back(amount: int, exponent: int) -> None:
    assert from_decimal(to_decimal(amount, exponent), exponent) == amount


@pytest.mark.parametrize(
    ("text", "exponent", "amount"),
    [("12.34", 2, 1234), ("12", 2, 1200), ("12.3", 2, 1230), ("0.01", 2, 1), ("12.3400", 2, 1234), ("500", 0, 500),
     ("500.00", 0, 500), ("1.234", 3, 1234)],
)  # fmt: skip
def test_fewer_places_and_zeros_are_fine(text: str, exponent: int, amount: int) -> None:
    assert from_decimal(text, exponent) == amount


@pytest.mark.parametrize(
    "text",
    ["", "1.", ".5", "-1.00", "+1.00", "1e2", "1,000.00", "NaN", "12.345", " 1.00", "1.00 ", "١٢", "0x10", "1_0"],
)
def test_anything_but_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(WebhookUnreadable):
        from_decimal(text, 2)

"""Codes of referrals, what is promised, and what is left of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.errors import InvalidRequest
from airouter.domain.policies.referral import Referral
from airouter.domain.referral import code_from, left_of, mailbox, masked, normal_form, promises, share_of

JOINED = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.integers(0, 2**60 - 1))
def test_a_code_is_read_however_it_is_typed(draw: int) -> None:
    code = code_from(draw)
    assert len(code) == 12
    typed = f" {code[:4]}-{code[4:8]} {code[8:]}".lower().replace("0", "o").replace("1", "l")
    assert normal_form(typed) == normal_form(code) == code


@given(st.integers(0, 2**60 - 1), st.integers(0, 2**60 - 1))
def test_different_draws_are_different_codes(one: int, other: int) -> None:
    assert (code_from(one) == code_from(other)) == (one == other)


@pytest.mark.parametrize(
    "typed", ["", "ABC", "ABCDEFGHJKM", "ABCDEFGHJKMNP", "UUUUUUUUUUUU", "' OR 1=1 -- x", "é" * 12]
)
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert normal_form(typed) is None


@pytest.mark.parametrize(
    ("email", "ends_up_at"),
    [
        ("Ada@Example.com", "ada@example.com"),
        ("ada+shop@example.com", "ada@example.com"),
        ("a.d.a+1@googlemail.com", "ada@gmail.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("+odd@example.com", "+odd@example.com"),
    ],
)
def test_addresses_of_one_mailbox_are_one_person(email: str, ends_up_at: str) -> None:
    assert mailbox(email) == ends_up_at


@pytest.mark.parametrize(
    ("email", "shown"), [("ada@example.com", "ad…@example.com"), ("ab@x.org", "a…@x.org"), ("a@x.org", "a…@x.org")]
)
def test_an_invitee_is_shown_masked(email: str, shown: str) -> None:
    assert masked(email) == shown


def test_nothing_is_promised_that_nobody_configured() -> None:
    assert promises(Referral(), JOINED) == []
    with pytest.raises(InvalidRequest, match="nothing would be given"):
        Referral(is_enabled=True).check()
    with pytest.raises(InvalidRequest, match="days"):
        Referral(condition="after_days").check()
    Referral(is_enabled=True, share_micros=1).check()
    assert Referral(verified_email_only=True).needs_mail() == "verified_email_only"


def test_the_condition_says_when_it_is_due() -> None:
    due = {
        condition: promises(Referral(reward=5, invitee_reward=3, condition=condition, days=days), JOINED)[0].due_at
        for condition, days in [("registration", None), ("first_order", None), ("after_days", 14)]
    }
    assert due == {"registration": JOINED, "first_order": None, "after_days": JOINED + timedelta(days=14)}


quotas = st.integers(1, 2**53 - 1)


@given(quotas, st.integers(0, 1_000_000))
def test_a_share_is_never_more_than_was_bought(quota: int, share: int) -> None:
    assert 0 <= share_of(quota, share) <= quota
    assert share_of(quota, 1_000_000) == quota


@given(quotas, quotas, st.integers(0, 2**53 - 1), st.sampled_from(["joining", "order/1"]))
def test_a_refund_leaves_no_more_than_there_was_and_nothing_when_it_is_whole(
    amount: int, credited: int, taken: int, cause: str
) -> None:
    left = left_of(amount, cause=cause, credited=credited, taken=min(taken, credited))
    assert 0 <= left <= amount
    assert left_of(amount, cause=cause, credited=credited, taken=credited) == 0
    assert left_of(amount, cause=cause, credited=credited, taken=0) == amount

"""Codes survive how people type them, and notice when they typed something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.errors import InvalidRequest
from airouter.domain.redemption import (
    ALPHABET,
    RANDOM_BITS,
    campaign_form,
    check_campaign,
    code_from,
    is_mistyped,
    normal_form,
)

draws = st.integers(min_value=0, max_value=2**136 - 1)


@given(draws)
def test_a_code_is_read_however_it_is_typed(draw: int) -> None:
    code = code_from(draw)
    normal = code.replace("-", "")
    assert len(normal) == 28
    assert normal_form(code) == normal
    assert normal_form(code.lower().replace("-", " ")) == normal
    assert normal_form(f"  {normal}\n") == normal
    assert normal_form(code.replace("0", "O").replace("1", "l")) == normal
    assert normal_form(code.replace("-", "\u2013").replace("1", "I")) == normal
    assert normal_form("".join(chr(ord(letter) + 0xFEE0) for letter in code)) == normal, (
        "full-width, as in Chinese input"
    )
    assert normal_form("\u200b\u3000".join(code)) == normal, "what cannot be seen, and wide spaces"


@given(draws, st.integers(0, 27), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_always_noticed(draw: int, at: int, letter: str) -> None:
    normal = code_from(draw).replace("-", "")
    wrong = normal[:at] + letter + normal[at + 1 :]
    assert (normal_form(wrong) is None) == (wrong != normal)


@given(draws, st.integers(0, 26))
def test_two_letters_swapped_are_always_noticed(draw: int, at: int) -> None:
    normal = code_from(draw).replace("-", "")
    swapped = normal[:at] + normal[at + 1] + normal[at] + normal[at + 2 :]
    assert (normal_form(swapped) is None) == (swapped != normal)


@given(st.text(max_size=60))
def test_nothing_typed_is_an_error_of_ours(text: str) -> None:
    normal_form(text)


def test_different_draws_are_different_codes() -> None:
    codes = {code_from(draw) for draw in [0, 1, 2**RANDOM_BITS - 1, 2**129, *range(100, 1100)]}
    assert len(codes) == 1004


@given(draws, st.integers(0, 27), st.sampled_from(ALPHABET))
def test_a_typing_mistake_is_told_from_a_code_that_does_not_exist(draw: int, at: int, letter: str) -> None:
    code = code_from(draw).replace("-", "")
    wrong = code[:at] + letter + code[at + 1 :]
    assert is_mistyped(wrong) == (wrong != code)
    assert campaign_form(wrong) is None, "so nothing is looked up"


@given(st.text(max_size=80))
def test_no_text_is_both_a_random_code_and_a_campaign_code(text: str) -> None:
    assert (normal_form(text) is not None) + is_mistyped(text) + (campaign_form(text) is not None) <= 1


@pytest.mark.parametrize(
    "typed", ["Spring-Workshop-2026", "spring workshop 2026", "SPRINGW0RKSHOP2O26", "ＳＰＲＩＮＧworkshop２０２６"]
)
def test_a_campaign_code_is_read_as_leniently(typed: str) -> None:
    assert campaign_form(typed) == check_campaign("Spring-Workshop-2026")


@pytest.mark.parametrize(
    "text", ["", "AB", "A" * 65, "has space", "-ABC", "ABC-", "A--B", "naïve", "A_B_C", "0" * 28, "ABC\n"]
)
def test_words_that_make_no_campaign_code_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        check_campaign(text)

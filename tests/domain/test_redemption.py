"""Codes survive how people type them, and notice when they typed something else."""

from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.redemption import ALPHABET, RANDOM_BITS, code_from, normal_form

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

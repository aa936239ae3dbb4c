"""Names that others read."""

import pytest

from airouter.domain.errors import InvalidRequest
from airouter.domain.shown_name import shown_name


@pytest.mark.parametrize("name", ["Research", "研究部", "R&D <lab>", "\U0001f469\u200d\U0001f52c lab", "नेपाल\u200cी"])
def test_what_can_be_read_is_a_name(name: str) -> None:
    assert shown_name(f"  {name}\t") == name


@pytest.mark.parametrize(
    "name", ["", "   ", "\u3000", "\u200d", "\u202eevil", "a\u2066b", "a\u200bb", "a\nb", "\ufeff"]
)
def test_what_nobody_sees_is_none(name: str) -> None:
    with pytest.raises(InvalidRequest):
        shown_name(name)

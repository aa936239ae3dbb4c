"""The guide shows the table that the code obeys."""

from pathlib import Path

import pytest

from airouter.translation.guide import table

GUIDE = Path(__file__).parents[2] / "docs" / "guide"


@pytest.mark.parametrize("name", ["dialects.md", "dialects.zh.md"])
def test_the_guide_has_the_table_as_it_is(name: str):
    """After a change of support.py: put what `airouter.translation.guide.table()` gives into both guides."""
    assert table() in (GUIDE / name).read_text()

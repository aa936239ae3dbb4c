"""Names that people give to things and others read: in lists, in letters, in questions before something is deleted."""

import unicodedata

from airouter.domain.errors import InvalidRequest

_UNSEEN = frozenset({"Cc", "Zl", "Zp", "Cs", "Co", "Cn"})
_JOINERS = frozenset("\u200c\u200d")
"""Some scripts, and many pictures, are written with them."""


def shown_name(text: str, field: str = "name") -> str:
    """The name without blanks around it.

    Raises:
        InvalidRequest: nobody would see anything, or it changes how the text beside it is read (a letter that turns the
            direction of writing).
    """
    name = text.strip()
    hidden = [letter for letter in name if unicodedata.category(letter) == "Cf"]
    if any(unicodedata.category(letter) in _UNSEEN for letter in name) or not _JOINERS.issuperset(hidden):
        raise InvalidRequest(f"{field}: there is a character in it that nobody sees.", field=field)
    if len(name) == len(hidden):
        raise InvalidRequest(f"{field}: a name has something to read.", field=field)
    return name

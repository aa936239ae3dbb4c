"""Ids and names for vendors that take plain or short ones only; clients bring what any vendor, or they, made up."""

import hashlib
import re
from typing import Final

_PLAIN: Final = re.compile(r"[a-zA-Z0-9_-]+")
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_]+")
_KEPT_OF_NAME, _DIGITS_OF_NAME = 48, 12


def short_id(given: str, length_max: int) -> str:
    """As the client has it, where it is short enough; else a name made from it, the same wherever it stands."""
    return given if len(given) <= length_max else _made_from(given)


def plain_id(given: str, length_max: int) -> str:
    """The same for a vendor that takes plain characters only."""
    return given if len(given) <= length_max and _PLAIN.fullmatch(given) else _made_from(given)


def exact_id(given: str, length: int) -> str:
    """The same for a vendor that takes so many letters and digits, no more and no less."""
    is_taken = len(given) == length and given.isascii() and given.isalnum()
    return given if is_taken else _digest(given)[:length]


def plain_name(given: str) -> str:
    """A name made from one that a vendor refuses, which every vendor takes: a model should still read what it means."""
    words = _NOT_IN_NAMES.sub("_", given)[:_KEPT_OF_NAME]
    return f"{'' if words[:1].isalpha() else '_'}{words}_{_digest(given)[:_DIGITS_OF_NAME]}"


def _made_from(given: str) -> str:
    return "id-" + _digest(given)[:32]


def _digest(given: str) -> str:
    return hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()

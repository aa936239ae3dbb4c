"""Ids of tool calls for vendors that take plain characters only; clients bring what any vendor made up."""

import hashlib
import re
from typing import Final

_PLAIN: Final = re.compile(r"[a-zA-Z0-9_-]+")


def plain_call_id(given: str, *, length_max: int | None = None) -> str:
    """As the client has it, where its characters are allowed; else a name made from it, the same in call and result."""
    if _PLAIN.fullmatch(given) and (length_max is None or len(given) <= length_max):
        return given
    return "id-" + hashlib.sha256(given.encode()).hexdigest()[:32]

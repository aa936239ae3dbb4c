"""Tools of a vendor's by which one call runs another model as well: the price of the one that was asked says nothing of
it, and the figures of an answer name the other at the most. Nobody could be charged for that, so it is refused.
"""

from typing import Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.wire.openai import each_text, is_given

_KINDS: Final = ("advisor_", "openrouter:advisor", "openrouter:fusion", "openrouter:subagent")
"""What their types begin with (platform.claude.com, "Advisor tool"; openrouter.ai/docs, "Server tools"; 2026)."""
_MARKS: Final = (b"advisor", b"openrouter", b"\\u00")
"""Tools without any of these have none of them."""


def refuse_other_models(tools: msgspec.Raw) -> None:
    """Nothing, for nearly every request.

    Raises:
        InvalidRequest: such a tool, by name.
    """
    if not is_given(tools) or not any(mark in (said := bytes(tools)) for mark in _MARKS):
        return
    for kind in each_text(msgspec.Raw(said), "type"):
        if kind.startswith(_KINDS):
            message = f"The tool {kind!r} runs another model within the call, which has no price here. Leave it out."
            raise InvalidRequest(message, field="tools")

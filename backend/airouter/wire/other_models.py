"""Tools and plugins of a vendor's by which one call runs another model as well: the price of the one that was asked
says nothing of it, and the figures of an answer name the other at the most. Nobody could be charged for that, so it is
refused.
"""

from typing import Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.wire.members import each_text, is_given

_KINDS: Final = (
    "advisor_", "openrouter:advisor", "openrouter:fusion", "openrouter:image_generation", "openrouter:subagent",
)  # fmt: skip
"""What their types begin with (platform.claude.com, "Advisor tool"; openrouter.ai/docs, "Server tools"; 2026)."""
_PLUGINS: Final = frozenset({"fusion"})
"""What those plugins are called (openrouter.ai/docs/guides/features/plugins/fusion, 2026: it adds the tool of its name,
with up to eight models, to a request for any model).
"""
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
            raise _refusal("tool", kind, "tools")


def refuse_plugins_of_other_models(plugins: msgspec.Raw) -> None:
    """Nothing, for nearly every request.

    Raises:
        InvalidRequest: such a plugin, by name.
    """
    for name in each_text(plugins, "id"):
        if name in _PLUGINS:
            raise _refusal("plugin", name, "plugins")


def _refusal(what: str, name: str, field: str) -> InvalidRequest:
    message = f"The {what} {name!r} runs another model within the call, which has no price here. Leave it out."
    return InvalidRequest(message, field=field)

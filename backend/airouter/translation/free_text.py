"""Tools that take any text instead of arguments: OpenAI's custom tools, such as the `apply_patch` of Codex.

Only OpenAI's models are trained on them. For every provider they are functions with one argument, the text; a call
comes back to the client as the kind of call it declared.
"""

from typing import Any, Final

from airouter.translation.conversation import Tool
from airouter.translation.json_text import object_of, text_of

_ARGUMENT: Final = "input"
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {_ARGUMENT: {"type": "string"}},
    "required": [_ARGUMENT],
    "additionalProperties": False,
}


def free_text_tool(name: str, description: str | None, syntax: str | None, definition: str | None) -> Tool:
    """Such a tool as a function; a grammar, which no other vendor enforces, becomes part of its description."""
    words = [description] if description else []
    if definition:
        words.append(f"The argument `{_ARGUMENT}` must match this {syntax or 'lark'} grammar:\n{definition}")
    return Tool(name=name, description="\n\n".join(words) or None, schema=_SCHEMA, is_free_text=True)


def arguments_of(text: str) -> str:
    """A call with this text, as a function's."""
    return text_of({_ARGUMENT: text})


def text_in(arguments: str) -> str:
    """The text of a function's call; a model that wrote something else meant all of it."""
    text = object_of(arguments).get(_ARGUMENT)
    return text if isinstance(text, str) else arguments

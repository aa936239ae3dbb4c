"""Which schemas OpenAI takes with `strict`: it answers 400 to any other (platform.openai.com/docs, Structured outputs,
"Supported schemas", 2026).

Anthropic's and Bedrock's strict tools may have members that are optional; there, a schema is sent without the promise.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from airouter.translation.conversation import Conversation
from airouter.translation.support import Feature

_WORDS: Final = frozenset({
    "$defs", "$ref", "$schema", "additionalProperties", "anyOf", "const", "definitions", "description", "enum",
    "exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maximum", "minItems", "minimum",
    "multipleOf", "pattern", "properties", "required", "title", "type",
})  # fmt: skip
_FORMATS: Final = ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid")
_DEPTH_MAX: Final = 30
"""Ten objects within each other are taken there, and each may stand in an array and a choice."""
_TELLS_KIND: Final = frozenset({"$ref", "anyOf", "type"})


def fits_openai(schema: Mapping[str, Any] | None) -> bool:
    """An object whose members are all required and no others allowed, and so everything within it."""
    return schema is not None and schema.get("type") == "object" and _fits(schema, _DEPTH_MAX)


def _fits(schema: Any, depth: int) -> bool:
    if not isinstance(schema, dict) or schema.keys() - _WORDS or not schema.keys() & _TELLS_KIND or depth == 0:
        return False
    if "format" in schema and schema["format"] not in _FORMATS:
        return False
    kinds = schema.get("type")
    members = schema.get("properties", {})
    if kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(members, dict):
            return False
        if not isinstance(required, list) or any(name not in required for name in members):
            return False
        if len(required) != len(members):
            return False
    elif kinds == "array" and "items" not in schema:
        return False
    return all(_fits(part, depth - 1) for part in _within(schema))


def _within(schema: dict[str, Any]) -> Iterator[Any]:
    """The schemas of which it is made."""
    for name in ("properties", "$defs", "definitions"):
        named = schema.get(name, {})
        yield from named.values() if isinstance(named, dict) else (named,)
    choices = schema.get("anyOf", [])
    yield from choices if isinstance(choices, list) else (choices,)
    if "items" in schema:
        yield schema["items"]


def strict_at_openai(schema: Mapping[str, Any] | None, *, asked: bool | None) -> bool | None:
    """What is said of `strict` there: as asked, but nothing instead of what would be refused."""
    return None if asked and not fits_openai(schema) else asked


def lost_strictness(conversation: Conversation) -> tuple[Feature, ...]:
    """Tools that are sent without the promise."""
    is_lost = any(tool.is_strict and not fits_openai(tool.schema) for tool in conversation.tools)
    return ("strict_tools",) if is_lost else ()

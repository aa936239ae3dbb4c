"""Google's JSON takes every name in two spellings, and types of schemas in capitals."""

from collections.abc import Mapping
from typing import Any, Final

_OPAQUE: Final = frozenset({
    "args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels",
})  # fmt: skip
"""Members whose own members are the client's, and keep their names."""


def camel(value: Any) -> Any:
    """The same with every name as Google writes it: `inline_data` is `inlineData`."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, member in value.items():
        first, *rest = name.split("_")
        spelled = first + "".join(word[:1].upper() + word[1:] for word in rest) if first else name
        found[spelled] = member if spelled in _OPAQUE else camel(member)
    return found


def json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of what Google calls a schema: types in lower case, `nullable` as a type of its own."""
    found: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "type" and isinstance(value, str):
            found[name] = value.lower()
        elif name in {"properties", "$defs"} and isinstance(value, dict):
            found[name] = {
                key: json_schema(inner) if isinstance(inner, dict) else inner for key, inner in value.items()
            }
        elif name in {"items", "additionalProperties"} and isinstance(value, dict):
            found[name] = json_schema(value)
        elif name in {"anyOf", "any_of"} and isinstance(value, list):
            found["anyOf"] = [json_schema(inner) if isinstance(inner, dict) else inner for inner in value]
        elif name not in {"nullable", "propertyOrdering", "property_ordering"}:
            found[name] = value
    if schema.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found

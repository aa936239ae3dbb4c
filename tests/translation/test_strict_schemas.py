"""OpenAI answers 400 to `strict` with a schema that it would not take; other vendors' clients send such."""

from typing import Any

import pytest

from airouter.translation.conversation import Conversation, Format, Tool
from airouter.translation.dialect import DIALECTS, Wanted
from airouter.translation.strict_schemas import fits_openai
from airouter.wire.endpoint import Endpoint

TEXT = {"type": "string"}


def of(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


FITS = {
    "no members": of({}),
    "all required": of({"city": TEXT}, "city"),
    "nullable": of({"city": {"type": ["string", "null"]}}, "city"),
    "nested": of({"place": of({"city": TEXT}, "city"), "all": {"type": "array", "items": of({})}}, "place", "all"),
    "a choice": of({"of": {"anyOf": [TEXT, of({"n": {"type": "integer", "minimum": 1}}, "n")]}}, "of"),
    "references": of({"next": {"$ref": "#/$defs/a"}}, "next", **{"$defs": {"a": of({"city": TEXT}, "city")}}),
    "a member called format": of({"format": TEXT}, "format"),
    "as zod says it": of({"at": {"type": "string", "format": "date-time"}}, "at", **{"$schema": "http://json-schema"}),
}
DOES_NOT_FIT = {
    "none": None,
    "empty": {},
    "an optional member": of({"city": TEXT, "unit": TEXT}, "city"),
    "other members": {"type": "object", "properties": {"city": TEXT}, "required": ["city"]},
    "optional below": of({"place": of({"city": TEXT})}, "place"),
    "optional in an array": of({"all": {"type": "array", "items": of({"city": TEXT})}}, "all"),
    "an array of anything": of({"all": {"type": "array"}}, "all"),
    "optional in a choice": of({"of": {"anyOf": [TEXT, of({"n": TEXT})]}}, "of"),
    "optional where referred to": of(
        {"next": {"$ref": "#/$defs/a"}}, "next", **{"$defs": {"a": of({"city": TEXT})}}
    ),
    "oneOf": of({"of": {"oneOf": [TEXT]}}, "of"),
    "a default": of({"city": {"type": "string", "default": "Rome"}}, "city"),
    "a format it does not know": of({"link": {"type": "string", "format": "uri"}}, "link"),
    "anything": of({"what": {}}, "what"),
    "no object": TEXT,
    "members that are a list": {"type": "object", "properties": [TEXT], "additionalProperties": False},
    "required that is no list of names": of({"city": TEXT}) | {"required": {"city": True}},
    "a format that is no text": of({"city": {"type": "string", "format": {}}}, "city"),
    "a choice that is no list": of({"city": {"anyOf": 3}}, "city"),
}  # fmt: skip


@pytest.mark.parametrize("schema", FITS.values(), ids=FITS)
def test_a_schema_that_openai_takes_stays_strict(schema: dict[str, Any]):
    assert fits_openai(schema)


@pytest.mark.parametrize("schema", DOES_NOT_FIT.values(), ids=DOES_NOT_FIT)
def test_any_other_is_sent_without_the_promise(schema: dict[str, Any] | None):
    assert not fits_openai(schema)


def test_a_schema_without_end_is_sent_without_the_promise():
    schema = of({})
    for _ in range(400):
        schema = of({"a": schema}, "a")
    assert not fits_openai(schema)


def written(endpoint: Endpoint, schema: dict[str, Any] | None) -> tuple[list[Any], tuple[str, ...]]:
    """What is said of `strict` for a tool and for the answer, and what the client is told."""
    asked = Conversation(
        model="m",
        tools=(Tool(name="weather", schema=schema, is_strict=True),),
        format=Format(kind="schema", schema=schema, is_strict=True),
    )
    dialect, wanted = DIALECTS[endpoint], Wanted(allowance=100)
    body = dialect.write_request(asked, wanted)
    if endpoint == "responses":
        said = [body["tools"][0]["strict"], body["text"]["format"].get("strict")]
    else:
        said = [body["tools"][0]["function"].get("strict"), body["response_format"]["json_schema"].get("strict")]
    return said, dialect.lacks(asked, wanted)


@pytest.mark.parametrize("endpoint", ["chat.completions", "responses"])
def test_strict_reaches_openai_only_where_it_takes_it(endpoint: Endpoint):
    assert written(endpoint, of({"city": TEXT}, "city")) == ([True, True], ())
    said, dropped = written(endpoint, of({"city": TEXT}))
    assert not any(said)
    assert dropped == ("strict_tools",)

"""What OpenAI says alike in both its dialects, in other members: tools, choices among them, schemas, links to media."""

from typing import Any

from airouter.domain.errors import InvalidRequest
from airouter.translation.conversation import Format, Media, MediaKind, Tool, ToolChoice
from airouter.translation.free_text import free_text_tool
from airouter.translation.json_text import split_data_url
from airouter.translation.members import Members
from airouter.translation.strict_schemas import strict_at_openai


def read_tool(given: Members, where: str, grammar: Members | None) -> Tool:
    """A function, or with a `grammar`, be it empty, a tool that takes any text.

    Raises:
        InvalidRequest: it has no name.
    """
    name = given.text("name")
    if not name:
        raise InvalidRequest(f"{where}.name is missing.", field=f"{where}.name")
    if grammar is not None:
        return free_text_tool(name, given.text("description"), grammar.text("syntax"), grammar.text("definition"))
    return Tool(
        name=name,
        description=given.text("description"),
        schema=given.mapping("parameters"),
        is_strict=given.flag("strict"),
    )


def read_choice(word: str) -> ToolChoice:
    """A choice that names no tool.

    Raises:
        InvalidRequest: there is no such choice.
    """
    if word not in {"auto", "none", "required"}:
        raise InvalidRequest("tool_choice: auto, none, required or one function.", field="tool_choice")
    return ToolChoice(mode=word)  # type: ignore[arg-type]


def read_schema(given: Members) -> Format:
    """What an answer must look like."""
    return Format(
        kind="schema",
        name=given.text("name") or "answer",
        schema=given.mapping("schema") or {},
        is_strict=given.flag("strict"),
        description=given.text("description"),
    )


def written_schema(wanted: Format) -> dict[str, Any]:
    """The other way."""
    written: dict[str, Any] = {"name": wanted.name, "schema": wanted.schema or {}}
    if (is_strict := strict_at_openai(wanted.schema, asked=wanted.is_strict)) is not None:
        written["strict"] = is_strict
    if wanted.description is not None:
        written["description"] = wanted.description
    return written


def media_at(kind: MediaKind, url: str, detail: str | None) -> Media:
    """What lies behind a link, or in it."""
    data = split_data_url(url)
    if data is None:
        return Media(kind=kind, url=url, detail=detail)
    return Media(kind=kind, media_type=data[0], data=data[1], detail=detail)

"""Every cell of the table that says `carried`, for the dialects that clients speak too: what is written there is read
again, and means the same. (Bedrock and Cohere, which nobody asks us in: test_provider_dialects.py.)
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from airouter.translation.conversation import (
    Conversation,
    Format,
    Media,
    Part,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    features_of,
)
from airouter.translation.free_text import free_text_tool
from airouter.translation.support import RULES, Dialect
from tests.translation.dialects import DIALECTS

HELLO = Turn(role="user", parts=(Text(text="Hello"),))
SCHEMA: dict[str, Any] = {
    "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False,
}  # fmt: skip
WEATHER = Tool(name="weather", description="Of a city", schema=SCHEMA)
TIME = Tool(name="time", schema=SCHEMA)
TOOLS = (WEATHER, TIME)
CALL = ToolCall(call_id="call_1", name="weather", arguments='{"n":1}')
CALLED = Turn(role="assistant", parts=(CALL,))
PICTURE = Media(kind="image", media_type="image/png", data="QUJD")


def talk(*turns: Turn, **members: Any) -> Conversation:
    return Conversation(model="m", turns=turns or (HELLO,), **members)


def user(*parts: Part) -> Turn:
    return Turn(role="user", parts=parts)


def shown(kind: str, media_type: str) -> Conversation:
    part = Media(kind=kind, media_type=media_type, data="QUJD")  # type: ignore[arg-type]
    return talk(user(Text(text="Look"), part))


def linked(kind: str, media_type: str) -> Conversation:
    part = Media(kind=kind, media_type=media_type, url=f"https://example.com/{kind}")  # type: ignore[arg-type]
    return talk(user(Text(text="Look"), part))


def answered(*content: Text | Media, is_error: bool = False) -> Conversation:
    result = ToolResult(call_id="call_1", name="weather", content=content, is_error=is_error)
    return talk(HELLO, CALLED, user(result), tools=TOOLS)


def parts(of: Conversation) -> list[Part]:
    return [part for turn in of.turns for part in turn.parts]


def media(of: Conversation) -> list[tuple[str, str | None, str | None]]:
    inner = [part for result in parts(of) if isinstance(result, ToolResult) for part in result.content]
    return [(part.kind, part.data, part.url) for part in (*parts(of), *inner) if isinstance(part, Media)]


def words(of: Conversation) -> list[str]:
    results = [part for part in parts(of) if isinstance(part, ToolResult)]
    return [part.text for result in results for part in result.content if isinstance(part, Text)]


def tools(of: Conversation) -> Any:
    calls = [(part.name, json.loads(part.arguments)) for part in parts(of) if isinstance(part, ToolCall)]
    return [(tool.name, tool.description, tool.schema) for tool in of.tools], calls


def chosen(of: Conversation) -> Any:
    return [tool.name for tool in of.tools], of.tool_choice


def marks(of: Conversation) -> Any:
    return [text.cache for text in of.system], [getattr(part, "cache", None) for part in parts(of)]


Look = Callable[[Conversation], Any]
CELLS: dict[str, tuple[Conversation, Look]] = {
    "system": (talk(system=(Text(text="Be brief."),)), lambda c: [text.text for text in c.system]),
    "late_system": (
        talk(system=(Text(text="Be brief."), Text(text="Rhyme.")), beyond={"late_system": "messages[2]"}),
        lambda c: "\n\n".join(text.text for text in c.system),
    ),
    "image_data": (shown("image", "image/png"), media),
    "image_link": (linked("image", "image/png"), media),
    "document_data": (shown("document", "application/pdf"), media),
    "document_link": (linked("document", "application/pdf"), media),
    "audio_data": (shown("audio", "audio/wav"), media),
    "video_data": (shown("video", "video/mp4"), media),
    "tools": (talk(HELLO, CALLED, user(ToolResult(call_id="call_1", name="weather")), tools=TOOLS), tools),
    "strict_tools": (
        talk(tools=(msgspec.structs.replace(WEATHER, is_strict=True),)),
        lambda c: [tool.is_strict for tool in c.tools],
    ),
    "custom_tools": (
        talk(tools=(free_text_tool("patch", "Edits", None, None),)),
        lambda c: [(tool.name, tool.schema) for tool in c.tools],
    ),
    "tool_choice_none": (talk(tools=TOOLS, tool_choice=ToolChoice(mode="none")), chosen),
    "tool_choice_required": (talk(tools=TOOLS, tool_choice=ToolChoice(mode="required")), chosen),
    "tool_choice_named": (talk(tools=TOOLS, tool_choice=ToolChoice(mode="named", name="time")), chosen),
    "tool_choice_allowed": (
        talk(tools=(TIME,), tool_choice=ToolChoice(mode="required"), beyond={"tool_choice_allowed": "tool_choice"}),
        chosen,
    ),
    "no_parallel_calls": (talk(tools=TOOLS, parallel_calls=False), lambda c: c.parallel_calls),
    "tool_result_media": (answered(Text(text="See"), PICTURE), media),
    "tool_result_error": (answered(Text(text="No such city"), is_error=True), words),
    "json": (talk(format=Format(kind="json")), lambda c: c.format and c.format.kind),
    "json_schema": (
        talk(format=Format(kind="schema", name="n", schema=SCHEMA, is_strict=True)),
        lambda c: c.format and (c.format.kind, c.format.schema),
    ),
    "verbosity": (talk(verbosity="low"), lambda c: c.verbosity),
    "reasoning_effort": (
        talk(thinking=Thinking(effort="high")),
        lambda c: c.thinking and (c.thinking.effort, c.thinking.budget_tokens),
    ),
    "reasoning_budget": (
        talk(thinking=Thinking(budget_tokens=2048), max_output_tokens=8000),
        lambda c: c.thinking and (c.thinking.effort, c.thinking.budget_tokens),
    ),
    "choices": (talk(sampling=Sampling(choices=3)), lambda c: c.sampling.choices),
    "logprobs": (talk(sampling=Sampling(logprobs=True, top_logprobs=4)), lambda c: c.sampling.top_logprobs),
    "temperature": (talk(sampling=Sampling(temperature=0.5)), lambda c: c.sampling.temperature),
    "top_p": (talk(sampling=Sampling(top_p=0.5)), lambda c: c.sampling.top_p),
    "top_k": (talk(sampling=Sampling(top_k=40)), lambda c: c.sampling.top_k),
    "seed": (talk(sampling=Sampling(seed=7)), lambda c: c.sampling.seed),
    "penalties": (
        talk(sampling=Sampling(presence_penalty=0.5, frequency_penalty=-0.5)),
        lambda c: (c.sampling.presence_penalty, c.sampling.frequency_penalty),
    ),
    "stop": (talk(sampling=Sampling(stop=("END",))), lambda c: c.sampling.stop),
    "user": (talk(user="somebody"), lambda c: c.user),
    "cache_marks": (
        talk(user(Text(text="Long", cache="1h"), Text(text="Short")), system=(Text(text="S", cache="5m"),)),
        marks,
    ),
    "prefill": (talk(HELLO, Turn(role="assistant", parts=(Text(text="{"),))), lambda c: (c.turns[-1].role, parts(c))),
}
"""What asks for each feature, and where to look whether it arrived."""

OTHERWISE: dict[tuple[str, str], Any] = {
    ("chat", "reasoning_budget"): ("low", None),
    ("responses", "reasoning_budget"): ("low", None),
    ("anthropic", "reasoning_effort"): (None, 3276),  # four fifths of the allowance of 4096
}
"""Cells that mean the same in other words, as their reasons in the table say."""
CARRIED = [
    (dialect, feature)
    for dialect in DIALECTS
    for feature, rule in RULES[dialect].items()  # type: ignore[index]
    if rule.fate == "carried" and not rule.why.startswith("fetched")  # which is data by then (test_recorded.py)
]


def test_every_cell_that_is_carried_is_shown_here():
    assert {feature for _, feature in CARRIED} == set(CELLS)
    assert set(OTHERWISE) <= set(CARRIED)


@pytest.mark.parametrize(("dialect", "feature"), CARRIED)
def test_what_is_carried_is_read_again_where_it_was_written(dialect: Dialect, feature: str):
    given, look = CELLS[feature]
    assert feature in features_of(given, dialect)
    body = DIALECTS[dialect].write_request(given)
    again = look(DIALECTS[dialect].read_request(json.loads(json.dumps(body))))
    assert again == OTHERWISE.get((dialect, feature), look(given))
    plain = look(Conversation(model="m", turns=(HELLO,)))
    assert again != plain, "it would have been so without being asked for"

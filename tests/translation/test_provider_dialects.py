"""Requests in Bedrock's and Cohere's dialects: every cell of the table that says `carried` is shown here.

Nobody asks us in these dialects, so there is no reader of requests: what is written is compared with the vendors'
references.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from airouter.domain.errors import InvalidRequest
from airouter.translation.bedrock import requests as bedrock
from airouter.translation.chat import requests as chat
from airouter.translation.cohere import requests as cohere
from airouter.translation.conversation import (
    Conversation,
    Format,
    Media,
    Part,
    Reasoning,
    Refusal,
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
from airouter.translation.support import RULES, Dialect, NotTranslatable

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HELLO = Turn(role="user", parts=(Text(text="Hello"),))
WEATHER = Tool(name="weather", description="Of a city", schema={"type": "object", "properties": {}})
TIME = Tool(name="time", is_strict=True)
CALL = ToolCall(call_id="c1", name="weather", arguments='{"city":"Rome"}')
ASKED = Turn(role="assistant", parts=(Text(text="Let me see."), CALL))
TOLD = Turn(role="user", parts=(ToolResult(call_id="c1", name="weather", content=(Text(text="Rain"),)),))


def talk(*turns: Turn, model: str = CLAUDE, **members: Any) -> Conversation:
    return Conversation(model=model, turns=turns or (HELLO,), **members)


def user(*parts: Part) -> Turn:
    return Turn(role="user", parts=parts)


def media(kind: str, media_type: str, **members: Any) -> Media:
    return Media(kind=kind, media_type=media_type, data="QUJD", **members)  # type: ignore[arg-type]


def on_bedrock(conversation: Conversation) -> dict[str, Any]:
    return bedrock.write(conversation, 4096)


def last(body: dict[str, Any]) -> Any:
    return body["messages"][-1]["content"]


def json_of(body: dict[str, Any]) -> Any:
    return json.loads(body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])


def result_of(body: dict[str, Any]) -> Any:
    return body["messages"][-1]["content"][0]["toolResult"]


LATE = chat.read(
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "system", "content": "Rhyme."},
        ]
    },
    CLAUDE,
)
SOME = chat.read(
    {
        "messages": [{"role": "user", "content": "Hello"}],
        "tools": [{"type": "function", "function": {"name": name}} for name in ("weather", "time")],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "time"}}]},
        },
    },
    CLAUDE,
)
ODD = ("call_1-a", "functions.weather:0", "x" * 65, "", "ünïcode")
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
AS_SCHEMA = Format(kind="schema", name="n", schema=SCHEMA)
PICTURE = media("image", "image/png")
LINKED = Media(kind="image", url="https://example.com/a.png")
TOOLS = (WEATHER, TIME)
PATCH = free_text_tool("patch", "Edits", None, None)
Cell = tuple[Conversation, Callable[[dict[str, Any]], Any], Any]

BEDROCK: dict[str, Cell] = {
    "system": (talk(system=(Text(text="Be brief."),)), lambda b: b["system"], [{"text": "Be brief."}]),
    "late_system": (LATE, lambda b: b["system"], [{"text": "Be brief."}, {"text": "Rhyme."}]),
    "image_data": (
        talk(user(PICTURE)),
        last,
        [{"image": {"format": "png", "source": {"bytes": "QUJD"}}}],
    ),
    "document_data": (
        talk(user(Text(text="Read"), media("document", "application/pdf", name="a/b.pdf"))),
        lambda b: last(b)[1],
        {"document": {"format": "pdf", "name": "a b pdf", "source": {"bytes": "QUJD"}}},
    ),
    "audio_data": (
        talk(user(media("audio", "audio/mpeg"))), last, [{"audio": {"format": "mp3", "source": {"bytes": "QUJD"}}}]
    ),
    "video_data": (
        talk(user(media("video", "video/quicktime"))), last, [{"video": {"format": "mov", "source": {"bytes": "QUJD"}}}]
    ),
    "tools": (
        talk(HELLO, ASKED, TOLD, tools=(WEATHER,)),
        lambda b: (b["toolConfig"]["tools"], b["messages"][1:]),
        (
            [{"toolSpec": {"name": "weather", "description": "Of a city", "inputSchema": {"json": WEATHER.schema}}}],
            [
                {"role": "assistant", "content": [
                    {"text": "Let me see."},
                    {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Rome"}}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "c1", "content": [{"text": "Rain"}]}}
                ]},
            ],
        ),
    ),
    "custom_tools": (
        talk(tools=(PATCH,)), lambda b: b["toolConfig"]["tools"],
        [{"toolSpec": {"name": "patch", "description": "Edits", "inputSchema": {"json": PATCH.schema}}}],
    ),
    "strict_tools": (talk(tools=TOOLS), lambda b: [t["toolSpec"].get("strict") for t in b["toolConfig"]["tools"]],
                     [None, True]),
    "tool_choice_required": (
        talk(tools=TOOLS, tool_choice=ToolChoice(mode="required")), lambda b: b["toolConfig"]["toolChoice"], {"any": {}}
    ),
    "tool_choice_named": (
        talk(tools=TOOLS, tool_choice=ToolChoice(mode="named", name="time")),
        lambda b: b["toolConfig"]["toolChoice"],
        {"tool": {"name": "time"}},
    ),
    "tool_choice_allowed": (
        SOME,
        lambda b: (b["toolConfig"]["toolChoice"], [tool["toolSpec"]["name"] for tool in b["toolConfig"]["tools"]]),
        ({"any": {}}, ["time"]),
    ),
    "tool_choice_none": (
        talk(HELLO, ASKED, TOLD, tools=TOOLS, tool_choice=ToolChoice(mode="none")),
        lambda b: ("toolConfig" in b, [block["text"] for m in b["messages"] for block in m["content"]]),
        (False, ["Hello", "Let me see.", '(Called the tool weather with {"city":"Rome"})',
                 "(The tool answered: Rain)"]),
    ),
    "tool_result_media": (
        talk(HELLO, ASKED, user(ToolResult(call_id="c1", content=(Text(text="See"), PICTURE))), tools=TOOLS),
        lambda b: result_of(b)["content"],
        [{"text": "See"}, {"image": {"format": "png", "source": {"bytes": "QUJD"}}}],
    ),
    "tool_result_error": (
        talk(HELLO, ASKED, user(ToolResult(call_id="c1", content=(Text(text="No"),), is_error=True)), tools=TOOLS),
        lambda b: result_of(b)["status"],
        "error",
    ),
    "json_schema": (
        talk(format=AS_SCHEMA),
        lambda b: (b["outputConfig"]["textFormat"]["type"], json_of(b)),
        ("json_schema", SCHEMA),
    ),
    "top_p": (talk(sampling=Sampling(top_p=0.5)), lambda b: b["inferenceConfig"], {"topP": 0.5}),
    "stop": (talk(sampling=Sampling(stop=("END", " "))), lambda b: b["inferenceConfig"], {"stopSequences": ["END"]}),
    "prefill": (
        talk(HELLO, Turn(role="assistant", parts=(Text(text="{"),))), lambda b: b["messages"][-1],
        {"role": "assistant", "content": [{"text": "{"}]},
    ),
    "temperature": (talk(sampling=Sampling(temperature=1.7)), lambda b: b["inferenceConfig"], {"temperature": 1.0}),
    "cache_marks": (
        talk(user(Text(text="Long", cache="1h"), Text(text="Short")), system=(Text(text="S", cache="5m"),),
             tools=(msgspec.structs.replace(WEATHER, cache="5m"),)),
        lambda b: (last(b)[1], b["system"][1], b["toolConfig"]["tools"][1]),
        ({"cachePoint": {"type": "default", "ttl": "1h"}}, *[{"cachePoint": {"type": "default"}}] * 2),
    ),
    "reasoning_budget": (
        talk(thinking=Thinking(budget_tokens=2000), max_output_tokens=8000, sampling=Sampling(temperature=0.5)),
        lambda b: (b["additionalModelRequestFields"], b["inferenceConfig"]),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"maxTokens": 8000}),
    ),
    "reasoning_effort": (
        talk(thinking=Thinking(effort="medium")),
        lambda b: (b["additionalModelRequestFields"], b["inferenceConfig"]),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"maxTokens": 4096}),
    ),
}  # fmt: skip

FUNCTION = {"name": "weather", "description": "Of a city", "parameters": WEATHER.schema}
COHERE: dict[str, Cell] = {
    "system": (talk(system=(Text(text="Be brief."),)), lambda b: b["messages"][0],
               {"role": "system", "content": "Be brief."}),
    "late_system": (LATE, lambda b: [m["content"] for m in b["messages"] if m["role"] == "system"],
                    ["Be brief.", "Rhyme."]),
    "image_data": (
        talk(user(Text(text="See"), PICTURE)), last,
        [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}],
    ),
    "image_link": (
        talk(user(msgspec.structs.replace(LINKED, detail="low"))), last,
        [{"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}],
    ),
    "document_data": (
        talk(user(Text(text="Read"), media("document", "text/plain"))), last,
        [{"type": "text", "text": "Read"}, {"type": "text", "text": "ABC"}],
    ),
    "tools": (
        talk(HELLO, ASKED, TOLD, tools=(WEATHER,)),
        lambda b: (b["tools"], b["messages"][1:]),
        (
            [{"type": "function", "function": FUNCTION}],
            [
                {"role": "assistant", "tool_plan": "Let me see.", "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "Rain"},
            ],
        ),
    ),
    "custom_tools": (
        talk(tools=(PATCH,)), lambda b: b["tools"][0]["function"],
        {"name": "patch", "description": "Edits", "parameters": PATCH.schema},
    ),
    "tool_choice_none": (talk(tools=TOOLS, tool_choice=ToolChoice(mode="none")), lambda b: b["tool_choice"], "NONE"),
    "tool_choice_required": (
        talk(tools=TOOLS, tool_choice=ToolChoice(mode="required")), lambda b: b["tool_choice"], "REQUIRED"
    ),
    "tool_choice_named": (
        talk(tools=TOOLS, tool_choice=ToolChoice(mode="named", name="time")),
        lambda b: (b["tool_choice"], [tool["function"]["name"] for tool in b["tools"]]),
        ("REQUIRED", ["time"]),
    ),
    "tool_choice_allowed": (
        SOME,
        lambda b: (b["tool_choice"], [tool["function"]["name"] for tool in b["tools"]]),
        ("REQUIRED", ["time"]),
    ),
    "strict_tools": (talk(tools=TOOLS), lambda b: b["strict_tools"], True),
    "tool_result_error": (
        talk(HELLO, ASKED, user(ToolResult(call_id="c1", content=(Text(text="No"),), is_error=True)), tools=TOOLS),
        last, "No",
    ),
    "json": (talk(format=Format(kind="json")), lambda b: b["response_format"], {"type": "json_object"}),
    "json_schema": (talk(format=AS_SCHEMA), lambda b: b["response_format"],
                    {"type": "json_object", "json_schema": SCHEMA}),
    "reasoning_budget": (talk(thinking=Thinking(budget_tokens=500)), lambda b: b["thinking"],
                         {"type": "enabled", "token_budget": 500}),
    "reasoning_effort": (talk(thinking=Thinking(effort="none")), lambda b: b["thinking"], {"type": "disabled"}),
    "temperature": (talk(sampling=Sampling(temperature=0.2)), lambda b: b["temperature"], 0.2),
    "top_p": (talk(sampling=Sampling(top_p=1)), lambda b: b["p"], 0.99),
    "top_k": (talk(sampling=Sampling(top_k=40)), lambda b: b["k"], 40),
    "seed": (talk(sampling=Sampling(seed=7)), lambda b: b["seed"], 7),
    "penalties": (
        talk(sampling=Sampling(presence_penalty=-1, frequency_penalty=1.5)),
        lambda b: (b["presence_penalty"], b["frequency_penalty"]), (0.0, 1.0),
    ),
    "stop": (talk(sampling=Sampling(stop=("END",))), lambda b: b["stop_sequences"], ["END"]),
}  # fmt: skip
CELLS = [("bedrock", name) for name in BEDROCK] + [("cohere", name) for name in COHERE]


def test_every_cell_that_is_carried_is_shown_here():
    """Links that are fetched are data by then (test_recorded.py, test_media.py)."""
    shown: dict[Dialect, dict[str, Cell]] = {"bedrock": BEDROCK, "cohere": COHERE}
    for dialect, cells in shown.items():
        rules = RULES[dialect].items()
        carried = {name for name, rule in rules if rule.fate == "carried" and not rule.why.startswith("fetched")}
        assert set(cells) == carried


@pytest.mark.parametrize(("dialect", "feature"), CELLS)
def test_what_is_carried_is_written(dialect: str, feature: str):
    conversation, look, wanted = (BEDROCK if dialect == "bedrock" else COHERE)[feature]
    if feature != "strict_tools":
        assert feature in features_of(conversation, dialect)  # type: ignore[arg-type]
    body = on_bedrock(conversation) if dialect == "bedrock" else cohere.write(conversation)
    assert look(body) == wanted
    json.dumps(body)


@pytest.mark.parametrize(
    ("model", "thinking", "written"),
    [
        ("us.amazon.nova-2-lite-v1:0", Thinking(effort="low"),
         {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        ("us.amazon.nova-2-lite-v1:0", Thinking(effort="none"), None),
        ("openai.gpt-oss-120b-1:0", Thinking(effort="none"), {"reasoning_effort": "low"}),
        ("qwen.qwen3-32b-v1:0", Thinking(budget_tokens=20_000), {"reasoning_config": "high"}),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", Thinking(effort="high"), None),
        (CLAUDE, Thinking(effort="none"), None),
    ],
)  # fmt: skip
def test_each_family_of_models_is_told_how_hard_to_think_in_its_own_words(
    model: str, thinking: Thinking, written: dict[str, Any] | None
):
    conversation = talk(model=model, thinking=thinking)
    assert on_bedrock(conversation).get("additionalModelRequestFields") == written
    is_lost = thinking.effort == "high"
    assert bedrock.lacks(conversation, 4096) == (("reasoning_effort",) if is_lost else ())


def test_the_hardest_thinking_is_not_asked_for_beside_a_limit_where_it_is_refused():
    conversation = talk(model="amazon.nova-2-lite-v1:0", thinking=Thinking(effort="max"), max_output_tokens=500)
    assert on_bedrock(conversation)["additionalModelRequestFields"]["reasoningConfig"]["maxReasoningEffort"] == "medium"


def test_a_thought_of_bedrock_s_own_comes_back_to_it_with_its_proof_and_no_other_does():
    said = (
        Reasoning(text="Hm", signature="sig", vendor="bedrock"),
        Reasoning(sealed="x", vendor="bedrock"),
        Reasoning(text="Elsewhere", signature="sig", vendor="anthropic"),
        Refusal(text="No."),
    )
    body = on_bedrock(talk(HELLO, Turn(role="assistant", parts=said), HELLO))
    assert body["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "x"}},
        {"text": "No."},
    ]


def test_speakers_take_turns_and_blank_words_are_not_said():
    body = on_bedrock(talk(HELLO, user(Text(text=" \n")), HELLO, Turn(role="assistant", parts=(Text(text=""),))))
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hello"}, {"text": "Hello"}]}]


def test_documents_have_names_of_their_own_and_a_word_beside_them():
    paper = media("document", "text/x-log", name="Paper")
    nameless = media("document", "application/pdf", name="???")
    content = last(on_bedrock(talk(user(paper, paper, nameless, nameless))))
    assert "text" in content[0]
    names = [block["document"]["name"] for block in content[1:]]
    assert names == ["Paper", "Paper 2", "Document", "Document 2"]
    assert content[1]["document"]["format"] == "txt"


def test_a_format_without_a_word_is_refused():
    with pytest.raises(NotTranslatable, match="image/tiff"):
        on_bedrock(talk(user(media("image", "image/tiff"))))


def test_sound_from_a_tool_stands_beside_its_result():
    result = ToolResult(call_id="c1", content=(media("audio", "audio/wav"), Text(text="Listen")))
    body = on_bedrock(talk(HELLO, ASKED, user(result), tools=TOOLS))
    assert [next(iter(block)) for block in last(body)] == ["toolResult", "audio"]


def test_a_call_s_name_of_characters_that_are_not_allowed_is_replaced_in_call_and_result_alike():
    asked = Turn(role="assistant", parts=tuple(ToolCall(call_id=name, name="time", arguments="") for name in ODD))
    told = user(*(ToolResult(call_id=name) for name in ODD))
    body = on_bedrock(talk(HELLO, asked, told, tools=TOOLS))
    calls = [block["toolUse"]["toolUseId"] for block in body["messages"][1]["content"]]
    assert calls == [block["toolResult"]["toolUseId"] for block in body["messages"][2]["content"]]
    assert calls[0] == ODD[0]
    assert len(set(calls)) == len(ODD)
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,64}", name) for name in calls)


def test_both_ways_of_drawing_are_told_where_both_are_taken():
    drawn = Sampling(temperature=0.5, top_p=0.9)
    assert on_bedrock(talk(sampling=drawn))["inferenceConfig"] == {"temperature": 0.5}
    nova = on_bedrock(talk(sampling=drawn, model="amazon.nova-lite-v1:0"))
    assert nova["inferenceConfig"] == {"temperature": 0.5, "topP": 0.9}


def test_a_tool_that_is_named_but_not_there_is_a_mistake():
    with pytest.raises(InvalidRequest):
        cohere.write(talk(tools=TOOLS, tool_choice=ToolChoice(mode="named", name="nothing")))


def test_cohere_is_told_words_calls_and_limits():
    body = cohere.write(
        talk(HELLO, Turn(role="assistant", parts=(Text(text="Hi"),)), HELLO, max_output_tokens=9, is_streaming=True)
    )
    assert body["messages"][1] == {"role": "assistant", "content": "Hi"}
    assert (body["max_tokens"], body["stream"], body["model"]) == (9, True, CLAUDE)

"""Requests between dialects: what vendors are strict about, and what clients say in more than one way."""

import base64
import json
from typing import Any

import pytest

from airouter.translation import claude
from airouter.translation.anthropic import requests as anthropic
from airouter.translation.chat import requests as chat
from airouter.translation.cohere import requests as cohere
from airouter.translation.conversation import Conversation, Media, Text, ToolChoice, ToolResult, features_of
from airouter.translation.gemini import requests as gemini
from airouter.translation.gemini.requests import UNSIGNED
from airouter.translation.responses import requests as responses
from airouter.translation.support import RULES, NotTranslatable, dropped_or_refused
from airouter.translation.thought_seal import sealed_text
from tests.translation.dialects import DIALECTS

NAMES = ("weather", "time", "news")


def from_chat(*messages: dict[str, Any], **members: Any) -> Conversation:
    return chat.read({"messages": list(messages), **members}, "m")


def calling(*calls: tuple[str, str], **members: Any) -> dict[str, Any]:
    """An assistant's message with calls of (id, name)."""
    called = [{"id": made, "type": "function", "function": {"name": name, "arguments": "{}"}} for made, name in calls]
    return {"role": "assistant", "tool_calls": called, **members}


def answering(made: str, words: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": made, "content": words}


USER = {"role": "user", "content": "Go on."}


class TestGemini:
    def test_answers_to_parallel_calls_stand_in_one_content(self):
        """It refuses the request otherwise, and wants them before anything else that is said."""
        body = gemini.write(
            from_chat(
                USER,
                calling(("a", "weather"), ("b", "time")),
                answering("a", "Rain"),
                answering("b", "Noon"),
                {"role": "user", "content": "Thanks"},
            )
        )
        assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]
        answers = body["contents"][2]["parts"]
        assert [part.get("functionResponse", {}).get("name") for part in answers] == ["weather", "time", None]
        assert answers[2] == {"text": "Thanks"}

    def test_an_answer_is_named_for_the_call_before_it_when_ids_come_again(self):
        body = gemini.write(
            from_chat(
                USER, calling(("a", "weather")), answering("a", "Rain"), calling(("a", "time")), answering("a", "Noon")
            )
        )
        named = [part["functionResponse"]["name"] for one in body["contents"][2::2] for part in one["parts"]]
        assert named == ["weather", "time"]

    def test_a_signature_goes_to_the_first_call_of_its_turn_wherever_the_client_kept_it(self):
        seal = sealed_text("gemini", signature="c2ln")
        said = calling(("a", "weather"), ("b", "time"), content="Let me see.", reasoning_details=[{"data": seal}])
        parts = gemini.write(from_chat(USER, said))["contents"][1]["parts"]
        assert [part.get("thoughtSignature") for part in parts] == [None, "c2ln", None]
        assert parts[0] == {"text": "Let me see."}

    def test_a_signature_of_words_stays_with_them(self):
        said = {
            "role": "assistant",
            "content": "Hm.",
            "reasoning_details": [{"data": sealed_text("gemini", signature="c2ln")}],
        }
        assert gemini.write(from_chat(USER, said))["contents"][1]["parts"] == [
            {"text": "Hm.", "thoughtSignature": "c2ln"}
        ]

    def test_a_call_that_another_model_made_says_so(self):
        parts = gemini.write(from_chat(USER, calling(("a", "weather"), ("b", "time"))))["contents"][1]["parts"]
        assert [part.get("thoughtSignature") for part in parts] == [UNSIGNED, None]

    def test_media_beside_the_answer_of_a_function_are_read(self):
        answer = {
            "name": "camera",
            "response": {"result": "see"},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "QUJD"}}],
        }
        given = {"contents": [{"role": "user", "parts": [{"functionResponse": answer}]}]}
        (part,) = gemini.read(given, "m", is_streaming=False).turns[0].parts
        assert isinstance(part, ToolResult)
        assert part.content == (Text(text="see"), Media(kind="image", media_type="image/png", data="QUJD"))


def some_allowed(dialect: str, mode: str) -> Conversation:
    """Three tools, of which two may be called."""
    if dialect == "chat":
        listed = [{"type": "function", "function": {"name": name}} for name in NAMES[:2]]
        choice = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": listed}}
        tools = [{"type": "function", "function": {"name": name}} for name in NAMES]
        return from_chat(USER, tools=tools, tool_choice=choice)
    if dialect == "responses":
        choice = {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": n} for n in NAMES[:2]]}
        tools = [{"type": "function", "name": name} for name in NAMES]
        return responses.read({"input": "Hi", "tools": tools, "tool_choice": choice}, "m")
    calls = {"mode": "ANY" if mode == "required" else "VALIDATED", "allowedFunctionNames": list(NAMES[:2])}
    body = {
        "contents": "Hi",
        "tools": [{"functionDeclarations": [{"name": name} for name in NAMES]}],
        "toolConfig": {"functionCallingConfig": calls},
    }
    return gemini.read(body, "m", is_streaming=False)


@pytest.mark.parametrize("dialect", ["chat", "responses", "gemini"])
def test_tools_that_may_not_be_called_are_left_out(dialect: str):
    required, free = some_allowed(dialect, "required"), some_allowed(dialect, "auto")
    for read in (required, free):
        assert [tool.name for tool in read.tools] == ["weather", "time"]
        assert "tool_choice_allowed" in features_of(read, "anthropic")
    assert required.tool_choice == ToolChoice(mode="required")
    assert free.tool_choice in {None, ToolChoice(mode="auto")}


@pytest.mark.parametrize(
    "asked",
    [
        from_chat(USER, functions=[{"name": "weather"}]),
        from_chat(
            USER, {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}}
        ),
    ],
)
def test_functions_of_old_are_refused_instead_of_forgotten(asked: Conversation):
    for provider in RULES:
        with pytest.raises(NotTranslatable, match="tools"):
            dropped_or_refused(features_of(asked, provider), provider)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"web_search_options": {}}, "web_search_options"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"compound_custom": {"tools": {"enabled_tools": ["web_search"]}}}, "compound_custom"),
        ({"enable_search": True}, "enable_search"),
    ],
)
def test_a_search_that_one_vendor_runs_is_refused_for_another_instead_of_forgotten(asked: dict[str, Any], field: str):
    for provider in RULES:
        with pytest.raises(NotTranslatable) as refused:
            dropped_or_refused(features_of(from_chat(USER, **asked), provider), provider)
        assert refused.value.details["field"] == field
    assert "server_tools" not in features_of(from_chat(USER, enable_search=False), "anthropic")


def test_citations_are_named_as_left_out():
    source = {"type": "text", "media_type": "text/plain", "data": "Words"}
    document = {"type": "document", "source": source, "citations": {"enabled": True}}
    asked = anthropic.read({"max_tokens": 9, "messages": [{"role": "user", "content": [document]}]}, "m")
    assert dropped_or_refused(features_of(asked, "chat"), "chat") == ["citations"]
    json.dumps(chat.write(asked))


ANSWERED = (USER, calling(("a", "weather")), answering("a", "Rain"))
TOOLS = [{"type": "function", "function": {"name": "weather"}}]


class TestClaude:
    @pytest.mark.parametrize(
        ("model", "is_adaptive"),
        [
            ("claude-3-opus-latest", False),
            ("claude-3-7-sonnet-20250219", False),
            ("claude-sonnet-4-20250514", False),
            ("claude-opus-4@20250514", False),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", False),
            ("claude-opus-4-6", False),
            ("anthropic/claude-opus-4.6", False),
            ("some-other-model", False),
            ("claude-opus-4-7", True),
            ("anthropic.claude-opus-4-7-v1", True),
            ("anthropic/claude-opus-4.8", True),
            ("claude-sonnet-5", True),
            ("claude-fable-5-20270101", True),
            ("claude-opus-10", True),
        ],
    )
    def test_a_model_s_version_stands_in_its_name(self, model: str, *, is_adaptive: bool):
        assert claude.is_adaptive(model) == is_adaptive

    def test_a_later_model_is_told_an_effort_and_not_how_to_draw(self):
        members: dict[str, Any] = {"reasoning_effort": "xhigh", "temperature": 0.2, "top_p": 0.5, "top_k": 5}
        asked = chat.read({"messages": list(ANSWERED), "tools": TOOLS, **members}, "claude-opus-4-7")
        body = anthropic.write(asked, 4096)
        assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
        assert body["output_config"] == {"effort": "xhigh"}
        assert not {"temperature", "top_p", "top_k"} & body.keys()
        assert set(anthropic.lacks(asked, 4096)) == {"temperature", "top_p", "top_k"}

    def test_an_effort_and_a_schema_stand_side_by_side(self):
        schema = {"type": "object", "properties": {}}
        wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        asked = chat.read(
            {"messages": [USER], "response_format": wanted, "reasoning_effort": "minimal"}, "claude-opus-5"
        )
        assert anthropic.write(asked, 4096)["output_config"] == {
            "effort": "low",
            "format": {"type": "json_schema", "schema": schema},
        }

    def test_a_later_model_without_thinking_is_left_alone(self):
        for members in ({}, {"reasoning_effort": "none"}):
            body = anthropic.write(chat.read({"messages": [USER], **members}, "claude-opus-4-7"), 4096)
            assert not {"thinking", "output_config"} & body.keys()

    def test_an_earlier_model_is_told_a_budget(self):
        asked = chat.read({"messages": [USER], "reasoning_effort": "medium", "temperature": 0.2}, "claude-sonnet-4-5")
        body = anthropic.write(asked, 4096)
        assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048}
        assert anthropic.lacks(asked, 4096) == ("temperature",)

    @pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-7"])
    def test_what_cannot_be_told_beside_something_else_is_named(self, model: str):
        forced: dict[str, Any] = {"reasoning_effort": "high", "tools": TOOLS, "tool_choice": "required"}
        assert anthropic.lacks(chat.read({"messages": [USER], **forced}, model), 4096) == ("reasoning_effort",)
        assert anthropic.lacks(chat.read({"messages": [USER], "stop": ["\n", "END"]}, model), 4096) == ("stop",)

    def test_nothing_is_named_that_is_told(self):
        members: dict[str, Any] = {"temperature": 0.2, "top_k": 4, "stop": ["END"]}
        assert anthropic.lacks(chat.read({"messages": [USER], **members}, "claude-sonnet-4-5"), 4096) == ()
        both: dict[str, Any] = {"temperature": 0.2, "top_p": 0.5}
        assert anthropic.lacks(chat.read({"messages": [USER], **both}, "claude-sonnet-4-5"), 4096) == ("top_p",)


@pytest.mark.parametrize("media_type", ["text/plain", "text/plain; charset=utf-8", "text/markdown", "text/csv"])
def test_a_document_of_plain_text_is_sent_as_its_words_where_files_are_pdf_alone(media_type: str):
    data = base64.b64encode("Café".encode()).decode()
    part = {"inlineData": {"mimeType": media_type, "data": data}}
    asked = DIALECTS["gemini"].read_request({"contents": [{"role": "user", "parts": [{"text": "Read"}, part]}]})
    (message,) = DIALECTS["anthropic"].write_request(asked)["messages"]
    assert message["content"][1] == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "Café"},
    }
    (message,) = DIALECTS["chat"].write_request(asked)["messages"]
    assert message["content"][1] == {"type": "text", "text": "Café"}


def test_cohere_is_told_the_words_of_a_document_and_refuses_one_that_has_none():
    def asked(media_type: str, data: bytes) -> Conversation:
        part = {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}
        return DIALECTS["gemini"].read_request({"contents": [{"role": "user", "parts": [{"text": "Read"}, part]}]})

    (message,) = cohere.write(asked("text/markdown", "# Caf\u00e9".encode()))["messages"]
    assert message["content"] == [{"type": "text", "text": "Read"}, {"type": "text", "text": "# Caf\u00e9"}]
    for media_type, data in (("application/pdf", b"%PDF-1.4"), ("text/plain", b"\xff\xfe")):
        with pytest.raises(NotTranslatable) as refused:
            cohere.write(asked(media_type, data))
        assert media_type in refused.value.message


def test_a_document_that_only_says_it_is_plain_text_is_left_to_the_vendor():
    part = {"inlineData": {"mimeType": "text/plain", "data": base64.b64encode(b"\xff\xfe").decode()}}
    asked = DIALECTS["gemini"].read_request({"contents": [{"role": "user", "parts": [part]}]})
    (message,) = DIALECTS["anthropic"].write_request(asked)["messages"]
    assert message["content"][0]["source"]["type"] == "base64"

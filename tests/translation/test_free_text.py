"""Tools that take any text, as Codex and Cursor declare them: functions for the provider, and told back as they were
declared; and a body of the responses API at the address of chat completions.
"""

import json
from typing import Any

import msgspec
import pytest

from airouter.translation.anthropic import requests as anthropic
from airouter.translation.chat import replies as chat_replies
from airouter.translation.chat import requests as chat
from airouter.translation.chat import streams as chat_streams
from airouter.translation.conversation import ToolCall
from airouter.translation.gemini import requests as gemini
from airouter.translation.reply import CallBegan, CallDelta, Choice, Event, Head, Reply, Stopped
from airouter.translation.responses import replies as responses_replies
from airouter.translation.responses import requests as responses
from airouter.translation.responses import streams as responses_streams
from airouter.translation.responses_as_chat import as_chat
from airouter.translation.support import NotTranslatable
from airouter.wire.sse import event_data, split_events

PATCH = "*** Begin Patch\n*** Update File: a.py\n*** End Patch"
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: begin_patch hunk+ end_patch"}
RESPONSES: dict[str, Any] = {
    "model": "m",
    "tools": [
        {"type": "function", "name": "shell", "parameters": {"type": "object", "properties": {}}, "strict": False},
        {"type": "custom", "name": "apply_patch", "description": "Edits files.", "format": GRAMMAR},
    ],
    "tool_choice": {"type": "custom", "name": "apply_patch"},
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it"}]},
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": PATCH},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done"},
    ],
}
CHAT: dict[str, Any] = {
    "model": "m",
    "tools": [
        {"type": "function", "function": {"name": "shell", "parameters": {"type": "object", "properties": {}}}},
        {
            "type": "custom",
            "custom": {
                "name": "apply_patch",
                "description": "Edits files.",
                "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": GRAMMAR["definition"]}},
            },
        },
    ],
    "tool_choice": {"type": "custom", "custom": {"name": "apply_patch"}},
    "messages": [
        {"role": "user", "content": "Fix it"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "apply_patch", "input": PATCH}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "Done"},
    ],
}
READ = {"responses": responses.read(RESPONSES, "m"), "chat": chat.read(CHAT, "m")}


@pytest.mark.parametrize("client", list(READ))
def test_for_a_provider_it_is_a_function_with_one_text(client: str):
    written = anthropic.write(READ[client], 1000)
    tool = written["tools"][1]
    assert tool["name"] == "apply_patch"
    assert tool["description"].startswith("Edits files.")
    assert GRAMMAR["definition"] in tool["description"]
    assert tool["input_schema"]["required"] == ["input"]
    assert written["tool_choice"] == {"type": "tool", "name": "apply_patch"}
    [call] = written["messages"][1]["content"]
    assert call["input"] == {"input": PATCH}
    [result] = written["messages"][2]["content"]
    assert (result["type"], result["tool_use_id"]) == ("tool_result", "c1")
    declared = gemini.write(READ[client])["tools"][0]["functionDeclarations"]
    assert [one["name"] for one in declared] == ["shell", "apply_patch"]


HEAD = Head(reply_id="r", model="m", created_at_seconds=0, free_text=frozenset({"apply_patch"}))
CALLS = (
    ToolCall(call_id="c2", name="apply_patch", arguments=json.dumps({"input": PATCH})),
    ToolCall(call_id="c3", name="shell", arguments="{}"),
    ToolCall(call_id="c4", name="apply_patch", arguments=PATCH),
)
REPLY = Reply(reply_id="r", model="m", created_at_seconds=0, choices=(Choice(parts=CALLS, stop="tools"),))


def test_a_whole_answer_calls_it_as_it_was_declared():
    first, second, third = responses_replies.write(REPLY, None, HEAD)["output"]
    assert (first["type"], first["call_id"], first["input"]) == ("custom_tool_call", "c2", PATCH)
    assert (second["type"], second["arguments"]) == ("function_call", "{}")
    assert third["input"] == PATCH, "what the model wrote without the argument is the text"
    message = chat_replies.write(REPLY, None, HEAD.free_text)["choices"][0]["message"]
    assert message["tool_calls"][0] == {
        "id": "c2",
        "type": "custom",
        "custom": {"name": "apply_patch", "input": PATCH},
    }
    assert message["tool_calls"][1]["type"] == "function"


def events() -> list[Event]:
    """Both calls, in pieces."""
    text = json.dumps({"input": PATCH})
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    return [
        CallBegan(number=0, call_id="c2", name="apply_patch"),
        *(CallDelta(number=0, arguments=piece) for piece in pieces),
        CallBegan(number=1, call_id="c3", name="shell"),
        CallDelta(number=1, arguments="{}"),
        Stopped(reason="tools"),
    ]


def said(data: bytes) -> list[dict[str, Any]]:
    bodies = [event_data(event) for event in split_events(data)]
    return [json.loads(body) for body in bodies if body != b"[DONE]"]


def test_a_stream_of_responses_tells_its_text_and_its_end():
    writer = responses_streams.Writer(HEAD)
    told = said(b"".join(writer.write([event]) for event in events()) + writer.end(None))
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    added = next(one for one in told if one["type"] == "response.output_item.added")
    assert (added["item"]["type"], added["item"]["input"]) == ("custom_tool_call", "")
    deltas = "".join(one["delta"] for one in told if one["type"] == "response.custom_tool_call_input.delta")
    done = next(one for one in told if one["type"] == "response.custom_tool_call_input.done")
    assert deltas == done["input"] == PATCH
    assert done["item_id"] == added["item"]["id"]
    assert [item["type"] for item in told[-1]["response"]["output"]] == ["custom_tool_call", "function_call"]


def test_a_stream_of_a_chat_tells_it_whole():
    writer = chat_streams.Writer(HEAD)
    told = said(b"".join(writer.write([event]) for event in events()) + writer.end(None))
    calls = [call for one in told for call in one["choices"][0]["delta"].get("tool_calls", ())]
    custom = [call for call in calls if call.get("type") == "custom"]
    assert custom == [{"index": 0, "id": "c2", "type": "custom", "custom": {"name": "apply_patch", "input": PATCH}}]
    assert told[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_body_of_responses_becomes_the_chat_that_means_the_same():
    given = {
        **RESPONSES,
        "stream": True,
        "stream_options": {"include_usage": True},
        "store": False,
        "prompt_cache_key": "k",
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high"},
        "instructions": "Be brief.",
        "something": 1,
    }
    body, dropped = as_chat(msgspec.json.encode(given))
    written = json.loads(body)
    assert dropped == ("unknown",)
    assert written["messages"] == [{"role": "system", "content": "Be brief."}, *CHAT["messages"]]
    assert written["tools"][1] == CHAT["tools"][1]
    assert written["tools"][0]["function"]["name"] == "shell"
    assert written["reasoning_effort"] == "high"
    assert (written["stream"], written["stream_options"]) == (True, {"include_usage": True})
    assert (written["prompt_cache_key"], written["store"], written["model"]) == ("k", False, "m")


def test_what_a_chat_cannot_say_is_refused():
    with pytest.raises(NotTranslatable):
        as_chat(msgspec.json.encode({"model": "m", "input": "Hi", "tools": [{"type": "local_shell"}]}))
    with pytest.raises(NotTranslatable):
        as_chat(msgspec.json.encode({"model": "m", "input": "Hi", "previous_response_id": "resp_1"}))

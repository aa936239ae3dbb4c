"""Thoughts over several turns: to the vendor that had them, in its own shape, and to no other."""

import json
from typing import Any

import pytest

from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.translation.chat import replies as chat_replies
from airouter.translation.chat import streams as chat_streams
from airouter.translation.conversation import Reasoning, Text
from airouter.translation.foreign_thoughts import without_foreign_thoughts
from airouter.translation.gemini.requests import UNSIGNED
from airouter.translation.reply import CallBegan, CallDelta, Choice, Event, Reply, Stopped, TextDelta, ThoughtDelta
from airouter.translation.thought_seal import is_ours, sealed_text
from airouter.wire.endpoint import Endpoint
from tests.providers.translated_calls import asked
from tests.translation.dialects import DIALECTS, HEAD, events_of

CALL = {"id": "c1", "type": "function", "function": {"name": "time", "arguments": "{}"}}
ANSWER = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "theirs",
    "choices": [{
        "index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": None, "reasoning_content": "Let me see.", "tool_calls": [CALL]},
    }],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip
MEMBERS: dict[str, Any] = {"upstream_model": "theirs", "credential": "k"}
USER = {"role": "user", "content": "What time is it?"}


def second_turn(mine: Endpoint, answer: dict[str, Any]) -> dict[str, Any]:
    """What a client says after an answer with a call: everything so far, and the call's result."""
    if mine == "messages":
        result = {"type": "tool_result", "tool_use_id": "c1", "content": "Noon"}
        said = [USER, {"role": "assistant", "content": answer["content"]}, {"role": "user", "content": [result]}]
        return {"max_tokens": 99, "messages": said}
    return {"input": [USER, *answer["output"], {"type": "function_call_output", "call_id": "c1", "output": "Noon"}]}


@pytest.mark.parametrize("mine", ["messages", "responses"])
@pytest.mark.parametrize("vendor", ["deepseek", "moonshot", "openai-compatible", "groq", "mistral"])
def test_a_vendor_that_wants_the_thought_of_its_call_back_gets_it_and_no_other_does(mine: Endpoint, vendor: str):
    if mine in PROVIDERS[vendor].endpoints:
        return
    provider = Providers(PROVIDERS).serving(vendor, mine)
    assert provider is not None
    answer = json.loads(provider.answer(asked(mine, **MEMBERS), json.dumps(ANSWER).encode()).body)
    out = provider.outgoing(asked(mine, body=second_turn(mine, answer), **MEMBERS))
    message = json.loads(out.body)["messages"][1]
    assert message["tool_calls"][0]["function"]["name"] == "time"
    takes = vendor in {"deepseek", "moonshot"}
    assert message.get("reasoning_content") == ("Let me see." if takes else None)
    assert ("reasoning_replay" in out.dropped) != takes


@pytest.mark.parametrize("mine", ["anthropic", "responses"])
def test_a_thought_without_a_proof_is_marked_streamed_and_whole(mine: str):
    dialect = DIALECTS[mine]
    parts = (Reasoning(text="Hm.", vendor="chat"), Text(text="Yes."))
    choice = Choice(parts=parts, stop="stop")
    whole = dialect.write_reply(Reply(reply_id="r", model="m", created_at_seconds=1, choices=(choice,)), None)
    marks = [value for value in walked(whole) if is_ours(value)]
    writer = dialect.writer(HEAD)
    events = [ThoughtDelta(text="H", vendor="chat"), ThoughtDelta(text="m.", vendor="chat"), TextDelta(text="Yes.")]
    stream = b"".join(writer.write([event]) for event in (*events, Stopped(reason="stop"))) + writer.end(None)
    assert len(marks) == 1
    assert marks[0].encode() in stream
    assert "".join(one.text for one in events_of(dialect, stream) if isinstance(one, ThoughtDelta)) == "Hm."


def walked(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for one in inner for found in walked(one))]


def test_a_seal_of_many_thoughts_stands_once_in_its_block():
    writer = DIALECTS["anthropic"].writer(HEAD)
    seal = sealed_text("gemini", signature="c2ln")
    events = [
        ThoughtDelta(text="Hm.", vendor="gemini"),
        ThoughtDelta(signature="c2ln", vendor="gemini"),
        CallBegan(number=0, call_id="a", name="x"),
        CallDelta(number=0, arguments="{}"),
        Stopped(reason="tools"),
    ]
    stream = (b"".join(writer.write([event]) for event in events) + writer.end(None)).decode()
    assert stream.count("signature_delta") == 1
    assert seal is not None
    assert seal in stream


SEAL = sealed_text("bedrock", text="Hm.", signature="c2ln")
OWN = {"type": "thinking", "thinking": "Mine.", "signature": "EqoBCkgIAR"}
WORDS = {"type": "text", "text": "Yes."}


def test_anthropic_gets_no_thoughts_of_others():
    foreign = [{"type": "thinking", "thinking": "Hm.", "signature": SEAL}, {"type": "redacted_thinking", "data": SEAL}]
    said = [USER, {"role": "assistant", "content": [OWN, *foreign, WORDS]}, {"role": "assistant", "content": foreign}]
    body = {"model": "public", "max_tokens": 9, "messages": said, "unknown": 1}
    call = asked("messages", body=body, **MEMBERS)
    sent = json.loads(PROVIDERS["anthropic"].outgoing(call).body)
    assert sent == {**body, "model": "theirs", "stream": False, "messages": [
        USER, {"role": "assistant", "content": [OWN, WORDS]},
    ]}  # fmt: skip


def test_openai_gets_no_thoughts_of_others():
    own = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAA"}
    foreign = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": SEAL}
    call = asked("responses", body={"input": [USER, own, foreign]}, **MEMBERS)
    assert json.loads(PROVIDERS["openai"].outgoing(call).body)["input"] == [USER, own]


def test_google_gets_no_signatures_of_others():
    call, words = {"functionCall": {"name": "time", "args": {}}}, {"text": "Yes."}
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": SEAL},
        {**words, "thought_signature": SEAL},
        {**call, "thoughtSignature": SEAL},
        {**call, "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": SEAL},
    ]
    body = {"contents": [{"role": "model", "parts": parts}]}
    sent = json.loads(PROVIDERS["gemini"].outgoing(asked("generate_content", body=body, **MEMBERS)).body)
    assert sent["contents"][0]["parts"] == [
        words, {**call, "thoughtSignature": UNSIGNED}, {**call, "thoughtSignature": "c2ln"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages":[{"content":"YWlyb3V0ZXIu"}]}',
        b'{"messages":"YWlyb3V0ZXIu"}',
        b'["YWlyb3V0ZXIu"',
        b'{"messages": []}',
    ],
)
def test_everything_else_passes_as_it_is(body: bytes):
    for endpoint in ("messages", "responses", "generate_content", "chat.completions"):
        assert without_foreign_thoughts(endpoint, body) == body


def test_mistral_says_its_thoughts_in_parts_of_the_content():
    """docs.mistral.ai, "Reasoning": parts of kind `thinking`, then words; streamed, a list, then plain text."""
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Let me "}, {"type": "text", "text": "see."}]}
    message = {"role": "assistant", "content": [part, {"type": "text", "text": "Noon."}]}
    reply = chat_replies.read({"choices": [{"message": message, "finish_reason": "stop"}]}, "m")
    assert reply.choices[0].parts == (Reasoning(text="Let me see.", vendor="chat"), Text(text="Noon."))
    reader, said = chat_streams.Reader(), list[Event]()
    for content in ([part], "Noon.", [{"type": "thinking", "thinking": 3}, 4]):
        said += reader.read(json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}).encode())
    assert said == [ThoughtDelta(text="Let me see.", vendor="chat"), TextDelta(text="Noon.")]

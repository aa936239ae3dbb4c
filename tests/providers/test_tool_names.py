"""A client calls its tools as it likes: a vendor that would refuse a name gets another, and the client its own back."""

import json
import re
from typing import Any

import msgspec
import pytest

from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.providers.translated import TranslatedProvider
from airouter.translation.conversation import Conversation, Text, Tool, ToolCall, ToolChoice, ToolResult, Turn
from airouter.translation.dialect import DIALECTS, Wanted
from airouter.translation.reply import CallBegan, CallDelta, Choice, Event, Head, Reply, Stopped
from airouter.wire.framing import SseFraming
from tests.providers.translated_calls import asked, fed
from tests.wire.frames import event

LONG = "mcp__" + "long" * 20
NAMES = (LONG, LONG[:-1], "files.read/all", "files_read_all", "7zip", "\u5929\u6c14", "plain")
HEAD = Head(reply_id="r", model="m", created_at_seconds=1)
SERVED = Providers(dict(PROVIDERS))
TAKEN = {
    "openai-compatible": r"[a-zA-Z0-9_-]{1,64}",
    "openai": r"[a-zA-Z0-9_-]{1,64}",
    "anthropic": r"[a-zA-Z0-9_-]{1,128}",
    "gemini": r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}",
    "bedrock": r"[a-zA-Z0-9_-]{1,64}",
}
SPEAKS = {"openai-compatible": "chat.completions", "anthropic": "messages", "gemini": "generate_content"}
PAIRS = [(client, provider) for client in DIALECTS for provider in TAKEN if client not in PROVIDERS[provider].endpoints]
SAID = Conversation(
    model="m",
    turns=(
        Turn(role="user", parts=(Text(text="Go on."),)),
        Turn(role="assistant", parts=(ToolCall(call_id="call_1", name=LONG, arguments="{}"),)),
        Turn(role="user", parts=(ToolResult(call_id="call_1", name=LONG, content=(Text(text="Done"),)),)),
    ),
    tools=tuple(Tool(name=name, schema={"type": "object", "properties": {"a": {}}}) for name in NAMES),
    tool_choice=ToolChoice(mode="named", name="files.read/all"),
    max_output_tokens=100,
)


def call_of(client: Any, provider: str, *, is_streaming: bool = False) -> tuple[TranslatedProvider, Any]:
    served = SERVED.serving(provider, client)
    assert isinstance(served, TranslatedProvider)
    body = DIALECTS[client].write_request(SAID, Wanted(allowance=100))
    call = asked(client, is_streaming=is_streaming, body=body, upstream_model="m", credential="a:b")
    return served, msgspec.structs.replace(call, prepared=served.read(call))


def names_in(sent: Any) -> list[str]:
    """Whatever stands under `name` in what a provider is asked, and Gemini's list of those allowed."""
    if isinstance(sent, list):
        return [name for one in sent for name in names_in(one)]
    if not isinstance(sent, dict):
        return []
    found = [sent["name"]] if isinstance(sent.get("name"), str) else []
    found += sent.get("allowedFunctionNames", [])
    return found + [name for key, one in sent.items() if key != "properties" for name in names_in(one)]


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_every_name_that_goes_out_is_one_that_the_vendor_takes(client: str, provider: str):
    served, call = call_of(client, provider)
    sent = json.loads(served.outgoing(call).body)
    names = names_in(sent)
    assert all(re.fullmatch(TAKEN[provider], name) for name in names)
    assert "plain" in names
    assert len(set(names)) == len(NAMES), "each has a name of its own"
    made = next(name for name in names if name.startswith("files_read_all_"))
    assert names.count(made) == 2, "the one that is chosen is declared"
    long = next(name for name in names if name == LONG or name.startswith(LONG[:40]))
    assert long == LONG or len(long) <= 64
    assert names == names_in(json.loads(served.outgoing(call).body)), "the same every time"


def answer_of(provider: str, names: list[str]) -> bytes:
    calls = tuple(ToolCall(call_id=f"call_{n}", name=name, arguments="{}") for n, name in enumerate(names))
    if provider == "bedrock":
        content = [{"toolUse": {"toolUseId": call.call_id, "name": call.name, "input": {}}} for call in calls]
        usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
        said = {"output": {"message": {"content": content}}, "stopReason": "tool_use", "usage": usage}
        return json.dumps(said).encode()
    spoken = DIALECTS[SPEAKS.get(provider, "chat.completions")]  # type: ignore[index]
    reply = Reply(reply_id="r", model="m", created_at_seconds=1, choices=(Choice(parts=calls, stop="tools"),))
    return msgspec.json.encode(spoken.write_reply(reply, {"input": 1, "output": 1}, HEAD))


def stream_of(provider: str, names: list[str]) -> bytes:
    if provider == "bedrock":
        said = [
            piece
            for at, name in enumerate(names)
            for piece in (
                event(
                    "contentBlockStart",
                    {"contentBlockIndex": at, "start": {"toolUse": {"toolUseId": f"c{at}", "name": name}}},
                ),
                event("contentBlockDelta", {"contentBlockIndex": at, "delta": {"toolUse": {"input": "{}"}}}),
                event("contentBlockStop", {"contentBlockIndex": at}),
            )
        ]
        usage = {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}
        return b"".join([*said, event("messageStop", {"stopReason": "tool_use"}), event("metadata", usage)])
    writer = DIALECTS[SPEAKS.get(provider, "chat.completions")].writer(HEAD, is_array=False)  # type: ignore[index]
    events: list[Event] = []
    for number, name in enumerate(names):
        events.append(CallBegan(number=number, call_id=f"call_{number}", name=name))
        events.append(CallDelta(number=number, arguments="{}"))
    return writer.write([*events, Stopped(reason="tools")]) + writer.end({"input": 1, "output": 1})


def declared(served: TranslatedProvider, call: Any) -> list[str]:
    """As the provider knows them, in the client's order."""
    sent = json.loads(served.outgoing(call).body)
    return list(dict.fromkeys(names_in(sent.get("tools") or sent.get("toolConfig"))))


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_whole_answer_calls_the_tools_by_the_client_s_names(client: Any, provider: str):
    served, call = call_of(client, provider)
    answered = served.answer(call, answer_of(provider, declared(served, call)[: len(NAMES)]))
    assert answered.is_proper
    reply = DIALECTS[client].read_reply(json.loads(answered.body), HEAD)
    assert [part.name for part in reply.choices[0].parts if isinstance(part, ToolCall)] == list(NAMES)


@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_stream_calls_the_tools_by_the_client_s_names(client: Any, provider: str):
    served, call = call_of(client, provider, is_streaming=True)
    stream = stream_of(provider, declared(served, call)[: len(NAMES)])
    written = fed(served.stream(call), stream, 50)
    framing, reader = SseFraming(), DIALECTS[client].reader()
    said = [one for data in (*framing.feed(written), *framing.rest()) for one in reader.read(data)]
    assert [one.name for one in said if isinstance(one, CallBegan)] == list(NAMES)


def test_a_count_is_asked_with_the_same_names():
    body = DIALECTS["messages"].write_request(SAID, Wanted(allowance=100))
    served = SERVED.serving("gemini", "messages.count_tokens")
    assert served is not None
    call = asked("messages.count_tokens", body={**body, "model": "public"}, upstream_model="m", credential="k")
    names = names_in(json.loads(served.outgoing(call).body))
    assert all(re.fullmatch(TAKEN["gemini"], name) for name in names)


def test_names_that_every_vendor_takes_are_left_alone():
    served = SERVED.serving("gemini", "messages")
    assert isinstance(served, TranslatedProvider)
    plain = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"a": {}}}}]
    messages = [{"role": "user", "content": "Hi"}]
    body = {"max_tokens": 9, "messages": messages, "tools": plain}
    call = asked("messages", body=body, upstream_model="m", credential="k")
    assert names_in(json.loads(served.outgoing(call).body)) == ["get_weather"]

"""Claude Code, Codex and Cursor at the gateway, over a provider of their own dialect and over those of others: several
turns, parallel tools, and thoughts that find their way back to whoever had them.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from airouter.domain.policy import Limits
from tests import postgres
from tests.audit import audit_books
from tests.gateway.coding_clients import ClaudeCode, Codex, events_of
from tests.gateway.upstreams import House, replayed, sent
from tests.live import RATES
from tests.providers.replay import Played

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATCH = "*** Begin Patch\n*** Update File: a.py\n*** End Patch"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with replayed(dsn, tmp_path_factory.mktemp("home")) as made:
            yield made
        await audit_books(dsn)


def stream(events: list[dict[str, Any]], *, is_named: bool = False, end: bytes = b"") -> Played:
    lines = b"".join(
        (b"event: %b\n" % event["type"].encode() if is_named else b"")
        + b"data: "
        + json.dumps(event).encode()
        + b"\n\n"
        for event in events
    )
    return Played(content_type="text/event-stream", pieces=[lines + end])


# -- what providers say: a thought, two calls at once (of these names and arguments), then words

Calls = list[tuple[str, str, dict[str, Any]]]


def anthropic_calls(calls: Calls) -> Played:
    usage = {"input_tokens": 50, "output_tokens": 1}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Let me see."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_stop", "index": 0},
    ]
    for index, (call_id, name, arguments) in enumerate(calls, start=1):
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        text = json.dumps(arguments)
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [
            {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": part}}
            for part in (text[:5], text[5:])
        ]
        events.append({"type": "content_block_stop", "index": index})
    events += [
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 40}},
        {"type": "message_stop"},
    ]
    return stream(events, is_named=True)


def anthropic_words(words: str) -> Played:
    usage = {"input_tokens": 80, "output_tokens": 1}
    return stream(
        [
            {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": words}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
            {"type": "message_stop"},
        ],
        is_named=True,
    )


def chat_events(deltas: list[dict[str, Any]], finish: str) -> Played:
    usage = {"prompt_tokens": 50, "completion_tokens": 40, "total_tokens": 90}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "theirs"}
    events = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    events.append({**head, "choices": [], "usage": usage})
    return stream(events, end=b"data: [DONE]\n\n")


def chat_calls(calls: Calls) -> Played:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "reasoning_content": "Let me see."}]
    for index, (call_id, name, arguments) in enumerate(calls):
        text = json.dumps(arguments)
        function = {"name": name, "arguments": text[:5]}
        call = {"index": index, "id": call_id, "type": "function", "function": function}
        deltas += [{"tool_calls": [call]}, {"tool_calls": [{"index": index, "function": {"arguments": text[5:]}}]}]
    return chat_events(deltas, "tool_calls")


def chat_words(words: str) -> Played:
    return chat_events([{"role": "assistant", "content": words}], "stop")


def gemini_events(parts: list[dict[str, Any]]) -> Played:
    usage = {"promptTokenCount": 50, "candidatesTokenCount": 30, "thoughtsTokenCount": 10, "totalTokenCount": 90}
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    return stream([{"candidates": [candidate], "usageMetadata": usage}])


def gemini_calls(calls: Calls) -> Played:
    parts: list[dict[str, Any]] = [{"text": "Let me see.", "thought": True}]
    parts += [{"functionCall": {"name": name, "args": arguments}} for _, name, arguments in calls]
    parts[1]["thoughtSignature"] = "c2ln"
    return gemini_events(parts)


def gemini_words(words: str) -> Played:
    return gemini_events([{"text": words}])


SPEAKS = {
    "anthropic": (anthropic_calls, anthropic_words),
    "openai-compatible": (chat_calls, chat_words),
    "gemini": (gemini_calls, gemini_words),
}
"""By the provider: how it calls, and how it says words."""
BASH: Calls = [("toolu_1", "Bash", {"command": "ls"}), ("toolu_2", "Read", {"command": "a.py"})]


class TestClaudeCode:
    @pytest.mark.parametrize("provider", list(SPEAKS))
    async def test_two_turns_with_parallel_tools(self, house: House, provider: str):
        calls, words = SPEAKS[provider]
        client = ClaudeCode(house.client, house.holder.key, f"of-{provider}", is_bearer=provider != "gemini")
        house.answers(lambda _: calls(BASH))
        content = await client.say({"type": "text", "text": "Fix it", "cache_control": {"type": "ephemeral"}})
        used = [block for block in content if block["type"] == "tool_use"]
        assert [(block["name"], block["input"]) for block in used] == [(name, given) for _, name, given in BASH]
        assert content[0]["type"] == "thinking"
        assert content[0]["thinking"] == "Let me see."
        house.answers(lambda _: words("All is well."))
        answer = await client.answer({block["id"]: f"result of {block['name']}" for block in used})
        assert answer == [{"type": "text", "text": "All is well."}]
        getattr(self, f"_{provider.replace('-', '_')}_was_told")(house, client)
        record = await house.live.record(client.last.headers["x-request-id"])
        assert (record["status"], record["usage_source"]) == ("ok", "provider")
        assert record["charged"] == record["cost"] > 0

    @staticmethod
    def _anthropic_was_told(house: House, client: ClaudeCode) -> None:
        """Its own bytes, but for the model; the thought with its signature; the betas."""
        client.messages.pop()
        assert sent(house.asked) == {**client.body(), "model": "theirs"}
        thought = sent(house.asked)["messages"][1]["content"][0]
        assert thought == {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}
        assert house.asked.headers["anthropic-beta"] == client.headers["anthropic-beta"]
        assert house.asked.headers["x-api-key"] == "sk-upstream"
        assert "x-app" not in house.asked.headers

    @staticmethod
    def _openai_compatible_was_told(house: House, client: ClaudeCode) -> None:
        del client
        messages = sent(house.asked)["messages"]
        assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", "tool"]
        assert messages[0]["content"] == "You are Claude Code.\n\nWork in /repo."
        assert [call["id"] for call in messages[2]["tool_calls"]] == ["toolu_1", "toolu_2"]
        assert [message["content"] for message in messages[3:]] == ["result of Bash", "result of Read"]
        assert sent(house.asked)["stream_options"] == {"include_usage": True}
        assert [tool["function"]["name"] for tool in sent(house.asked)["tools"]] == ["Bash", "Read"]

    @staticmethod
    def _gemini_was_told(house: House, client: ClaudeCode) -> None:
        """The signature stands again at the call that it came with."""
        del client
        _, called, results = sent(house.asked)["contents"]
        first, second = (part for part in called["parts"] if "functionCall" in part)
        assert first["thoughtSignature"] == "c2ln"
        assert "thoughtSignature" not in second
        told = [part["functionResponse"] for part in results["parts"]]
        assert [one["name"] for one in told] == ["Bash", "Read"]
        assert told[0]["response"] == {"output": "result of Bash"}

    async def test_what_it_asks_besides(self, house: House):
        client = ClaudeCode(house.client, house.holder.key, "of-anthropic", is_bearer=True)
        assert await client.probe() == 200
        house.says({"input_tokens": 321})
        client.messages.append({"role": "user", "content": "Hello"})
        assert await client.count() == 321
        for path in ("/api/event_logging/batch", "/api/claude_code/metrics", "/v1/oauth/hello"):
            answer = await house.client.post(path, json={}, headers=client.headers)
            assert answer.status_code in {401, 404}, path
        models = await house.client.get("/v1/models?limit=1000", headers=client.headers)
        assert models.json()["data"][0]["type"] == "model"

    async def test_a_refusal_in_the_middle_is_an_error_event(self, house: House):
        client = ClaudeCode(house.client, house.holder.key, "of-anthropic", is_bearer=False)
        whole = anthropic_words("Half").pieces[0]
        cut = whole[: whole.index(b"event: message_delta")]
        house.answers(lambda _: Played(content_type="text/event-stream", pieces=[cut], breaks=True))
        client.messages.append({"role": "user", "content": "Hello"})
        answer = await house.client.post("/v1/messages?beta=true", json=client.body(), headers=client.headers)
        assert answer.content.startswith(cut)
        assert events_of(answer.content)[-1]["error"]["type"] == "api_error"


CALLED: Calls = [("call_1", "shell", {"command": "ls"}), ("call_2", "apply_patch", {"input": PATCH})]


def responses_events(items: list[dict[str, Any]]) -> Played:
    usage = {"input_tokens": 50, "output_tokens": 40, "total_tokens": 90}
    response = {"id": "resp_1", "object": "response", "status": "in_progress", "output": []}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": response}]
    for index, item in enumerate(items):
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    done = {**response, "status": "completed", "output": items, "usage": usage}
    return stream([*events, {"type": "response.completed", "response": done}], is_named=True)


def output_of(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": f"result of {item['name']}"}


class TestCodex:
    async def test_a_provider_of_its_own_gets_its_bytes(self, house: House):
        client = Codex(house.client, house.holder.key, "of-openai")
        client.more_tools = [{"type": "local_shell"}]
        items = [
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "shell", "arguments": "{}"},
            {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "apply_patch", "input": PATCH},
        ]
        played = responses_events(items)
        house.answers(lambda _: played)
        done = await client.ask("Fix it")
        assert client.last.content == played.pieces[0]
        assert [item["type"] for item in done] == ["reasoning", "function_call", "custom_tool_call"]
        words = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done"}]}
        house.answers(lambda _: responses_events([words]))
        assert await client.say(*(output_of(item) for item in done[1:])) == [words]
        client.input.pop()
        assert sent(house.asked) == {**client.body(), "model": "theirs"}
        assert sent(house.asked)["input"][2]["encrypted_content"] == "sealed"
        record = await house.live.record(client.last.headers["x-request-id"])
        assert (record["endpoint"], record["usage_source"]) == ("responses", "provider")

    @pytest.mark.parametrize("provider", list(SPEAKS))
    async def test_two_turns_with_a_patch_over_another_provider(self, house: House, provider: str):
        calls, words = SPEAKS[provider]
        client = Codex(house.client, house.holder.key, f"of-{provider}")
        house.answers(lambda _: calls(CALLED))
        done = await client.ask("Fix it")
        kinds = [item["type"] for item in done]
        assert kinds == ["reasoning", "function_call", "custom_tool_call"]
        assert json.loads(done[1]["arguments"]) == {"command": "ls"}
        assert done[2]["input"] == PATCH
        assert done[0]["summary"] == [{"type": "summary_text", "text": "Let me see."}]
        house.answers(lambda _: words("All is well."))
        answer = await client.say(*(output_of(item) for item in done[1:]))
        assert [item["type"] for item in answer] == ["message"]
        assert answer[0]["content"][0]["text"] == "All is well."
        assert "cache_key" in client.last.headers["x-airouter-dropped"]
        getattr(self, f"_{provider.replace('-', '_')}_was_told")(sent(house.asked))
        record = await house.live.record(client.last.headers["x-request-id"])
        assert record["charged"] == record["cost"] > 0

    @staticmethod
    def _anthropic_was_told(body: dict[str, Any]) -> None:
        """The thought is its own again, signature and all."""
        thought, shell, patch = body["messages"][1]["content"]
        assert thought == {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}
        assert (shell["type"], shell["input"]) == ("tool_use", {"command": "ls"})
        assert (patch["name"], patch["input"]) == ("apply_patch", {"input": PATCH})
        results = body["messages"][2]["content"]
        assert [block["tool_use_id"] for block in results] == ["call_1", "call_2"]
        assert [block["text"] for block in body["system"]] == ["You are Codex.", "Sandbox: read-only."]
        assert body["thinking"]["type"] == "enabled"

    @staticmethod
    def _openai_compatible_was_told(body: dict[str, Any]) -> None:
        messages = body["messages"]
        assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool", "tool"]
        assert [call["function"]["name"] for call in messages[2]["tool_calls"]] == ["shell", "apply_patch"]
        assert body["parallel_tool_calls"] is True
        assert body["reasoning_effort"] == "medium"
        assert [tool["type"] for tool in body["tools"]] == ["function", "function"]

    @staticmethod
    def _gemini_was_told(body: dict[str, Any]) -> None:
        called = [part for part in body["contents"][1]["parts"] if "functionCall" in part]
        assert called[0]["thoughtSignature"] == "c2ln"
        assert called[1]["functionCall"]["args"] == {"input": PATCH}

    async def test_a_tool_that_only_openai_runs_is_refused_in_words(self, house: House):
        client = Codex(house.client, house.holder.key, "of-openai-compatible")
        client.more_tools = [{"type": "local_shell"}]
        client.input.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]})
        answer = await client.post()
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "not_translatable"
        assert answer.json()["error"]["param"] == "tools[2]"


class TestCursor:
    @pytest.mark.parametrize("is_streaming", [False, True])
    async def test_a_body_of_responses_is_answered_as_a_chat(self, house: House, *, is_streaming: bool):
        asked = {
            "model": "of-openai-compatible",
            "input": [
                {"role": "system", "content": "You are Cursor."},
                {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
            ],
            "tools": [{"type": "function", "name": "read_file", "parameters": {"type": "object"}, "strict": False}],
            "reasoning": {"effort": "low"},
            "stream": is_streaming,
            "truncation": "auto",
        }
        usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
        message = {"role": "assistant", "content": "Hi."}
        house.says({"object": "chat.completion", "choices": [{"index": 0, "message": message}], "usage": usage})
        if is_streaming:
            house.answers(lambda _: chat_words("Hi."))
        answer = await house.post("/v1/chat/completions", asked)
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-airouter-dropped"] == "truncation"
        if is_streaming:
            said = [event["choices"][0]["delta"].get("content", "") for event in events_of(answer.content)]
            assert "".join(said) == "Hi."
        else:
            assert answer.json()["choices"][0]["message"]["content"] == "Hi."
        told = sent(house.asked)
        assert told["messages"] == [
            {"role": "system", "content": "You are Cursor."},
            {"role": "user", "content": "Hello"},
        ]
        assert told["tools"][0]["function"]["name"] == "read_file"
        assert told["model"] == "theirs"
        record = await house.live.record(answer.headers["x-request-id"])
        assert (record["endpoint"], record["status"]) == ("chat.completions", "ok")

    async def test_neither_messages_nor_input_is_a_400(self, house: House):
        answer = await house.post("/v1/chat/completions", {"model": "of-openai-compatible"})
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "messages"


@pytest.mark.parametrize(("estimates", "source", "is_free"), [("charge", "estimated", False), ("off", "none", True)])
async def test_what_nobody_counted_is_charged_as_the_operator_decided(
    house: House, estimates: Any, source: str, *, is_free: bool
):
    message = {"role": "assistant", "content": "Hello there."}
    house.says({"object": "chat.completion", "choices": [{"index": 0, "message": message}]})
    await house.live.policy(Limits(estimates=estimates))
    try:
        asked = {"model": "of-openai-compatible", "messages": [{"role": "user", "content": "Hi there"}]}
        answer = await house.post("/v1/chat/completions", asked)
        assert answer.status_code == 200
        record = await house.live.record(answer.headers["x-request-id"])
    finally:
        await house.live.policy(Limits())
    assert record["usage_source"] == source
    assert record["status"] == "ok"
    assert record["charged"] == record["cost"]
    assert (record["quantities"] == {"request": 1}) is is_free
    assert (record["cost"] == RATES["request"]) is is_free

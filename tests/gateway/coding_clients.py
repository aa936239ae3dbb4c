"""Two programs that people write code with, as they speak: Claude Code and Codex, made small."""

import json
from typing import Any

import httpx

from airouter.wire.sse import event_data, split_events

SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


def events_of(data: bytes) -> list[dict[str, Any]]:
    """The data of every event."""
    found = [event_data(event) for event in split_events(data if data.endswith(b"\n\n") else data + b"\n\n")]
    return [json.loads(one) for one in found if one and one != b"[DONE]"]


class ClaudeCode:
    """`ANTHROPIC_BASE_URL` is the gateway's address without a version. It keeps every block of an answer as it came."""

    def __init__(self, http: httpx.AsyncClient, key: str, model: str, *, is_bearer: bool) -> None:
        self._http = http
        self._model = model
        self.messages: list[dict[str, Any]] = []
        self.headers = {
            ("authorization" if is_bearer else "x-api-key"): f"Bearer {key}" if is_bearer else key,
            "anthropic-version": "2023-06-01",
            "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming",
            "anthropic-dangerous-direct-browser-access": "true",
            "user-agent": "claude-cli/2.0.31 (external, cli)",
            "x-app": "cli",
            "x-stainless-lang": "js",
        }
        self.last: httpx.Response

    def body(self) -> dict[str, Any]:
        """What it sends for the conversation so far."""
        return {
            "model": self._model,
            "max_tokens": 32_000,
            "system": [
                {"type": "text", "text": "You are Claude Code.", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "Work in /repo.", "cache_control": {"type": "ephemeral"}},
            ],
            "messages": self.messages,
            "tools": [
                {"name": "Bash", "description": "Runs a command.", "input_schema": SHELL},
                {"name": "Read", "description": "Reads a file.", "input_schema": SHELL},
            ],
            "thinking": {"type": "enabled", "budget_tokens": 10_000},
            "metadata": {"user_id": "user_1_session_2"},
            "temperature": 1,
            "stream": True,
        }

    async def probe(self) -> int:
        """Is anybody there?"""
        return (await self._http.head("/")).status_code

    async def count(self) -> int:
        """How long the conversation is."""
        body = {name: value for name, value in self.body().items() if name in {"model", "system", "messages", "tools"}}
        answer = await self._http.post("/v1/messages/count_tokens?beta=true", json=body, headers=self.headers)
        return answer.json()["input_tokens"]

    async def say(self, *blocks: dict[str, Any]) -> list[dict[str, Any]]:
        """One turn: the blocks of the answer, put together from its events."""
        self.messages.append({"role": "user", "content": list(blocks)})
        self.last = await self._http.post("/v1/messages?beta=true", json=self.body(), headers=self.headers)
        assert self.last.status_code == 200, self.last.text
        assert self.last.headers["content-type"].startswith("text/event-stream")
        content = _assembled(events_of(self.last.content))
        self.messages.append({"role": "assistant", "content": content})
        return content

    async def answer(self, results: dict[str, str]) -> list[dict[str, Any]]:
        """The results of tools, and what the model makes of them."""
        return await self.say(
            *(
                {"type": "tool_result", "tool_use_id": call_id, "content": [{"type": "text", "text": words}]}
                for call_id, words in results.items()
            )
        )


def _assembled(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert events[-2]["usage"]["output_tokens"] > 0
    blocks: list[dict[str, Any]] = []
    arguments = ""
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(blocks)
                blocks.append(dict(event["content_block"]))
                arguments = ""
            case "content_block_delta":
                delta, block = event["delta"], blocks[event["index"]]
                match delta["type"]:
                    case "text_delta":
                        block["text"] += delta["text"]
                    case "thinking_delta":
                        block["thinking"] += delta["thinking"]
                    case "signature_delta":
                        block["signature"] = delta["signature"]
                    case "input_json_delta":
                        arguments += delta["partial_json"]
            case "content_block_stop" if blocks[event["index"]]["type"] == "tool_use":
                blocks[event["index"]]["input"] = json.loads(arguments or "{}")
            case _:
                pass
    return blocks


GRAMMAR = 'start: begin_patch hunk+ end_patch\nbegin_patch: "*** Begin Patch" LF'


class Codex:
    """The responses API, streamed, nothing stored: every item of an answer comes back with the next request."""

    def __init__(self, http: httpx.AsyncClient, key: str, model: str) -> None:
        self._http = http
        self._key = key
        self._model = model
        self.input: list[dict[str, Any]] = [
            {
                "type": "message",
                "role": "developer",
                "content": [{"type": "input_text", "text": "Sandbox: read-only."}],
            }
        ]
        self.more_tools: list[dict[str, Any]] = []
        self.last: httpx.Response

    def body(self) -> dict[str, Any]:
        """What it sends for the conversation so far."""
        return {
            "model": self._model,
            "instructions": "You are Codex.",
            "input": self.input,
            "tools": [
                {
                    "type": "function",
                    "name": "shell",
                    "description": "Runs a command.",
                    "strict": False,
                    "parameters": SHELL,
                },
                {
                    "type": "custom",
                    "name": "apply_patch",
                    "description": "Edits files. It takes the patch as it is.",
                    "format": {"type": "grammar", "syntax": "lark", "definition": GRAMMAR},
                },
                *self.more_tools,
            ],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "reasoning": {"effort": "medium", "summary": "auto"},
            "store": False,
            "stream": True,
            "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": "0199a213-81c0-7800-8aa1-bbab2a035a53",
            "text": {"verbosity": "low"},
        }

    async def post(self) -> httpx.Response:
        """The request as it stands."""
        headers = {
            "authorization": f"Bearer {self._key}",
            "accept": "text/event-stream",
            "originator": "codex_cli_rs",
            "session_id": "0199a213-81c0-7800-8aa1-bbab2a035a53",
            "user-agent": "codex_cli_rs/0.50.0",
        }
        self.last = await self._http.post("/v1/responses", json=self.body(), headers=headers)
        return self.last

    async def say(self, *items: dict[str, Any]) -> list[dict[str, Any]]:
        """One turn: the items of the answer, each taken when it is done, and only if the response was completed."""
        self.input += items
        answer = await self.post()
        assert answer.status_code == 200, answer.text
        events = events_of(answer.content)
        assert events[0]["type"] == "response.created"
        assert events[-1]["type"] == "response.completed"
        assert events[-1]["response"]["usage"]["total_tokens"] > 0
        done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
        for item in done:
            item.pop("id", None)  # nothing is stored, so nothing is named
        self.input += done
        return done

    async def ask(self, words: str) -> list[dict[str, Any]]:
        """The user says something."""
        content = [{"type": "input_text", "text": words}]
        return await self.say({"type": "message", "role": "user", "content": content})

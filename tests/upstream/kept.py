"""An upstream that keeps responses as OpenAI does: each organisation (credential) knows its own and no other's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.upstream.server import Line, Upstream, running

USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10},
    "output_tokens": 12,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 42,
}
QUANTITIES = {"input": 20, "cached_input": 10, "output": 8, "reasoning": 4, "request": 1}
"""The same, as it is metered."""


class KeptResponses:
    """What the upstream keeps, and what a test may do to it. `cuts` names the event before which streams are cut."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {}
        self.base_url = ""
        self.asked: list[tuple[str, str, str, dict[str, Any]]] = []
        """(method, path with query, credential, body) of each request."""
        self.finishes_streams = True
        self.cannot_stop: set[str] = set()
        """Names of responses whose cancellation fails."""
        self.ends_when_stopped: set[str] = set()
        """Those that had ended when they were to be cancelled."""
        self.holds_back = asyncio.Event()
        """Once set, no new response is answered for."""
        self._numbers = count(1)

    def finish(self, name: str, status: str = "completed", *, usage: dict[str, Any] | None = USAGE) -> None:
        """The background response of that name ends."""
        response = next(r for (_, known), r in self.kept.items() if known == name)
        response.update(status=status, usage=usage, output=_output(name) if status == "completed" else [])

    def write(self, name: str, text: str) -> None:
        """The background response of that name has got so far."""
        response = next(r for (_, known), r in self.kept.items() if known == name)
        response.update(status="in_progress", output=_output(name, text))

    def forget(self, name: str) -> None:
        self.kept = {key: response for key, response in self.kept.items() if key[1] != name}

    async def script(self, line: Line) -> None:
        method, target, _ = line.received.line.split(" ")
        credential = line.received.headers.get("authorization", "").removeprefix("Bearer ")
        body = json.loads(line.received.body) if line.received.body else {}
        self.asked.append((method, target.removeprefix("/v1"), credential, body))
        parts = urlsplit(target)
        if parts.path.startswith("/v1/conversations"):
            await self._conversation(line, method, parts.path, credential, body)
            return
        match method, parts.path.removeprefix("/v1/responses").strip("/").split("/"):
            case "POST", [""]:
                await self._create(line, credential, body)
            case "POST", ["compact"]:
                await _json(line, {"id": "cmp_1", "object": "response.compaction", "output": [], "usage": USAGE})
            case "POST", ["input_tokens"]:
                await _json(line, {"object": "response.input_tokens", "input_tokens": 31})
            case _, [name, *beyond]:
                response = self.kept.get((credential, name))
                if response is None:
                    await _json(line, _error(f"Response with id '{name}' not found."), 404)
                else:
                    await self._about(line, method, beyond, response, parse_qs(parts.query))

    async def _create(self, line: Line, credential: str, body: dict[str, Any]) -> None:
        before = body.get("previous_response_id")
        if before is not None and (credential, before) not in self.kept:
            await _json(line, _error(f"Previous response with id '{before}' not found."), 400)
            return
        name = f"resp_{next(self._numbers)}"
        is_later = body.get("background") is True
        response = {
            "id": name,
            "object": "response",
            "created_at": 1,
            "status": "queued" if is_later else "completed",
            "background": is_later,
            "model": body["model"],
            "output": [] if is_later else _output(name),
            "store": body.get("store", True),
            "usage": None if is_later else USAGE,
            "error": None,
            "previous_response_id": before,
        }
        if response["store"]:
            self.kept[credential, name] = response
        if self.holds_back.is_set():
            await line.gone()
        elif body.get("stream"):
            await self._stream(line, response)
        else:
            await _json(line, response)

    async def _conversation(self, line: Line, method: str, path: str, credential: str, body: dict[str, Any]) -> None:
        """`items` of a conversation are kept with it; this upstream shows the first of them."""
        name, _, part = path.removeprefix("/v1/conversations").strip("/").partition("/")
        if not name:
            name = f"conv_{next(self._numbers)}"
            self.kept[credential, name] = {"id": name, "object": "conversation", "created_at": 1, "metadata": {}}
        found = self.kept.get((credential, name))
        item = {"id": "msg_1", "type": "message", "role": "user", "status": "completed", "content": []}
        page = {"object": "list", "data": [item], "first_id": "msg_1", "last_id": "msg_1", "has_more": False}
        if found is None:
            await _json(line, _error(f"Conversation with id '{name}' not found."), 404)
        elif part == "items":
            await _json(line, page)
        elif part:
            await _json(line, item if method == "GET" else found)
        elif method == "DELETE":
            self.forget(name)
            await _json(line, {"id": name, "object": "conversation.deleted", "deleted": True})
        else:
            found["metadata"].update(body.get("metadata") or {})
            await _json(line, found)

    async def _stream(self, line: Line, response: dict[str, Any]) -> None:
        await line.stream()
        begun = {**response, "status": "in_progress", "output": [], "usage": None}
        await line.chunk(_event({"type": "response.created", "sequence_number": 0, "response": begun}))
        await line.chunk(_event({"type": "response.output_text.delta", "sequence_number": 1, "delta": "Hello"}))
        if not self.finishes_streams:
            await line.gone()
            return
        if response["background"]:
            self.finish(response["id"])
        ended = {"type": f"response.{response['status']}", "sequence_number": 2, "response": response}
        await line.chunk(_event(ended))
        await line.end()

    async def _about(
        self, line: Line, method: str, beyond: list[str], response: dict[str, Any], query: dict[str, list[str]]
    ) -> None:
        match method, beyond:
            case "GET", [] if query.get("stream") == ["true"]:
                await line.stream()
                await line.chunk(_event({"type": "response.completed", "sequence_number": 2, "response": response}))
                await line.end()
            case "GET", []:
                await _json(line, response)
            case "DELETE", []:
                self.forget(response["id"])
                await _json(line, {"id": response["id"], "object": "response", "deleted": True})
            case "POST", ["cancel"] if response["id"] in self.cannot_stop:
                await _json(line, _error("Try again later."), 500)
            case "POST", ["cancel"] if response["id"] in self.ends_when_stopped:
                self.finish(response["id"])
                await _json(line, response)
            case "POST", ["cancel"]:
                response.update(status="cancelled")
                await _json(line, response)
            case "GET", ["input_items"]:
                item = {"id": "msg_in", "type": "message", "role": "user", "status": "completed", "content": []}
                page = {"object": "list", "data": [item], "first_id": "msg_in", "last_id": "msg_in", "has_more": False}
                await _json(line, page)
            case _:
                await _json(line, _error("no such thing"), 404)


def _output(name: str, text: str = "Hello there") -> list[dict[str, Any]]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return [
        {"type": "message", "id": f"msg_{name}", "status": "completed", "role": "assistant", "content": [part]},
    ]


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


async def _json(line: Line, body: dict[str, Any], status: int = 200) -> None:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    await line.raw(head.encode() + data)


@asynccontextmanager
async def keeping() -> AsyncIterator[tuple[KeptResponses, Upstream]]:
    """Such an upstream on a port of its own."""
    kept = KeptResponses()
    async with running(kept.script) as upstream:
        kept.base_url = f"http://127.0.0.1:{upstream.port}/v1"
        yield kept, upstream

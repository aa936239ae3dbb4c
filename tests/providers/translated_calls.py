"""Calls at every text door, for providers whose dialect no client speaks."""

import json
from typing import Any

from airouter.providers.contract import Call, StreamReader
from airouter.wire.requests import Named, read_request

SIMPLE: dict[str, dict[str, Any]] = {
    "chat.completions": {"messages": [{"role": "user", "content": "Go on."}]},
    "responses": {"input": "Go on."},
    "messages": {"max_tokens": 1000, "messages": [{"role": "user", "content": "Go on."}]},
    "generate_content": {"contents": [{"role": "user", "parts": [{"text": "Go on."}]}]},
}
DOORS = {"chat.completions": "chat", "responses": "responses", "messages": "anthropic", "generate_content": "gemini"}
"""The dialect of each (tests.translation.dialects)."""


def asked(endpoint: Any, *, is_streaming: bool = False, body: dict[str, Any] | None = None, **members: Any) -> Call:
    """A call at that door; its body a small one, unless given."""
    said = dict(SIMPLE[endpoint] if body is None else body)
    if endpoint not in {"generate_content", "batch_embed_contents"}:
        said |= {"model": "public"}
    if endpoint in DOORS and endpoint != "generate_content":
        said |= {"stream": is_streaming}
    if endpoint == "chat.completions" and is_streaming:
        said |= {"stream_options": {"include_usage": True}}
    data = json.dumps(said).encode()
    request = read_request(endpoint, data, Named(model="public", is_streaming=is_streaming))
    return Call(endpoint=endpoint, request=request, body=data, **members)


def fed(reader: StreamReader, stream: bytes, size: int) -> bytes:
    """Everything the client gets of a stream that comes in pieces of so many bytes."""
    out = [reader.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    return b"".join(out) + reader.finish()

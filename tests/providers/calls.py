"""Calls as the gateway makes them, and streams as upstreams send them, in few words."""

import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

from airouter.domain.catalogue import ChannelOptions
from airouter.providers.contract import Call, StreamReader
from airouter.providers.registry import PROVIDERS
from airouter.wire.endpoint import Endpoint
from airouter.wire.openai import read_request


def call(
    body: dict[str, Any] | bytes | None = None,
    *,
    endpoint: Endpoint = "chat.completions",
    upstream_model: str | None = None,
    options: ChannelOptions | None = None,
    **members: Any,
) -> Call:
    """A call of that body; `members` are added to a small chat request."""
    if body is None:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **members}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = read_request(endpoint, data)
    return Call(
        endpoint=endpoint,
        request=request,
        body=data,
        upstream_model=upstream_model or request.model,
        credential="sk-upstream",
        base_url="http://upstream.invalid/v1",
        options=options or ChannelOptions(),
    )


def reader(
    *,
    wants_usage: bool = False,
    provider: str = "openai-compatible",
    options: ChannelOptions | None = None,
    **members: Any,
) -> StreamReader:
    """A reader for a stream of which the client wants the usage, or not."""
    if wants_usage:
        members["stream_options"] = {"include_usage": True}
    return PROVIDERS[provider].stream(call(stream=True, options=options, **members))


def event(data: dict[str, Any]) -> bytes:
    """One event, as compact as OpenAI writes it."""
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


def delta(text: str, **more: Any) -> bytes:
    """An event that says something."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return event({"id": "c-1", "object": "chat.completion.chunk", "model": "up", "choices": [choice], **more})


def stop(**more: Any) -> bytes:
    """The event that says why the model stopped."""
    choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return event({"id": "c-1", "object": "chat.completion.chunk", "model": "up", "choices": [choice], **more})


def usage(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        **more,
    }


def usage_event(prompt: int = 7, completion: int = 3, **more: Any) -> bytes:
    """The chunk that carries nothing but the usage."""
    return event({"id": "c-1", "model": "up", "choices": [], "usage": usage(prompt, completion), **more})


DONE = b"data: [DONE]\n\n"


def fed(stream: StreamReader, pieces: Iterable[bytes]) -> bytes:
    """Everything the client gets of a stream that ends properly."""
    return b"".join([stream.feed(piece) for piece in pieces if piece]) + stream.finish()


def cut_at(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    """The data in pieces that end at these places."""
    start = 0
    for place in sorted({place for place in places if 0 < place < len(data)}):
        yield data[start:place]
        start = place
    yield data[start:]


def cut_at_random(data: bytes, seed: int, pieces: int) -> Iterator[bytes]:
    """The data in about so many pieces."""
    draw = random.Random(seed)
    return cut_at(data, (draw.randrange(len(data) + 1) for _ in range(pieces)))

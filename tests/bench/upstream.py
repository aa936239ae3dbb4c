"""A provider that answers at once with the same bytes: JSON, or a stream of a hundred chunks.

python -m tests.bench.upstream         prints its port
"""

import asyncio
import json
from typing import Any, Final

import httptools
import uvloop

PROMPT_TOKENS: Final = 210
COMPLETION_TOKENS: Final = 180
CHUNKS: Final = 100
USAGE: Final = {
    "prompt_tokens": PROMPT_TOKENS,
    "completion_tokens": COMPLETION_TOKENS,
    "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
_COMMON: Final = {"id": "chatcmpl-bench0123456789", "created": 1790000000, "model": "bench-2026-01-01"}
_HEADERS: Final = b"x-request-id: req_0123456789abcdef\r\nopenai-version: 2020-10-01\r\nconnection: keep-alive\r\n"


def _json() -> bytes:
    text = "The quick brown fox jumps over the lazy dog. " * 18
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    body = json.dumps({**_COMMON, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % len(body)
    return head + _HEADERS + b"\r\n" + body


def _stream() -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    parts = [head, _HEADERS, b"\r\n"]
    for number in range(CHUNKS):
        delta = {"content": f" token{number}"} if number < CHUNKS - 1 else {}
        choice = {"index": 0, "delta": delta, "finish_reason": None if number < CHUNKS - 1 else "stop"}
        parts.append(_event({**_COMMON, "object": "chat.completion.chunk", "choices": [choice], "usage": None}))
    parts.append(_event({**_COMMON, "object": "chat.completion.chunk", "choices": [], "usage": USAGE}))
    parts += [_chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n"]
    return b"".join(parts)


def _event(data: dict[str, Any]) -> bytes:
    return _chunk(b"data: " + json.dumps(data).encode() + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


JSON: Final = _json()
STREAM: Final = _stream()


class Line(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._parser = httptools.HttpRequestParser(self)
        self._is_stream = False

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._is_stream = self._is_stream or b'"stream":true' in body

    def on_message_complete(self) -> None:
        self._transport.write(STREAM if self._is_stream else JSON)
        self._is_stream = False


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Line, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())

"""An upstream inside this process, for demos and tests: it answers like OpenAI, and does as the request says.

Text, tools, errors, delays, usage and faults are directed by the request's member `scripted`, described in script.py.
The client here has the shape of those in `upstream/`, so that nothing between the client's socket and this file is
different from a call over a network.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, Protocol

import msgspec

from airouter.providers.script import Asked, Said, Script, embedding, last_words, moderation, prompt_tokens, say
from airouter.wire.decoding import UNREADABLE
from airouter.wire.http import EVENT_STREAM, JSON, Header
from airouter.wire.openai import error_body
from airouter.wire.sse import DONE, data_event

_ASKED: Final = msgspec.json.Decoder(Asked)
_STATUS_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    429: "rate_limit_error",
}


class Sent(Protocol):
    """What this upstream reads of a request; the requests of `upstream/` have it."""

    @property
    def path(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class Patience(Protocol):
    """How long it is waited for; the time-outs of `upstream/` have it."""

    @property
    def first_byte_seconds(self) -> float: ...
    @property
    def idle_seconds(self) -> float: ...


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """The errors with which a connection fails. They belong to `upstream/`, which this floor does not see."""

    first_byte_timeout: Callable[[], Exception]
    idle_timeout: Callable[[bool], Exception]
    """Given whether it is before the first byte of the body."""
    broken_off: Callable[[bool], Exception]
    """Likewise."""
    too_large: Callable[[int], Exception]
    """Given the limit in bytes."""


class ScriptedAnswer:
    """An answer under way: status and headers, then the body piece by piece."""

    def __init__(
        self,
        status: int,
        headers: Sequence[Header],
        pieces: AsyncIterator[bytes],
        idle_seconds: float,
        failures: Failures,
    ) -> None:
        self.status = status
        self.headers = headers
        self._pieces = pieces
        self._idle_seconds = idle_seconds
        self._failures = failures
        self._error: Exception | None = None
        self._seen = False
        self._is_over = False

    async def chunk(self) -> bytes:
        """The next piece as soon as it is there; b"" at the end."""
        if self._error is not None:
            raise self._error
        if self._is_over:
            return b""
        try:
            async with asyncio.timeout(self._idle_seconds):
                data = await anext(self._pieces, b"")
        except TimeoutError:
            self._error = self._failures.idle_timeout(not self._seen)
            raise self._error from None
        except _ConnectionCut:
            self._error = self._failures.broken_off(not self._seen)
            raise self._error from None
        self._seen = True
        self._is_over = not data
        return data

    async def read(self, limit_bytes: int) -> bytes:
        """The rest of the body, whole."""
        parts, size = [], 0
        while data := await self.chunk():
            parts.append(data)
            size += len(data)
            if size > limit_bytes:
                raise self._failures.too_large(limit_bytes)
        return b"".join(parts)

    def close(self) -> None:
        """Stop talking."""
        self._is_over = True


class ScriptedUpstream:
    """Answers requests from their own words. `clock` gives Unix seconds; `sleep` is how it waits."""

    def __init__(
        self,
        failures: Failures,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._failures = failures
        self._clock = clock
        self._sleep = sleep

    async def send(self, request: Sent, timeouts: Patience) -> ScriptedAnswer:
        """Return when the head of the answer is there. Where it would come too late, fail as a connection would."""
        try:
            asked = _ASKED.decode(request.body)
        except UNREADABLE as error:
            body = error_body(f"The scripted upstream cannot read this: {error}.", "invalid_request_error")
            return self._answer(400, [JSON], _once(body), timeouts)
        script = asked.scripted
        delay_seconds = script.first_delay_ms / 1000
        if script.hang or delay_seconds > timeouts.first_byte_seconds:
            await self._sleep(timeouts.first_byte_seconds)
            raise self._failures.first_byte_timeout()
        if delay_seconds:
            await self._sleep(delay_seconds)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in script.headers.items()]
        is_streaming = asked.stream is True and not request.path.endswith("/embeddings")
        if script.status != 200 or (script.error is not None and not is_streaming):
            return self._answer(script.status, [JSON, *headers], _once(_refusal(script)), timeouts)
        if request.path.endswith("/moderations"):
            return self._answer(200, [JSON, *headers], _once(moderation(asked, _identity(request.body))), timeouts)
        reply = _Reply(request.path, asked, _identity(request.body), int(self._clock()))
        if is_streaming:
            return self._answer(200, [EVENT_STREAM, *headers], self._stream(reply), timeouts)
        return self._answer(200, [JSON, *headers], self._whole(reply), timeouts)

    async def close(self) -> None:
        """Nothing is open."""

    def _answer(
        self, status: int, headers: Sequence[Header], pieces: AsyncIterator[bytes], timeouts: Patience
    ) -> ScriptedAnswer:
        return ScriptedAnswer(status, headers, pieces, timeouts.idle_seconds, self._failures)

    async def _whole(self, reply: "_Reply") -> AsyncIterator[bytes]:
        body = reply.whole()
        script = reply.script
        if script.cut_after_chunks is not None:
            yield body[: len(body) // 2]
            raise _ConnectionCut
        if script.hang_after_chunks is not None:
            yield body[: len(body) // 2]
            await asyncio.Event().wait()
        yield body

    async def _stream(self, reply: "_Reply") -> AsyncIterator[bytes]:
        script = reply.script
        for number, piece in enumerate(reply.pieces()):
            if number == script.cut_after_chunks:
                raise _ConnectionCut
            if number == script.hang_after_chunks:
                await asyncio.Event().wait()
            if number and script.chunk_delay_ms:
                await self._sleep(script.chunk_delay_ms / 1000)
            yield piece
        if script.cut_after_chunks is not None:
            raise _ConnectionCut
        if script.hang_after_chunks is not None:
            await asyncio.Event().wait()
        if script.error is not None:
            yield data_event(msgspec.json.encode({"error": script.error}))
            return
        yield reply.end()


class _ConnectionCut(Exception):
    """The script says that the connection breaks here."""


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _refusal(script: Script) -> bytes:
    if script.error is not None:
        return msgspec.json.encode({"error": script.error})
    kind = _STATUS_TYPES.get(script.status, "server_error" if script.status >= 500 else "invalid_request_error")
    return error_body(f"The script asked for status {script.status}.", kind)


def _identity(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]


class _Reply:
    """A proper answer of one of the three endpoints, whole or in events."""

    def __init__(self, path: str, asked: Asked, identity: str, created: int) -> None:
        self.script = asked.scripted
        self._asked = asked
        self._identity = identity
        self._is_chat = path.endswith("/chat/completions")
        self._is_embedding = path.endswith("/embeddings")
        self._created = created
        self._choices: tuple[Said, ...] = ()
        if not self._is_embedding:
            self._choices = tuple(say(asked, words, identity) for words in self._questions())
        self._input_tokens = self._count_input()

    def _questions(self) -> list[str]:
        """What each choice answers: the last message, or each prompt; `n` times."""
        times = self._asked.n or 1
        if self._is_chat:
            return [last_words(self._asked.messages)] * times
        prompt = self._asked.prompt
        several = isinstance(prompt, list) and prompt and not isinstance(prompt[0], int)
        prompts = prompt if several else [prompt]
        return [one if isinstance(one, str) else "" for one in prompts for _ in range(times)]

    def _count_input(self) -> int:
        asked = self._asked
        if self._is_embedding:
            return prompt_tokens(asked.input)
        if not self._is_chat:
            return prompt_tokens(asked.prompt)
        tools = sum(-(-len(msgspec.json.encode(tool)) // 4) for tool in asked.tools or ())
        return prompt_tokens(asked.messages) + tools

    def _usage(self, output_tokens: int) -> dict[str, Any] | None:
        if not isinstance(self.script.usage, msgspec.UnsetType):
            return self.script.usage
        counted = {"prompt_tokens": self._input_tokens, "total_tokens": self._input_tokens + output_tokens}
        if self._is_embedding:
            return counted
        return {
            "prompt_tokens": self._input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": self._input_tokens + output_tokens,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }

    @property
    def _output_tokens(self) -> int:
        return sum(choice.tokens for choice in self._choices)

    def _head(self, kind: str) -> dict[str, Any]:
        prefix = "chatcmpl" if self._is_chat else "cmpl"
        return {
            "id": f"{prefix}-{self._identity}",
            "object": kind,
            "created": self._created,
            "model": self._asked.model,
            "service_tier": self._asked.service_tier or "default",
            "system_fingerprint": "fp_scripted",
        }

    def whole(self) -> bytes:
        """The answer as one JSON object."""
        if self._is_embedding:
            return self._vectors()
        answer = self._head("chat.completion" if self._is_chat else "text_completion")
        answer["choices"] = [self._choice(number, said) for number, said in enumerate(self._choices)]
        usage = self._usage(self._output_tokens)
        if usage is not None:
            answer["usage"] = usage
        return msgspec.json.encode(answer)

    def _choice(self, number: int, said: Said) -> dict[str, Any]:
        end = {"logprobs": None, "finish_reason": said.finish_reason}
        if not self._is_chat:
            return {"index": number, "text": said.text, **end}
        message: dict[str, Any] = {
            "role": "assistant",
            "content": said.text or (None if said.tool_calls else ""),
            "refusal": None,
        }
        if said.tool_calls:
            message["tool_calls"] = list(said.tool_calls)
        return {"index": number, "message": message, **end}

    def _vectors(self) -> bytes:
        asked = self._asked
        texts = asked.input
        if not isinstance(texts, list) or (texts and isinstance(texts[0], int)):
            texts = [texts]
        data = [
            {"object": "embedding", "index": number, "embedding": embedding(text, asked)}
            for number, text in enumerate(texts)
        ]
        answer: dict[str, Any] = {"object": "list", "data": data, "model": asked.model}
        usage = self._usage(0)
        if usage is not None:
            answer["usage"] = usage
        return msgspec.json.encode(answer)

    def pieces(self) -> Iterator[bytes]:
        """The events of a stream, up to the last one that says something."""
        written = ""
        for number, said in enumerate(self._choices):
            opened: dict[str, Any] = {"role": "assistant", "content": None if said.tool_calls else "", "refusal": None}
            if self._is_chat and not said.tool_calls:
                yield self._event(number, opened, None, written)
            for piece in said.pieces:
                written += piece
                yield self._event(number, {"content": piece}, None, written)
            for place, call in enumerate(said.tool_calls):
                first = opened if place == 0 else {}
                function = {"name": call["function"]["name"], "arguments": ""}
                named = {**call, "index": place, "function": function}
                arguments = {"index": place, "function": {"arguments": call["function"]["arguments"]}}
                yield self._event(number, {**first, "tool_calls": [named]}, None, written)
                yield self._event(number, {"tool_calls": [arguments]}, None, written)

    def _event(self, number: int, delta: dict[str, Any], finish_reason: str | None, written: str) -> bytes:
        end = {"logprobs": None, "finish_reason": finish_reason}
        if self._is_chat:
            event = self._head("chat.completion.chunk")
            event["choices"] = [{"index": number, "delta": delta, **end}]
        else:
            event = self._head("text_completion")
            event["choices"] = [{"index": number, "text": delta.get("content", ""), **end}]
        if self.script.usage_in_every_chunk:
            event["usage"] = self._usage(-(-len(written.encode("utf-8", "surrogatepass")) // 4))
        elif self._asked.includes_usage:
            event["usage"] = None
        return data_event(msgspec.json.encode(event))

    def end(self) -> bytes:
        """Why each choice ended, the usage if it was asked for, and `[DONE]`."""
        everything = "".join(said.text for said in self._choices)
        events = [self._event(number, {}, said.finish_reason, everything) for number, said in enumerate(self._choices)]
        usage = self._usage(self._output_tokens) if self._asked.includes_usage else None
        if usage is not None:
            last = self._head("chat.completion.chunk" if self._is_chat else "text_completion")
            last["choices"] = []
            last["usage"] = usage
            events.append(data_event(msgspec.json.encode(last)))
        return b"".join((*events, DONE))

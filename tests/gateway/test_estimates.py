"""Tokens that nobody counted: by the tokenizer in a thread, by bytes without one, and not at all where the operator
says so.
"""

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from airouter.gateway import meter
from airouter.gateway.estimates import Estimates
from airouter.gateway.meter import Metered
from airouter.gateway.tokenizer import (
    COUNTED_CHARACTERS_MAX,
    PIECE_CHARACTERS,
    VOCABULARIES_MAX,
    SplintrTokenizer,
    vocabulary_of,
)
from airouter.providers.registry import PROVIDERS
from airouter.wire.requests import read_request
from airouter.wire.written import written_texts
from tests.patience import PATIENCE_SECONDS
from tests.providers.calls import DONE, call, delta, fed, reader, stop

PROVIDER = PROVIDERS["openai-compatible"]


class Letters:
    """Every letter is a token."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def count(self, texts: Sequence[str], model: str) -> int:
        assert model == "m"
        self.threads.add(threading.get_ident())
        return sum(map(len, texts))


def answered(text: str = "123456789") -> tuple[Metered, bytes]:
    """A whole answer without figures, to a prompt of two letters."""
    message = {"role": "assistant", "content": text}
    body = json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()
    made = call()
    return meter.whole(PROVIDER.answer(made, body), made, is_gone=False), body


async def settled(metered: Metered, *, is_wanted: bool = True, answer: bytes | None = None) -> Metered:
    return await Estimates(Letters()).settled(metered, "m", is_wanted=is_wanted, answer=answer)


async def test_the_tokenizer_counts_prompt_and_answer_outside_the_loop():
    metered, body = answered()
    letters = Letters()
    found = await Estimates(letters).settled(metered, "m", is_wanted=True, answer=body)
    assert found.quantities == {"input": 2, "output": 9, "request": 1}
    assert found.source == "estimated"
    assert threading.get_ident() not in letters.threads


async def test_without_a_tokenizer_the_bytes_stand():
    metered, body = answered()
    assert await Estimates(None).settled(metered, "m", is_wanted=True, answer=body) == metered
    assert metered.quantities == {"input": 1, "output": 3, "request": 1}


async def test_a_stream_is_guessed_by_its_bytes_and_its_prompt_counted():
    found = reader()
    fed(found, [delta("12345678"), delta("1234"), stop(), DONE])
    metered = await settled(meter.finished(found, is_gone=False))
    assert metered.quantities == {"input": 2, "output": 3, "request": 1}


async def test_a_complete_answer_is_free_where_the_operator_wants_no_estimates():
    metered, body = answered()
    found = await settled(metered, is_wanted=False, answer=body)
    assert (found.quantities, found.source, found.status) == ({"request": 1}, "none", "ok")


async def test_leaving_early_is_never_free():
    found = reader()
    found.feed(delta("12345678"))
    for metered in (meter.cancelled(found), meter.cut(found), meter.unanswered("chat.completions", call().request)):
        kept = await settled(metered, is_wanted=False)
        assert kept.source == "estimated"
        assert kept.quantities["input"] == 2


async def test_what_a_provider_reported_is_never_touched():
    reported = Metered(quantities={"input": 7}, source="provider", status="ok")
    assert await settled(reported, is_wanted=False) is reported


async def test_vectors_are_charged_as_their_answer_says():
    made = call({"model": "m", "input": "12345678"}, endpoint="embeddings")
    vectors = PROVIDER.answer(made, b'{"object":"list","data":[{"embedding":[0.1]}]}')
    assert (await settled(meter.whole(vectors, made, is_gone=False))).quantities == {"input": 2, "request": 1}


async def test_a_client_that_leaves_meanwhile_is_charged_by_bytes():
    metered, body = answered()
    began, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    class Slow(Letters):
        def count(self, texts: Sequence[str], model: str) -> int:
            loop.call_soon_threadsafe(began.set)
            go_on.wait(PATIENCE_SECONDS)
            return super().count(texts, model)

    task = asyncio.create_task(Estimates(Slow()).settled(metered, "m", is_wanted=True, answer=body))
    await began.wait()
    task.cancel()
    assert await task == metered
    go_on.set()


class Library:
    """Stands for the library: every two letters are a token."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.longest = 0
        self.Tokenizer = self

    def from_pretrained(self, name: str) -> "Library":
        self.opened.append(name)
        return self

    def encode_ordinary(self, text: str) -> list[int]:
        text.encode()  # the library takes no half surrogates either
        self.longest = max(self.longest, len(text))
        return list(range(-(-len(text) // 2)))


def test_long_texts_go_in_pieces_and_what_is_too_long_is_estimated():
    library = Library()
    tokenizer = SplintrTokenizer(library)
    assert tokenizer.count(["a" * 10_000, "b", "\ud800"], "gpt-5") == 5_000 + 1 + 1
    assert library.longest == PIECE_CHARACTERS
    beyond = 4_000
    assert tokenizer.count(["a" * (COUNTED_CHARACTERS_MAX + beyond), "b" * 8], "gpt-5") == (
        COUNTED_CHARACTERS_MAX // 2 + beyond // 4 + 2
    )


def test_only_so_many_vocabularies_are_kept():
    library = Library()
    tokenizer = SplintrTokenizer(library)
    for model in ("gpt-5", "gpt-5-mini", "qwen3", "glm-4.6", "deepseek-chat", "gpt-5"):
        tokenizer.count(["a"], model)
    assert library.opened == ["o200k_base", "qwen3", "glm4", "deepseek_v3", "o200k_base"]
    assert len(tokenizer._open) == VOCABULARIES_MAX


@pytest.mark.parametrize(
    ("model", "vocabulary"),
    [
        ("gpt-4o", "o200k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("claude-sonnet-4-5", "o200k_base"),
        ("google/gemini-3-pro", "gemma3"),
        ("meta-llama/Llama-3.3-70B", "llama3"),
        ("Kimi-K2", "kimi"),
    ],
)
def test_a_vocabulary_is_known_by_the_models_name(model: str, vocabulary: str):
    assert vocabulary_of(model) == vocabulary


CALLED = {"city": "Bern"}
WRITTEN: dict[str, dict[str, Any]] = {
    "chat.completions": {
        "id": "no",
        "choices": [
            {
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": "said",
                    "reasoning_content": "thought",
                    "tool_calls": [{"id": "no", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
            }
        ],
    },
    "responses": {
        "output": [
            {"type": "reasoning", "id": "no", "encrypted_content": "no", "summary": [{"text": "thought"}]},
            {"type": "message", "status": "completed", "content": [{"type": "output_text", "text": "said"}]},
            {"type": "function_call", "call_id": "no", "name": "f", "arguments": "{}"},
        ]
    },
    "messages": {
        "content": [
            {"type": "thinking", "thinking": "thought", "signature": "no"},
            {"type": "text", "text": "said"},
            {"type": "tool_use", "id": "no", "name": "f", "input": CALLED},
        ]
    },
    "generate_content": {
        "candidates": [
            {
                "finishReason": "STOP",
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "thought", "thought": True, "thoughtSignature": "no"},
                        {"text": "said"},
                        {"functionCall": {"name": "f", "args": CALLED}},
                    ],
                },
            }
        ]
    },
}


@pytest.mark.parametrize("endpoint", list(WRITTEN))
def test_what_a_model_wrote_is_found_in_every_dialect(endpoint: Any):
    found = set(written_texts(endpoint, json.dumps(WRITTEN[endpoint]).encode()))
    assert found in ({"said", "thought", "f", "{}"}, {"said", "thought", "f", "Bern"})


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"choices": 3}', b"{}"])
def test_what_is_no_answer_says_nothing(body: bytes):
    assert written_texts("chat.completions", body) == []
    assert written_texts("embeddings", body) == []


async def test_the_count_door_asks_the_tokenizer_too():
    request = read_request("messages.count_tokens", b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}')
    assert await Estimates(Letters()).input_tokens("messages.count_tokens", request) == 5
    assert await Estimates(None).input_tokens("messages.count_tokens", request) == 2

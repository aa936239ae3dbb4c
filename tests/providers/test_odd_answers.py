"""Answers of Bedrock and Cohere with members of another type than their references say: never an exception, and what is
charged is what was reported.
"""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from airouter.gateway import meter
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from tests.effort import EFFORT
from tests.providers.provider_recordings import CHAT, CONVERSE, WITH_TOOLS, cohere_streamed, streamed
from tests.providers.recordings import ABSENT
from tests.providers.translated_calls import DOORS, asked, fed
from tests.wire.frames import event

SERVED = Providers({name: PROVIDERS[name] for name in ("bedrock", "cohere")})
ODD: tuple[Any, ...] = (None, 5, -1, 1.5, True, "x", "", [], [7], {}, {"a": 1}, [[]], [None])
ROUNDS = 4 if EFFORT.name == "quick" else 40


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from spots(inner)


def bent(document: Any, draw: random.Random) -> Any:
    """The same with one member of another kind."""
    copy = deepcopy(document)
    container, key = draw.choice(list(spots(copy)))
    container[key] = draw.choice(ODD)
    return copy


def answers(provider: str) -> list[dict[str, Any]]:
    found = [recorded.answer for recorded in (CONVERSE if provider == "bedrock" else CHAT)]
    assert found, ABSENT
    return found if provider == "bedrock" else [*found, *[WITH_TOOLS] * 20]


def ask(provider: str, endpoint: Any, *, is_streaming: bool = False) -> Any:
    served = SERVED.serving(provider, endpoint)
    assert served is not None
    return served, asked(endpoint, is_streaming=is_streaming, upstream_model="m", credential="k")


@pytest.mark.parametrize("provider", ["bedrock", "cohere"])
def test_an_odd_answer_is_read_as_far_as_it_can_be(provider: str):
    draw = random.Random(provider)
    for answer in answers(provider):
        for _ in range(ROUNDS):
            said = bent(answer, draw)
            for endpoint in DOORS:
                served, call = ask(provider, endpoint)
                answered = served.answer(call, json.dumps(said).encode())
                json.loads(answered.body)
                assert_sane(meter.whole(answered, call, is_gone=False).quantities)


def odd_stream(provider: str, answer: dict[str, Any], draw: random.Random) -> bytes:
    """A stream one of whose events is odd."""
    whole = streamed(answer, 40) if provider == "bedrock" else cohere_streamed(answer, 40)
    if provider == "bedrock":
        names = (
            "messageStart",
            "contentBlockStart",
            "contentBlockDelta",
            "contentBlockStop",
            "messageStop",
            "metadata",
        )
        start = {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t", "name": "n"}}}
        delta = {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}, "text": "t"}}
        usage = {"usage": {"inputTokens": 1, "outputTokens": 2, "cacheDetails": [{"ttl": "1h", "inputTokens": 0}]}}
        thought = {"delta": {"reasoningContent": {"text": "a", "signature": "b"}}}
        said = bent({"event": draw.choice((start, delta, usage, thought, {"stopReason": "x"}))}, draw)["event"]
        return event(draw.choice(names), said if isinstance(said, dict) else {"said": said}) + whole
    events = [json.loads(line[6:]) for line in whole.decode().split("\n") if line.startswith("data: ")]
    odd = bent(draw.choice(events), draw)
    return b"data: " + json.dumps(odd).encode() + b"\n\n" + whole


@pytest.mark.parametrize("provider", ["bedrock", "cohere"])
def test_an_odd_event_of_a_stream_is_read_as_far_as_it_can_be(provider: str):
    draw = random.Random(provider)
    for answer in answers(provider):
        for _ in range(ROUNDS):
            stream = odd_stream(provider, answer, draw)
            for endpoint in DOORS:
                served, call = ask(provider, endpoint, is_streaming=True)
                reader = served.stream(call)
                fed(reader, stream, 900)
                assert_sane(meter.finished(reader, is_gone=False).quantities)


def assert_sane(quantities: dict[Any, int]) -> None:
    assert all(isinstance(count, int) and count >= 0 for count in quantities.values())

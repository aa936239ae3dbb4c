"""Answers with members of another type than the vendors' references say: never an exception, and what is charged is
what was reported.
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
from airouter.wire.sse import event_data, split_events
from tests.effort import EFFORT
from tests.providers.provider_recordings import CHAT, CONVERSE, WITH_TOOLS, cohere_streamed, streamed
from tests.providers.recordings import ABSENT
from tests.providers.translated_calls import DOORS, asked, fed
from tests.translation.dialects import traffic
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


PROVIDER_OF = {"chat": "openai-compatible", "anthropic": "anthropic", "gemini": "gemini"}
OTHERS = Providers({name: PROVIDERS[name] for name in PROVIDER_OF.values()})
TRAFFIC = [call for call in traffic() if call.status == 200 and call.dialect in PROVIDER_OF]


def other_doors(dialect: str) -> Iterator[tuple[Any, Any]]:
    """A translation from that dialect for every door of another one, and a call at it."""
    for endpoint, spoken in DOORS.items():
        served = OTHERS.serving(PROVIDER_OF[dialect], endpoint)  # type: ignore[arg-type]
        if spoken != dialect:
            yield served, endpoint


def test_an_odd_answer_of_any_vendor_is_charged_as_reported_whether_or_not_it_can_be_read():
    draw = random.Random(1)
    for found in TRAFFIC[:: 3 if EFFORT.name == "quick" else 1]:
        if found.answer is None:
            continue
        body = json.dumps(bent(found.answer, draw)).encode()
        for served, endpoint in other_doors(found.dialect):
            call = asked(endpoint, upstream_model="m", credential="k")
            answered = served.answer(call, body)
            quantities = meter.whole(answered, call, is_gone=False).quantities
            assert_sane(quantities)
            if answered.reported is not None and answered.reported.quantities is not None:
                assert quantities == answered.reported.quantities


def test_an_odd_event_of_any_vendor_ends_the_stream_for_the_client_and_not_the_reading_of_figures():
    draw = random.Random(2)
    ended = 0
    for found in TRAFFIC:
        if found.stream is None:
            continue
        events = [one for one in split_events(found.stream) if event_data(one)[:1] == b"{"]
        for _ in range(ROUNDS):
            odd = json.dumps(bent(json.loads(event_data(draw.choice(events))), draw)).encode()
            at = found.stream.index(events[len(events) // 2])
            stream = found.stream[:at] + b"data: " + odd + b"\n\n" + found.stream[at:]
            for served, endpoint in other_doors(found.dialect):
                reader = served.stream(asked(endpoint, is_streaming=True, upstream_model="m", credential="k"))
                written = fed(reader, stream, 5000)
                assert_sane(meter.finished(reader, is_gone=False).quantities)
                if b"said something that cannot be read" in written:
                    ended += 1
                    assert reader.has_error
                    assert not reader.is_complete
                    assert reader.reported is not None or b"usage" not in found.stream.lower()
    assert ended


def assert_sane(quantities: dict[Any, int]) -> None:
    assert all(isinstance(count, int) and count >= 0 for count in quantities.values())

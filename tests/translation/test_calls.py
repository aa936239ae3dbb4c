"""Calls of tools as models write them: side by side, without an index of their own, with arguments that are no JSON."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.translation.chat import streams as chat
from airouter.translation.conversation import ToolCall
from airouter.translation.json_text import arguments_in, arguments_text, object_of
from airouter.translation.reply import CallBegan, CallDelta, Choice, Event, Reply, Stopped, TextDelta
from tests.translation.dialects import DIALECTS, HEAD, events_of, stream_essence

CALLS = [("weather", '{"city": "Bern {\\"}"}'), ("time", "{}"), ("news", '{"about": {"x": [1, 2]}}')]
WANTED = [(name, json.loads(said)) for name, said in CALLS]


def mixed(pieces: int, order: list[int]) -> list[Event]:
    """The calls, each in so many pieces, said in this order of calls; every call begins before all its pieces."""
    waiting: list[list[Event]] = []
    for number, (name, said) in enumerate(CALLS):
        size = max(1, -(-len(said) // pieces))
        deltas = [CallDelta(number=number, arguments=said[at : at + size]) for at in range(0, len(said), size)]
        waiting.append([CallBegan(number=number, call_id=f"c{number}", name=name), *deltas])
    events: list[Event] = [waiting[number].pop(0) for number in range(len(CALLS))]
    events += [waiting[number].pop(0) for number in order if waiting[number]]
    return [*events, *itertools.chain(*waiting), Stopped(reason="tools")]


@pytest.mark.parametrize("dialect", ["chat", "responses", "anthropic", "gemini"])
@given(pieces=st.integers(1, 8), order=st.lists(st.integers(0, 2), max_size=24))
def test_calls_that_grow_side_by_side_arrive_whole(dialect: str, pieces: int, order: list[int]):
    writer = DIALECTS[dialect].writer(HEAD)
    stream = b"".join(writer.write([event]) for event in mixed(pieces, order)) + writer.end(None)
    told = stream_essence(events_of(DIALECTS[dialect], stream))
    assert told["calls"] == WANTED
    assert told["stop"] == "tools"
    assert not told["failures"]


@pytest.mark.parametrize("dialect", ["responses", "anthropic", "gemini"])
def test_more_of_a_call_that_is_over_is_a_failure_unless_it_is_blank(dialect: str):
    writer = DIALECTS[dialect].writer(HEAD)
    writer.write([CallBegan(number=0, call_id="a", name="x"), CallDelta(number=0, arguments="{}")])
    writer.write([CallBegan(number=1, call_id="b", name="y")])
    writer.write([CallDelta(number=0, arguments=" \n")])
    with pytest.raises(ValueError, match="went on"):
        writer.write([CallDelta(number=0, arguments="}")])


@pytest.mark.parametrize("dialect", ["responses", "anthropic"])
def test_calls_one_after_the_other_are_not_held_back(dialect: str):
    writer = DIALECTS[dialect].writer(HEAD)
    writer.write([CallBegan(number=0, call_id="a", name="x"), CallDelta(number=0, arguments="{}")])
    assert b'"y"' in writer.write([CallBegan(number=1, call_id="b", name="y")])
    assert b"piece" in writer.write([CallDelta(number=1, arguments='{"piece')])


def delta(*calls: dict[str, Any]) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": list(calls)}}]}).encode()


def test_calls_that_all_have_the_first_index_are_told_apart_by_their_ids():
    """As Google's OpenAI-compatible address counts parallel calls."""
    reader = chat.Reader()
    said = [
        reader.read(delta({"index": 0, "id": made, "function": {"name": name, "arguments": arguments}}))
        for made, name, arguments in (("a", "weather", '{"city": "Bern"}'), ("b", "time", "{}"))
    ]
    assert stream_essence([event for events in said for event in events])["calls"] == [
        ("weather", {"city": "Bern"}),
        ("time", {}),
    ]


@pytest.mark.parametrize("again", [{"id": "a", "function": {"name": "weather"}}, {"id": "b"}, {}])
def test_a_call_whose_id_or_name_is_said_again_is_one_call(again: dict[str, Any]):
    reader = chat.Reader()
    events = reader.read(delta({"index": 0, "id": "a", "function": {"name": "weather", "arguments": '{"city"'}}))
    function = {**again.get("function", {}), "arguments": ': "Bern"}'}
    events += reader.read(delta({"index": 0, **again, "function": function}))
    assert stream_essence(events)["calls"] == [("weather", {"city": "Bern"})]


@pytest.mark.parametrize("dialect", ["responses", "anthropic", "gemini", "chat"])
def test_an_empty_piece_begins_nothing(dialect: str):
    """Bedrock sends some."""
    said: list[Event] = [TextDelta(text=""), TextDelta(text="Hello"), TextDelta(text=""), Stopped(reason="stop")]
    writer = DIALECTS[dialect].writer(HEAD)
    stream = b"".join(writer.write([event]) for event in said) + writer.end(None)
    if dialect == "anthropic":
        kinds = [line for line in stream.decode().split("\n") if line.startswith("event: content_block")]
        assert kinds == ["event: content_block_start", "event: content_block_delta", "event: content_block_stop"]
    assert stream_essence(events_of(DIALECTS[dialect], stream))["words"] == "Hello"


@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
@pytest.mark.parametrize("said", ['{"city": "Ber', "[1]", "Bern", '"Bern"'])
def test_arguments_that_are_no_object_are_not_lost(dialect: str, said: str):
    """A tool is never called with nothing because its arguments could not be read."""
    call = ToolCall(call_id="a", name="weather", arguments=said)
    reply = Reply(reply_id="r", model="m", created_at_seconds=1, choices=(Choice(parts=(call,), stop="tools"),))
    body = DIALECTS[dialect].write_reply(reply, None)
    assert said in [value for value in walked(body) if isinstance(value, str)]
    (part,) = DIALECTS[dialect].read_reply(body).choices[0].parts
    assert isinstance(part, ToolCall)
    assert part.arguments == said


def walked(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value, *(found for one in inner for found in walked(one))]


@pytest.mark.parametrize("said", ["", " ", "null", "[]", '""', "{}"])
def test_no_arguments_are_an_empty_object(said: str):
    assert arguments_in(said) == {}


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_arguments_come_back_as_they_were(said: dict[str, Any]):
    assert object_of(arguments_text(said)) == said or set(said) == {"INVALID_JSON"}
    assert arguments_in(arguments_text(said)) == said or set(said) == {"INVALID_JSON"}

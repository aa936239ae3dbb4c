"""Events of a stream, wherever it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.wire.framing import SseFraming
from airouter.wire.sse import (
    Framer,
    data_event,
    event_data,
    first_event_end,
    plain_data,
    split_events,
    whole_events_end,
)


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (b"data: {}\n\n", b"{}"),
        (b"data:{}\n\n", b"{}"),
        (b"data: {}\r\n\r\n", b"{}"),
        (b"data: {}\r\r", b"{}"),
        (b"data: {}", b"{}"),
        (b"data:  two blanks\n\n", b" two blanks"),
        (b"event: error\ndata: {}\n\n", b"{}"),
        (b"id: 7\ndata: a\ndata: b\n\n", b"a\nb"),
        (b": keep-alive\n\n", b""),
        (b": OPENROUTER PROCESSING\ndata: x\n\n", b"x"),
        (b"data\n\n", b""),
        (b"database: x\n\n", b""),
        (b"\xef\xbb\xbfdata: first\n\n", b"first"),
        (b"\n\n", b""),
    ],
)
def test_data_of_an_event(event: bytes, data: bytes):
    assert event_data(event) == data


def test_data_event_reads_back():
    assert event_data(data_event(b'{"a":1}')) == b'{"a":1}'


PIECES = st.lists(st.sampled_from([b"data: x", b":", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"a"]), max_size=12)


@given(PIECES)
def test_split_events_are_the_block(pieces: list[bytes]):
    block = b"".join(pieces)
    assert b"".join(split_events(block)) == block


@given(PIECES)
def test_whole_events_end_where_an_empty_line_ends(pieces: list[bytes]):
    block = b"".join(pieces)
    end = whole_events_end(block)
    ends = [
        place
        for place in range(1, len(block) + 1)
        if block[:place].endswith((b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"))
    ]
    assert end == (ends[-1] if ends else 0)
    assert bool(first_event_end(block)) == bool(ends)


def fed(framer: Framer, stream: bytes, size: int) -> bytes:
    return b"".join(framer.feed(stream[at : at + size]) for at in range(0, len(stream), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_events_are_put_together_however_they_are_cut(size: int, end: bytes):
    stream = b"".join(b"data: %d" % number + end for number in range(9))
    framer = Framer(100)
    assert fed(framer, stream + b"data: torn", size) == stream
    assert framer.is_within
    assert framer.rest() == b"data: torn"
    assert not framer.has_cut


@pytest.mark.parametrize("size", [1, 10, 64, 150, 1000])
def test_an_event_that_is_too_long_is_thrown_away_and_those_after_it_are_not(size: int):
    framer = Framer(100)
    passed = fed(framer, b"data: a\n\n" + b"data: " + b"x" * 400 + b"\n\n" + b"data: b\n\ndata: c\n\n", size)
    assert passed.endswith(b"data: b\n\ndata: c\n\n")
    assert passed.startswith(b"data: a\n\n")
    assert framer.has_cut == (size < 406)
    assert (b"xxxxxxxx" in passed) == (size >= 406)


USUAL = [b"data: {}\n\n", b"event: ping\ndata: 1\n\n", b'data: {"a": "b\\n\\n"}\n\n', b"data: \n\n"]
UNUSUAL = [
    b": a comment\n\n", b"data: 1\ndata: 2\n\n", b"data: 1\r\n\r\n", b"data:1\n\n", b"id: 1\ndata: 1\n\n",
    b"event: a\nid: 1\ndata: 1\n\n", b"\n\n", b"retry: 3\n\n", b"data\n\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(USUAL + UNUSUAL), max_size=8))
def test_the_quick_way_through_a_block_finds_what_the_careful_one_does(events: list[bytes]):
    block = b"".join(events)
    careful = SseFraming()
    one_by_one = [data for at in range(len(block)) for data in careful.feed(block[at : at + 1])]
    quick = SseFraming()
    assert quick.feed(block) + quick.rest() == one_by_one + careful.rest()
    if events and all(event in USUAL for event in events):
        assert plain_data(block) == one_by_one

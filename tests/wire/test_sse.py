"""Events of a stream, wherever it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.wire.sse import data_event, event_data, first_event_end, split_events, whole_events_end


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

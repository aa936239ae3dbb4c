"""AWS's event streams: read however they are torn, and never beyond the first damage."""

import json
import random
import struct
from zlib import crc32

import pytest

from airouter.wire.event_stream import EventStreamFraming
from airouter.wire.framing import SseFraming
from tests.wire.frames import event, exception, header, message

STREAM = b"".join(
    (
        event("messageStart", {"role": "assistant"}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Grüß"}, "p": "abc"}),
        event("messageStop", {"stopReason": "end_turn"}),
    )
)
SAID = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Grüß"}, "p": "abc"}},
    {"messageStop": {"stopReason": "end_turn"}},
]


def read(pieces: list[bytes]) -> tuple[list[dict[str, object]], EventStreamFraming]:
    framing = EventStreamFraming()
    said = [json.loads(data) for piece in pieces for data in framing.feed(piece)]
    return said + [json.loads(data) for data in framing.rest()], framing


def test_messages_are_read_however_they_are_torn():
    for size in (1, 2, 3, 11, 12, 50, len(STREAM)):
        said, framing = read([STREAM[at : at + size] for at in range(0, len(STREAM), size)])
        assert said == SAID
        assert framing.fault is None


def test_a_message_that_is_not_whole_says_nothing():
    for at in range(len(STREAM)):
        said, framing = read([STREAM[:at]])
        assert said == SAID[: len(said)]
        assert len(said) < 3
        assert framing.fault is None


def test_a_changed_bit_anywhere_is_found_and_nothing_after_it_is_read():
    for at in range(len(STREAM)):
        damaged = bytearray(STREAM)
        damaged[at] ^= 0x10
        said, framing = read([bytes(damaged), STREAM])
        assert said == SAID[: len(said)]
        assert len(said) < 3
        assert framing.fault is not None


def test_noise_never_raises():
    draw = random.Random(7)
    for _ in range(200):
        said, framing = read([draw.randbytes(draw.randrange(12, 300))])
        assert said == []
        assert framing.fault is not None


def prelude(length: int, headers_length: int) -> bytes:
    lengths = struct.pack(">II", length, headers_length)
    return lengths + struct.pack(">I", crc32(lengths))


@pytest.mark.parametrize(
    ("length", "headers_length", "words"),
    [
        (0xFFFFFFFF, 0, "too long"),
        (20_000_000, 10, "too long"),
        (15, 0, "impossible"),
        (100, 200, "impossible"),
        (300_000, 200_000, "impossible"),
    ],
)
def test_a_length_that_cannot_be_held_is_refused_before_anything_is_collected(
    length: int, headers_length: int, words: str
):
    framing = EventStreamFraming()
    assert framing.feed(prelude(length, headers_length)) == []
    assert framing.fault is not None
    assert words in framing.fault


def test_an_exception_is_named_for_what_it_is():
    said, framing = read([exception("throttlingException", {"message": "Slow down"})])
    assert said == [{"throttlingException": {"message": "Slow down"}}]
    assert framing.fault is None


def test_an_exception_in_plain_words_and_an_error_in_headers_are_told():
    plain = message(header(":message-type", "exception") + header(":exception-type", "xException"), b"no JSON")
    bare = message(header(":message-type", "error") + header(":error-message", "broken"), b"")
    said, _ = read([plain + bare])
    assert said == [{"xException": {"message": "no JSON"}}, {"error": {"message": "broken"}}]


def test_headers_of_every_type_are_stepped_over():
    others = b"".join(
        bytes([1]) + b"a" + bytes([kind]) + value
        for kind, value in (
            (0, b""), (1, b""), (2, b"\x01"), (3, b"\x00\x01"), (4, b"\x00" * 4), (5, b"\x00" * 8),
            (6, b"\x00\x02hi"), (8, b"\x00" * 8), (9, b"\x00" * 16),
        )
    )  # fmt: skip
    said, framing = read([message(others + header(":event-type", "metadata"), b'{"usage":{}}')])
    assert said == [{"metadata": {"usage": {}}}]
    assert framing.fault is None


@pytest.mark.parametrize(
    "headers", [b"\x05ab", b"\x01a\x0c", b"\x01a\x07\x00\xffx", b"\x01\xff\x00", b"\x01a\x02", header("a", "b")[:-1]]
)
def test_malformed_headers_are_damage(headers: bytes):
    said, framing = read([message(headers, b"{}")])
    assert said == []
    assert framing.fault is not None


def test_an_event_without_a_payload_or_a_name_is_an_event():
    said, _ = read([message(header(":event-type", "x"), b"") + message(b"", b'{"a":1}')])
    assert said == [{"x": {}}, {"event": {"a": 1}}]


def test_server_sent_events_come_as_their_data():
    framing = SseFraming(bytes_max=40)
    assert framing.feed(b"event: a\ndata: 1\n") == []
    assert framing.feed(b"\n: comment\n\ndata: 2\n\ndata: 3") == [b"1", b"2"]
    assert framing.rest() == [b"3"]
    assert framing.fault is None
    assert framing.feed(b"data: " + b"x" * 50) == []
    assert framing.fault is not None

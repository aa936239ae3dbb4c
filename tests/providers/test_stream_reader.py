"""Streams as they pass by: what is forwarded, when, and what is learned. The vendors' ways are written by hand."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.catalogue import ChannelOptions
from airouter.providers.contract import StreamReader
from airouter.providers.openai_stream import EVENT_BYTES_MAX, HELD_BYTES_MAX
from tests.providers.calls import (
    DONE,
    call,
    cut_at,
    cut_at_random,
    delta,
    event,
    fed,
    reader,
    stop,
    usage,
    usage_event,
)

HELLO = delta("Hel") + delta("lo")


def figures(stream: StreamReader) -> dict[str, int]:
    assert stream.reported is not None
    assert stream.reported.quantities is not None
    return {meter: count for meter, count in stream.reported.quantities.items() if meter != "request"}


@pytest.mark.parametrize(
    ("stream", "client_gets"),
    [
        pytest.param(HELLO + stop() + usage_event() + DONE, HELLO + stop() + DONE, id="chunk of its own"),
        pytest.param(
            HELLO + stop(usage=usage(7, 3)) + DONE, HELLO + stop(usage=usage(7, 3)) + DONE, id="in the last choices"
        ),
        pytest.param(
            HELLO + stop() + usage_event() + b": bye\n\n" * 30 + DONE,
            HELLO + stop() + b": bye\n\n" * 30 + DONE,
            id="comments after it",
        ),
        pytest.param(HELLO + stop() + usage_event(), HELLO + stop(), id="no DONE"),
        pytest.param(HELLO + stop() + usage_event()[:-2], HELLO + stop(), id="no empty line at the end"),
        pytest.param(
            delta("a", usage=usage(7, 1)) + delta("b", usage=usage(7, 2)) + stop(usage=usage(7, 3)) + DONE,
            delta("a", usage=usage(7, 1)) + delta("b", usage=usage(7, 2)) + stop(usage=usage(7, 3)) + DONE,
            id="in every chunk",
        ),
        pytest.param(
            event({"choices": [], "prompt_filter_results": []}) + HELLO + stop() + usage_event() + DONE,
            event({"choices": [], "prompt_filter_results": []}) + HELLO + stop() + DONE,
            id="Azure's first chunk has no choices",
        ),
        pytest.param(
            HELLO + stop(x_groq={"id": "r", "usage": usage(7, 3)}) + DONE,
            HELLO + stop(x_groq={"id": "r", "usage": usage(7, 3)}) + DONE,
            id="Groq's x_groq",
        ),
        pytest.param(
            HELLO
            + event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage(7, 3)}]})
            + DONE,
            HELLO
            + event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage(7, 3)}]})
            + DONE,
            id="Moonshot's first choice",
        ),
        pytest.param(
            HELLO + stop() + event({"usage": usage(7, 3)}) + DONE, HELLO + stop() + DONE, id="no choices member"
        ),
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_usage_is_found_and_hidden_only_where_it_is_alone(stream: bytes, client_gets: bytes, seed: int):
    for pieces in ([stream], cut_at_random(stream, seed, 12), cut_at(stream, range(len(stream)))):
        found = reader()
        assert fed(found, pieces) == client_gets
        assert figures(found) == {"input": 7, "output": 3}
        assert found.is_complete
        assert found.saw_done == (DONE in stream)
    wanted = reader(wants_usage=True)
    assert fed(wanted, cut_at_random(stream, seed, 12)) == stream
    assert figures(wanted) == {"input": 7, "output": 3}


@pytest.mark.parametrize("blank", [b"\r\n\r\n", b"\r\r"])
def test_other_line_ends_make_no_difference(blank: bytes):
    stream = (HELLO + stop() + usage_event() + DONE).replace(b"\n\n", blank)
    shown = (HELLO + stop() + DONE).replace(b"\n\n", blank)
    for pieces in ([stream], cut_at(stream, range(len(stream)))):
        found = reader()
        assert fed(found, pieces) == shown
        assert figures(found) == {"input": 7, "output": 3}
        assert found.saw_done


def test_data_without_a_blank_and_with_an_event_name():
    stream = b"event: chunk\ndata:" + HELLO.replace(b"data: ", b"data:")[5:] + DONE.replace(b"data: ", b"data:")
    found = reader()
    assert fed(found, [stream]) == stream
    assert found.saw_done


def test_every_whole_event_leaves_at_once():
    found = reader()
    for piece in (delta("a"), delta("b") + delta("c"), b": ping\n\n", stop()):
        assert found.feed(piece) == piece
    assert found.feed(usage_event()) == b""
    assert found.saw_done is False
    assert found.feed(DONE) == DONE
    assert found.saw_done is True


def test_torn_event_leaves_as_soon_as_it_shows_choices():
    found = reader()
    whole = delta("a long word that never seems to end")
    head, tail = whole[:-40], whole[-40:]
    assert found.feed(head) == head
    assert found.feed(tail) == tail


def test_torn_event_that_may_be_usage_waits_for_its_end():
    found = reader()
    chunk = usage_event()
    assert found.feed(chunk[:30]) == b""
    assert found.feed(chunk[30:]) == b""
    assert figures(found) == {"input": 7, "output": 3}


def test_nothing_waits_for_a_client_that_wants_usage():
    found = reader(wants_usage=True)
    stream = HELLO + stop() + usage_event() + DONE
    for piece in cut_at(stream, range(len(stream))):
        assert found.feed(piece) == piece


def test_error_inside_the_stream_is_forwarded_and_known():
    stream = HELLO + b'event: error\ndata: {"error":{"message":"overloaded","code":502}}\n\n'
    for pieces in ([stream], cut_at(stream, range(len(stream)))):
        found = reader()
        assert fed(found, pieces) == stream
        assert found.has_error
        assert not found.is_complete
        assert found.reported is None


def test_error_beside_choices_spoils_the_answer_even_with_done():
    failed = event(
        {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}], "error": {"code": 1}}
    )
    found = reader()
    assert fed(found, [HELLO + failed + DONE]) == HELLO + failed + DONE
    assert found.saw_done
    assert not found.is_complete


def test_null_error_and_null_usage_are_nothing():
    stream = delta("a", error=None, usage=None) + stop(error=None, usage=None) + DONE
    found = reader()
    assert fed(found, [stream]) == stream
    assert found.is_complete
    assert found.reported is None


def test_stream_that_ends_in_the_middle_is_not_complete():
    found = reader()
    assert fed(found, [HELLO]) == HELLO
    assert not found.is_complete
    assert not found.has_error


def test_words_that_look_like_usage_are_words():
    words = delta('"usage":{"prompt_tokens":1,"total_tokens":1} [DONE]') + delta("data: [DONE]\n\n") + delta('error"')
    found = reader()
    assert fed(found, [words]) == words
    assert found.reported is None
    assert not found.saw_done


def test_service_tier_is_what_was_said_last():
    found = reader()
    fed(found, [delta("a", service_tier="default"), stop(service_tier="flex"), usage_event(), DONE])
    assert found.reported is not None
    assert found.reported.service_tier == "flex"


def test_usage_that_cannot_be_true_is_refused_and_marked():
    found = reader()
    fed(found, [HELLO, stop(), usage_event(-7, 3), DONE])
    assert found.reported is not None
    assert found.reported.quantities is None
    assert found.reported.problem == "usage_refused"


def test_zero_usage_is_a_statement():
    found = reader()
    fed(found, [stop(), usage_event(0, 0), DONE])
    assert figures(found) == {"input": 0, "output": 0}


def test_stream_broken_in_the_middle_of_an_event_is_closed_before_our_own_event():
    found = reader(wants_usage=True)
    found.feed(delta("a") + delta("b")[:25])
    assert found.close_event() == b"\n\n"
    held = reader()
    assert held.feed(delta("a") + delta("b")[:25]) == delta("a")
    assert held.close_event() == b""
    whole = reader()
    whole.feed(delta("a"))
    assert whole.close_event() == b""


def test_model_name_is_rewritten_in_every_event_however_it_is_cut():
    stream = HELLO + b": ping\n\n" + stop() + usage_event() + DONE
    expected = (HELLO + b": ping\n\n" + stop() + DONE).replace(b'"model":"up"', b'"model":"m"')
    for seed in range(10):
        found = reader(options=ChannelOptions(rewrite_model=True))
        assert fed(found, cut_at_random(stream, seed, 15)) == expected
        assert figures(found) == {"input": 7, "output": 3}


def test_text_is_counted_event_by_event_where_the_upstream_cannot_report():
    said = [
        event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
        delta("Grüße"),
        event({"choices": [{"index": 0, "delta": {"reasoning_content": "1234"}}]}),
        event({"choices": [{"index": 0, "delta": {"reasoning": "12", "reasoning_content": "12"}}]}),
        event({"choices": [{"index": 1, "delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}]}),
        stop(),
    ]
    found = reader(options=ChannelOptions(include_usage=False))
    assert fed(found, [*said, DONE]) == b"".join(said) + DONE
    assert found.reported is None
    assert found.written_tokens() == -(-(7 + 4 + 2 + 3) // 4)


def test_text_of_completions_is_counted():
    found = reader(options=ChannelOptions(include_usage=False))
    fed(found, [event({"choices": [{"index": 0, "text": "12345678"}]}), DONE])
    assert found.written_tokens() == 2


def test_text_of_a_long_stream_is_projected_from_its_latest_events():
    found = reader()
    for _ in range(500):
        found.feed(delta("1234"))
    assert 450 <= found.written_tokens() <= 550


@pytest.mark.parametrize("allowance", [100, 1_000, 10_000])
def test_a_stream_is_said_to_outgrow_its_allowance_soon_after_it_did(allowance: int):
    found = reader()
    piece = delta("1234")
    while not found.has_outgrown(allowance):
        found.feed(piece)
    tokens = found.received_bytes // len(piece)
    assert allowance < tokens <= allowance + 4_096 // len(piece) + 1
    assert found.has_outgrown(allowance)
    assert not found.has_outgrown(2 * allowance)


def test_a_stream_that_begins_to_say_more_at_once_is_looked_at_again_soon():
    found = reader()
    for _ in range(500):
        found.feed(delta(""))
        assert not found.has_outgrown(1_000)
    dense = delta("1234" * 100)
    while not found.has_outgrown(1_000):
        found.feed(dense)
    assert found.received_bytes < 500 * len(delta("")) + 32_768 + len(dense)


def test_a_stream_that_is_far_from_its_allowance_is_not_decoded(monkeypatch: pytest.MonkeyPatch):
    looked: list[StreamReader] = []
    found = reader()
    monkeypatch.setattr(type(found), "written_tokens", lambda self: looked.append(self) or 1)
    for _ in range(500):
        found.feed(delta("1234"))
        assert not found.has_outgrown(100_000)
    assert not looked
    for _ in range(500):
        found.feed(delta("1234"))
        assert not found.has_outgrown(4_000)
    assert 1 <= len(looked) <= 4


def test_long_block_keeps_its_latest_events():
    found = reader(wants_usage=True)
    block = b"".join(delta("word " * 10) for _ in range(3000)) + stop() + usage_event()
    assert found.feed(block) == block
    found.feed(DONE)
    assert figures(found) == {"input": 7, "output": 3}
    assert found.is_complete


def test_usage_is_remembered_however_much_follows():
    for wants_usage in (True, False):
        found = reader(wants_usage=wants_usage)
        fed(found, [stop(usage=usage(7, 3)), *[delta("more")] * 50, DONE])
        assert figures(found) == {"input": 7, "output": 3}
        whole = reader(wants_usage=wants_usage)
        fed(whole, [stop(usage=usage(7, 3)) + delta("more") * 500 + DONE])
        assert figures(whole) == {"input": 7, "output": 3}


def test_comment_in_front_of_an_event_does_not_hide_it_from_us():
    found = reader(wants_usage=True)
    fed(found, [HELLO, b": OPENROUTER PROCESSING\n\n" + stop(usage=usage(7, 3)), DONE])
    assert figures(found) == {"input": 7, "output": 3}
    failed = reader()
    fed(failed, [b": OPENROUTER PROCESSING\n\n" + event({"error": {"code": 502}})])
    assert failed.has_error


def test_usage_beside_a_picture_of_several_hundred_kilobytes_is_read():
    picture = event(
        {"choices": [{"index": 0, "delta": {"images": ["A" * 600_000]}, "finish_reason": "stop"}], "usage": usage(7, 3)}
    )
    for wants_usage in (True, False):
        found = reader(wants_usage=wants_usage)
        assert fed(found, cut_at(picture + DONE, range(0, len(picture), 65_536))) == picture + DONE
        assert figures(found) == {"input": 7, "output": 3}
        assert found.is_complete


def test_event_longer_than_any_is_forwarded_and_what_follows_is_read():
    endless = event({"choices": [{"index": 0, "delta": {"images": ["A" * (2 * EVENT_BYTES_MAX)]}}]})
    stream = endless + stop() + usage_event() + DONE
    for step in (4_000, 65_536, len(endless), len(endless) - 1, len(endless) + 1):
        found = reader()
        assert fed(found, cut_at(stream, range(0, len(stream), step))) == endless + stop() + DONE
        assert figures(found) == {"input": 7, "output": 3}


def test_torn_event_too_long_for_usage_is_not_held_back():
    found = reader()
    start = b"data: " + b" " * HELD_BYTES_MAX
    assert found.feed(start + b"x") == start + b"x"


def test_memory_stays_bounded_whatever_comes():
    tracemalloc.start()
    try:
        for piece in (b"A" * 65_536, delta("x" * 60_000), b": comment\n\n" * 5_000, b"\n"):
            found = reader(wants_usage=True)
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(400):
                found.feed(piece)
            after, _ = tracemalloc.get_traced_memory()
            assert after - before < 2 * EVENT_BYTES_MAX
    finally:
        tracemalloc.stop()


EVENTS = st.lists(
    st.sampled_from(
        [
            delta("a"),
            delta('error" usage'),
            delta("b", usage=usage(9, 1)),
            stop(),
            usage_event(),
            usage_event(5, 2, service_tier="flex"),
            event({"choices": []}),
            event({"choices": [], "usage": None}),
            event({"error": {"message": "x"}}),
            b": ping\n\n",
            b'event: x\ndata: {"choices":\ndata: []}\n\n',
            b"data: not json t_tokens\n\n",
            b"data: [1]\r\n\r\n",
            b'data: {"error":{"code":7}}\r\n\r\n',
            b'data: {"choices":[{"finish_reason":"stop"}],"service_tier":"flex"}\r\r',
            DONE,
        ]
    ),
    max_size=8,
)
"""No more than are kept: an error or a stop that is followed by many other events was not the end."""


@given(
    events=EVENTS,
    places=st.lists(st.integers(0, 2_000), max_size=12),
    wants_usage=st.booleans(),
    rewrites=st.booleans(),
    counts=st.booleans(),
)
def test_cutting_makes_no_difference(
    events: list[bytes], places: list[int], *, wants_usage: bool, rewrites: bool, counts: bool
):
    options = ChannelOptions(rewrite_model=rewrites, include_usage=not counts)
    stream = b"".join(events)
    whole, cut = reader(wants_usage=wants_usage, options=options), reader(wants_usage=wants_usage, options=options)
    expected = fed(whole, [stream])
    assert fed(cut, cut_at(stream, places)) == expected
    assert cut.reported == whole.reported
    assert cut.is_complete == whole.is_complete
    assert cut.saw_done == whole.saw_done
    assert cut.has_error == whole.has_error
    if counts:
        assert cut.written_tokens() == whole.written_tokens()
    if wants_usage and not rewrites:
        assert expected == stream


@given(pieces=st.lists(st.binary(max_size=80), max_size=12), wants_usage=st.booleans())
def test_any_bytes_come_out_again(pieces: list[bytes], *, wants_usage: bool):
    assert fed(reader(wants_usage=wants_usage), pieces) == b"".join(pieces)


def test_bytes_of_a_renamed_event_are_valid_json():
    found = reader(options=ChannelOptions(rewrite_model=True))
    out = found.feed(delta("a", model='odd "name"'))
    assert json.loads(out.removeprefix(b"data: "))["model"] == call().request.model


def test_an_end_with_nothing_before_it_completes_no_answer():
    for before, is_answer in (
        (b": hello\n\n", False),
        (event({"choices": []}), False),
        (HELLO, True),
        (usage_event(), True),
    ):
        stream = reader()
        fed(stream, [before, DONE])
        assert stream.saw_done
        assert stream.is_complete == is_answer


def test_what_filled_the_answer_may_be_long_past_or_too_long_to_be_read():
    long = delta("x" * (EVENT_BYTES_MAX + 10))
    for pieces in ([delta(str(n)) for n in range(40)], [long[n : n + 65_536] for n in range(0, len(long), 65_536)]):
        stream = reader()
        fed(stream, [*pieces, DONE])
        assert stream.is_complete

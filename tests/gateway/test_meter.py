"""What a call is charged for, by what was said and how it ended. Each row of the table in gateway/meter.py, and G7."""

import json
from typing import Any

import msgspec
import pytest

from airouter.domain.catalogue import ChannelOptions
from airouter.gateway import meter
from airouter.gateway.meter import Metered
from airouter.providers.contract import StreamReader
from airouter.providers.registry import PROVIDERS
from tests.providers.calls import DONE, call, delta, event, fed, reader, stop, usage, usage_event

PROVIDER = PROVIDERS["openai-compatible"]
FIGURES = {"input": 7, "output": 3, "request": 1}
STREAM = [delta("12345678"), delta("1234"), stop(), usage_event(7, 3), DONE]


def whole(answer: Any, *, is_gone: bool = False, **request: Any) -> Metered:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    made = call(**request)
    return meter.whole(PROVIDER.answer(made, body), made, is_gone=is_gone)


def bare(metered: Metered) -> Metered:
    """Without what is kept of the call for a better guess (estimates.py)."""
    assert metered.guess is not None
    return msgspec.structs.replace(metered, guess=None)


def answer(text: str = "Hello", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message}], **more}


def read_until(events: int, **options: Any) -> StreamReader:
    found = reader(**options)
    for piece in STREAM[:events]:
        found.feed(piece)
    return found


def test_complete_answer_is_charged_as_reported():
    found = whole(answer(usage=usage(7, 3), service_tier="flex"))
    assert found == Metered(quantities=FIGURES, source="provider", status="ok", service_tier="flex")


def test_explicit_zero_is_charged_as_zero():
    found = whole(answer(usage=usage(0, 0)))
    assert (found.quantities, found.source) == ({"input": 0, "output": 0, "request": 1}, "provider")


@pytest.mark.parametrize("silent", [{}, {"usage": None}, {"usage": {}}, {"usage": {"cost": 1}}])
def test_complete_answer_without_figures_is_estimated_and_marked(silent: dict[str, Any]):
    found = whole(answer("123456789", **silent))
    assert bare(found) == Metered(quantities={"input": 1, "output": 3, "request": 1}, source="estimated", status="ok")


@pytest.mark.parametrize("figure", [-1, 1.5, 10**12, "7"])
def test_figures_that_cannot_be_true_are_refused_estimated_and_marked(figure: Any):
    found = whole(answer("1234", usage={**usage(7, 3), "prompt_tokens": figure}))
    assert found.quantities == {"input": 1, "output": 1, "request": 1}
    assert (found.source, found.problem) == ("estimated", "usage_refused")


def test_figures_that_do_not_add_up_are_charged_and_marked():
    found = whole(answer(usage={**usage(7, 3), "total_tokens": 15}))
    assert found.quantities == {"input": 7, "output": 3, "reasoning": 5, "request": 1}
    assert (found.source, found.problem) == ("provider", "total_differs")


def test_whole_answer_that_nobody_waited_for_is_charged():
    found = whole(answer(usage=usage(7, 3)), is_gone=True)
    assert (found.quantities, found.source, found.status) == (FIGURES, "provider", "cancelled")


@pytest.mark.parametrize("page", [b"<html>", b"", b"[]", b"null", {"error": {"message": "no"}}, {"detail": "no"}])
def test_what_is_no_answer_is_free(page: Any):
    found = whole(page)
    assert found == Metered(quantities={}, source="none", status="failed")


def test_answer_spoiled_by_an_error_is_charged_what_it_reported():
    found = whole(answer(usage=usage(7, 3), error={"message": "cut short"}))
    assert (found.quantities, found.source, found.status) == (FIGURES, "provider_partial", "partial")


def test_embedding_is_estimated_by_its_input_alone():
    made = call({"model": "m", "input": ["12345678", "1"]}, endpoint="embeddings")
    vectors = PROVIDER.answer(made, b'{"object":"list","data":[{"embedding":[0.1]}]}')
    found = meter.whole(vectors, made, is_gone=False)
    assert bare(found) == Metered(quantities={"input": 3, "request": 1}, source="estimated", status="ok")


def test_finished_stream_is_charged_as_reported():
    for is_gone, status in ((False, "ok"), (True, "cancelled")):
        found = reader()
        fed(found, STREAM)
        assert meter.finished(found, is_gone=is_gone) == Metered(
            quantities=FIGURES,
            source="provider",
            status=status,  # type: ignore[arg-type]
        )


def test_stream_is_settled_as_soon_as_done_is_seen():
    found = read_until(5)
    assert found.saw_done
    assert meter.finished(found, is_gone=False).quantities == FIGURES


def test_finished_stream_of_an_upstream_that_cannot_report_is_estimated():
    found = reader(options=ChannelOptions(include_usage=False))
    fed(found, [delta("12345678"), delta("1234"), stop(), DONE])
    assert bare(meter.finished(found, is_gone=False)) == Metered(
        quantities={"input": 1, "output": 3, "request": 1}, source="estimated", status="ok"
    )


def test_finished_stream_without_the_figures_it_promised_is_estimated():
    found = reader()
    fed(found, [delta("12345678"), delta("1234"), stop(), DONE])
    metered = meter.finished(found, is_gone=False)
    assert (metered.quantities, metered.source) == ({"input": 1, "output": 3, "request": 1}, "estimated")


@pytest.mark.parametrize("events", [0, 1, 2])
def test_stream_that_just_stops_is_free_when_nothing_was_reported(events: int):
    found = read_until(events)
    found.finish()
    assert meter.finished(found, is_gone=False) == Metered(quantities={}, source="none", status="partial")
    assert meter.broken_off(found) == Metered(quantities={}, source="none", status="partial")


def test_error_in_the_stream_makes_it_free_when_nothing_was_reported():
    found = reader()
    fed(found, [delta("1234"), event({"error": {"message": "overloaded"}}), DONE])
    assert meter.finished(found, is_gone=False) == Metered(quantities={}, source="none", status="partial")
    assert meter.cancelled(found) == Metered(quantities={}, source="none", status="cancelled")


def test_broken_stream_is_charged_what_it_had_reported():
    found = reader()
    for piece in (delta("a", usage=usage(7, 1)), delta("b", usage=usage(7, 2))):
        found.feed(piece)
    metered = meter.broken_off(found)
    assert metered.quantities == {"input": 7, "output": 2, "request": 1}
    assert (metered.source, metered.status) == ("provider_partial", "partial")


def test_break_after_the_proper_end_is_no_break():
    assert meter.broken_off(read_until(5)) == Metered(quantities=FIGURES, source="provider", status="ok")


@pytest.mark.parametrize("events", range(6))
@pytest.mark.parametrize("end", [meter.cancelled, meter.cut])
def test_stream_left_at_any_event_is_neither_free_nor_dearer_than_the_whole(events: int, end: Any):
    found = read_until(events)
    metered = end(found)
    whole_text = {"input": 1, "output": 3}
    assert metered.quantities["request"] == 1
    if events >= 4:
        assert metered.quantities == FIGURES
        assert metered.source in {"provider", "provider_partial"}
    else:
        assert metered.source == "estimated"
        assert metered.quantities["input"] == whole_text["input"]
        assert metered.quantities["output"] == [0, 2, 3, 3][events]
    assert metered.status == ("cancelled" if end is meter.cancelled else "partial")


def test_drained_stream_has_the_final_figures():
    assert meter.cancelled(read_until(5)) == Metered(quantities=FIGURES, source="provider", status="cancelled")


def test_client_that_left_before_the_answer_is_charged_its_prompt_as_an_estimate():
    made = call()
    found = meter.unanswered(made.endpoint, made.request)
    quantities = {"input": 1, "output": 0, "request": 1}
    assert bare(found) == Metered(quantities=quantities, source="estimated", status="cancelled")


def test_call_that_was_never_answered_is_free():
    assert meter.failed() == Metered(quantities={}, source="none", status="failed")

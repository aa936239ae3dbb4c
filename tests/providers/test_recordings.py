"""G6: usage is read as the provider reported it. Every recorded answer in OpenAI's dialect, whole and cut in many ways.

The oracle below knows nothing of our code: it reads the recorded JSON with the standard library.
"""

import json
from typing import Any

import pytest

from airouter.domain.rate_card import INPUT_METERS, OUTPUT_METERS
from airouter.providers.contract import Call, Reported
from airouter.providers.registry import PROVIDERS
from airouter.wire.openai import outgoing_body, passed_on_error
from airouter.wire.prompt import input_bound
from tests.effort import EFFORT
from tests.providers.calls import call, cut_at, cut_at_random, fed
from tests.providers.recordings import ABSENT, RECORDINGS, Recording

SUCCEEDED = [recording for recording in RECORDINGS if recording.status == 200]
WHOLE = [recording for recording in SUCCEEDED if not recording.is_stream]
STREAMS = [recording for recording in SUCCEEDED if recording.is_stream]
REFUSED = [recording for recording in RECORDINGS if recording.status != 200]


def named(recordings: list[Recording]) -> Any:
    """One test per recording; none at all when there are no recordings (one test says so)."""
    return pytest.mark.parametrize("recording", recordings, ids=lambda recording: recording.name)


def test_recordings_cover_streams_whole_answers_and_refusals():
    if not RECORDINGS:
        pytest.skip(ABSENT)
    assert len(WHOLE) >= 90
    assert len(STREAMS) >= 15
    assert len(REFUSED) >= 3
    assert sum(stated_usage(recording) is not None for recording in SUCCEEDED) >= 110


def call_of(recording: Recording, *, wants_usage: bool | None = None) -> Call:
    request = dict(recording.request)
    if wants_usage is not None:
        request["stream_options"] = {"include_usage": wants_usage}
    if "model" not in request:
        request["model"] = "unnamed"
    return call(json.dumps(request).encode(), endpoint=recording.endpoint)  # type: ignore[arg-type]


def stated_usage(recording: Recording) -> dict[str, Any] | None:
    """The oracle: the last usage that the provider stated, wherever it put it."""
    if not recording.is_stream:
        try:
            return usage_in(json.loads(recording.body))
        except ValueError:
            return None
    last = None
    for block in recording.body.decode().replace("\r\n", "\n").split("\n\n"):
        for line in block.split("\n"):
            if line.startswith("data:") and line[5:].strip() not in {"", "[DONE]"}:
                last = usage_in(json.loads(line[5:])) or last
    return last


def usage_in(answer: Any) -> dict[str, Any] | None:
    return answer.get("usage") or (answer.get("x_groq") or {}).get("usage")


def at(usage: dict[str, Any], *names: str) -> int:
    """The first of these figures that is stated; a dot enters an object."""
    for name in names:
        here: Any = usage
        for part in name.split("."):
            here = (here or {}).get(part)
        if here is not None:
            return here
    return 0


def check(reported: Reported | None, stated: dict[str, Any] | None, recording: Recording) -> None:
    if stated is None:
        assert reported is None
        return
    assert reported is not None
    assert reported.problem is None
    metered = reported.quantities
    assert metered is not None
    assert metered["request"] == 1
    assert all(quantity >= 0 for quantity in metered.values())
    total = at(stated, "total_tokens")
    assert sum(metered.get(meter, 0) for meter in (*INPUT_METERS, *OUTPUT_METERS)) == total
    if recording.endpoint == "embeddings":
        assert set(metered) == {"input", "request"}
        return
    assert sum(metered.get(meter, 0) for meter in INPUT_METERS) == stated["prompt_tokens"]
    assert sum(metered.get(meter, 0) for meter in OUTPUT_METERS) == stated["completion_tokens"]
    cached = at(
        stated, "prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens", "cached_tokens"
    )
    assert metered.get("cached_input", 0) == cached
    assert metered.get("cache_write_5m", 0) == at(stated, "prompt_tokens_details.cache_write_tokens")
    assert metered.get("reasoning", 0) == at(stated, "completion_tokens_details.reasoning_tokens")
    assert metered.get("audio_input", 0) == at(stated, "prompt_tokens_details.audio_tokens")


def without_usage_chunks(body: bytes) -> bytes:
    """The oracle for what a client gets who did not ask for usage."""
    kept = []
    for block in body.split(b"\n\n"):
        text = block.removeprefix(b"data: ")
        if text.startswith(b"{"):
            said = json.loads(text)
            if said.get("choices") == [] and said.get("usage"):
                continue
        kept.append(block)
    return b"\n\n".join(kept)


@named(WHOLE)
def test_whole_answer_is_forwarded_unchanged_and_metered_as_reported(recording: Recording):
    answered = PROVIDERS[recording.provider].answer(call_of(recording), recording.body)
    assert answered.body == recording.body
    assert answered.is_proper == recording.content_type.startswith("application/json")
    check(answered.reported, stated_usage(recording), recording)


@named(STREAMS)
@pytest.mark.parametrize("wants_usage", [True, False], ids=["usage-wanted", "usage-hidden"])
def test_stream_is_forwarded_and_metered_however_it_is_cut(recording: Recording, *, wants_usage: bool):
    stream = recording.body
    expected = stream if wants_usage else without_usage_chunks(stream)
    stated = stated_usage(recording)
    ends = [place + 2 for place in range(len(stream)) if stream[place : place + 2] == b"\n\n"]
    ways = {
        "in one piece": [stream],
        "at every event": list(cut_at(stream, ends)),
        "before every blank line": list(cut_at(stream, [end - 1 for end in ends])),
        "byte by byte": list(cut_at(stream, range(len(stream)))),
    }
    ways |= {f"two pieces, at {end}": list(cut_at(stream, [end])) for end in ends}
    ways |= {f"seed {seed}": list(cut_at_random(stream, seed, 40)) for seed in range(min(EFFORT.seeds, 100))}
    for way, pieces in ways.items():
        reader = PROVIDERS[recording.provider].stream(call_of(recording, wants_usage=wants_usage))
        assert fed(reader, pieces) == expected, way
        check(reader.reported, stated, recording)
        assert reader.has_error == (b'"error"' in stream), way
        assert reader.saw_done == (b"[DONE]" in stream), way
        assert reader.is_complete == (not reader.has_error), way
        assert reader.received_bytes == len(stream)


@named(STREAMS)
def test_whole_events_are_never_held_back(recording: Recording):
    reader = PROVIDERS[recording.provider].stream(call_of(recording, wants_usage=False))
    for block in recording.body.split(b"\n\n")[:-1]:
        event = block + b"\n\n"
        assert reader.feed(event) == without_usage_chunks(event)


@named(REFUSED)
def test_refusal_is_told_apart_and_passed_on_as_it_came(recording: Recording):
    verdict = PROVIDERS[recording.provider].refusal(recording.status, recording.body)
    assert verdict == ("limited" if recording.status == 429 else "request")
    assert passed_on_error(recording.body) == recording.body


@named(RECORDINGS)
def test_recorded_request_reaches_the_upstream_with_every_member(recording: Recording):
    made = call_of(recording)
    sent = outgoing_body(made.request, made.body, model="upstream/name", include_usage=True)
    wanted = json.loads(made.body)
    wanted["model"] = "upstream/name"
    if wanted.get("stream"):
        wanted["stream_options"] = {**(wanted.get("stream_options") or {}), "include_usage": True}
    assert json.loads(sent) == wanted
    same = outgoing_body(made.request, made.body, model=made.request.model, include_usage=False)
    assert json.loads(same) == json.loads(made.body)


def reads_on_its_own(recording: Recording) -> bool:
    """Groq's compound systems search the web unasked; a router that picks the model may pick one with a long
    preamble.
    """
    return recording.request["model"].startswith("compound") or "models" in recording.request


@named(SUCCEEDED)
def test_recorded_input_stays_within_its_bound(recording: Recording):
    made = call_of(recording)
    bound = input_bound(made.endpoint, made.request, made.body)
    stated = stated_usage(recording)
    if stated is not None and not (bound.media_items or bound.reads_upstream or reads_on_its_own(recording)):
        assert at(stated, "prompt_tokens") <= bound.text_tokens

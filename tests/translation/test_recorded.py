"""Recorded conversations mean the same in every other dialect: requests, whole answers and streams."""

from collections import Counter
from typing import Any

import pytest

from airouter.translation.conversation import Conversation, features_of
from airouter.translation.links import Fetched, links_of, media_of, with_data
from airouter.translation.support import Dialect, NotTranslatable, dropped_or_refused
from tests.providers.recordings import ABSENT
from tests.translation.dialects import (
    DIALECTS,
    HEAD,
    Traffic,
    essence,
    events_of,
    reply_essence,
    stream_essence,
    traffic,
)

CALLS = traffic()
PAIRS = [(one, other) for one in DIALECTS for other in DIALECTS if one != other]
TYPES = {"image": "image/png", "document": "application/pdf", "audio": "audio/wav", "video": "video/mp4"}
USED = {"input": 11, "cached_input": 3, "output": 7, "reasoning": 2, "request": 1}


def test_recordings_are_there():
    assert CALLS, ABSENT


def of(dialect: str) -> list[Traffic]:
    return [call for call in CALLS if call.dialect == dialect]


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_recorded_request_says_the_same_in_another_dialect(mine: str, theirs: str):
    here, there = DIALECTS[mine], DIALECTS[theirs]
    counts: Counter[str] = Counter()
    for call in of(mine):
        given = here.read_request(call.request)
        features = features_of(given, theirs)
        try:
            dropped_or_refused(features, theirs)
        except NotTranslatable:
            counts["refused"] += 1
            continue
        given = with_data(given, fetched(given, theirs))
        again = there.read_request(there.write_request(given))
        wanted, got = essence(given), essence(again)
        if wanted["format"] == "json" and theirs == "anthropic":
            wanted["format"] = wanted["schema"] = None
        if wanted["choice"] == ("auto", None) or not given.tools:
            wanted["choice"] = got["choice"] = None
        assert by_speaker(got) == by_speaker(wanted), call.name
        counts["same"] += 1
    print(mine, theirs, dict(counts))
    assert counts["same"] >= len(of(mine)) // 2


def fetched(conversation: Conversation, provider: Dialect) -> dict[str, Fetched]:
    """As if the gateway had fetched every link that has to be fetched."""
    kinds = {media.url: media.kind for media in media_of(conversation)}
    return {link: Fetched(media_type=TYPES[kinds[link]], data="ZGF0YQ==") for link in links_of(conversation, provider)}


def by_speaker(found: dict[str, Any]) -> dict[str, Any]:
    """Within a turn, dialects order differently: results first, then words and media, calls last."""
    said: list[Any] = []
    run: list[Any] = []
    for role, what in [*found["said"], (None, None)]:
        if run and run[0][0] != role:
            said += sorted(run, key=rank)
            run = []
        run.append((role, what))
    return {**found, "said": joined(said)}


def rank(one: tuple[str, Any]) -> int:
    role, what = one
    if isinstance(what, tuple) and what[0] == "result":
        return 0
    is_call = role == "assistant" and isinstance(what, tuple)
    return 2 if is_call else 1


def joined(said: list[Any]) -> list[Any]:
    """Neighbouring texts of one speaker are one text: dialects cut it differently."""
    found: list[Any] = []
    for role, what in said:
        if found and isinstance(what, str) and isinstance(found[-1][1], str) and found[-1][0] == role:
            found[-1] = (role, found[-1][1] + what)
        else:
            found.append((role, what))
    return found


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_recorded_answer_says_the_same_in_another_dialect(mine: str, theirs: str):
    """Where another dialect has fewer words for why it stopped, the nearest."""
    here, there = DIALECTS[mine], DIALECTS[theirs]
    count = 0
    for call in of(mine):
        if call.status != 200 or call.answer is None:
            continue
        given = here.read_reply(call.answer)
        again = there.read_reply(there.write_reply(given, USED))
        wanted, got = reply_essence(given), reply_essence(again)
        wanted["stop"], got["stop"] = nearest(wanted["stop"]), nearest(got["stop"])
        assert got == wanted, call.name
        count += 1
    assert count


def nearest(stop: str | None) -> str | None:
    return {"sequence": "stop", "refusal": "stop", "pause": "stop", "filter": "stop"}.get(stop or "", stop)


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_recorded_stream_says_the_same_in_another_dialect(mine: str, theirs: str):
    here, there = DIALECTS[mine], DIALECTS[theirs]
    count = 0
    for call in of(mine):
        if call.stream is None or call.status != 200:
            continue
        given = events_of(here, call.stream)
        writer = there.writer(HEAD)
        written = b"".join(writer.write([event]) for event in given) + writer.end(USED)
        wanted, got = stream_essence(given), stream_essence(events_of(there, written))
        wanted["stop"], got["stop"] = nearest(wanted["stop"]), nearest(got["stop"])
        assert got == wanted, call.name
        count += 1
    assert count

"""Streams that are translated come out the same however they arrive, and a torn one is never taken for whole."""

import msgspec
import pytest

from airouter.providers.contract import Call
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.providers.translated import TranslatingStreamReader
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import Named, read_request
from tests.effort import EFFORT
from tests.providers.recordings import ABSENT
from tests.translation.dialects import Traffic, traffic

ASKED: dict[Endpoint, dict[str, object]] = {
    "chat.completions": {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True},
    "responses": {"model": "m", "input": "Hello", "stream": True},
    "messages": {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}], "stream": True},
    "generate_content": {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
}
PROVIDER = {"chat": "openai-compatible", "responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}
SPOKEN: dict[str, Endpoint] = {
    "chat": "chat.completions",
    "responses": "responses",
    "anthropic": "messages",
    "gemini": "generate_content",
}
PAIRS = [(mine, theirs) for mine in ASKED for theirs in SPOKEN if SPOKEN[theirs] != mine and theirs != "responses"]
"""A provider that has responses speaks chat completions too, and is asked in those."""
SAMPLE = 3
CUTS = 60


def sample(dialect: str) -> list[Traffic]:
    """The most varied streams of a dialect: those with the most kinds of events for their length."""
    streams = [call for call in traffic() if call.dialect == dialect and call.status == 200 and call.stream]
    streams.sort(key=lambda call: len(set((call.stream or b"").split(b'"')[:4000])), reverse=True)
    return streams[:SAMPLE]


STREAMS = {theirs: sample(theirs) for theirs in {theirs for _, theirs in PAIRS}}


def test_recordings_are_there():
    assert all(STREAMS.values()), ABSENT


def reader(mine: Endpoint, theirs: str, *, is_array: bool = False) -> TranslatingStreamReader:
    body = msgspec.json.encode(ASKED[mine])
    named = Named(model="m", is_streaming=True, is_array=is_array) if mine == "generate_content" else None
    call = Call(
        endpoint=mine, request=read_request(mine, body, named), body=body, upstream_model="m", credential="secret"
    )
    provider = Providers(PROVIDERS).serving(PROVIDER[theirs], mine)
    assert provider is not None
    found = provider.stream(call)
    assert isinstance(found, TranslatingStreamReader)
    return found


def fed(reading: TranslatingStreamReader, stream: bytes, size: int) -> bytes:
    out = b"".join(reading.feed(stream[at : at + size]) for at in range(0, len(stream), size))
    return out + reading.finish()


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_how_a_stream_arrives_makes_no_difference(mine: Endpoint, theirs: str):
    for found in STREAMS[theirs]:
        stream = found.stream or b""
        whole = reader(mine, theirs)
        said = fed(whole, stream, len(stream))
        assert whole.is_complete, found.name
        assert whole.reported is not None, found.name
        for size in (1, 7, 100, 1000):
            again = reader(mine, theirs)
            assert fed(again, stream, size) == said, (found.name, size)
            assert again.reported == whole.reported


def says_why_it_stopped(dialect: str, stream: bytes) -> bool:
    """Chat completions say it before they say that the stream has ended; the other dialects at once."""
    return dialect == "chat" and b'"finish_reason":"' in stream.replace(b" ", b"")


@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_a_stream_torn_anywhere_is_a_beginning_of_the_whole_and_not_complete(mine: Endpoint, theirs: str):
    """Whole events of the client's dialect leave, and none that says the answer had ended."""
    for found in STREAMS[theirs]:
        stream = found.stream or b""
        said = fed(reader(mine, theirs), stream, len(stream))
        probe = reader(mine, theirs)
        ends = next(
            at for at in range(1, len(stream) + 1) if probe.feed(stream[at - 1 : at]) is not None and probe.saw_done
        )
        for at in range(0, ends - 1, 1 if EFFORT.name == "soak" else max(1, ends // CUTS)):
            torn = reader(mine, theirs)
            out = torn.feed(stream[:at])
            assert said.startswith(out), (found.name, at)
            assert torn.close_event() == b""
            assert not torn.saw_done
            assert not torn.is_complete or says_why_it_stopped(theirs, stream[:at]), (found.name, at)
            if out and mine != "generate_content":
                assert out.endswith(b"\n\n"), (found.name, at)


@pytest.mark.parametrize("theirs", ["chat", "anthropic"])
def test_an_array_that_grows_is_closed_only_at_the_end(theirs: str):
    for found in STREAMS[theirs]:
        stream = found.stream or b""
        whole = fed(reader("generate_content", theirs, is_array=True), stream, 50)
        parts = msgspec.json.decode(whole)
        assert isinstance(parts, list)
        assert len(parts) > 1
        torn = reader("generate_content", theirs, is_array=True)
        out = torn.feed(stream[: len(stream) // 2])
        assert whole.startswith(out)
        assert not out.rstrip().endswith(b"]") or out.count(b"[") > 1

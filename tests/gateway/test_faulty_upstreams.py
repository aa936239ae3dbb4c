"""One bad provider cannot take the service down (guarantee G12): every kind of fault, on real sockets."""

import asyncio
import gzip
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import msgspec
import pytest

from airouter.domain.errors import (
    DomainError,
    NoChannelAvailable,
    NoProviderHasModel,
    UpstreamFailed,
    UpstreamRefusedRequest,
    UpstreamRejected,
    UpstreamTimedOut,
)
from airouter.domain.ids import ChannelId, CredentialId
from airouter.upstream.contract import UpstreamError
from tests.gateway.relays import STREAM, WHOLE, Asking, asking, channel, impatient
from tests.patience import until
from tests.ports import kept_port
from tests.upstream.server import Line, Script, Upstream, black_hole, running

GOOD = (
    b'{"object":"chat.completion","model":"demo","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}'
)
EVENTS = (b'data: {"choices":[{"delta":{"content":"h"}}]}\n\n', b'data: {"choices":[{"delta":{"content":"i"}}]}\n\n')
DONE = b"data: [DONE]\n\n"
ONE, TWO, THREE = (ChannelId(UUID(int=n)) for n in (1, 2, 3))


async def good(line: Line) -> None:
    if b'"stream":true' not in line.received.body:
        await line.json(GOOD)
        return
    await line.stream()
    for event in (*EVENTS, DONE):
        await line.chunk(event)
    await line.end()


def says(status: str, body: bytes = b"", *headers: bytes) -> Script:
    async def script(line: Line) -> None:
        lines = b"".join(header + b"\r\n" for header in headers)
        await line.raw(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status.encode(), len(body), lines, body))

    return script


async def hangs(line: Line) -> None:
    await line.gone()


async def drips(line: Line) -> None:
    """The head of an answer, a byte at a time, for ever."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 10_000:
        await line.raw(bytes([byte]))
        await asyncio.sleep(0.01)


async def cuts_the_head(line: Line) -> None:
    await line.raw(b"HTTP/1.1 200 OK\r\nContent-Le")
    line.reset()


async def cuts_the_body(line: Line) -> None:
    await line.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n" + GOOD)
    await line.close()


async def cuts_before_the_first_event(line: Line) -> None:
    await line.stream()
    line.reset()


async def streams_nothing(line: Line) -> None:
    await line.stream()
    await line.end()


async def falls_silent_before_the_first_event(line: Line) -> None:
    await line.stream()
    await line.gone()


async def is_not_http(line: Line) -> None:
    await line.raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n")
    await line.close()


def streams(*pieces: bytes) -> Script:
    async def script(line: Line) -> None:
        await line.stream()
        for piece in pieces:
            await line.chunk(piece)
        await line.end()

    return script


HTML = b"<html><body>502 Bad Gateway</body></html>"
BUSY = b'data: {"error":{"message":"busy","type":"overloaded_error"}}\n\n'
FAULTS: dict[str, tuple[Script, bytes, str, type[DomainError]]] = {
    "status 500": (says("500 Oops", b"{}"), WHOLE, "overloaded", UpstreamFailed),
    "status 502 with a page": (says("502 Bad Gateway", HTML), WHOLE, "overloaded", UpstreamFailed),
    "status 529": (says("529 Overloaded", b"{}"), WHOLE, "overloaded", UpstreamFailed),
    "a redirect": (says("302 Found", b"", b"Location: http://elsewhere.test/"), WHOLE, "channel", UpstreamRejected),
    "status 429": (says("429 Slow", b"{}", b"Retry-After: 7"), WHOLE, "limited", NoChannelAvailable),
    "status 401": (says("401 Who", b"{}"), WHOLE, "credential", UpstreamRejected),
    "status 402": (says("402 Pay", b"{}"), WHOLE, "funds", UpstreamRejected),
    "a hang": (hangs, WHOLE, "first_byte_timeout", UpstreamTimedOut),
    "a slow drip": (drips, WHOLE, "first_byte_timeout", UpstreamTimedOut),
    "a cut head": (cuts_the_head, WHOLE, "broken_off", UpstreamFailed),
    "a cut body": (cuts_the_body, WHOLE, "broken_off", UpstreamFailed),
    "half a document": (says("200 OK", GOOD[:40]), WHOLE, "bad_answer", UpstreamFailed),
    "a page with status 200": (says("200 OK", HTML), WHOLE, "bad_answer", UpstreamFailed),
    "nothing with status 200": (says("200 OK"), WHOLE, "bad_answer", UpstreamFailed),
    "an error with status 200": (says("200 OK", b'{"error":{"message":"no"}}'), WHOLE, "bad_answer", UpstreamFailed),
    "an error with status 200 that states its own": (
        says("200 OK", b'{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}'),
        WHOLE,
        "limited",
        NoChannelAvailable,
    ),
    "JSON with status 200 that does not say what it is": (
        says("200 OK", b'{"code":500,"success":false}'),
        WHOLE,
        "bad_answer",
        UpstreamFailed,
    ),
    "an answer with nothing in it": (
        says("200 OK", b'{"id":"c","object":"chat.completion","choices":[]}'),
        WHOLE,
        "bad_answer",
        UpstreamFailed,
    ),
    "an answer with nothing in it and figures that cannot be true": (
        says("200 OK", b'{"id":"c","object":"chat.completion","choices":[ ],"usage":{"prompt_tokens":-1}}'),
        WHOLE,
        "bad_answer",
        UpstreamFailed,
    ),
    "a stream that is only its end": (streams(DONE), STREAM, "bad_answer", UpstreamFailed),
    "what is not HTTP": (is_not_http, WHOLE, "bad_answer", UpstreamFailed),
    "a page instead of a stream": (
        says("200 OK", HTML, b"Content-Type: text/html"),
        STREAM,
        "bad_answer",
        UpstreamFailed,
    ),
    "a stream cut before its first event": (cuts_before_the_first_event, STREAM, "broken_off", UpstreamFailed),
    "a stream without events": (streams_nothing, STREAM, "broken_off", UpstreamFailed),
    "a page that is called a stream": (streams(HTML), STREAM, "broken_off", UpstreamFailed),
    "a compressed stream": (streams(gzip.compress(EVENTS[0] + DONE)), STREAM, "broken_off", UpstreamFailed),
    "a long compressed stream that says so": (
        says(
            "200 OK", random.Random(1).randbytes(40_000), b"Content-Type: text/event-stream\r\nContent-Encoding: gzip"
        ),
        STREAM,
        "bad_answer",
        UpstreamFailed,
    ),
    "an error with status 200 that states its own as text": (
        says("200 OK", b'{"error":{"code":"503","message":"busy"}}'),
        WHOLE,
        "overloaded",
        UpstreamFailed,
    ),
    "a stream that begins with an error": (streams(BUSY, DONE), STREAM, "overloaded", UpstreamFailed),
    "a stream that says hello, and then an error": (
        streams(b": hello\n\n" + BUSY),
        STREAM,
        "overloaded",
        UpstreamFailed,
    ),
    "a response that begins with a limit": (
        streams(b'data: {"type":"error","error":{"code":"rate_limit_exceeded","message":"slow"}}\n\n'),
        STREAM,
        "limited",
        NoChannelAvailable,
    ),
    "a stream that begins with a refusal of our key": (
        streams(b'data: {"error":{"code":"invalid_api_key"}}\n\n'),
        STREAM,
        "credential",
        UpstreamRejected,
    ),
    "a stream that begins with an error of no known kind": (
        streams(b'data: {"error":{"code":7}}\n\n'),
        STREAM,
        "bad_answer",
        UpstreamFailed,
    ),
    "a stream that never starts": (falls_silent_before_the_first_event, STREAM, "idle_timeout", UpstreamTimedOut),
}
IMPATIENT = {
    "first_byte_timeout": {"options": impatient(first_byte_seconds=0.5)},
    "idle_timeout": {"options": impatient(idle_seconds=0.5)},
}
"""By the reason."""


@asynccontextmanager
async def upstreams(*scripts: Script) -> AsyncIterator[list[Upstream]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(script)) for script in scripts]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_before_the_first_byte_is_answered_by_the_next_channel(fault: str):
    script, body, reason, error = FAULTS[fault]
    async with upstreams(script, good) as (bad, well):
        one = channel(1, bad.port, "sk-1", priority=1, **IMPATIENT.get(reason, {}))
        async with asking(one, channel(2, well.port)) as asked:
            answer = await asked.ask(body)
            assert answer.endswith(DONE) if body is STREAM else answer == GOOD
            assert asked.reasons == [(1, reason), (2, None)]
        async with asking(one) as asked:
            with pytest.raises(error):
                await asked.ask(body)
            assert asked.reasons == [(1, reason)]


async def test_an_address_where_nobody_listens_and_one_that_swallows_everything():
    async with running(good) as well, black_hole() as hole:
        with kept_port() as nobody:
            for one, reason in (
                (channel(1, nobody, priority=1), "connect_failed"),
                (channel(1, hole, priority=1, options=impatient(connect_seconds=0.5)), "connect_timeout"),
            ):
                async with asking(one, channel(2, well.port)) as asked:
                    assert await asked.ask() == GOOD
                    assert asked.reasons == [(1, reason), (2, None)]


async def test_what_does_not_speak_tls_is_passed_over():
    async with running(good, greeting=b"220 mail.test ready\r\n") as mail, running(good) as well:
        tls = channel(1, mail.port, priority=1, base_url=f"https://127.0.0.1:{mail.port}/v1")
        async with asking(tls, channel(2, well.port)) as asked:
            assert await asked.ask() == GOOD
            assert asked.reasons == [(1, "tls_failed"), (2, None)]


async def test_a_stream_cut_after_its_first_event_is_not_begun_again_elsewhere():
    async def cut(line: Line) -> None:
        await line.stream()
        await line.chunk(EVENTS[0])
        line.reset()

    async with (
        upstreams(cut, good) as (bad, well),
        asking(channel(1, bad.port, priority=1), channel(2, well.port)) as asked,
    ):
        with pytest.raises(UpstreamError):
            await asked.ask(STREAM)
        assert not well.received


async def test_a_channel_that_keeps_cutting_its_streams_is_left_out():
    async def cut(line: Line) -> None:
        await line.stream()
        await line.chunk(EVENTS[0])
        line.reset()

    async with (
        upstreams(cut, good) as (bad, well),
        asking(channel(1, bad.port, priority=1), channel(2, well.port)) as asked,
    ):
        for _ in range(6):
            with pytest.raises(UpstreamError):
                await asked.ask(STREAM)
        assert (await asked.ask(STREAM)).endswith(DONE)
        assert asked.reasons == [(2, None)]


async def test_a_request_that_is_at_fault_is_sent_once():
    async with (
        upstreams(says("400 No", b'{"error":{"message":"bad"}}'), good) as (bad, well),
        asking(channel(1, bad.port, priority=1), channel(2, well.port)) as asked,
    ):
        with pytest.raises(UpstreamRefusedRequest):
            await asked.ask()
        assert not well.received
        assert asked.relay.health.is_calm
        bad.script = streams(b'data: {"error":{"message":"bad","type":"invalid_request_error"}}\n\n')
        with pytest.raises(UpstreamRefusedRequest) as caught:
            await asked.ask(STREAM)
        assert (caught.value.details["status"], well.received) == (400, [])
        assert asked.relay.health.is_calm


async def test_a_model_that_its_provider_does_not_know_is_asked_of_the_next_channel_for_a_while():
    unknown = says("404 No", b'{"error":{"message":"The model `up` does not exist","code":"model_not_found"}}')
    other = WHOLE.replace(b'"demo"', b'"other"')
    both = {"demo": "up", "other": "other"}
    async with (
        upstreams(unknown, good) as (bad, well),
        asking(channel(1, bad.port, priority=1, models=both), channel(2, well.port, models=both)) as asked,
    ):
        assert await asked.ask() == GOOD
        assert asked.reasons == [(1, "model"), (2, None)]
        assert await asked.ask() == GOOD
        assert asked.reasons == [(2, None)]
        bad.script = good
        assert await asked.ask(other) == GOOD
        assert asked.reasons == [(1, None)], "for other models it is as good as before"
        asked.skip(16)
        assert await asked.ask() == GOOD
        assert asked.reasons == [(1, None)]
        assert asked.relay.health.is_calm


async def test_a_model_that_no_provider_knows_is_not_found_and_asked_for_again_next_time():
    unknown = says("404 No", b'{"error":{"message":"The model `up` does not exist","code":"model_not_found"}}')
    async with upstreams(unknown) as (bad,), asking(channel(1, bad.port)) as asked:
        for _ in range(2):  # who is the only one is asked all the same
            with pytest.raises(NoProviderHasModel):
                await asked.ask()
        assert len(bad.received) == 2


async def test_what_a_translated_call_does_not_find_is_its_model():
    async with upstreams(says("404 No")) as (bad,):
        base_url = f"http://127.0.0.1:{bad.port}"
        async with asking(channel(1, bad.port, provider="anthropic", base_url=base_url)) as asked:
            with pytest.raises(NoProviderHasModel):
                await asked.ask()
        async with asking(channel(1, bad.port)) as asked:  # the client may have named a file
            with pytest.raises(UpstreamRefusedRequest):
                await asked.ask()


@pytest.mark.parametrize("fault", [says("503 No"), hangs, cuts_the_head], ids=["refuses", "hangs", "cuts"])
async def test_with_one_of_three_dead_a_thousand_calls_succeed(fault: Script):
    """The living are slow on a busy machine, so only the dead one is not waited for."""
    async with upstreams(fault, good, good) as (dead, two, three):
        options = impatient(first_byte_seconds=2)
        channels = channel(1, dead.port, options=options), channel(2, two.port), channel(3, three.port)
        async with asking(*channels) as asked:
            failed = await under_load(asked, calls=1000, at_once=40)
            assert (failed, len(asked.calls)) == (0, 1000)
            # Everybody at once may meet it, and two of them again, before three of them know; after that it is left
            # alone.
            assert len(dead.received) <= 42
            assert asked.relay.health.view(asked.relay._clock())[ONE].state == "out"
            assert abs(len(two.received) - len(three.received)) < 250, "the others share its calls"


async def under_load(asked: Asking, *, calls: int, at_once: int) -> int:
    """How many of so many calls failed."""
    failed = 0
    left = iter(range(calls))

    async def client() -> None:
        nonlocal failed
        for _ in left:
            try:
                assert await asked.ask() == GOOD
            except DomainError:
                failed += 1

    await asyncio.gather(*(client() for _ in range(at_once)))
    return failed


async def test_all_dead_is_a_clear_error_and_ends_when_one_of_them_is_back():
    async with (
        upstreams(says("500 No"), says("500 No"), says("500 No")) as found,
        asking(*(channel(n, one.port) for n, one in enumerate(found, 1))) as asked,
    ):
        for _ in range(20):
            with pytest.raises(UpstreamFailed):
                await asked.ask()
        states = asked.relay.health.view(asked.relay._clock())
        assert [states[one].state for one in (ONE, TWO, THREE)] == ["out"] * 3
        before = sum(len(one.received) for one in found)
        with pytest.raises(UpstreamFailed):
            await asked.ask()
        assert sum(len(one.received) for one in found) == before + 1, "two of three are left out, never all"
        found[1].script = good
        asked.skip(asked.routes.catalogue.policies.routing.cool_down_seconds_max)
        assert await under_load(asked, calls=50, at_once=1) <= 1
        for _ in range(10):
            assert await asked.ask() == GOOD


async def test_one_attempt_at_a_time_finds_out_whether_a_channel_is_back():
    release = asyncio.Event()

    async def slowly_good(line: Line) -> None:
        await release.wait()
        await good(line)

    async with upstreams(says("500 No"), good) as (bad, well):
        channels = channel(1, bad.port, priority=1), channel(2, well.port)
        async with asking(*channels) as asked:
            for _ in range(3):
                await asked.ask()
            assert asked.reasons == [(1, "overloaded"), (2, None)]
            await asked.ask()
            assert asked.reasons == [(2, None)]
            bad.script, seen = slowly_good, len(bad.received)
            asked.skip(15)
            probe = asyncio.create_task(asked.ask())
            await until(lambda: _has_received(bad, seen + 1))
            assert await under_load(asked, calls=20, at_once=5) == 0
            assert len(bad.received) == seen + 1
            release.set()
            assert await probe == GOOD
            await asked.ask()
            assert asked.reasons == [(1, None)]
            assert asked.relay.health.is_calm


async def _has_received(upstream: Upstream, count: int) -> bool:
    return len(upstream.received) >= count


async def test_a_client_that_leaves_during_the_probe_leaves_the_next_one_to_another():
    async with upstreams(says("500 No"), good) as (bad, well):
        channels = channel(1, bad.port, priority=1), channel(2, well.port)
        async with asking(*channels) as asked:
            for _ in range(3):
                await asked.ask()
            bad.script, seen = hangs, len(bad.received)
            asked.skip(15)
            probe = asyncio.create_task(asked.ask())
            await until(lambda: _has_received(bad, seen + 1))
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)
            bad.script = good
            await asked.ask()
            assert asked.reasons == [(1, None)]


async def test_a_provider_that_asks_for_a_pause_gets_it_while_another_can_answer():
    limited = says("429 Slow", b"{}", b"Retry-After: 30")
    async with (
        upstreams(limited, good) as (bad, well),
        asking(channel(1, bad.port, "sk-1", priority=1), channel(2, well.port)) as asked,
    ):
        for _ in range(10):
            await asked.ask()
        assert len(bad.received) == 1
        asked.skip(29)
        await asked.ask()
        assert len(bad.received) == 1
        asked.skip(2)
        await asked.ask()
        assert len(bad.received) == 2
        assert ONE not in asked.relay.health.view(asked.relay._clock()), "that was no failure of the channel"


async def test_how_long_a_provider_asks_us_to_wait_is_passed_on_and_bounded():
    async with (
        running(says("429 Slow", b"{}", b"Retry-After: 86400")) as bad,
        asking(channel(1, bad.port), retry_after_seconds_max=90) as asked,
    ):
        with pytest.raises(NoChannelAvailable) as caught:
            await asked.ask()
        assert caught.value.details["retry_after_seconds"] == 90


async def test_the_next_credential_answers_for_one_that_is_refused():
    async def picky(line: Line) -> None:
        if line.received.headers["authorization"] == "Bearer sk-good":
            await good(line)
        else:
            await says("401 Who", b"{}")(line)

    async with running(picky) as upstream, asking(channel(1, upstream.port, "sk-bad", "sk-good", "sk-worse")) as asked:
        for _ in range(6):
            assert await asked.ask() == GOOD
        refused = [one for one in upstream.received if one.headers["authorization"] != "Bearer sk-good"]
        assert len(refused) == 2, "each is asked once, then rests"
        assert asked.disabled == []
        for _ in range(2):
            asked.skip(60)
            for _ in range(6):
                assert await asked.ask() == GOOD
        assert sorted(asked.disabled) == [CredentialId(UUID(int=100)), CredentialId(UUID(int=102))]


async def test_retries_end_where_the_budget_ends():
    async with upstreams(*(says("500 No") for _ in range(6))) as found:
        channels = [channel(n, one.port) for n, one in enumerate(found, 1)]
        rules = {"attempts_max": 6, "retry_percent": 10, "retries_per_second": 1, "left_out_percent_max": 0}
        async with asking(*channels, **rules) as asked:
            assert await under_load(asked, calls=100, at_once=1) == 100
            sent = sum(len(one.received) for one in found)
            assert 100 + 10 <= sent <= 100 + 10 + 10


@pytest.mark.parametrize(
    ("passed", "ends"), [(599.5, ["overloaded", "timeout"]), (600, ["overloaded"])], ids=["half a second", "nothing"]
)
async def test_a_second_attempt_has_what_is_left_of_the_patience_for_all_together(passed: float, ends: list[str]):
    async def late(line: Line) -> None:
        asked.skip(passed)
        await says("500 No")(line)

    async with upstreams(late, hangs) as found:
        channels = [channel(n, one.port, priority=-n) for n, one in enumerate(found, 1)]
        async with asking(*channels, first_byte_seconds=600, total_seconds=600, attempts_max=2) as asked:
            with pytest.raises(UpstreamTimedOut if "timeout" in ends else UpstreamFailed):
                await asked.ask()
            assert [str(reason).rpartition("_")[2] for _, reason in asked.reasons] == ends, "to connect counts as well"


async def test_every_attempt_says_why_when_and_with_what():
    async def slowly_bad(line: Line) -> None:
        asked.skip(0.25)
        await says("503 No")(line)

    async def slowly_good(line: Line) -> None:
        asked.skip(0.5)
        await good(line)

    async with (
        upstreams(slowly_bad, slowly_good) as (bad, well),
        asking(channel(1, bad.port, "sk-1", priority=1), channel(2, well.port)) as asked,
    ):
        await asked.ask()
        first, second = asked.calls[-1].attempts
        assert (first.channel_id, first.credential_id) == (ONE, CredentialId(UUID(int=100)))
        assert (first.status, first.reason) == (503, "overloaded")
        assert (first.began_ms, first.latency_ms) == (0, 250)
        assert (second.channel_id, second.credential_id, second.status, second.reason) == (TWO, None, 200, None)
        assert (second.began_ms, second.latency_ms) == (250, 500)
        assert (second.model, second.group) == ("demo", "default")
        assert "sk-1" not in msgspec.json.encode(asked.calls[-1].attempts).decode()

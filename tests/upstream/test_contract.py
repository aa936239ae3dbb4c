"""What both clients promise. Each test runs with each client on each event loop."""

import asyncio
from typing import Any

import msgspec
import pytest

from airouter.upstream.contract import (
    AddressRefused,
    AnswerTooLarge,
    BadAnswer,
    BrokenOff,
    ConnectFailed,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    PoolExhausted,
    RequestRefused,
    Timeouts,
    TlsFailed,
    UpstreamError,
    may_have_been_sent,
)
from tests.ports import kept_port
from tests.upstream.calls import PATIENT, fetch, request_to
from tests.upstream.certificates import Authority
from tests.upstream.conftest import MakeClient, pass_time
from tests.upstream.server import Line, black_hole, running


def timeouts(**seconds: float) -> Timeouts:
    return msgspec.structs.replace(PATIENT, **seconds)


async def hello(line: Line) -> None:
    await line.json(b'{"hello":1}')


async def settled(condition: Any) -> None:
    """Wait for what must come true; the time-out of the test ends a wait in vain."""
    while not condition():
        await asyncio.sleep(0.005)


# Answers.


async def test_request_arrives_as_it_was_given(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        headers = ((b"Authorization", b"Bearer sk-1"), (b"x-two", b"a"), (b"x-two", "ä".encode()))
        await fetch(make_client(), request_to(upstream, path="/v1/x?a=%5B1%5D&b=[2]", headers=headers, body=b'{"m":1}'))
        (received,) = upstream.received
        assert received.line == "POST /v1/x?a=%5B1%5D&b=[2] HTTP/1.1"
        assert received.body == b'{"m":1}'
        assert received.headers["host"] == f"provider.test:{upstream.port}"
        assert received.headers["content-length"] == "7"
        assert received.headers["authorization"] == "Bearer sk-1"
        assert received.headers["x-two"].encode("latin-1") == "ä".encode()
        assert "accept-encoding" not in received.headers
        assert "user-agent" not in received.headers


async def test_json_answer_has_status_headers_and_body(make_client: MakeClient) -> None:
    async with running(
        lambda line: line.json(b"[1]", b"X-Request-Id: r1", b"Set-Cookie: a", b"Set-Cookie: b")
    ) as upstream:
        answer = await make_client().send(request_to(upstream), PATIENT)
        assert answer.status == 200
        assert list(answer.headers) == [
            (b"content-type", b"application/json"),
            (b"x-request-id", b"r1"),
            (b"set-cookie", b"a"),
            (b"set-cookie", b"b"),
            (b"content-length", b"3"),
        ]
        assert await answer.read(3) == b"[1]"
        assert await answer.chunk() == b""
        answer.close()
        answer.close()


@pytest.mark.parametrize("status", [204, 304, 400, 401, 429, 500, 503, 302])
async def test_every_final_status_is_an_answer(make_client: MakeClient, status: int) -> None:
    async def answer(line: Line) -> None:
        length = b"" if status in {204, 304} else b"content-length: 0\r\n"
        await line.raw(b"HTTP/1.1 %d Whatever\r\nlocation: /elsewhere\r\nretry-after: 3\r\n%b\r\n" % (status, length))

    async with running(answer) as upstream:
        client = make_client()
        for _ in range(2):
            got = await client.send(request_to(upstream), PATIENT)
            assert got.status == status
            assert (b"retry-after", b"3") in got.headers
            assert await got.read(100) == b""
            got.close()
        assert (len(upstream.received), upstream.accepted) == (2, 1)


async def test_answer_to_head_has_no_body(make_client: MakeClient) -> None:
    async with running(lambda line: line.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n")) as upstream:
        client = make_client()
        for _ in range(2):
            answer = await client.send(request_to(upstream, method="HEAD", body=b""), PATIENT)
            assert await answer.read(0) == b""
            answer.close()


async def test_get_without_body_announces_no_length(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        await fetch(make_client(), request_to(upstream, method="GET", body=b""))
        assert "content-length" not in upstream.received[0].headers


async def test_interim_answers_are_skipped(make_client: MakeClient) -> None:
    async def answer(line: Line) -> None:
        await line.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        await line.json(b"1")

    async with running(answer) as upstream:
        client = make_client()
        for _ in range(2):
            got = await client.send(request_to(upstream), PATIENT)
            assert got.status == 200
            assert b"link" not in dict(got.headers)
            assert await got.read(9) == b"1"
            got.close()
        assert upstream.accepted == 1


async def test_body_may_end_with_the_connection(make_client: MakeClient) -> None:
    async def answer(line: Line) -> None:
        await line.raw(b"HTTP/1.1 200 OK\r\n\r\nuntil the ")
        await line.raw(b"end")
        await line.close()

    async with running(answer) as upstream:
        client = make_client()
        assert await fetch(client, request_to(upstream)) == b"until the end"
        assert await fetch(client, request_to(upstream)) == b"until the end"
        assert upstream.accepted == 2


async def test_trailers_are_dropped(make_client: MakeClient) -> None:
    async def answer(line: Line) -> None:
        await line.raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-late: 1\r\n\r\n")

    async with running(answer) as upstream:
        got = await make_client().send(request_to(upstream), PATIENT)
        assert await got.read(9) == b"ok"
        assert [name for name, _ in got.headers] == [b"transfer-encoding"]
        got.close()


async def test_large_request_and_answer_arrive_whole(make_client: MakeClient) -> None:
    body = bytes(range(256)) * 20_000
    async with running(lambda line: line.json(line.received.body)) as upstream:
        assert await fetch(make_client(), request_to(upstream, body=body)) == body


# Streams.


async def test_first_chunk_is_readable_before_the_second_is_sent(make_client: MakeClient) -> None:
    go_on = asyncio.Event()

    async def trickle(line: Line) -> None:
        await line.stream()
        for number in range(5):
            await line.chunk(b"data: %d\n\n" % number)
            await go_on.wait()
            go_on.clear()
        await line.end()

    async with running(trickle) as upstream:
        client = make_client()
        answer = await client.send(request_to(upstream), PATIENT)
        for number in range(5):
            assert await answer.chunk() == b"data: %d\n\n" % number
            go_on.set()
        assert await answer.chunk() == b""
        assert await answer.chunk() == b""
        answer.close()
        await fetch_after(client, upstream)
        assert upstream.accepted == 1


async def fetch_after(client: Any, upstream: Any) -> None:
    """The next call on the same client works."""
    upstream.script = hello
    assert await fetch(client, request_to(upstream)) == b'{"hello":1}'


async def test_head_is_readable_before_any_body(make_client: MakeClient) -> None:
    go_on = asyncio.Event()

    async def answer(line: Line) -> None:
        await line.stream()
        await go_on.wait()
        await line.chunk(b"x")
        await line.end()

    async with running(answer) as upstream:
        got = await make_client().send(request_to(upstream), PATIENT)
        assert got.status == 200
        go_on.set()
        assert await got.read(9) == b"x"
        got.close()


async def test_answer_cut_into_single_bytes_is_the_same_answer(make_client: MakeClient) -> None:
    whole = b"HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"

    async def drip(line: Line) -> None:
        for byte in whole:
            await line.raw(bytes([byte]))
            await asyncio.sleep(0)

    async with running(drip) as upstream:
        client = make_client()
        answer = await client.send(request_to(upstream), PATIENT)
        assert list(answer.headers) == [(b"x-a", b"b"), (b"transfer-encoding", b"chunked")]
        assert await answer.read(9) == b"abcd"
        answer.close()
        await fetch_after(client, upstream)
        assert upstream.accepted == 1


async def test_slow_reader_stops_the_upstream_and_loses_nothing(make_client: MakeClient) -> None:
    piece, pieces = bytes(1_000) * 64, 1_000
    lines: list[Line] = []

    async def flood(line: Line) -> None:
        lines.append(line)
        await line.stream()
        for _ in range(pieces):
            await line.chunk(piece)
        await line.end()

    async with running(flood) as upstream:
        client = make_client(high_water_bytes=65_536)
        answer = await client.send(request_to(upstream), PATIENT)
        size = len(await answer.chunk())
        before = -1
        while before != lines[0].sent_bytes:
            before = lines[0].sent_bytes
            await asyncio.sleep(0.1)
        # What the kernel's buffers hold differs from machine to machine; the rest must not have left the upstream.
        assert before < len(piece) * pieces * 3 // 4
        while data := await answer.chunk():
            size += len(data)
        assert size == len(piece) * pieces
        answer.close()
        await fetch_after(client, upstream)
        assert upstream.accepted == 1


async def test_closing_in_the_middle_cuts_the_connection(make_client: MakeClient) -> None:
    noticed = asyncio.Event()

    async def endless(line: Line) -> None:
        await line.stream()
        await line.chunk(b"first")
        await line.gone()
        noticed.set()

    async with running(endless) as upstream:
        client = make_client()
        answer = await client.send(request_to(upstream), PATIENT)
        assert await answer.chunk() == b"first"
        answer.close()
        await noticed.wait()
        await fetch_after(client, upstream)
        assert upstream.accepted == 2


async def test_closed_answer_gives_no_more(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        answer = await make_client().send(request_to(upstream), PATIENT)
        answer.close()
        with pytest.raises(RuntimeError, match="closed"):
            await answer.chunk()


# Connections.


async def test_connections_are_used_again(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        client = make_client()
        for _ in range(20):
            assert await fetch(client, request_to(upstream)) == b'{"hello":1}'
        assert (len(upstream.received), upstream.accepted) == (20, 1)


async def test_connection_that_the_upstream_wants_closed_is_not_used_again(make_client: MakeClient) -> None:
    async with running(lambda line: line.json(b"1", b"Connection: close")) as upstream:
        client = make_client()
        for _ in range(3):
            assert await fetch(client, request_to(upstream)) == b"1"
        assert upstream.accepted == 3


async def test_connection_closed_while_idle_is_replaced(make_client: MakeClient) -> None:
    async def once(line: Line) -> None:
        await hello(line)
        await line.close()

    async with running(once) as upstream:
        client = make_client()
        for _ in range(3):
            await fetch(client, request_to(upstream))
            await settled(lambda: upstream.open == 0)
            await asyncio.sleep(0.05)
        assert upstream.accepted == 3


async def test_hundred_parallel_calls_get_each_their_own_answer(make_client: MakeClient) -> None:
    async def echo(line: Line) -> None:
        await asyncio.sleep(0.02)
        await line.json(line.received.body)

    async with running(echo) as upstream:
        client = make_client()
        bodies = [b'{"n":%d}' % number for number in range(100)]
        answers = await asyncio.gather(*(fetch(client, request_to(upstream, body=body)) for body in bodies))
        assert answers == bodies


async def test_waiting_for_a_connection_is_bounded(make_client: MakeClient) -> None:
    async def hold(line: Line) -> None:
        await line.stream()
        await line.gone()

    async with running(hold) as upstream:
        client = make_client(connections_max=1)
        busy = await client.send(request_to(upstream), PATIENT)
        with pytest.raises(PoolExhausted) as caught:
            await client.send(request_to(upstream), timeouts(connect_seconds=0.1))
        assert caught.value.before_first_byte
        assert not caught.value.may_have_run
        busy.close()
        await fetch_after(client, upstream)


async def test_closed_client_refuses_politely(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        client = make_client()
        await fetch(client, request_to(upstream))
        await client.close()
        await client.close()
        await settled(lambda: upstream.open == 0)
        with pytest.raises(ConnectFailed):
            await client.send(request_to(upstream), PATIENT)


# Failures before the head.


async def test_refused_connection_is_told_at_once(make_client: MakeClient) -> None:
    with kept_port() as port, pytest.raises(ConnectFailed) as caught:
        await make_client().send(request_to(port), PATIENT)
    assert caught.value.before_first_byte
    assert not caught.value.may_have_run


async def test_black_hole_is_a_connect_timeout(make_client: MakeClient) -> None:
    async with black_hole() as port:
        with pytest.raises(ConnectTimeout):
            await make_client().send(request_to(port), timeouts(connect_seconds=0.2))


async def test_forbidden_address_is_refused(make_client: MakeClient) -> None:
    with pytest.raises(AddressRefused):
        await make_client().send(request_to(80, host="169.254.169.254"), PATIENT)


async def test_silent_upstream_is_a_first_byte_timeout(make_client: MakeClient) -> None:
    async with running(lambda line: line.gone()) as upstream:
        client = make_client()
        with pytest.raises(FirstByteTimeout) as caught:
            await client.send(request_to(upstream), timeouts(first_byte_seconds=0.1))
        assert caught.value.before_first_byte
        assert caught.value.may_have_run
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


async def test_head_that_drips_is_a_first_byte_timeout(make_client: MakeClient) -> None:
    async def drip(line: Line) -> None:
        await line.raw(b"HTTP/1.1 200 OK\r\nx-long: ")
        while True:
            await line.raw(b"a")
            await asyncio.sleep(0.02)

    async with running(drip) as upstream:
        with pytest.raises(FirstByteTimeout):
            await make_client().send(request_to(upstream), timeouts(first_byte_seconds=0.2))


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-ty"])
async def test_connection_ended_before_the_head_is_broken_off(make_client: MakeClient, sent: bytes) -> None:
    async def half(line: Line) -> None:
        await line.raw(sent)
        await line.close()

    async with running(half) as upstream:
        with pytest.raises(BrokenOff) as caught:
            await make_client().send(request_to(upstream), PATIENT)
        assert caught.value.before_first_byte
        assert caught.value.may_have_run
        assert len(upstream.received) == 1


async def test_reset_before_the_head_is_broken_off(make_client: MakeClient) -> None:
    async def reset(line: Line) -> None:
        line.reset()

    async with running(reset) as upstream:
        with pytest.raises(BrokenOff) as caught:
            await make_client().send(request_to(upstream), PATIENT)
        assert caught.value.before_first_byte
        assert len(upstream.received) == 1


@pytest.mark.parametrize(
    "sent",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 1_000_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: a\r\n" * 200_000 + b"\r\n",
    ],
)
async def test_what_is_no_head_is_a_bad_answer(make_client: MakeClient, sent: bytes) -> None:
    async with running(lambda line: line.raw(sent)) as upstream:
        client = make_client()
        with pytest.raises(BadAnswer) as caught:
            await client.send(request_to(upstream), PATIENT)
        assert caught.value.before_first_byte
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": ((b"x-a", b"1\r\nx-injected: 1"),)},
        {"headers": ((b"x-a", b"1\nx-injected: 1"),)},
        {"headers": ((b"x-a", b"1\x00"),)},
        {"headers": ((b"x-a: 1\r\nx-b", b"1"),)},
        {"headers": ((b"x a", b"1"),)},
        {"headers": ((b"", b"1"),)},
        {"headers": ((b"Content-Length", b"1"),)},
        {"headers": ((b"transfer-encoding", b"chunked"),)},
        {"headers": ((b"Host", b"elsewhere.test"),)},
        {"headers": ((b"connection", b"close"),)},
        {"path": "/a HTTP/1.1\r\nx-injected: 1\r\n\r\n"},
        {"path": "/a b"},
        {"path": "a"},
        {"path": "http://elsewhere.test/"},
        {"path": "/ä"},
        {"path": "/a#b"},
        {"method": "GET / HTTP/1.1\r\n\r\nGET"},
        {"host": "provider.test\r\nx-injected: 1"},
        {"host": "provider.test/evil"},
    ],
)
async def test_what_could_break_the_framing_is_refused_unsent(make_client: MakeClient, fields: dict[str, Any]) -> None:
    async with running(hello) as upstream:
        client = make_client()
        for _ in range(2):
            with pytest.raises(RequestRefused):
                await client.send(request_to(upstream, **fields), PATIENT)
        assert upstream.accepted == 0


# Failures after the head.


async def test_silence_in_the_middle_is_an_idle_timeout(make_client: MakeClient) -> None:
    async def stall(line: Line) -> None:
        # In one write: for the first chunk nobody waits, however slow the machine is.
        await line.raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await line.gone()

    async with running(stall) as upstream:
        client = make_client()
        answer = await client.send(request_to(upstream), timeouts(idle_seconds=0.1))
        assert await answer.chunk() == b"first"
        with pytest.raises(IdleTimeout) as caught:
            await answer.chunk()
        assert not caught.value.before_first_byte
        with pytest.raises(IdleTimeout):
            await answer.chunk()
        answer.close()
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


async def test_silence_after_the_head_is_an_idle_timeout_before_the_first_byte(make_client: MakeClient) -> None:
    async def stall(line: Line) -> None:
        await line.stream()
        await line.gone()

    async with running(stall) as upstream:
        answer = await make_client().send(request_to(upstream), timeouts(idle_seconds=0.1))
        with pytest.raises(IdleTimeout) as caught:
            await answer.read(100)
        assert caught.value.before_first_byte
        answer.close()


async def test_steady_trickle_outlives_the_idle_time(make_client: MakeClient) -> None:
    wanted = asyncio.Event()

    async def trickle(line: Line) -> None:
        await line.stream()
        for _ in range(4):
            await wanted.wait()
            wanted.clear()
            await line.chunk(b"x")
        await line.end()

    async with running(trickle) as upstream:
        answer = await make_client().send(request_to(upstream), timeouts(idle_seconds=100))
        for _ in range(4):
            reading = asyncio.create_task(answer.chunk())
            await asyncio.sleep(0)
            await pass_time(seconds=40)
            wanted.set()
            assert await reading == b"x"
        assert await answer.chunk() == b""
        answer.close()


async def test_a_caller_who_does_not_read_is_not_timed(make_client: MakeClient) -> None:
    go_on = asyncio.Event()

    async def answer(line: Line) -> None:
        await line.stream()
        await line.chunk(b"x")
        await go_on.wait()
        await line.end()

    async with running(answer) as upstream:
        got = await make_client().send(request_to(upstream), PATIENT)
        await pass_time(seconds=1000)
        go_on.set()
        assert await got.read(100) == b"x"
        got.close()


async def cut_length(line: Line) -> None:
    await line.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nfirst")
    await line.close()


async def cut_chunks(line: Line) -> None:
    await line.stream()
    await line.chunk(b"first")
    await line.close()


async def bad_chunks(line: Line) -> None:
    await line.stream()
    await line.chunk(b"first")
    await line.raw(b"zz\r\nnonsense\r\n")


@pytest.mark.parametrize("script", [cut_length, cut_chunks, bad_chunks])
async def test_body_broken_off_gives_what_came_and_then_fails(make_client: MakeClient, script: Any) -> None:
    async with running(script) as upstream:
        client = make_client()
        answer = await client.send(request_to(upstream), PATIENT)
        assert await answer.chunk() == b"first"
        for _ in range(2):
            with pytest.raises(BrokenOff) as caught:
                await answer.chunk()
            assert not caught.value.before_first_byte
        answer.close()
        await fetch_after(client, upstream)
        assert upstream.accepted == 2


@pytest.mark.parametrize("script", [cut_length, cut_chunks, bad_chunks])
async def test_half_a_body_is_never_read_as_a_whole_one(make_client: MakeClient, script: Any) -> None:
    async with running(script) as upstream:
        with pytest.raises(BrokenOff):
            await fetch(make_client(), request_to(upstream))


async def test_broken_off_before_any_body_says_so(make_client: MakeClient) -> None:
    async def cut(line: Line) -> None:
        await line.stream()
        line.reset()

    async with running(cut) as upstream:
        with pytest.raises(BrokenOff) as caught:
            await fetch(make_client(), request_to(upstream))
        assert caught.value.before_first_byte


async def test_answer_larger_than_the_limit_is_refused_and_cut(make_client: MakeClient) -> None:
    async def flood(line: Line) -> None:
        await line.stream()
        while True:
            await line.chunk(bytes(60_000))

    async with running(flood) as upstream:
        client = make_client()
        answer = await client.send(request_to(upstream), PATIENT)
        with pytest.raises(AnswerTooLarge) as caught:
            await answer.read(100_000)
        assert caught.value.limit_bytes == 100_000
        answer.close()
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


async def test_small_answer_above_the_limit_is_refused(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        answer = await make_client().send(request_to(upstream), PATIENT)
        with pytest.raises(AnswerTooLarge):
            await answer.read(3)
        answer.close()


# TLS.


async def test_tls_connection_is_verified_and_used_again(make_client: MakeClient, authority: Authority) -> None:
    async with running(hello, authority.server_context("provider.test")) as upstream:
        client = make_client()
        for _ in range(5):
            assert await fetch(client, request_to(upstream, scheme="https")) == b'{"hello":1}'
        assert upstream.accepted == 1


async def test_tls_by_address_needs_the_address_in_the_certificate(
    make_client: MakeClient, authority: Authority
) -> None:
    async with running(hello, authority.server_context("127.0.0.1")) as upstream:
        assert await fetch(make_client(), request_to(upstream, scheme="https", host="127.0.0.1")) == b'{"hello":1}'


async def test_tls_certificate_of_another_host_is_refused(make_client: MakeClient, authority: Authority) -> None:
    async with running(hello, authority.server_context("elsewhere.test")) as upstream:
        with pytest.raises(TlsFailed) as caught:
            await make_client().send(request_to(upstream, scheme="https"), PATIENT)
        assert not caught.value.may_have_run
        assert upstream.received == []


async def test_tls_certificate_of_an_unknown_authority_is_refused(
    make_client: MakeClient, authority: Authority, tmp_path: Any
) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with running(hello, stranger.server_context("provider.test")) as upstream:
        with pytest.raises(TlsFailed):
            await make_client().send(request_to(upstream, scheme="https"), PATIENT)
        assert upstream.received == []


async def test_tls_with_a_server_that_speaks_none_fails(make_client: MakeClient) -> None:
    async with running(hello, greeting=b"220 mail.test ESMTP\r\n") as upstream:
        with pytest.raises(TlsFailed):
            await make_client().send(request_to(upstream, scheme="https"), PATIENT)


async def test_tls_handshake_that_never_ends_is_a_connect_timeout(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        client = make_client(connections_max=1)
        with pytest.raises(ConnectTimeout) as caught:
            await client.send(request_to(upstream, scheme="https"), timeouts(connect_seconds=0.2))
        assert not caught.value.may_have_run
        await settled(lambda: upstream.open == 0)


async def test_cancelled_tls_handshake_leaves_nothing_behind(make_client: MakeClient) -> None:
    async with running(hello) as upstream:
        client = make_client(connections_max=1)
        task = asyncio.create_task(client.send(request_to(upstream, scheme="https"), PATIENT))
        await settled(lambda: upstream.open == 1)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


async def test_slow_reader_over_tls_loses_nothing(make_client: MakeClient, authority: Authority) -> None:
    piece = bytes(range(250)) * 256

    async def flood(line: Line) -> None:
        await line.stream()
        for _ in range(200):
            await line.chunk(piece)
        await line.end()

    async with running(flood, authority.server_context("provider.test")) as upstream:
        client = make_client(high_water_bytes=65_536)
        answer = await client.send(request_to(upstream, scheme="https"), PATIENT)
        parts = [await answer.chunk()]
        await asyncio.sleep(0.2)
        while data := await answer.chunk():
            parts.append(data)
        answer.close()
        assert b"".join(parts) == piece * 200
        upstream.script = hello
        assert await fetch(client, request_to(upstream, scheme="https")) == b'{"hello":1}'
        assert upstream.accepted == 1


async def test_tls_stream_broken_off_is_noticed(make_client: MakeClient, authority: Authority) -> None:
    async with running(cut_chunks, authority.server_context("provider.test")) as upstream:
        with pytest.raises(BrokenOff):
            await fetch(make_client(), request_to(upstream, scheme="https"))


# Cancellation.


async def test_cancelled_wait_for_the_head_leaves_nothing_behind(make_client: MakeClient) -> None:
    async with running(lambda line: line.gone()) as upstream:
        client = make_client(connections_max=1)
        task = asyncio.create_task(client.send(request_to(upstream), PATIENT))
        await settled(lambda: upstream.received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


async def test_cancelled_wait_for_the_body_leaves_nothing_behind(make_client: MakeClient) -> None:
    async def stall(line: Line) -> None:
        await line.stream()
        await line.chunk(b"first")
        await line.gone()

    async with running(stall) as upstream:
        client = make_client(connections_max=1)
        answer = await client.send(request_to(upstream), PATIENT)
        assert await answer.chunk() == b"first"
        task = asyncio.create_task(answer.chunk())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        answer.close()
        await settled(lambda: upstream.open == 0)
        await fetch_after(client, upstream)


async def test_cancelled_connecting_leaves_nothing_behind(make_client: MakeClient) -> None:
    async with black_hole() as port, running(hello) as upstream:
        client = make_client(connections_max=1)
        task = asyncio.create_task(client.send(request_to(port), PATIENT))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await fetch(client, request_to(upstream)) == b'{"hello":1}'


async def test_who_gives_up_is_told_whether_the_upstream_may_have_been_asked(make_client: MakeClient) -> None:
    async def told(port: int, heard: asyncio.Event | None) -> bool:
        async def send() -> bool:
            try:
                await make_client().send(request_to(port), PATIENT)
            except asyncio.CancelledError as gone:
                return may_have_been_sent(gone)
            raise AssertionError

        task = asyncio.create_task(send())
        await (asyncio.sleep(0.05) if heard is None else heard.wait())
        task.cancel()
        return await task

    received = asyncio.Event()

    async def hold(line: Line) -> None:
        received.set()
        await line.gone()

    async with black_hole() as port, running(hold) as upstream:
        assert not await told(port, None)
        assert await told(upstream.port, received)


async def test_cancelled_wait_for_a_connection_leaves_nothing_behind(make_client: MakeClient) -> None:
    async def hold(line: Line) -> None:
        await line.stream()
        await line.gone()

    async with running(hold) as upstream:
        client = make_client(connections_max=1)
        busy = await client.send(request_to(upstream), PATIENT)
        waiting = [asyncio.create_task(client.send(request_to(upstream), PATIENT)) for _ in range(3)]
        await asyncio.sleep(0.02)
        for task in waiting:
            task.cancel()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        busy.close()
        await fetch_after(client, upstream)


def test_every_error_has_a_code_of_its_own() -> None:
    errors = UpstreamError.__subclasses__()
    assert len({error.code for error in errors}) == len(errors) == 11

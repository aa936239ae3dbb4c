"""What the client of the hot path promises beyond the contract."""

import asyncio
from math import inf
from typing import Any, cast

import pytest

from airouter.upstream.connection import Http1Connection
from airouter.upstream.contract import BadAnswer, BrokenOff, FirstByteTimeout, PoolExhausted, Timeouts
from airouter.upstream.http1 import Http1Client
from tests.upstream.calls import PATIENT, fetch, request_to
from tests.upstream.certificates import Authority
from tests.upstream.conftest import MakeClient
from tests.upstream.server import Line, running


async def hello(line: Line) -> None:
    await line.json(b"1")


async def settled(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def closes_idle(line: Line) -> bool:
    """Whether this is a second request on a connection: the upstream has just decided that it was idle too long."""
    return line.received.nth > 0


# The idle-close race.


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_request_that_crosses_an_idle_close_is_sent_again(http1: MakeClient, ending: str) -> None:
    async def script(line: Line) -> None:
        if not closes_idle(line):
            await hello(line)
        elif ending == "reset":
            line.reset()
        else:
            await line.close()

    async with running(script) as upstream:
        client = http1()
        for _ in range(3):
            assert await fetch(client, request_to(upstream)) == b"1"
        assert [(one.connection, one.nth) for one in upstream.received] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]


async def test_request_is_sent_again_once_and_only_once(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        if line.received.connection == 0 and line.received.nth == 0:
            await hello(line)
        else:
            await line.close()

    async with running(script) as upstream:
        client = http1()
        await fetch(client, request_to(upstream))
        with pytest.raises(BrokenOff) as caught:
            await fetch(client, request_to(upstream))
        assert caught.value.before_first_byte
        assert [(one.connection, one.nth) for one in upstream.received] == [(0, 0), (0, 1), (1, 0)]


async def test_second_attempt_takes_no_other_idle_connection(http1: MakeClient) -> None:
    barrier = asyncio.Event()

    async def script(line: Line) -> None:
        if line.received.nth == 0:
            await barrier.wait()
            await hello(line)
        else:
            await line.close()

    async with running(script) as upstream:
        client = http1()
        pair = asyncio.gather(*(fetch(client, request_to(upstream)) for _ in range(2)))
        await settled(lambda: len(upstream.received) == 2)
        barrier.set()
        await pair
        assert await fetch(client, request_to(upstream)) == b"1"
        assert upstream.accepted == 3


async def test_new_connection_that_closes_is_not_tried_again(http1: MakeClient) -> None:
    async with running(lambda line: line.close()) as upstream:
        with pytest.raises(BrokenOff):
            await fetch(http1(), request_to(upstream))
        assert len(upstream.received) == 1


async def test_nothing_is_sent_again_after_one_byte_of_an_answer(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        if closes_idle(line):
            await line.raw(b"H")
            await line.close()
        else:
            await hello(line)

    async with running(script) as upstream:
        client = http1()
        await fetch(client, request_to(upstream))
        with pytest.raises(BrokenOff):
            await fetch(client, request_to(upstream))
        assert len(upstream.received) == 2


async def test_nothing_is_sent_again_after_a_time_out(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        if closes_idle(line):
            await line.gone()
        else:
            await hello(line)

    async with running(script) as upstream:
        client = http1()
        await fetch(client, request_to(upstream))
        with pytest.raises(FirstByteTimeout):
            await fetch(
                client, request_to(upstream), Timeouts(connect_seconds=60, first_byte_seconds=0.1, idle_seconds=60)
            )
        await settled(lambda: len(upstream.received) == 2 and upstream.open == 0)
        assert upstream.accepted == 1


async def test_what_arrives_at_the_moment_of_its_deadline_is_in_time(
    http1: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that was busy for long reads what has come, and finds in the same turn that the time is over."""
    data_received = Http1Connection.data_received
    late: list[bytes] = []

    def late_as_well(connection: Http1Connection, data: bytes) -> None:
        data_received(connection, data)
        if connection.deadline < inf:
            connection.expire()
            late.append(data)

    monkeypatch.setattr(Http1Connection, "data_received", late_as_well)

    async def script(line: Line) -> None:
        await line.raw(b"HTTP/1.1 200 OK\r\nContent-")
        await has_heard(1)
        await line.raw(b"Length: 4\r\n\r\nhe")
        await has_heard(2)
        await line.raw(b"ad")

    async def has_heard(times: int) -> None:
        while len(late) < times:
            await asyncio.sleep(0.005)

    async with running(script) as upstream:
        assert await fetch(http1(), request_to(upstream)) == b"head"
    assert len(late) == 3


async def test_attempt_after_an_idle_close_keeps_its_slot(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        if closes_idle(line):
            await line.close()
        else:
            await hello(line)

    async with running(script) as upstream:
        client = http1(connections_max=1)
        assert await asyncio.gather(*(fetch(client, request_to(upstream)) for _ in range(10))) == [b"1"] * 10
        assert upstream.accepted == 10


# The pool.


async def test_waiting_callers_are_served_in_the_order_they_came(http1: MakeClient) -> None:
    async def echo(line: Line) -> None:
        await asyncio.sleep(0.002)
        await line.json(line.received.body)

    async with running(echo) as upstream:
        client = http1(connections_max=1)
        bodies = [b"%d" % number for number in range(40)]
        served: list[bytes] = []

        async def call(body: bytes) -> None:
            served.append(await fetch(client, request_to(upstream, body=body)))

        await asyncio.gather(*(call(body) for body in bodies))
        assert [one.body for one in upstream.received] == bodies
        assert served == bodies
        assert upstream.accepted == 1


async def test_bound_holds_for_each_origin_by_itself(http1: MakeClient) -> None:
    async def hold(line: Line) -> None:
        await line.stream()
        await line.gone()

    async with running(hold) as first, running(hello) as second:
        client = http1(connections_max=1)
        busy = await client.send(request_to(first), PATIENT)
        assert await fetch(client, request_to(second)) == b"1"
        busy.close()


async def test_slot_of_a_cut_connection_goes_to_the_first_who_waits(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        if line.received.connection == 0:
            await line.stream()
            await line.gone()
        else:
            await hello(line)

    async with running(script) as upstream:
        client = http1(connections_max=1)
        busy = await client.send(request_to(upstream), PATIENT)
        waiting = asyncio.create_task(fetch(client, request_to(upstream)))
        await asyncio.sleep(0.02)
        busy.close()
        assert await waiting == b"1"


async def test_slot_of_a_failed_connection_is_free_again(http1: MakeClient, authority: Authority) -> None:
    async with running(hello, authority.server_context("elsewhere.test")) as upstream:
        client = http1(connections_max=1)
        for _ in range(3):
            with pytest.raises(Exception, match="TLS"):
                await fetch(client, request_to(upstream, scheme="https"))


async def test_connection_handed_to_a_caller_who_just_gave_up_is_not_lost(http1: MakeClient) -> None:
    async with running(hello) as upstream:
        client = http1(connections_max=1)
        for _ in range(20):
            busy = await client.send(request_to(upstream), PATIENT)
            waiting = asyncio.create_task(client.send(request_to(upstream), PATIENT))
            await asyncio.sleep(0)
            await busy.read(9)
            busy.close()
            waiting.cancel()  # in the same step in which it received the connection
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert upstream.accepted == 1
        assert await fetch(client, request_to(upstream)) == b"1"


async def test_idle_connections_above_the_bound_are_closed(http1: MakeClient) -> None:
    barrier = asyncio.Barrier(10)

    async def script(line: Line) -> None:
        await barrier.wait()
        await hello(line)

    async with running(script) as upstream:
        client = http1(idle_max=3)
        await asyncio.gather(*(fetch(client, request_to(upstream)) for _ in range(10)))
        await settled(lambda: upstream.open == 3)
        assert upstream.accepted == 10


async def test_idle_connection_is_closed_after_its_time(http1: MakeClient) -> None:
    async with running(hello) as upstream:
        client = cast("Http1Client", http1(idle_ttl_seconds=0.1))
        await fetch(client, request_to(upstream))
        assert client.connections_open == 1
        await settled(lambda: upstream.open == 0)
        await settled(lambda: client.connections_open == 0)
        assert await fetch(client, request_to(upstream)) == b"1"
        assert upstream.accepted == 2


async def test_connection_in_use_outlives_the_idle_time(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        if line.received.nth == 0:
            await hello(line)
            return
        await line.stream()
        await asyncio.sleep(0.4)
        await line.chunk(b"late")
        await line.end()

    async with running(script) as upstream:
        client = http1(idle_ttl_seconds=0.1)
        await fetch(client, request_to(upstream))
        assert await fetch(client, request_to(upstream)) == b"late"


async def test_last_used_connection_is_used_first(http1: MakeClient) -> None:
    barrier = asyncio.Barrier(3)

    async def script(line: Line) -> None:
        if line.received.nth == 0:
            await barrier.wait()
        await hello(line)

    async with running(script) as upstream:
        client = http1()
        await asyncio.gather(*(fetch(client, request_to(upstream)) for _ in range(3)))
        for _ in range(5):
            await fetch(client, request_to(upstream))
        assert len({one.connection for one in upstream.received[3:]}) == 1


async def test_pool_of_another_host_on_the_same_address_is_another_pool(http1: MakeClient) -> None:
    async with running(hello) as upstream:
        client = http1()
        await fetch(client, request_to(upstream))
        await fetch(client, request_to(upstream, host="other.test"))
        assert upstream.accepted == 2


# Answers nobody asked for.


async def test_bytes_after_an_answer_never_become_the_next_answer(http1: MakeClient) -> None:
    smuggled = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled"

    async def script(line: Line) -> None:
        await line.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1" + smuggled)

    async with running(script) as upstream:
        client = http1()
        for _ in range(3):
            assert await fetch(client, request_to(upstream)) == b"1"
        assert upstream.accepted == 3


async def test_body_sent_in_answer_to_head_is_not_read(http1: MakeClient) -> None:
    async with running(hello) as upstream:
        client = http1()
        for _ in range(2):
            assert await fetch(client, request_to(upstream, method="HEAD", body=b"")) == b""
        assert upstream.accepted == 2


async def test_bytes_on_an_idle_connection_never_become_the_next_answer(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        await hello(line)
        await asyncio.sleep(0.02)
        await line.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nsmuggled")

    async with running(script) as upstream:
        client = http1()
        for _ in range(3):
            assert await fetch(client, request_to(upstream)) == b"1"
            await settled(lambda: upstream.open == 0)
        assert upstream.accepted == 3


async def test_unread_rest_of_a_complete_answer_is_not_seen_by_the_next_call(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        await line.json(b"old" if line.received.nth == 0 else b"new")

    async with running(script) as upstream:
        client = http1()
        answer = await client.send(request_to(upstream), PATIENT)
        await asyncio.sleep(0.02)
        answer.close()
        assert await fetch(client, request_to(upstream)) == b"new"
        assert upstream.accepted == 1


async def test_closing_twice_does_not_cut_the_next_call(http1: MakeClient) -> None:
    go_on = asyncio.Event()

    async def script(line: Line) -> None:
        if line.received.nth == 1:
            await go_on.wait()
        await hello(line)

    async with running(script) as upstream:
        client = http1()
        first = await client.send(request_to(upstream), PATIENT)
        await first.read(9)
        first.close()
        second = asyncio.create_task(fetch(client, request_to(upstream)))
        await settled(lambda: len(upstream.received) == 2)
        first.close()
        go_on.set()
        assert await second == b"1"
        assert upstream.accepted == 1


async def test_answer_before_the_request_was_written_ends_the_connection(http1: MakeClient) -> None:
    async def refuse(line: Line) -> None:
        await line.raw(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await line.gone()

    async with running(refuse, reads_bodies=False) as upstream:
        client = cast("Http1Client", http1())
        answer = await client.send(request_to(upstream, body=bytes(50_000_000)), PATIENT)
        assert answer.status == 413
        assert await answer.read(0) == b""
        answer.close()
        await settled(lambda: client.connections_open == 0)


async def test_greeting_of_another_protocol_is_no_answer(http1: MakeClient) -> None:
    async with running(hello, greeting=b"220 mail.test ESMTP\r\n") as upstream:
        with pytest.raises((BadAnswer, BrokenOff)):  # the second when it came even before the request was written
            await fetch(http1(), request_to(upstream))


async def test_protocol_switch_is_a_bad_answer(http1: MakeClient) -> None:
    async with running(
        lambda line: line.raw(b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n")
    ) as upstream:
        with pytest.raises(Exception, match="switched"):
            await fetch(http1(), request_to(upstream))


async def test_endless_trailers_are_broken_off(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        await line.stream()
        await line.chunk(b"x")
        await line.raw(b"0\r\n")
        while True:
            await line.raw(b"x-trailer: " + b"a" * 1000 + b"\r\n")

    async with running(script) as upstream:
        with pytest.raises(BrokenOff):
            await fetch(http1(), request_to(upstream))


async def test_head_written_with_the_same_headers_is_built_once(http1: MakeClient) -> None:
    async with running(hello) as upstream:
        client = cast("Http1Client", http1())
        headers = ((b"authorization", b"Bearer sk-1"),)
        for number in range(3):
            await fetch(client, request_to(upstream, headers=headers, body=b"x" * number))
        (pool,) = client._pools.values()
        assert len(pool.heads) == 1
        for number in range(1100):
            pool.remember_head(("GET", f"/{number}", ()), b"")
        assert len(pool.heads) <= 1024
        assert [one.headers["content-length"] for one in upstream.received] == ["0", "1", "2"]


async def test_client_closed_in_the_middle_breaks_off_what_is_running(http1: MakeClient) -> None:
    async def hold(line: Line) -> None:
        await line.stream()
        await line.gone()

    async with running(hold) as upstream:
        client = cast("Http1Client", http1(connections_max=1))
        answer = await client.send(request_to(upstream), PATIENT)
        reading = asyncio.create_task(answer.chunk())
        waiting = asyncio.create_task(client.send(request_to(upstream), PATIENT))
        await asyncio.sleep(0.02)
        await client.close()
        with pytest.raises(BrokenOff):
            await reading
        with pytest.raises(Exception, match="closed"):
            await waiting
        answer.close()


async def test_many_slow_streams_at_once(http1: MakeClient) -> None:
    async def trickle(line: Line) -> None:
        await line.stream()
        for number in range(5):
            await line.chunk(b"%d" % number)
            await asyncio.sleep(0.02)
        await line.end()

    async with running(trickle) as upstream:
        client = http1()
        bodies = await asyncio.gather(*(fetch(client, request_to(upstream)) for _ in range(300)))
        assert bodies == [b"01234"] * 300


async def test_slow_readers_hold_a_bounded_part_of_their_answers(http1: MakeClient) -> None:
    high_water_bytes, one_read_bytes = 65_536, 262_144

    async def flood(line: Line) -> None:
        await line.stream()
        for _ in range(200):
            await line.chunk(bytes(50_000))
        await line.end()

    async with running(flood) as upstream:
        client = cast("Http1Client", http1(high_water_bytes=high_water_bytes))
        answers = await asyncio.gather(*(client.send(request_to(upstream), PATIENT) for _ in range(20)))
        connections = [cast("Http1Connection", answer._connection) for answer in answers]
        await settled(lambda: all(connection.buffered_bytes > high_water_bytes for connection in connections))
        await asyncio.sleep(0.2)
        for connection in connections:
            held = sum(map(len, connection.chunks))
            assert held <= connection.buffered_bytes <= high_water_bytes + one_read_bytes
        for answer in answers:
            answer.close()


async def test_random_abandonment_never_loses_a_slot(http1: MakeClient) -> None:
    async def script(line: Line) -> None:
        await line.stream()
        for _ in range(3):
            await line.chunk(b"x")
            await asyncio.sleep(0.001)
        await line.end()

    async with running(script) as upstream:
        client = cast("Http1Client", http1(connections_max=4))

        async def call(number: int) -> None:
            try:
                async with asyncio.timeout((number * 7 % 13) / 1000):
                    await fetch(client, request_to(upstream))
            except (TimeoutError, PoolExhausted):
                pass

        for _ in range(5):
            await asyncio.gather(*(call(number) for number in range(100)))
        (pool,) = client._pools.values()
        assert pool.slots_taken == len(pool.idle) <= 4
        assert await fetch(client, request_to(upstream)) == b"xxx"

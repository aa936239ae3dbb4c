"""HTTP/1.1 at the doors as the socket sees it: what clients and proxies do that SDKs do not, on both ways in."""

import asyncio
import json
from contextlib import suppress

import pytest
import pytest_asyncio

from airouter.api import hot
from tests.gateway.wires import connected, of_length, request, text_of
from tests.live import Holder, Live

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(house: Live) -> Holder:
    return await house.holder()


@pytest.fixture
def is_hot(request: pytest.FixtureRequest) -> bool:
    return request.node.callspec.params["house"] == "hot"


async def test_a_connection_is_kept_for_the_next_call(house: Live, holder: Holder):
    async with connected(house) as wire:
        for text in ("one", "two", "three"):
            await wire.say(request(holder, script={"text": text}))
            status, headers, body = await wire.hear()
            assert (status, text_of(body)) == (200, text)
            assert headers.get("connection") != "close"


async def test_a_request_may_come_byte_by_byte(house: Live, holder: Holder):
    async with connected(house) as wire:
        await wire.say(*(bytes([byte]) for byte in request(holder, script={"text": "slow"})))
        assert text_of((await wire.hear())[2]) == "slow"


async def test_a_body_may_come_in_chunks(house: Live, holder: Holder):
    head, _, body = request(holder, script={"text": "chunked"}).partition(b"\r\n\r\n")
    head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
    async with connected(house) as wire:
        await wire.say(
            head + b"\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"5\r\n%b\r\n" % body[:5],
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) - 5, body[5:]),
        )
        assert text_of((await wire.hear())[2]) == "chunked"


async def test_pipelined_requests_are_answered_in_their_order(house: Live, holder: Holder):
    slow = request(holder, script={"text": "first", "first_delay_ms": 200})
    async with connected(house) as wire:
        await wire.say(slow + request(holder, script={"text": "second"}) + request(holder, script={"text": "third"}))
        assert [text_of((await wire.hear())[2]) for _ in range(3)] == ["first", "second", "third"]


async def test_a_client_that_asks_whether_to_go_on_is_told(house: Live, holder: Holder):
    head, _, body = request(holder, "Expect: 100-continue", script={"text": "went on"}).partition(b"\r\n\r\n")
    async with connected(house) as wire:
        await wire.say(head + b"\r\n\r\n")
        assert (await wire.hear())[0] == 100
        await wire.say(body)
        assert text_of((await wire.hear())[2]) == "went on"


async def test_connection_close_is_obeyed(house: Live, holder: Holder):
    async with connected(house) as wire:
        await wire.say(request(holder, "Connection: close"))
        status, headers, _ = await wire.hear()
        assert (status, headers["connection"]) == (200, "close")
        assert await wire.is_closed()


async def test_an_http_1_0_client_gets_a_whole_answer_and_the_end_of_the_connection(house: Live, holder: Holder):
    async with connected(house) as wire:
        await wire.say(request(holder, version="1.0", script={"text": "old"}))
        status, headers, body = await wire.hear()
        assert (status, text_of(body)) == (200, "old")
        assert headers["connection"] == "close"
        assert await wire.is_closed()


async def test_a_body_over_the_limit_is_refused_before_it_has_all_come(house: Live, holder: Holder):
    async with connected(house) as wire:
        piece = b"f4240\r\n%b\r\n" % (b" " * 1_000_000)
        await wire.say(of_length(holder, b"Transfer-Encoding: chunked"), *[piece] * 39)
        status, _, body = await wire.hear()
        assert (status, json.loads(body)["error"]["code"]) == (413, "body_too_large")
        await wire.say(b"0\r\n\r\n")
        await wire.say(request(holder))
        assert (await wire.hear())[0] == 200


async def test_a_body_that_says_itself_that_it_is_too_large_is_not_waited_for(
    house: Live, holder: Holder, *, is_hot: bool
):
    async with connected(house) as wire:
        await wire.say(of_length(holder, b"Content-Length: 40000000"))
        status, headers, body = await wire.hear()
        assert (status, json.loads(body)["error"]["code"]) == (413, "body_too_large")
        if is_hot:
            assert headers["connection"] == "close"
            await wire.say(*[b" " * 1_000_000] * 3)
            assert await wire.is_closed()


async def test_a_connection_without_a_request_is_given_up(
    house: Live, holder: Holder, monkeypatch: pytest.MonkeyPatch, *, is_hot: bool
):
    if not is_hot:
        return
    monkeypatch.setattr(hot, "_LOOK_SECONDS", 0.02)
    for said, is_second in ((b"", False), (b"POST /v1/chat", False), (b"POST /v1/chat", True)):
        monkeypatch.setattr(hot, "ARRIVAL_SECONDS_MAX", 60)
        async with connected(house) as wire:
            if is_second:
                await wire.say(request(holder))
                assert (await wire.hear())[0] == 200
            await wire.say(said)
            monkeypatch.setattr(hot, "ARRIVAL_SECONDS_MAX", 0.1)
            with suppress(ConnectionResetError):
                assert await wire.is_closed()


async def test_a_query_and_a_slash_at_the_end_mean_the_same_door(house: Live, holder: Holder):
    async with connected(house) as wire:
        for path in (b"/v1/chat/completions?beta=true", b"/v1/chat/completions/"):
            await wire.say(request(holder).replace(b"/v1/chat/completions", path))
            assert (await wire.hear())[0] == 200


async def test_a_refusal_leaves_the_connection_usable(house: Live, holder: Holder):
    async with connected(house) as wire:
        await wire.say(request(holder).replace(holder.key.encode(), b"sk-air-wrong"))
        assert (await wire.hear())[0] == 401
        await wire.say(request(holder))
        assert (await wire.hear())[0] == 200
        await wire.say(
            b"GET /v1/models HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %b\r\n\r\n" % holder.key.encode()
        )
        assert (await wire.hear())[0] == 200


async def test_half_a_request_costs_nothing_and_hurts_nobody(house: Live):
    holder = await house.holder()  # of its own: charges of calls before may be on their way
    before = await house.balance(holder)
    async with connected(house) as wire:
        await wire.say(request(holder)[:-10])
    async with connected(house) as wire:
        await wire.say(b"POST /v1/chat/completions HTTP/1.1\r\nHost gateway\r\n\r\n")
        assert (await wire.hear())[0] == 400
    await asyncio.sleep(0.1)
    assert await house.balance(holder) == before


async def test_a_stream_is_framed_in_chunks_and_the_connection_goes_on(house: Live, holder: Holder):
    async with connected(house) as wire:
        await wire.say(request(holder, stream=True, script={"text": "a b c", "chunks": 3, "chunk_delay_ms": 20}))
        status, headers, body = await wire.hear()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        assert body.endswith(b"data: [DONE]\n\n")
        await wire.say(request(holder))
        assert (await wire.hear())[0] == 200

"""Requests that are odd, late or never whole, at both ways into a door: what each is answered, and that none of them
costs anything that was not asked for.
"""

import gzip
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from airouter.api import arrivals, hot
from airouter.domain.policy import Limits
from tests.gateway import wires
from tests.gateway.wires import connected, of_length, text_of
from tests.live import Holder, Live
from tests.patience import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY_BYTES_MAX = 50_000
JSON = b'{"model":"demo","messages":[{"role":"user","content":"hello"}]}'
ZIPPED = gzip.compress(JSON)
CHUNKED = b"Transfer-Encoding: chunked"
BY_THE_SERVER = "Invalid HTTP request received."
"""What cannot be told to be a call has no dialect."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(house: Live) -> AsyncIterator[Holder]:
    await house.policy(Limits(body_bytes_max=BODY_BYTES_MAX))
    yield await house.holder()


@pytest.fixture
def is_hot(request: pytest.FixtureRequest) -> bool:
    return request.node.callspec.params["house"] == "hot"


def sized(body: bytes, *headers: bytes) -> tuple[bytes, bytes]:
    """Framing and body of a request that states its length."""
    return b"\r\n".join((b"Content-Length: %d" % len(body), *headers)), body


ODD: dict[str, tuple[bytes, bytes, int, str]] = {
    "a chunk without a size": (CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n", 400, BY_THE_SERVER),
    "a length and chunks": (CHUNKED + b"\r\nContent-Length: 5", b"5\r\nhello\r\n0\r\n\r\n", 400, BY_THE_SERVER),
    "two lengths": (b"Content-Length: 5\r\nContent-Length: 6", b"hello!", 400, BY_THE_SERVER),
    "a length below zero": (b"Content-Length: -5", b"", 400, BY_THE_SERVER),
    "a length that no number holds": (b"Content-Length: " + b"9" * 40, b"", 400, BY_THE_SERVER),
    "a coding that is not chunks": (b"Transfer-Encoding: gzip", ZIPPED, 400, BY_THE_SERVER),
    "no body": (b"Content-Length: 0", b"", 400, "invalid_request"),
    "neither a length nor a body": (b"X-Nothing: more", b"", 400, "invalid_request"),
    "half a document": (*sized(JSON[:30]), 400, "invalid_request"),
    "bytes that are no text": (*sized(b'{"model":"\xff\xfe"}'), 400, "invalid_request"),
    "a compressed body": (*sized(ZIPPED, b"Content-Encoding: gzip"), 415, "unsupported_media_type"),
    "chunks beyond the limit": (CHUNKED, b"ea60\r\n%b\r\n0\r\n\r\n" % (b" " * 60_000), 413, "body_too_large"),
    "a body beyond the limit": (*sized(b" " * 60_000), 413, "body_too_large"),
    "a length beyond the limit": (b"Content-Length: 60000", b"", 413, "body_too_large"),
    "a length beyond the limit of who waits": (
        b"Content-Length: 60000\r\nExpect: 100-continue",
        b"",
        413,
        "body_too_large",
    ),
    "an expectation of no known kind": (*sized(JSON, b"Expect: miracles"), 200, ""),
    "a body that says what nobody asked": (*sized(JSON, b"Content-Type: text/plain"), 200, ""),
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_request_has_the_same_answer_at_both_ways_in(house: Live, holder: Holder, odd: str):
    framing, body, status, code = ODD[odd]
    async with connected(house) as wire:
        await wire.say(of_length(holder, framing) + body)
        got, headers, said = await wire.hear()
        assert got == status, said
        if code == BY_THE_SERVER:
            assert (said.decode(), headers["connection"]) == (code, "close")
            assert await wire.is_closed()
        elif code:
            assert json.loads(said)["error"]["code"] == code
            assert headers["x-request-id"]


async def test_what_is_too_large_is_said_in_the_same_words_at_both_ways_in(house: Live, holder: Holder):
    async with connected(house) as wire:
        await wire.say(of_length(holder, b"Content-Length: 60000"))
        error = json.loads((await wire.hear())[2])["error"]
    assert error["message"] == f"The request body is larger than {BODY_BYTES_MAX} bytes."


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_told_which_one_is_taken(house: Live, holder: Holder, method: str):
    async with connected(house) as wire:
        for _ in range(2):  # and the connection goes on
            await wire.say(wires.request(holder).replace(b"POST", method.encode(), 1))
            status, headers, said = await wire.hear(has_body=method != "HEAD")
            assert (status, headers["allow"]) == (405, "POST")
            assert (method == "HEAD") == (said == b"")


async def test_a_browser_that_asks_first_is_let_in(house: Live, holder: Holder):
    asked = wires.request(holder, "Origin: https://app.test", "Access-Control-Request-Method: POST")
    async with connected(house) as wire:
        await wire.say(asked.replace(b"POST /", b"OPTIONS /", 1))
        status, headers, _ = await wire.hear()
        assert (status, headers["access-control-allow-origin"]) == (204, "*")


async def test_who_asks_whether_to_go_on_is_told_once_and_not_when_the_body_is_there(house: Live, holder: Holder):
    head, _, body = wires.request(holder, "Expect: 100-continue", script={"text": "on"}).partition(b"\r\n\r\n")
    async with connected(house) as wire:
        for _ in range(2):
            await wire.say(head + b"\r\n\r\n")
            assert (await wire.hear())[0] == 100
            await wire.say(body[:5], body[5:])
            assert text_of((await wire.hear())[2]) == "on"


async def test_a_wish_for_another_protocol_does_not_cost_the_request_its_body(
    house: Live, holder: Holder, *, is_hot: bool
):
    """Java's client sends such a wish with its first request. (A server that is not ours has its own way with it.)"""
    if not is_hot:
        return
    for wish in ("Connection: Upgrade, HTTP2-Settings", "Connection: upgrade"):
        asked = wires.request(holder, wish, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", script={"text": "same"})
        head, _, body = asked.partition(b"\r\n\r\n")
        async with connected(house) as wire:
            for pieces in ((asked,), (head + b"\r\n\r\n", body), (head[:40], head[40:], b"\r\n\r\n" + body), (asked,)):
                await wire.say(*pieces)
                status, headers, said = await wire.hear()
                assert (status, text_of(said)) == (200, "same")
                assert "upgrade" not in headers
            await wire.say(asked + wires.request(holder, script={"text": "next"}))
            assert [text_of((await wire.hear())[2]) for _ in range(2)] == ["same", "next"]
    async with connected(house) as wire:
        await wire.say(wires.request(holder, "Connection: upgrade, close", "Upgrade: websocket"))
        status, headers, _ = await wire.hear()
        assert (status, headers["connection"]) == (200, "close")
        assert await wire.is_closed()
    async with connected(house) as wire:
        await wire.say(b"GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert (await wire.hear())[0] == 401
        await wire.say(b"CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n")
        assert (await wire.hear())[0] in {400, 404, 405}


def _soon(monkeypatch: pytest.MonkeyPatch, *, is_at_door: bool = True) -> None:
    """No request may take longer than a moment from when its head is there: whoever has not even said that is cut off
    without a word. What is at no door goes through ASGI in any case; there the server closes what is idle.
    """
    monkeypatch.setattr(arrivals, "ARRIVAL_SECONDS_MAX", 0.1)
    on_response_complete = HttpToolsProtocol.on_response_complete

    def soon_idle(protocol: HttpToolsProtocol) -> None:
        if not isinstance(protocol, hot.HotProtocol):
            protocol.timeout_keep_alive = 0
        on_response_complete(protocol)

    monkeypatch.setattr(HttpToolsProtocol, "on_response_complete", soon_idle)
    if not is_at_door:
        return
    on_headers_complete = hot.HotProtocol.on_headers_complete

    def noting(protocol: hot.HotProtocol) -> None:
        on_headers_complete(protocol)
        monkeypatch.setattr(hot, "ARRIVAL_SECONDS_MAX", 0.1)

    monkeypatch.setattr(hot.HotProtocol, "on_headers_complete", noting)
    monkeypatch.setattr(hot, "_LOOK_SECONDS", 0.05)


HALF: dict[str, tuple[bytes, bytes]] = {
    "a body that stops half-way": (b"Content-Length: 900", JSON[:30]),
    "a body that never begins": (b"Content-Length: 900", b""),
    "a body shorter than it says": (b"Content-Length: 900", JSON),
    "chunks that stop": (CHUNKED, b"5\r\n%b\r\n" % JSON[:5]),
    "chunks without an end": (CHUNKED, b"%x\r\n%b\r\n" % (len(JSON), JSON)),
}


@pytest.mark.parametrize("half", HALF)
async def test_a_request_that_does_not_come_in_is_told_so_and_given_up(
    house: Live, holder: Holder, monkeypatch: pytest.MonkeyPatch, half: str
):
    framing, body = HALF[half]
    _soon(monkeypatch)
    async with connected(house) as wire:
        await wire.say(of_length(holder, framing) + body)
        status, headers, said = await wire.hear()
        error = json.loads(said)["error"]
        assert (status, error["code"]) == (408, "request_timeout")
        assert error["message"] == "The request did not come in within 0.1 seconds."
        assert headers["x-request-id"]
        assert await wire.is_closed()


async def test_who_was_told_to_go_on_and_does_not_is_given_up(
    house: Live, holder: Holder, monkeypatch: pytest.MonkeyPatch
):
    _soon(monkeypatch)
    async with connected(house) as wire:
        await wire.say(of_length(holder, b"Content-Length: 900\r\nExpect: 100-continue"))
        assert [(await wire.hear())[0] for _ in range(2)] == [100, 408]


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/messages", {"type": "timeout_error"}),
        ("/v1beta/models/demo:generateContent", {"code": 408, "status": "DEADLINE_EXCEEDED"}),
        ("/v1/conversations", {"code": "request_timeout"}),
    ],
)
async def test_it_is_told_in_the_dialect_of_the_door(
    house: Live, holder: Holder, monkeypatch: pytest.MonkeyPatch, path: str, shape: dict[str, object]
):
    _soon(monkeypatch, is_at_door=path != "/v1/conversations")
    async with connected(house) as wire:
        await wire.say(of_length(holder, b"Content-Length: 900").replace(b"/v1/chat/completions", path.encode(), 1))
        status, _, said = await wire.hear()
        assert status == 408
        assert shape.items() <= json.loads(said)["error"].items()


async def test_the_management_api_waits_no_longer(house: Live, monkeypatch: pytest.MonkeyPatch):
    _soon(monkeypatch, is_at_door=False)
    async with connected(house) as wire:
        await wire.say(
            b"POST /api/v1/auth/login HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            b"Content-Length: 900\r\n\r\n{"
        )
        status, headers, said = await wire.hear()
        assert (status, headers["content-type"]) == (408, "application/problem+json")
        problem = json.loads(said)
        assert (problem["code"], problem["limit_seconds"]) == ("request_timeout", 0.1)


async def test_an_answer_may_take_longer_than_a_request(house: Live, holder: Holder, monkeypatch: pytest.MonkeyPatch):
    _soon(monkeypatch)
    async with connected(house) as wire:
        await wire.say(wires.request(holder, script={"text": "late", "first_delay_ms": 400}))
        assert text_of((await wire.hear())[2]) == "late"


@pytest.mark.parametrize("half", HALF)
async def test_half_a_request_is_never_run(house: Live, monkeypatch: pytest.MonkeyPatch, half: str):
    """Not even one whose JSON is whole: its client may have meant to say more."""
    framing, body = HALF[half]
    lost: list[HttpToolsProtocol] = []
    is_lost = HttpToolsProtocol.connection_lost

    def noting(protocol: HttpToolsProtocol, error: Exception | None) -> None:
        is_lost(protocol, error)
        lost.append(protocol)

    monkeypatch.setattr(HttpToolsProtocol, "connection_lost", noting)
    stranger = await house.holder()
    async with connected(house) as wire:
        await wire.say(of_length(stranger, framing) + body)
        client = wire.name

    async def is_over() -> bool:
        return any(one.client == client and not one.tasks for one in lost)

    await until(is_over)
    async with connected(house) as wire:  # what was begun before this is in the books before it
        await wire.say(wires.request(stranger))
        _, headers, _ = await wire.hear()
    await house.record(headers["x-request-id"])
    rows = await house.sql("SELECT request_id FROM usage_records WHERE key_id = $1", stranger.key_id)
    assert [str(row["request_id"]) for row in rows] == [headers["x-request-id"]]

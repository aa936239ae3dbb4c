"""Every fault of a provider x every dialect x whole or streamed x before or after the first byte (guarantee G12): the
client is told in its own dialect, pays nothing or what was reported, and nothing is left behind.
"""

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from airouter.domain.policy import Network, Routing
from airouter.world import now
from tests import postgres
from tests.audit import audit_books
from tests.gateway.test_client_gone import ASKED, SAME, SPOKEN, price
from tests.live import Holder, Live, serving
from tests.patience import until
from tests.ports import kept_port
from tests.upstream.server import Line, Upstream, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = [
    *SAME,
    ("chat", "anthropic"),
    ("responses", "chat"),
    ("messages", "gemini"),
    ("gemini events", "chat"),
]
"""The client's dialect, and the provider's."""
_SPENT = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
_SAID = {"type": "output_text", "text": "some words", "annotations": []}
ANSWERS: dict[str, dict[str, Any]] = {
    "chat": {
        "id": "c",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "some words"}, "finish_reason": "stop"}],
        "usage": _SPENT,
    },
    "completions": {
        "id": "c",
        "object": "text_completion",
        "choices": [{"index": 0, "text": "some words", "finish_reason": "stop"}],
        "usage": _SPENT,
    },
    "responses": {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [_SAID]}],
        "usage": {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12},
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "theirs",
        "content": [{"type": "text", "text": "some words"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 5, "output_tokens": 7},
    },
    "gemini": {
        "candidates": [
            {"index": 0, "content": {"role": "model", "parts": [{"text": "some words"}]}, "finishReason": "STOP"}
        ],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
    },
}
ERRORS: dict[str, dict[str, Any]] = {
    "chat": {"error": {"message": "it broke", "code": 503}},
    "completions": {"error": {"message": "it broke", "code": 503}},
    "responses": {"type": "error", "code": "server_error", "message": "it broke"},
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "it broke"}},
    "gemini": {"error": {"code": 503, "status": "UNAVAILABLE", "message": "it broke"}},
}


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One call: the client's dialect, the provider's, and whether the answer is a stream."""

    mine: str
    theirs: str
    is_streaming: bool

    @property
    def media_type(self) -> bytes:
        return b"text/event-stream" if self.is_streaming else b"application/json"

    @property
    def body(self) -> bytes:
        """A good answer."""
        spoken = SPOKEN[self.theirs]
        return spoken.begins + spoken.ends if self.is_streaming else json.dumps(ANSWERS[self.theirs]).encode()

    def head(self, *headers: bytes, status: bytes = b"200 OK") -> bytes:
        lines = (b"HTTP/1.1 " + status, b"Content-Type: " + self.media_type, *headers)
        return b"\r\n".join(lines) + b"\r\n\r\n"


Fault = Callable[[Line, Cell], Awaitable[None]]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a fault before the first byte comes to. `standing`: what is known of whom afterwards."""

    fault: Fault
    reason: str
    status: int = 502
    code: str = "upstream_failed"
    standing: str | None = "watched"


def refuses(line_says: bytes, *headers: bytes, body: bytes = b"{}", **told: Any) -> Told:
    async def fault(line: Line, cell: Cell) -> None:
        await line.raw(cell.head(b"Content-Length: %d" % len(body), *headers, status=line_says) + body)

    return Told(fault=fault, **told)


def says(make: Callable[[Cell], bytes], *, ends: str = "close") -> Fault:
    """Sends what `make` makes, and then resets or closes the connection, says no more, or keeps it."""

    async def fault(line: Line, cell: Cell) -> None:
        await line.raw(make(cell))
        if ends == "reset":
            line.reset()
        elif ends == "close":
            await line.close()
        elif ends == "silence":
            await line.gone()

    return fault


def lengthy(body: bytes, length: int | None = None, *headers: bytes) -> Callable[[Cell], bytes]:
    """A body, and what is said of its length."""
    stated = b"Content-Length: %d" % (len(body) if length is None else length)
    return lambda cell: cell.head(stated, *headers) + body


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


HTML = b"<html><body>All is well</body></html>"
LIMITED: dict[str, Any] = {
    "reason": "limited",
    "status": 503,
    "code": "no_channel_available",
    "standing": "resting",
}
REJECTED: dict[str, Any] = {"code": "upstream_rejected"}
CHUNKS = b"Transfer-Encoding: chunked"


async def _drips_a_head(line: Line, _cell: Cell) -> None:
    while True:
        await line.raw(b"HTTP/1.1 200 OK\r\n" if not line.sent_bytes else b"X-More: %b\r\n" % (b"z" * 500))


async def _greets_without_end(line: Line, _cell: Cell) -> None:
    while True:
        await line.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


BEFORE: dict[str, Told] = {
    "reset before the head": Told(fault=says(lambda _: b"", ends="reset"), reason="broken_off"),
    "closed before the head": Told(fault=says(lambda _: b""), reason="broken_off"),
    "reset within the head": Told(fault=says(lambda cell: cell.head()[:30], ends="reset"), reason="broken_off"),
    "reset after the head": Told(fault=says(lambda cell: cell.head(CHUNKS), ends="reset"), reason="broken_off"),
    "cut within the first chunk": Told(
        fault=says(lambda cell: cell.head(CHUNKS) + b"ffff\r\n" + cell.body[:3]), reason="broken_off"
    ),
    "chunks that are none": Told(fault=says(lambda cell: cell.head(CHUNKS) + b"zz\r\n"), reason="broken_off"),
    "a head without end": Told(fault=_drips_a_head, reason="bad_answer"),
    "greetings without end": Told(fault=_greets_without_end, reason="bad_answer"),
    "one huge header": Told(fault=says(lambda cell: cell.head(b"X-Huge: " + b"z" * 99_000)), reason="bad_answer"),
    "a length that is too long": Told(
        fault=says(lambda cell: lengthy(cell.body[:5], 9_999)(cell)), reason="broken_off"
    ),
    "a length that is too short": Told(
        fault=says(lambda cell: lengthy(cell.body, 5)(cell), ends="keep"), reason="bad_answer or broken_off"
    ),
    "a redirect": refuses(b"302 Found", b"Location: http://127.0.0.1:1/", reason="channel", **REJECTED),
    "a redirect that keeps the method": refuses(
        b"307 Temporary Redirect", b"Location: http://127.0.0.1:1/", reason="channel", **REJECTED
    ),
    "status 401": refuses(b"401 Who", reason="credential", standing="resting", **REJECTED),
    "status 402": refuses(b"402 Pay", reason="funds", standing="resting", **REJECTED),
    "status 403": refuses(b"403 No", reason="credential or funds", standing="resting", **REJECTED),
    "status 429": refuses(b"429 Slow", **LIMITED),
    "status 429 for seconds": refuses(b"429 Slow", b"Retry-After: 70", **LIMITED),
    "status 500": refuses(b"500 Oops", reason="overloaded"),
    "status 529": refuses(b"529 Overloaded", reason="overloaded"),
    "a page": Told(
        fault=says(
            lambda _: b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(HTML) + HTML
        ),
        reason="bad_answer",
    ),
    "a page that is called an answer": Told(fault=says(lengthy(HTML)), reason="bad_answer or broken_off"),
    "a page with empty lines": Told(fault=says(lengthy(b"<html>\n\n<p>no\n\n")), reason="bad_answer or broken_off"),
    "half a first event": Told(
        fault=says(lambda cell: lengthy(cell.body.partition(b"\n\n")[0][:-2])(cell)),
        reason="bad_answer or broken_off",
    ),
    "truncated gzip": Told(
        fault=says(lambda cell: lengthy(gzip.compress(cell.body)[:-9], None, b"Content-Encoding: gzip")(cell)),
        reason="bad_answer",
    ),
    "bytes that are no text": Told(fault=says(lengthy(b'{"id":"\xff\xfe')), reason="bad_answer or broken_off"),
    "no content": refuses(b"204 No Content", body=b"", reason="bad_answer or broken_off"),
}


class House:
    """A gateway, and one provider who is played for all dialects."""

    def __init__(self, live: Live, upstream: Upstream, holder: Holder, client: httpx.AsyncClient) -> None:
        self.live = live
        self.upstream = upstream
        self.holder = holder
        self._client = client
        gateway: Any = live.app._house.open_doors().gateway
        self.relay = gateway._relay
        self.credit = gateway._credit

    def plays(self, cell: Cell, fault: Fault) -> None:
        async def script(line: Line) -> None:
            await fault(line, cell)

        self.upstream.script = script

    async def ask(self, cell: Cell, model: str | None = None) -> httpx.Response:
        async with self._asking(cell, model) as answer:
            await answer.aread()
        return answer

    def _asking(self, cell: Cell, model: str | None) -> AbstractAsyncContextManager[httpx.Response]:
        """Nothing is known against anybody before."""
        self.relay._health.keep(frozenset())
        path, body = ASKED[cell.mine]
        model = model or f"of-{cell.theirs}"
        if "gemini" not in cell.mine:
            body = {**body, "model": model, "stream": cell.is_streaming}
        elif not cell.is_streaming:
            path = "/v1beta/models/{model}:generateContent"
        headers = {"authorization": f"Bearer {self.holder.key}"}
        return self._client.stream("POST", path.format(model=model), json=body, headers=headers)

    async def watch(self, cell: Cell, model: str | None) -> tuple[int, httpx.Headers, bytes]:
        """A stream to its end, be it proper or not."""
        HAS_BEGUN.clear()
        body = b""
        async with self._asking(cell, model) as answer:
            async for piece in answer.aiter_raw():
                body += piece
                HAS_BEGUN.set()
        return answer.status_code, answer.headers, body

    @property
    def standings(self) -> set[str]:
        return {one.state for one in self.relay.health.view(self.relay._clock()).values()}

    async def assert_nothing_is_left(self) -> None:
        """No hold, and no connection but idle ones that both sides have."""

        async def is_nothing_left() -> bool:
            pools = self.relay._dispatch._client._pools.values()
            idle = [len(pool.idle) for pool in pools]
            is_busy = self.credit.figures().running or [pool.slots_taken for pool in pools] != idle
            return not is_busy and self.upstream.open == sum(idle)

        await until(is_nothing_left)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[House]:
    async def nobody(line: Line) -> None:
        await line.close()

    async with (
        postgres.cloned(postgres_server, template_database) as dsn,
        running(nobody) as upstream,
        running(nobody, greeting=b"220 mail.test ready\r\n") as mail,
        serving(dsn, tmp_path_factory.mktemp("home")) as live,
        httpx.AsyncClient(base_url=live.url) as client,
    ):
        await live.policy(Network(allow_private=True))
        # What is known of anybody stays known, however long it takes to look; and nobody is too slow to be reached.
        await live.policy(Routing(attempts_max=1, cool_down_seconds=300, connect_seconds=60))
        at = f"http://127.0.0.1:{upstream.port}"
        with kept_port() as unused:
            for dialect, spoken in SPOKEN.items():
                for model, address, options in (
                    (f"of-{dialect}", at, {}),
                    (f"silent-{dialect}", at, {"timeouts": {"idle_seconds": 1}}),
                    (f"nobody-{dialect}", f"http://127.0.0.1:{unused}", {}),
                    (f"nowhere-{dialect}", "http://nowhere.invalid", {}),
                    (f"plain-{dialect}", f"https://127.0.0.1:{mail.port}", {}),
                ):
                    await live.model(model)
                    await live.channel(
                        model,
                        provider=spoken.provider,
                        base_url=address + spoken.version,
                        models={model: "theirs"},
                        credentials=["sk-1"],
                        options=options,
                    )
            yield House(live, upstream, await live.holder(), client)
            await audit_books(dsn)


CELLS = [
    Cell(mine=mine, theirs=theirs, is_streaming=is_streaming)
    for mine, theirs in WAYS
    for is_streaming in (False, True)
    if is_streaming or mine != "gemini array"
]


def assert_told(cell: Cell, body: bytes, status: int, code: str) -> None:
    """In the client's own dialect."""
    said = json.loads(body)
    error = said["error"]
    assert error["message"]
    if cell.mine == "messages":
        kinds = {529: "overloaded_error", 504: "timeout_error"}
        assert (said["type"], error["type"]) == ("error", kinds.get(status, "api_error"))
    elif "gemini" in cell.mine:
        words = {503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
        assert (error["code"], error["status"]) == (status, words.get(status, "INTERNAL"))
    else:
        assert (error["code"], error["type"]) == (code, "server_error")


async def assert_free(house: House, cell: Cell, answer: httpx.Response, told: Told) -> None:
    status = 529 if (cell.mine, told.status) == ("messages", 503) else told.status
    assert answer.status_code == status, answer.text
    assert_told(cell, answer.content, status, told.code)
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["error"], record["charged"]) == ("failed", told.code, 0)
    assert (record["usage_source"], record["cost"], record["quantities"]) == ("none", 0, {})
    (attempt,) = record["attempts"]
    assert attempt["reason"] in told.reason.split(" or ")
    assert house.standings == ({told.standing} if told.standing else set())
    await house.assert_nothing_is_left()


@pytest.mark.parametrize("fault", BEFORE)
async def test_a_fault_before_the_first_byte_is_told_and_free(house: House, fault: str):
    told = BEFORE[fault]
    for cell in CELLS:
        house.plays(cell, told.fault)
        asked = len(house.upstream.received)
        await assert_free(house, cell, await house.ask(cell), told)
        assert len(house.upstream.received) == asked + 1, "asked once, and nobody else"


@pytest.mark.parametrize(
    ("where", "reason"),
    [("nobody", "connect_failed"), ("nowhere", "connect_failed"), ("plain", "tls_failed")],
)
async def test_a_provider_who_cannot_be_reached_is_told_and_free(
    house: House, monkeypatch: pytest.MonkeyPatch, where: str, reason: str
):
    loop = asyncio.get_running_loop()
    found = loop.getaddrinfo

    async def look_up(host: Any, *more: Any, **options: Any) -> Any:  # how long a real one takes is not ours to say
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return await found(host, *more, **options)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    for cell in CELLS:
        told = Told(fault=says(lambda _: b""), reason=reason)
        await assert_free(house, cell, await house.ask(cell, f"{where}-{cell.theirs}"), told)


@pytest.mark.parametrize("date", [True, False], ids=["a date", "seconds"])
async def test_a_pause_that_a_provider_asks_for_is_passed_on(house: House, *, date: bool):
    for cell in CELLS:
        wait = format_datetime(now() + timedelta(seconds=40), usegmt=True) if date else "40"
        told = refuses(b"429 Slow", b"Retry-After: " + wait.encode(), **LIMITED)
        house.plays(cell, told.fault)
        answer = await house.ask(cell)
        await assert_free(house, cell, answer, told)
        assert 1 <= int(answer.headers["retry-after"]) <= 40
        assert date or answer.headers["retry-after"] == "40"


# -- after the first byte


def begun(then: Callable[[Cell], bytes], *, ends: str = "close") -> Fault:
    """The beginning of a stream, and when the client has it, something else."""

    async def fault(line: Line, cell: Cell) -> None:
        await line.raw(cell.head(CHUNKS) + chunked(SPOKEN[cell.theirs].begins))
        await HAS_BEGUN.wait()
        await says(then, ends=ends)(line, cell)

    return fault


HAS_BEGUN = asyncio.Event()
"""The client of the only call under way has seen some of its answer."""
END = b"0\r\n\r\n"


def said_as_event(cell: Cell) -> bytes:
    error = ERRORS[cell.theirs]
    kind = f"event: {error['type']}\n".encode() if "type" in error else b""
    return kind + b"data: " + json.dumps(error).encode() + b"\n\n"


AFTER: dict[str, Fault] = {
    "a reset": begun(lambda _: b"", ends="reset"),
    "a close": begun(lambda _: b""),
    "a cut chunk": begun(lambda _: b"ff\r\ndata: "),
    "a chunk that is none": begun(lambda _: b"zz\r\n"),
    "an end too early": begun(lambda _: END, ends="keep"),
    "an error of its own": begun(lambda cell: chunked(said_as_event(cell)) + END, ends="keep"),
    "a page": begun(lambda _: chunked(HTML) + END, ends="keep"),
    "half an event": begun(lambda _: chunked(b'data: {"half":') + END, ends="keep"),
    "bytes that are no text": begun(lambda _: chunked(b"data: \xff\xfe\n\n") + END, ends="keep"),
    "an event without end": begun(lambda _: chunked(b"data: " + b"z" * 9_000_000) + END, ends="keep"),
    "silence": begun(lambda _: b"", ends="silence"),
}


@pytest.mark.parametrize("fault", AFTER)
async def test_a_fault_after_the_first_byte_is_told_within_the_stream_and_costs_what_was_reported(
    house: House, fault: str
):
    for cell in CELLS:
        if not cell.is_streaming:
            continue
        house.plays(cell, AFTER[fault])
        is_silent = fault == "silence"
        status, headers, body = await house.watch(cell, f"silent-{cell.theirs}" if is_silent else None)
        assert status == 200, body
        assert b"some words" in body
        assert b"rror" in body
        assert b"[DONE]" not in body
        if cell.mine == "gemini array":
            assert "error" in json.loads(b"[" + body.rpartition(b",\r\n")[2])[-1]
        record = await house.live.record(headers["x-request-id"])
        code = "upstream_timeout" if is_silent else "upstream_failed"
        assert (record["status"], record["error"]) == ("partial", code), (cell, fault)
        so_far = SPOKEN[cell.theirs].so_far
        cost = 0 if so_far is None else price(*so_far)
        assert record["charged"] == record["cost"] == cost, (cell, fault)
        assert record["usage_source"] == ("none" if so_far is None else "provider_partial")
        assert house.standings == {"watched"}
        await house.assert_nothing_is_left()


# -- odd, and no fault


def slowly(make: Callable[[Cell], bytes]) -> Fault:
    async def fault(line: Line, cell: Cell) -> None:
        for byte in make(cell):
            await line.raw(bytes([byte]))
            await asyncio.sleep(0)

    return fault


def plainly(make: Callable[[Cell], bytes]) -> Fault:
    async def fault(line: Line, cell: Cell) -> None:
        await line.raw(make(cell))

    return fault


ODD: dict[str, Fault] = {
    "greetings before the head": plainly(
        lambda cell: b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 3 + lengthy(cell.body)(cell)
    ),
    "chunks with extensions and trailers": plainly(
        lambda cell: (
            cell.head(CHUNKS) + b"%x;name=value\r\n%b\r\n0;last\r\nX-Trailer: yes\r\n\r\n" % (len(cell.body), cell.body)
        )
    ),
    "byte by byte": slowly(lambda cell: lengthy(cell.body)(cell)),
    "byte by byte in chunks": plainly(
        lambda cell: cell.head(CHUNKS) + b"".join(chunked(bytes([byte])) for byte in cell.body) + END
    ),
    "an end that is the connection's": says(lambda cell: cell.head(b"Connection: close") + cell.body),
    "headers of many kinds": plainly(
        lambda cell: lengthy(cell.body, None, *(b"X-%d: %b" % (n, b"z" * 100) for n in range(200)))(cell)
    ),
}


@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_answer_is_an_answer(house: House, odd: str):
    for cell in CELLS:
        house.plays(cell, ODD[odd])
        answer = await house.ask(cell)
        assert answer.status_code == 200, answer.text
        assert b"some words" in answer.content
        record = await house.live.record(answer.headers["x-request-id"])
        assert (record["status"], record["error"], record["usage_source"]) == ("ok", None, "provider")
        assert record["charged"] == record["cost"] == price(5, 7)
        assert house.standings == set()
        await house.assert_nothing_is_left()

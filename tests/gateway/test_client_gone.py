"""A client that leaves in the middle of a stream is neither let off nor overcharged (guarantee G7): in every dialect,
passed through and translated, at both ways in, whatever the channel does about it.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from airouter.api.doors.asgi import AsgiExchange, answered
from airouter.api.hot import HotCall
from airouter.domain.policy import Limits, Network
from airouter.gateway.door import DOORS, Found
from airouter.world import new_id
from tests.gateway import wires
from tests.live import RATES, Holder, Live
from tests.patience import PATIENCE_SECONDS, until
from tests.upstream.server import Line, Script, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


def events(*datas: dict[str, Any] | str) -> bytes:
    """Server-sent events; those with a type are named by it."""
    said = []
    for data in datas:
        kind = data.get("type") if isinstance(data, dict) else None
        text = data if isinstance(data, str) else json.dumps(data)
        said.append((f"event: {kind}\n" if kind else "") + f"data: {text}\n\n")
    return "".join(said).encode()


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as a provider speaks it: 5 tokens in, 7 out. `so_far` is what it has reported with its beginning."""

    provider: str
    version: str
    begins: bytes
    ends: bytes
    so_far: tuple[int, int] | None = None
    tells_output: bool = True
    """What it has reported of the output is what it wrote so far."""


def _response(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "theirs", "status": status, "output": [], **more}


_ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
_TEXT = {"type": "output_text", "text": "", "annotations": []}
_AT = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_SPENT = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def _gemini(text: str, written: int, **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **more}],
        "usageMetadata": {
            "promptTokenCount": 5,
            "candidatesTokenCount": written,
            "totalTokenCount": 5 + written,
        },
    }


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "theirs", "choices": [choice]}


def _text(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"id": "c", "object": "text_completion", "choices": [{"index": 0, "text": text, "finish_reason": finish}]}


SPOKEN = {
    "chat": Spoken(
        provider="openai-compatible",
        version="/v1",
        begins=events(_chunk({"role": "assistant", "content": "some words"})),
        ends=events(_chunk({}, "stop"), {**_chunk({}), "choices": [], "usage": _SPENT}, "[DONE]"),
    ),
    "completions": Spoken(
        provider="openai-compatible",
        version="/v1",
        begins=events(_text("some words")),
        ends=events(_text("", "stop"), {**_text(""), "choices": [], "usage": _SPENT}, "[DONE]"),
    ),
    "responses": Spoken(
        provider="openai",
        version="/v1",
        begins=events(
            {"type": "response.created", "sequence_number": 0, "response": _response("in_progress")},
            {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": _ITEM},
            {"type": "response.content_part.added", "sequence_number": 2, **_AT, "part": _TEXT},
            {"type": "response.output_text.delta", "sequence_number": 3, **_AT, "delta": "some words"},
        ),
        ends=events(
            {
                "type": "response.completed",
                "sequence_number": 4,
                "response": _response("completed", usage={"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}),
            }
        ),
    ),
    "anthropic": Spoken(
        provider="anthropic",
        version="",
        begins=events(
            {
                "type": "message_start",
                "message": {
                    "id": "msg_1",
                    "type": "message",
                    "role": "assistant",
                    "model": "theirs",
                    "content": [],
                    "usage": {"input_tokens": 5, "output_tokens": 1},
                },
            },
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "some words"}},
        ),
        ends=events(
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
            {"type": "message_stop"},
        ),
        so_far=(5, 1),
        tells_output=False,
    ),
    "gemini": Spoken(
        provider="gemini",
        version="",
        begins=events(_gemini("some words", 2)),
        ends=events(_gemini("", 7, finishReason="STOP")),
        so_far=(5, 2),
    ),
}
"""By the dialect."""
_MESSAGES = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100}
_CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {**_MESSAGES, "stream": True}),
    "completions": ("/v1/completions", {"prompt": "hello", "stream": True}),
    "responses": ("/v1/responses", {"input": "hello", "stream": True}),
    "messages": ("/v1/messages", {**_MESSAGES, "stream": True}),
    "gemini events": ("/v1beta/models/{model}:streamGenerateContent?alt=sse", _CONTENTS),
    "gemini array": ("/v1beta/models/{model}:streamGenerateContent", _CONTENTS),
}
"""By the client's dialect."""
SAME = [
    ("chat", "chat"),
    ("completions", "completions"),
    ("responses", "responses"),
    ("messages", "anthropic"),
    ("gemini events", "gemini"),
    ("gemini array", "gemini"),
]
WAYS = [
    *SAME,
    ("chat", "anthropic"),
    ("chat", "gemini"),
    ("responses", "chat"),
    ("responses", "gemini"),
    ("messages", "chat"),
    ("messages", "gemini"),
    ("gemini events", "chat"),
    ("gemini array", "anthropic"),
]
"""The client's dialect, and the provider's: the same, and others."""


class Leaving:
    """A model with a channel of its own, and what is known of the client and of the provider meanwhile."""

    def __init__(self, house: Live, model: str, holder: Holder) -> None:
        self.house = house
        self.model = model
        self.holder = holder
        self.left = asyncio.Event()
        """The gateway knows that the client is gone."""
        self.was_cut = asyncio.Event()
        """The provider was told to stop."""

    async def record(self, asked: str) -> dict[str, Any]:
        """Of a call whose client leaves when it has seen the beginning of its answer."""
        path, body = ASKED[asked]
        body = body if "gemini" in asked else {**body, "model": self.model}
        url = self.house.url + path.format(model=self.model)
        headers = {"authorization": f"Bearer {self.holder.key}"}
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", url, headers=headers, json=body) as it,
        ):
            assert it.status_code == 200, await it.aread()
            seen = b""
            async for piece in it.aiter_raw():
                seen += piece
                if b"some words" in seen:
                    break
        await self.left.wait()
        return await self.house.record(it.headers["x-request-id"])


@asynccontextmanager
async def leaving(
    house: Live, patch: pytest.MonkeyPatch, spoken: Spoken, *, goes_on: bool, **options: Any
) -> AsyncGenerator[Leaving]:
    """`goes_on`: the provider finishes its answer once the client has left; else it says nothing more."""

    async def script(line: Line) -> None:
        await line.stream()
        await line.chunk(spoken.begins)
        await found.left.wait()
        if goes_on:
            await line.chunk(spoken.ends)
            await line.end()
        else:
            await line.gone()
            found.was_cut.set()

    async with asking(house, patch, spoken, script, **options) as found:
        yield found


@asynccontextmanager
async def asking(
    house: Live, patch: pytest.MonkeyPatch, spoken: Spoken, script: Script, **options: Any
) -> AsyncGenerator[Leaving]:
    """A model whose provider does as the script says."""
    async with running(script) as upstream:
        model = f"left-{new_id()}"
        await house.policy(Network(allow_private=True))
        await house.model(model)
        await house.channel(
            model,
            provider=spoken.provider,
            base_url=f"http://127.0.0.1:{upstream.port}{spoken.version}",
            models={model: "theirs"},
            credentials=["sk-1"],
            options=options,
        )
        found = Leaving(house, model, await house.holder())
        for kind in (HotCall, AsgiExchange):
            _tell(patch, kind, found.left.set)
        yield found


def _tell(patch: pytest.MonkeyPatch, kind: Any, told: Any) -> None:
    """Says when the pipeline hears from an exchange of this kind that its client is gone."""
    when_gone = kind.when_gone

    def noting(exchange: Any, act: Any) -> None:
        def gone() -> None:
            act()
            told()

        when_gone(exchange, gone)

    patch.setattr(kind, "when_gone", noting)


def price(tokens_in: int, tokens_out: int) -> int:
    return -(-(tokens_in * RATES["input"] + tokens_out * RATES["output"]) // 1_000_000) + RATES["request"]


def assert_charged_the_part(record: dict[str, Any], spoken: Spoken) -> None:
    """What the provider had reported of it; else what it had said, by estimate."""
    assert (record["status"], record["error"], record["charged"]) == ("cancelled", None, record["cost"])
    quantities = record["quantities"]
    if spoken.so_far is not None and spoken.tells_output:
        assert (record["usage_source"], record["cost"]) == ("provider_partial", price(*spoken.so_far))
    else:
        assert record["usage_source"] == "estimated"
        assert record["cost"] == price(quantities["input"], quantities["output"])
        assert spoken.so_far is None or quantities["input"] == spoken.so_far[0]
        assert quantities["output"] > 1
    assert 0 < quantities["output"] < 7


ways = pytest.mark.parametrize(("asked", "spoken"), WAYS, ids=[f"{mine} by {theirs}" for mine, theirs in WAYS])


@ways
async def test_who_leaves_pays_for_the_whole_answer_where_the_channel_lets_it_end(
    house: Live, monkeypatch: pytest.MonkeyPatch, asked: str, spoken: str
):
    async with leaving(house, monkeypatch, SPOKEN[spoken], goes_on=True) as call:
        record = await call.record(asked)
        assert (record["status"], record["usage_source"]) == ("cancelled", "provider")
        assert record["charged"] == record["cost"] == price(5, 7)
        assert (record["error"], record["is_streaming"]) == (None, True)


@ways
async def test_who_leaves_pays_for_the_part_where_the_channel_stops(
    house: Live, monkeypatch: pytest.MonkeyPatch, asked: str, spoken: str
):
    async with leaving(house, monkeypatch, SPOKEN[spoken], goes_on=False, on_disconnect="cancel") as call:
        assert_charged_the_part(await call.record(asked), SPOKEN[spoken])
        await call.was_cut.wait()


@ways
async def test_who_leaves_pays_for_the_part_where_the_answer_does_not_end_in_time(
    house: Live, monkeypatch: pytest.MonkeyPatch, asked: str, spoken: str
):
    await house.policy(Limits(drain_seconds=1))
    async with leaving(house, monkeypatch, SPOKEN[spoken], goes_on=False) as call:
        assert_charged_the_part(await call.record(asked), SPOKEN[spoken])
        await call.was_cut.wait()
    await house.policy(Limits())


async def test_who_leaves_with_another_request_in_the_line_has_left_as_well(
    house: Live, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    """It is noticed with the next that is written. The server's own protocol hears of it for the last request only, and
    writing for the first one fails on its event loop.
    """
    if request.node.callspec.params["house"] != "hot":
        return
    spoken = SPOKEN["anthropic"]

    async def goes_on(line: Line) -> None:
        await line.stream()
        await line.chunk(spoken.begins)
        try:
            while True:
                more = {"type": "text_delta", "text": " more"}
                await line.chunk(events({"type": "content_block_delta", "index": 0, "delta": more}))
                await asyncio.sleep(0.01)
        finally:
            call.was_cut.set()

    async with asking(house, monkeypatch, spoken, goes_on, on_disconnect="cancel") as call:
        asked = wires.request(call.holder, stream=True, model=call.model)
        async with wires.connected(house) as wire:
            await wire.say(asked, wires.request(call.holder), wires.request(call.holder))
            request_id = await wire.begun()
        record = await house.record(request_id)
        assert (record["status"], record["usage_source"]) == ("cancelled", "estimated")
        assert record["charged"] == record["cost"] == price(5, record["quantities"]["output"])
        await call.was_cut.wait()


@pytest.mark.parametrize("failure", [OSError("gone"), RuntimeError("the handler is closed")], ids=["says so", "uvloop"])
async def test_a_server_that_cannot_send_any_more_has_lost_its_client(failure: Exception):
    async def fails(_message: Any) -> None:
        raise failure

    told: list[bool] = []
    scope: dict[str, Any] = {"query_string": b"", "headers": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airouter.api.doors.asgi.arrival_of", lambda _scope: _Arrival())
        exchange = AsgiExchange(Found(door=DOORS[0]), scope, fails)
    exchange.when_gone(lambda: told.append(True))
    exchange.begin(500, (), b"first")
    for _ in range(40):
        exchange.write(b"more")
    delivery = asyncio.create_task(exchange.deliver())
    await exchange.drain()  # nobody waits for a reader that is gone
    assert (exchange.is_gone, told) == (True, [True])
    exchange.end()
    await delivery


async def test_a_call_that_ends_without_an_answer_because_its_client_left_ends_at_its_door_as_well():
    said = iter(({"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}))
    sent: list[Any] = []

    async def receive() -> Any:
        return next(said)

    async def send(message: Any) -> None:
        sent.append(message)

    async def is_given_up(exchange: AsgiExchange) -> None:
        await until(lambda: _is_gone(exchange))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airouter.api.doors.asgi.arrival_of", lambda _scope: _Arrival())
        exchange = AsgiExchange(Found(door=DOORS[0]), {"query_string": b"", "headers": []}, send)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await answered(exchange, is_given_up, 100, receive)
    assert sent == []


async def _is_gone(exchange: AsgiExchange) -> bool:
    return exchange.is_gone


class _Arrival:
    request_id = new_id()
    client_request_id = None
    address = "127.0.0.1"

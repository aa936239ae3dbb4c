"""Streams that end badly after the client has seen some of them: what it is told, what is charged, who is blamed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from airouter.domain.policy import Network, Routing
from tests.live import Holder, Live
from tests.upstream.server import Line, Script, Upstream, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID = b'data: {"choices":[{"index":0,"delta":{"content":"h"}}]}\n\n'
USED = b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}\n\n'
FAILED = b'data: {"error":{"message":"the model crashed","code":503}}\n\n'
DONE = b"data: [DONE]\n\n"
USED_COST = -(-(5 * 2_500_000_000 + 7 * 10_000_000_000) // 1_000_000) + 7
PATIENT = Routing(connect_seconds=60, failure_window_seconds=300, cool_down_seconds=300)
"""What is known against a channel stays known, however slow the machine."""


def streams(*pieces: bytes, is_reset: bool = False) -> Script:
    """Each piece after the first comes when the client has seen something."""

    async def script(line: Line) -> None:
        await line.stream()
        for n, piece in enumerate(pieces):
            if n:
                await has_begun.wait()
            await line.chunk(piece)
        if is_reset:
            line.reset()
        else:
            await line.end()

    return script


has_begun = asyncio.Event()
"""The client of the only call under way has seen some of its answer."""


class Asked:
    """A model of its own, with a channel to an upstream that does as it is told."""

    def __init__(self, house: Live, upstream: Upstream, model: str, holder: Holder, client: httpx.AsyncClient) -> None:
        self.house = house
        self.upstream = upstream
        self.model = model
        self._holder = holder
        self._client = client

    async def stream(self, **more: Any) -> tuple[int, bytes, dict[str, Any]]:
        """Status and body of the answer, and its record."""
        has_begun.clear()
        body = {"model": self.model, "messages": [{"role": "user", "content": "hello"}], "stream": True, **more}
        headers = {"authorization": f"Bearer {self._holder.key}"}
        url = self.house.url + "/v1/chat/completions"
        said = b""
        async with self._client.stream("POST", url, headers=headers, json=body) as answer:
            async for piece in answer.aiter_raw():
                said += piece
                has_begun.set()
        return answer.status_code, said, await self.house.record(answer.headers["x-request-id"])


@asynccontextmanager
async def asking(house: Live, script: Script, model: str) -> AsyncIterator[Asked]:
    async with running(script) as upstream, httpx.AsyncClient() as client:
        await house.policy(Network(allow_private=True))
        await house.policy(PATIENT)
        await house.model(model)
        await house.channel(
            f"{model} torn",
            provider="openai-compatible",
            base_url=f"http://127.0.0.1:{upstream.port}/v1",
            models=[model],
            credentials=["sk-1"],
            priority=1,
        )
        yield Asked(house, upstream, model, await house.holder(), client)


async def test_a_stream_that_just_ends_is_told_to_be_torn_and_charged_what_it_had_reported(house: Live):
    for name, pieces, cost in (("silent", (SAID,), 0), ("told", (SAID, USED), USED_COST)):
        async with asking(house, streams(*pieces), f"ends-{name}") as asked:
            status, said, record = await asked.stream()
            assert status == 200
            assert said.startswith(SAID)
            last = json.loads(said.strip().rpartition(b"data: ")[2])
            assert last["error"]["code"] == "upstream_failed"
            assert DONE not in said
            assert (record["status"], record["error"], record["cost"]) == ("partial", "upstream_failed", cost)


async def test_an_error_within_a_stream_is_passed_on_once_and_recorded(house: Live):
    async with asking(house, streams(SAID, FAILED), "fails-within") as asked:
        _, said, record = await asked.stream()
        assert said == SAID + FAILED
        assert (record["status"], record["error"], record["cost"]) == ("partial", "upstream_failed", 0)


async def test_what_cannot_be_read_as_a_stream_is_a_refusal_of_its_own_and_free(house: Live):
    async with asking(house, streams(b"<html>all is well</html>"), "no-stream") as asked:
        status, said, record = await asked.stream()
        assert status == 502
        assert json.loads(said)["error"]["code"] == "upstream_failed"
        assert (record["status"], record["cost"]) == ("failed", 0)


NO_EVENTS = {
    "a page": b"<html>all is well</html>",
    "a page with an empty line": b"<html>\n\n<p>all is well\n\n",
    "an error that is no event": b'{"error":"busy"}\n\n',
    "half an event": SAID[:-9],
}


@pytest.mark.parametrize("wants_usage", [True, False], ids=["with figures", "without"])
@pytest.mark.parametrize("begins", NO_EVENTS)
async def test_as_long_as_no_event_is_whole_another_channel_answers(house: Live, begins: str, *, wants_usage: bool):
    async with asking(house, streams(NO_EVENTS[begins]), f"{begins}-{wants_usage}".replace(" ", "-")) as asked:
        await house.channel(f"{asked.model} well", models=[asked.model])
        status, said, record = await asked.stream(stream_options={"include_usage": wants_usage})
        assert (status, said.endswith(DONE), record["status"]) == (200, True, "ok")
        assert [attempt.get("reason") for attempt in record["attempts"]] == ["broken_off", None]
        assert NO_EVENTS[begins] not in said


async def test_a_comment_reaches_who_waits_before_anything_is_said(house: Live):
    comment = b": the model thinks\n\n"
    async with asking(house, streams(comment, SAID + USED + DONE), "keeps-alive") as asked:
        status, said, record = await asked.stream(stream_options={"include_usage": True})
        assert (status, said) == (200, comment + SAID + USED + DONE)
        assert (record["status"], record["cost"]) == ("ok", USED_COST)


@pytest.mark.parametrize("pieces", [(SAID,), (SAID, FAILED)], ids=["just ends", "says an error"])
async def test_a_channel_whose_streams_do_not_come_to_their_end_is_left_alone(house: Live, pieces: tuple[bytes, ...]):
    async with asking(house, streams(*pieces), f"left-{len(pieces)}") as asked:
        await house.channel(f"{asked.model} well", models=[asked.model])
        for _ in range(6):
            await asked.stream()
        seen = len(asked.upstream.received)
        _, said, record = await asked.stream()
        assert (len(asked.upstream.received), record["status"]) == (seen, "ok")
        assert said.endswith(DONE)


async def test_a_connection_that_breaks_after_the_end_of_an_answer_is_nobodys_fault(house: Live):
    async with asking(house, streams(SAID, USED, DONE, is_reset=True), "breaks-late") as asked:
        await house.channel("breaks-late well", models=[asked.model])
        for n in range(12):
            _, said, record = await asked.stream()
            assert said.endswith(DONE)
            assert (record["status"], record["error"], record["cost"]) == ("ok", None, USED_COST)
            assert len(asked.upstream.received) == n + 1

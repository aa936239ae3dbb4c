"""Streams: nothing is held back, the meter sees what was reported, and leaving early is neither free nor dear."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import openai
import pytest

from airouter.domain.policy import Limits, Network
from airouter.upstream.dialer import Dialer
from tests.gateway.test_client_gone import SPOKEN, asking
from tests.live import RATES, Holder, Live
from tests.patience import until
from tests.upstream.server import Line, black_hole, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


def body(script: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    asked = {"model": "demo", "messages": [{"role": "user", "content": "hello"}], "stream": True, **more}
    return asked | ({"scripted": script} if script is not None else {})


@asynccontextmanager
async def streaming(house: Live, holder: Holder, asked: dict[str, Any]) -> AsyncIterator[httpx.Response]:
    async with (
        httpx.AsyncClient() as client,
        client.stream(
            "POST", house.url + "/v1/chat/completions", headers={"authorization": f"Bearer {holder.key}"}, json=asked
        ) as answer,
    ):
        yield answer


async def cancelling(house: Live, model: str) -> None:
    """A model whose channel ends a call when its client leaves."""
    await house.model(model)
    await house.channel(model, models=[model], options={"on_disconnect": "cancel"})


async def events(answer: httpx.Response) -> list[Any]:
    """The data of every event, decoded; `[DONE]` as it is."""
    datas = [line.removeprefix("data: ") async for line in answer.aiter_lines() if line.startswith("data: ")]
    return [data if data == "[DONE]" else json.loads(data) for data in datas]


def price(usage: dict[str, Any]) -> int:
    tokens = usage["prompt_tokens"] * RATES["input"] + usage["completion_tokens"] * RATES["output"]
    return -(-tokens // 1_000_000) + RATES["request"]


async def test_the_first_chunk_is_not_held_for_the_second(house: Live):
    await cancelling(house, "one-chunk")
    holder = await house.holder()
    asked = body({"text": "one two", "chunks": 2, "hang_after_chunks": 1}, model="one-chunk")
    async with streaming(house, holder, asked) as answer:
        first = await anext(answer.aiter_raw())  # the second never comes
    assert b"data: " in first
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"


async def test_usage_is_forced_upstream_and_its_chunk_hidden(house: Live):
    holder = await house.holder()
    async with streaming(house, holder, body()) as answer:
        seen = await events(answer)
    assert seen[-1] == "[DONE]"
    assert all(event["choices"] for event in seen[:-1])
    assert all("usage" not in event or event["usage"] is None for event in seen[:-1])
    record = await house.record(answer.headers["x-request-id"])
    assert (record["status"], record["usage_source"]) == ("ok", "provider")
    assert record["cost"] > RATES["request"]


async def test_usage_that_was_asked_for_is_shown_and_is_what_is_charged(house: Live):
    holder = await house.holder()
    async with streaming(house, holder, body(stream_options={"include_usage": True})) as answer:
        seen = await events(answer)
    usage = seen[-2]["usage"]
    record = await house.record(answer.headers["x-request-id"])
    assert record["charged"] == price(usage)
    assert await house.balance(holder) == 10**12 - price(usage)


async def test_explicit_zero_usage_costs_the_fixed_part_and_missing_usage_is_told_apart(house: Live):
    holder = await house.holder()
    zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    async with streaming(house, holder, body({"usage": zero})) as answer:
        await events(answer)
    record = await house.record(answer.headers["x-request-id"])
    assert (record["usage_source"], record["cost"]) == ("provider", RATES["request"])
    async with streaming(house, holder, body({"usage": None})) as answer:
        await events(answer)
    record = await house.record(answer.headers["x-request-id"])
    assert record["usage_source"] == "estimated"


async def test_a_stream_that_the_provider_breaks_off_ends_with_an_error_and_no_done(house: Live):
    holder = await house.holder()
    asked = body({"text": "a b c d e f", "chunks": 6, "cut_after_chunks": 3, "usage": None})
    async with streaming(house, holder, asked) as answer:
        seen = await events(answer)
    assert seen[-1]["error"]["code"] == "upstream_failed"
    assert "[DONE]" not in seen
    record = await house.record(answer.headers["x-request-id"])
    assert (record["status"], record["usage_source"], record["cost"]) == ("partial", "none", 0)


async def test_a_broken_stream_is_charged_what_it_had_reported(house: Live):
    holder = await house.holder()
    asked = body({"text": "a b c d e f", "chunks": 6, "cut_after_chunks": 3, "usage_in_every_chunk": True})
    async with streaming(house, holder, asked) as answer:
        await events(answer)
    record = await house.record(answer.headers["x-request-id"])
    assert (record["status"], record["usage_source"]) == ("partial", "provider_partial")
    assert record["charged"] == record["cost"] > 0


async def test_the_sdk_raises_on_an_error_inside_a_stream(house: Live):
    holder = await house.holder()
    async with openai.AsyncOpenAI(api_key=holder.key, base_url=f"{house.url}/v1", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="demo",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            extra_body={"scripted": {"text": "a b c", "chunks": 3, "cut_after_chunks": 2}},
        )
        with pytest.raises(openai.APIError):
            _ = [chunk async for chunk in stream]


@pytest.mark.parametrize("after", [1, 2, 4])
async def test_a_client_that_leaves_pays_for_the_whole_answer_where_the_channel_drains(
    house: Live, monkeypatch: pytest.MonkeyPatch, after: int
):
    spoken = SPOKEN["chat"]

    async def works(line: Line) -> None:
        await line.stream()
        for _ in range(after - 1):
            await line.chunk(spoken.begins.replace(b"some", b"other"))
        await line.chunk(spoken.begins)
        await client.left.wait()
        await line.chunk(spoken.ends)
        await line.end()

    async with asking(house, monkeypatch, spoken, works) as client:
        record = await client.record("chat")
    assert (record["status"], record["usage_source"]) == ("cancelled", "provider")
    assert record["quantities"]["output"] > 0
    assert record["charged"] == record["cost"]


async def test_a_client_that_leaves_ends_the_call_where_the_channel_cancels(house: Live):
    await cancelling(house, "cancelling")
    holder = await house.holder()
    asked = body({"text": "word " * 200, "chunks": 200, "hang_after_chunks": 100}, model="cancelling")
    async with streaming(house, holder, asked) as answer:
        request_id = answer.headers["x-request-id"]
        seen = b""
        async for piece in answer.aiter_raw():
            seen += piece
            if b"word" in seen:
                break
    record = await house.record(request_id)  # of an answer that would never end
    assert (record["status"], record["usage_source"]) == ("cancelled", "estimated")
    assert 0 < record["quantities"]["output"] < 200
    assert record["charged"] == record["cost"]


@pytest.mark.parametrize("is_asked", [False, True], ids=["while we connect", "while the provider works"])
async def test_a_client_that_leaves_before_the_answer_pays_for_the_prompt_if_the_provider_has_it(
    house: Live, monkeypatch: pytest.MonkeyPatch, *, is_asked: bool
):
    has_it, dials = asyncio.Event(), asyncio.Event()
    dial = Dialer.dial

    async def noting(*dialled: Any) -> Any:
        dials.set()
        return await dial(*dialled)

    monkeypatch.setattr(Dialer, "dial", noting)

    async def works(line: Line) -> None:
        has_it.set()
        await line.gone()

    model = f"left-early-{is_asked}"
    holder = await house.holder()
    await house.policy(Network(allow_private=True))
    await house.model(model)
    async with black_hole() as nobody, running(works) as somebody, httpx.AsyncClient() as client:
        base_url = f"http://127.0.0.1:{somebody.port if is_asked else nobody}/v1"
        facts: dict[str, Any] = {"models": [model], "options": {"on_disconnect": "cancel"}, "credentials": ["sk-1"]}
        await house.channel(model, provider="openai-compatible", base_url=base_url, **facts)
        headers = {"authorization": f"Bearer {holder.key}"}
        url = house.url + "/v1/chat/completions"
        call = asyncio.create_task(client.post(url, headers=headers, json=body(stream=False, model=model)))
        await (has_it if is_asked else dials).wait()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        found: list[Any] = []

        async def is_recorded() -> bool:
            found[:] = await house.sql("SELECT * FROM usage_records WHERE model = $1", model)
            return bool(found)

        await until(is_recorded)
    assert [(one["usage_source"], one["cost"] > 0) for one in found] == [
        ("estimated", True) if is_asked else ("none", False)
    ]


async def test_a_drained_answer_is_not_waited_for_without_end(house: Live):
    await house.policy(Limits(drain_seconds=1))
    holder = await house.holder()
    asked = body({"text": "a b c d", "chunks": 4, "hang_after_chunks": 2})
    async with streaming(house, holder, asked) as answer:
        request_id = answer.headers["x-request-id"]
        await anext(answer.aiter_raw())
    record = await house.record(request_id)
    assert record["status"] == "cancelled"
    await house.policy(Limits())


async def test_a_slow_reader_gets_every_byte(house: Live):
    holder = await house.holder()
    text = "0123456789abcdef" * 20_000
    async with streaming(house, holder, body({"text": text, "chunks": 200})) as answer:
        got = []
        async for piece in answer.aiter_raw(65536):
            got.append(piece)
            await asyncio.sleep(0.002)
    datas = [line[6:] for line in b"".join(got).split(b"\n") if line.startswith(b"data: {")]
    told = "".join(json.loads(data)["choices"][0]["delta"].get("content") or "" for data in datas)
    assert told == text


async def test_an_account_with_one_calls_worth_does_not_overspend_in_parallel(house: Live):
    one_call = 4096 * 10_000 + 2_000_000  # the output allowance, and more input than the request has bytes
    holder = await house.holder(quota=one_call)

    headers = {"authorization": f"Bearer {holder.key}"}
    async with httpx.AsyncClient(base_url=house.url, headers=headers) as client:
        asked = body({"text": "word " * 50})
        answers = await asyncio.gather(*(client.post("/v1/chat/completions", json=asked) for _ in range(60)))
    assert {answer.status_code for answer in answers} <= {200, 429}
    answered = [answer for answer in answers if answer.status_code == 200]
    assert answered
    for answer in answered:
        await house.record(answer.headers["x-request-id"])
    assert 0 <= await house.balance(holder) < one_call


async def test_a_call_keeps_the_policy_that_it_began_with(house: Live):
    holder = await house.holder()
    asked = body({"text": "a b c d " * 20, "chunks": 40, "chunk_delay_ms": 100, "usage": None})
    async with streaming(house, holder, asked) as answer:
        pieces = answer.aiter_raw()
        await anext(pieces)
        await house.policy(Limits(estimates="off"))
        async for _ in pieces:
            pass
        during = await house.record(answer.headers["x-request-id"])
    async with streaming(house, holder, body({"text": "a b c d", "usage": None})) as answer:
        await answer.aread()
        after = await house.record(answer.headers["x-request-id"])
    await house.policy(Limits())
    assert [one["usage_source"] for one in (during, after)] == ["estimated", "none"]
    assert during["cost"] > after["cost"]


async def test_a_stream_that_outgrows_its_hold_is_cut_where_the_policy_says_so(house: Live):
    await house.policy(Limits(unstated_output_tokens=10, on_exhausted="cut"))
    asked = body({"text": "word " * 20_000, "chunks": 400, "chunk_delay_ms": 5})
    held = len(json.dumps(asked)) * 2_500 + 10 * 10_000 + RATES["request"]
    holder = await house.holder(quota=held + 250_000)  # two more times ten tokens
    async with streaming(house, holder, asked) as answer:
        seen = await events(answer)
    assert seen[-1]["error"]["code"] == "insufficient_quota"
    record = await house.record(answer.headers["x-request-id"])
    assert record["status"] == "partial"
    assert await house.balance(holder) >= 0
    await house.policy(Limits())

"""Recorded provider traffic through the running gateway: the client receives what the provider sent, and the account is
charged, to the unit, for what the provider reported.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from fractions import Fraction
from math import ceil

import httpx
import pytest
import pytest_asyncio

from airouter.domain.policy import Network
from airouter.domain.rate_card import PER
from tests import postgres
from tests.audit import audit_books
from tests.builders import run_sql
from tests.live import Holder, Live, serving
from tests.providers.recordings import RECORDINGS, Recording
from tests.providers.replay import error_at, listened_to
from tests.providers.test_recordings import named, stated_usage, without_usage_chunks
from tests.upstream.server import Line, Upstream, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = {
    "input": 2_500_000_001, "cached_input": 1_250_000_003, "cache_write_5m": 3_125_000_007, "output": 10_000_000_009,
    "reasoning": 11_000_000_011, "audio_input": 40_000_000_013, "request": 17,
}  # fmt: skip
"""Every bucket at a price of its own, none of them round: a token in the wrong bucket changes the cost."""
MULTIPLIER_MICROS = 1_234_567
SERVED = [recording for recording in RECORDINGS if recording.endpoint != "completions"]


class Replay:
    """The gateway, a provider that answers what was recorded, and an account for each provider."""

    def __init__(self, live: Live, holders: dict[str, Holder], recorder: "Recorder", client: httpx.AsyncClient) -> None:
        self.live = live
        self.holders = holders
        self.recorder = recorder
        self.client = client


class Recorder:
    """What the provider will say next, in pieces that begin and end anywhere."""

    def __init__(self) -> None:
        self.next: Recording
        self.asked: dict[str, object] = {}
        self.heard = asyncio.Event()

    async def answer(self, line: Line) -> None:
        recording, draw = self.next, random.Random(self.next.name)
        self.asked = json.loads(line.received.body)
        head = f"HTTP/1.1 {recording.status} As recorded\r\nContent-Type: {recording.content_type}\r\n"
        await line.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        rest = recording.body
        if at := error_at(rest):
            await line.chunk(rest[:at])
            rest = rest[at:]
            await self.heard.wait()
        while rest:
            size = draw.randint(1, max(1, len(rest) // 2))
            await line.chunk(rest[:size])
            rest = rest[size:]
            await asyncio.sleep(0)
        await line.end()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["hot", "asgi"])
async def replay(
    postgres_server: str,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Replay]:
    recorder = Recorder()
    async with postgres.cloned(postgres_server, template_database) as dsn:
        home = tmp_path_factory.mktemp("home")
        async with (
            running(recorder.answer) as upstream,
            serving(dsn, home, hot=request.param == "hot") as live,
            httpx.AsyncClient() as client,
        ):
            yield Replay(live, await _furnished(live, upstream), recorder, client)
        await audit_books(dsn)


async def _furnished(live: Live, upstream: Upstream) -> dict[str, Holder]:
    """Every recorded model with a price, and for each provider a group with a channel and an account."""
    await live.policy(Network(allow_private=True))
    holders = {}
    for model in sorted({_model(recording) for recording in SERVED}):
        await live.model(model, RATES)
    for provider in sorted({recording.provider for recording in SERVED}):
        await run_sql(
            live.dsn, "INSERT INTO groups (name, multiplier_micros) VALUES ($1, $2)", provider, MULTIPLIER_MICROS
        )
        models = sorted({_model(recording) for recording in SERVED if recording.provider == provider})
        known = provider if provider in {"openai", "groq", "mistral", "deepseek", "openrouter"} else "openai-compatible"
        await live.channel(
            provider,
            provider=known,
            base_url=f"http://127.0.0.1:{upstream.port}/v1",
            credentials=["sk-upstream"],
            models=models,
            groups=[provider],
        )
        holders[provider] = await live.holder(quota=10**14, group=provider)
    return holders


def _model(recording: Recording) -> str:
    return str(recording.request.get("model") or "unnamed")


def cost_of(quantities: dict[str, int]) -> int:
    """The published formula in fractions, from the buckets on the receipt."""
    subtotal = sum(
        (Fraction(quantity * _rate(meter), PER[meter]) for meter, quantity in quantities.items()),  # type: ignore[index]
        start=Fraction(0),
    )
    return ceil(subtotal * Fraction(MULTIPLIER_MICROS, 1_000_000))


def _rate(meter: str) -> int:
    return RATES.get(meter, RATES["input"] if "input" in meter or "cache" in meter else RATES["output"])


@named([recording for recording in SERVED if recording.status == 200])
async def test_the_client_receives_what_was_sent_and_pays_what_was_reported(replay: Replay, recording: Recording):
    holder = replay.holders[recording.provider]
    balance = await replay.live.balance(holder)
    answer = await _call(replay, holder, recording)
    wants_usage = bool((recording.request.get("stream_options") or {}).get("include_usage"))
    expected = recording.body
    if recording.is_stream and not wants_usage:
        expected = without_usage_chunks(expected)
    assert answer.content == expected
    assert answer.status_code == 200
    record = await replay.live.record(answer.headers["x-request-id"])
    stated = stated_usage(recording)
    if stated is None:
        assert record["usage_source"] in {"none", "estimated"}
    else:
        tokens = sum(quantity for meter, quantity in record["quantities"].items() if meter != "request")
        assert tokens == stated.get("total_tokens", tokens)
        assert record["usage_source"] == "provider"
        assert record["cost"] == cost_of(record["quantities"])
    assert record["charged"] == record["cost"]
    assert await replay.live.balance(holder) == balance - record["charged"]


@named([recording for recording in SERVED if recording.status != 200])
async def test_a_recorded_refusal_costs_nothing(replay: Replay, recording: Recording):
    holder = replay.holders[recording.provider]
    balance = await replay.live.balance(holder)
    answer = await _call(replay, holder, recording)
    if recording.status == 400:
        assert answer.status_code == 400
        assert answer.content == recording.body
    else:
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "no_channel_available"
    record = await replay.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"]) == ("failed", 0)
    assert await replay.live.balance(holder) == balance


async def _call(replay: Replay, holder: Holder, recording: Recording) -> httpx.Response:
    replay.recorder.next, replay.recorder.heard = recording, asyncio.Event()
    path = "/v1/embeddings" if recording.endpoint == "embeddings" else "/v1/chat/completions"
    answer = await listened_to(
        replay.client,
        replay.recorder.heard,
        replay.live.url + path,
        headers={"authorization": f"Bearer {holder.key}"},
        json={**recording.request, "model": _model(recording)},
    )
    ours = {"stream_options"}  # changed by us: usage is asked for
    if recording.provider == "openrouter":
        ours |= {"models", "route", "preset"}  # would let the vendor run another model than the one charged
    sent = {name: value for name, value in replay.recorder.asked.items() if name not in ours}
    told = {name: value for name, value in recording.request.items() if name not in ours}
    assert sent == {**told, "model": _model(recording)}
    return answer

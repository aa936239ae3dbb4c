"""Calls through channels with ways of their own: minted tokens, rules, time-outs, a proxy. Over sockets, charged."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from airouter.domain.ids import ChannelId
from airouter.domain.policies.network import Network
from airouter.gateway import dispatch
from airouter.services.channel_probes import ProbeWish
from airouter.upstream.total import BoundedAnswer, send_within
from tests import postgres
from tests.audit import audit_books
from tests.live import RATES, Holder, Live, serving
from tests.patience import PATIENCE_SECONDS
from tests.providers.calls import DONE, delta, usage
from tests.providers.replay import Played, Received, Replay, replaying
from tests.providers.test_vertex import key_file
from tests.upstream.server import running

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = ("gemini", "gemini-2", "claude", "ruled", "slow", "hanging", "proxied")
MESSAGES = [{"role": "user", "content": "Hi"}]


def token(name: str) -> Played:
    return Played(pieces=(json.dumps({"access_token": name, "expires_in": 3600, "token_type": "Bearer"}).encode(),))


GEMINI = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6},
    "modelVersion": "gemini-2.5-flash",
}
CLAUDE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hello"}], "usage": {"input_tokens": 4, "output_tokens": 2},
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with serving(dsn, tmp_path_factory.mktemp("home")) as live:
            await live.policy(Network(allow_private=True))
            for model in MODELS:
                await live.model(model)
            yield live
        await audit_books(dsn)


def caller(house: Live, holder: Holder) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=house.url, headers={"authorization": f"Bearer {holder.key}"})


def root(upstream: Replay) -> str:
    return upstream.base_url.removesuffix("/v1")


def cloud(refuse: Callable[[], bool] = lambda: False) -> Callable[[Received], Played]:
    """Google Cloud: tokens, and both publishers' models for whoever has one."""

    def choose(received: Received) -> Played:
        if received.path == "/token":
            return Played(status=400, pieces=(b'{"error":"invalid_grant"}',)) if refuse() else token("ya29.minted")
        if received.headers.get("authorization") != "Bearer ya29.minted":
            return Played(status=401)
        if received.path.endswith(":streamGenerateContent?alt=sse"):
            return Played(
                content_type="text/event-stream", pieces=(b"data: " + json.dumps(GEMINI).encode() + b"\r\n\r\n",)
            )
        return Played(pieces=(json.dumps(CLAUDE if "/anthropic/" in received.path else GEMINI).encode(),))

    return choose


async def test_calls_of_every_dialect_reach_both_publishers_with_a_minted_token(house: Live) -> None:
    async with replaying(cloud()) as upstream:
        account = key_file(token_uri=root(upstream) + "/token")
        for model, provider in (("gemini", "vertex"), ("claude", "vertex-anthropic")):
            await house.channel(
                provider, provider, base_url=root(upstream), credentials=[account], models={model: f"{model}-up"}
            )
        holder = await house.holder()
        async with caller(house, holder) as client:
            messages = [{"role": "user", "content": "Hi"}]
            for model in ("gemini", "claude"):
                answer = await client.post("/v1/chat/completions", json={"model": model, "messages": messages})
                assert answer.status_code == 200, answer.text
                assert answer.json()["choices"][0]["message"]["content"] == "Hello"
                record = await house.record(answer.headers["x-request-id"])
                assert record["quantities"] == {"input": 4, "output": 2, "request": 1}
            streamed = await client.post(
                "/v1beta/models/gemini:streamGenerateContent?alt=sse",
                json={"contents": [{"parts": [{"text": "Hi"}]}]}, headers={"x-goog-api-key": holder.key},
            )  # fmt: skip
            assert '"Hello"' in streamed.text
        paths = [one.path for one in upstream.received]
        assert paths.count("/token") == 1  # one account, one token
        prefix = "/v1/projects/my-project/locations/global/publishers"
        assert paths[1:] == [
            f"{prefix}/google/models/gemini-up:generateContent",
            f"{prefix}/anthropic/models/claude-up:rawPredict",
            f"{prefix}/google/models/gemini-up:streamGenerateContent?alt=sse",
        ]


async def test_account_that_gets_no_token_is_our_fault_and_another_channel_answers(house: Live) -> None:
    async with replaying(cloud(lambda: True)) as refusing, replaying(cloud()) as working:
        for name, upstream, priority in (("refused", refusing, 9), ("working", working, 0)):
            account = key_file(token_uri=root(upstream) + "/token")
            await house.channel(
                name, "vertex", base_url=root(upstream), credentials=[account], models=["gemini-2"], priority=priority
            )
        holder = await house.holder()
        async with caller(house, holder) as client:
            body = {"model": "gemini-2", "messages": [{"role": "user", "content": "Hi"}]}
            answer = await client.post("/v1/chat/completions", json=body)
            assert answer.status_code == 200, answer.text
        record = await house.record(answer.headers["x-request-id"])
        assert [(one["channel"], one["status"]) for one in record["attempts"]] == [("refused", 401), ("working", 200)]
        assert [one.path for one in refusing.received] == ["/token"]


async def test_operators_are_told_that_an_account_gets_no_token(house: Live) -> None:
    async with replaying(cloud(lambda: True)) as upstream:
        account = key_file(token_uri=root(upstream) + "/token")
        channel_id = await house.channel(
            "untrusted", "vertex", base_url=root(upstream), credentials=[account], models=["gemini-3"]
        )
        services = house.app._house.services()
        test = await services.channel_probes.test(ChannelId(channel_id), ProbeWish())
    assert (test.ok, test.status, test.error) == (False, None, "the address for tokens answered with status 400")


OPENAI = json.dumps(
    {"id": "c-1", "object": "chat.completion", "model": "up", "usage": usage(4, 2),
     "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
).encode()  # fmt: skip


async def test_rules_are_applied_to_what_a_translation_became_and_lower_limits_only(house: Live) -> None:
    rules = {
        "body": [
            {"action": "set", "path": "top_k", "value": 5, "when": {"endpoints": ["chat.completions"]}},
            {"action": "set", "path": "never", "value": 1, "when": {"endpoints": ["messages"]}},
            {"action": "set", "path": "max_tokens", "value": 1_000_000},
            {"action": "remove", "path": "user", "when": {"models": ["ruled"], "is_streaming": False}},
        ],
        "headers": [{"action": "set", "name": "x-team", "value": "blue"}],
    }
    async with replaying(lambda _: Played(pieces=(OPENAI,))) as upstream:
        await house.channel("ruled", "openai-compatible", base_url=upstream.base_url, models=["ruled"], options=rules)
        holder = await house.holder()
        async with caller(house, holder) as client:
            body = {"model": "ruled", "max_tokens": 40, "messages": MESSAGES}
            translated = await client.post("/v1/messages", json=body)
            plain = await client.post("/v1/chat/completions", json={**body, "user": "u"})
        assert (translated.status_code, plain.status_code) == (200, 200), translated.text
        for received in upstream.received:
            found = json.loads(received.body)
            assert (found["top_k"], found.get("user"), found.get("never")) == (5, None, None)
            assert found["max_tokens"] == 40
            assert received.headers["x-team"] == "blue"
        await house.record(plain.headers["x-request-id"])


async def test_call_that_takes_longer_than_its_channel_gives_it_ends_as_a_time_out_and_what_was_said_is_charged(
    house: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded: list[BoundedAnswer] = []

    async def noting(seconds: float, *more: Any) -> BoundedAnswer:
        assert seconds == 7
        bounded.append(await send_within(PATIENCE_SECONDS, *more))
        return bounded[-1]

    monkeypatch.setattr(dispatch, "send_within", noting)
    async with replaying(lambda _: slow) as upstream:
        said = delta("Hello", usage=usage(4, 2))
        slow = Played(content_type="text/event-stream", pieces=(said, *[delta("more")] * 400, DONE), pause_seconds=0.05)
        options = {"timeouts": {"total_seconds": 7}}
        await house.channel("slow", "openai-compatible", base_url=upstream.base_url, models=["slow"], options=options)
        holder = await house.holder()
        text = ""
        body = {"model": "slow", "messages": MESSAGES, "stream": True}
        async with (
            caller(house, holder) as client,
            client.stream("POST", "/v1/chat/completions", json=body) as answer,
        ):
            assert answer.status_code == 200
            async for piece in answer.aiter_text():
                text += piece
                bounded[0]._deadline = 0  # the client has seen some of it, and the seconds are over
    assert '"Hello"' in text
    assert '"upstream_timeout"' in text
    assert "[DONE]" not in text
    record = await house.record(answer.headers["x-request-id"])
    assert (record["status"], record["usage_source"]) == ("partial", "provider_partial")
    assert record["quantities"] == {"input": 4, "output": 2, "request": 1}
    priced = -(-(4 * RATES["input"] + 2 * RATES["output"]) // 10**6) + RATES["request"]
    assert record["charged"] == record["cost"] == priced


async def test_upstream_that_begins_too_late_lets_another_channel_answer(house: Live) -> None:
    async with running(lambda line: line.gone()) as silent, replaying(lambda _: Played(pieces=(OPENAI,))) as upstream:
        for name, address, more in (
            ("hanging", f"http://127.0.0.1:{silent.port}/v1", {"options": {"timeouts": {"first_byte_seconds": 1}}}),
            ("prompt", upstream.base_url, {"priority": -1}),
        ):
            await house.channel(name, "openai-compatible", base_url=address, models=["hanging"], **more)
        holder = await house.holder()
        async with caller(house, holder) as client:
            answer = await client.post("/v1/chat/completions", json={"model": "hanging", "messages": MESSAGES})
        assert answer.status_code == 200, answer.text
        record = await house.record(answer.headers["x-request-id"])
    assert [one["channel"] for one in record["attempts"]] == ["hanging", "prompt"]


async def test_channel_with_a_proxy_is_reached_through_it_alone(house: Live) -> None:
    async with replaying(lambda _: Played(pieces=(OPENAI,))) as proxy:
        address = proxy.base_url.removesuffix("/v1").replace("http://", "http://router:hush-hush@")
        await house.channel(
            "proxied", "openai-compatible", base_url="http://8.8.8.8:81/v1", models=["proxied"], proxy=address
        )
        holder = await house.holder()
        async with caller(house, holder) as client:
            answer = await client.post("/v1/chat/completions", json={"model": "proxied", "messages": MESSAGES})
        assert answer.status_code == 200, answer.text
        assert proxy.received[0].path == "http://8.8.8.8:81/v1/chat/completions"
        assert proxy.received[0].headers["proxy-authorization"].startswith("Basic ")
    stored = await house.sql("SELECT proxy, proxy_hint, c::text AS row FROM channels c WHERE name = 'proxied'")
    assert stored[0]["proxy_hint"] == address.replace("router:hush-hush@", "")
    assert b"hush" not in stored[0]["proxy"]
    assert "hush" not in stored[0]["row"]

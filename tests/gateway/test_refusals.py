"""Every refusal of the contract's table at the OpenAI door: status, code, headers, and that nothing is charged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from airouter.domain.policy import Limits, Network, Routing
from airouter.world import new_id
from tests.builders import run_sql
from tests.live import Holder, Live
from tests.patience import PATIENCE_SECONDS
from tests.upstream.server import Line, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: dict[str, Any] = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}


async def call(
    house: Live, key: str | None, body: Any = None, path: str = "/v1/chat/completions", **options: Any
) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient() as client:
        return await client.post(
            house.url + path, headers=headers | options.pop("headers", {}), json=body or HELLO, **options
        )


@asynccontextmanager
async def in_flight(house: Live, holder: Holder) -> AsyncIterator[None]:
    """As long as this lasts, a provider is at work on a call of this holder; then it answers."""
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def works(line: Line) -> None:
        is_asked.set()
        await may_answer.wait()
        await line.json(b'{"object":"chat.completion","choices":[{"index":0,"message":{"content":"hi"}}]}')

    model = f"slow-{new_id()}"
    async with running(works) as upstream:
        await house.policy(Network(allow_private=True))
        await house.model(model)
        base_url = f"http://127.0.0.1:{upstream.port}/v1"
        await house.channel(model, "openai-compatible", base_url=base_url, models=[model], credentials=["sk-1"])
        first = asyncio.create_task(call(house, holder.key, HELLO | {"model": model}))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await is_asked.wait()
            yield
        finally:
            may_answer.set()
            answer = await first
        assert answer.status_code == 200, answer.text


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error object, after checking what all refusals have in common."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    assert error["message"]
    return error


async def test_no_key(house: Live):
    refused(await call(house, None), 401, "invalid_api_key")


async def test_an_unknown_key(house: Live):
    refused(await call(house, "sk-air-nobody"), 401, "invalid_api_key")


@pytest.mark.parametrize(
    ("column", "value", "status", "code"),
    [
        ("status", "'disabled'", 401, "key_disabled"),
        ("expires_at", "now() - interval '1 second'", 401, "key_expired"),
    ],
)
async def test_a_key_that_no_longer_works(house: Live, column: str, value: str, status: int, code: str):
    holder = await house.holder()
    await run_sql(house.dsn, f"UPDATE keys SET {column} = {value} WHERE key_id = $1", holder.key_id)
    refused(await call(house, holder.key), status, code)


async def test_an_address_that_the_key_does_not_allow(house: Live):
    holder = await house.holder(allowed_ips=["203.0.113.0/24"])
    refused(await call(house, holder.key), 403, "ip_not_allowed")


async def test_a_forged_forwarded_address_changes_nothing(house: Live):
    holder = await house.holder(allowed_ips=["203.0.113.0/24"])
    forged = {"x-forwarded-for": "203.0.113.7", "forwarded": "for=203.0.113.7", "x-real-ip": "203.0.113.7"}
    refused(await call(house, holder.key, headers=forged), 403, "ip_not_allowed")


async def test_an_allowed_address(house: Live):
    holder = await house.holder(allowed_ips=["127.0.0.1"])
    assert (await call(house, holder.key)).status_code == 200


async def test_a_model_that_the_key_does_not_allow(house: Live):
    holder = await house.holder(models=["another"])
    refused(await call(house, holder.key), 403, "model_not_allowed")


async def test_a_paused_account(house: Live):
    holder = await house.holder()
    await run_sql(house.dsn, "UPDATE accounts SET status = 'paused' WHERE account_id = $1", holder.account_id)
    refused(await call(house, holder.key), 403, "account_paused")


async def test_a_group_that_is_no_longer_the_accounts(house: Live):
    await run_sql(
        house.dsn, "INSERT INTO groups (name, multiplier_micros) VALUES ('vip', 500000) ON CONFLICT DO NOTHING"
    )
    await house.in_force()
    holder = await house.holder()
    await run_sql(house.dsn, "UPDATE keys SET group_name = 'vip' WHERE key_id = $1", holder.key_id)
    refused(await call(house, holder.key), 403, "group_not_allowed")


async def test_a_model_that_does_not_exist(house: Live):
    holder = await house.holder()
    error = refused(await call(house, holder.key, HELLO | {"model": "nothing"}), 404, "model_not_found")
    assert error["param"] == "model"


async def test_a_model_without_a_price_looks_like_one_that_does_not_exist(house: Live):
    await run_sql(house.dsn, "INSERT INTO models (model) VALUES ('unpriced') ON CONFLICT DO NOTHING")
    await house.in_force()
    holder = await house.holder()
    unpriced = refused(await call(house, holder.key, HELLO | {"model": "unpriced"}), 404, "model_not_found")
    unknown = refused(await call(house, holder.key, HELLO | {"model": "unpricex"}), 404, "model_not_found")
    assert unpriced["message"].replace("unpriced", "unpricex") == unknown["message"]


async def test_a_balance_too_small_says_what_is_needed_and_not_to_retry(house: Live):
    holder = await house.holder(quota=1000)
    answer = await call(house, holder.key)
    error = refused(answer, 429, "insufficient_quota")
    assert error["type"] == "insufficient_quota"
    assert answer.headers["x-should-retry"] == "false"
    assert "1000" in error["message"].replace(",", "").replace(" ", "")
    assert await house.balance(holder) == 1000


async def test_a_key_limit_too_small_does_not_reveal_the_balance(house: Live):
    holder = await house.holder(quota=987_654_321_000, spend_limit=1000)
    answer = await call(house, holder.key)
    error = refused(answer, 429, "key_limit_reached")
    assert answer.headers["x-should-retry"] == "false"
    assert "987" not in error["message"]


async def test_requests_per_minute(house: Live):
    holder = await house.holder(rate_limits={"requests_per_minute": 2})
    first = await call(house, holder.key)
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    await call(house, holder.key)
    answer = await call(house, holder.key)
    error = refused(answer, 429, "rate_limit_exceeded")
    assert error["type"] == "rate_limit_error"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["x-ratelimit-remaining-requests"] == "0"


async def test_calls_at_once(house: Live):
    holder = await house.holder(rate_limits={"concurrency": 1})
    async with in_flight(house, holder):
        refused(await call(house, holder.key), 429, "rate_limit_exceeded")
    assert (await call(house, holder.key)).status_code == 200


async def test_quota_held_by_a_call_in_flight(house: Live):
    one_call = 4096 * 10_000 + 1_000_000  # output allowance and a little input, in quota
    holder = await house.holder(quota=one_call + 500_000)
    async with in_flight(house, holder):
        answer = await call(house, holder.key)
        refused(answer, 429, "quota_in_use")
        assert answer.headers["retry-after"] == "1"
        assert "x-should-retry" not in answer.headers


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refusal_of_our_credential_is_never_shown_as_the_clients(house: Live, status: int):
    holder = await house.holder()
    body = HELLO | {"scripted": {"status": status, "error": {"message": "the operator's secret is wrong"}}}
    answer = await call(house, holder.key, body)
    error = refused(answer, 502, "upstream_rejected")
    assert "secret" not in error["message"]
    await _free(house, holder, answer)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_a_refusal_of_the_request_is_passed_on(house: Live, status: int):
    holder = await house.holder()
    said = {"message": "temperature is too hot", "type": "invalid_request_error", "param": "temperature", "code": None}
    answer = await call(house, holder.key, HELLO | {"scripted": {"status": status, "error": said}})
    assert answer.status_code == status
    assert answer.json()["error"] == said
    await _free(house, holder, answer)


@pytest.mark.parametrize(
    ("script", "status", "code"),
    [
        ({"status": 500}, 502, "upstream_failed"),
        ({"status": 429}, 503, "no_channel_available"),
        ({"cut_after_chunks": 0}, 502, "upstream_failed"),
    ],
)
async def test_a_failing_provider_costs_nothing(house: Live, script: dict[str, Any], status: int, code: str):
    holder = await house.holder()
    answer = await call(house, holder.key, HELLO | {"scripted": script})
    refused(answer, status, code)
    await _free(house, holder, answer)


async def test_a_silent_provider_times_out(house: Live):
    await house.policy(Routing(first_byte_seconds=1))
    holder = await house.holder()
    answer = await call(house, holder.key, HELLO | {"scripted": {"hang": True}})
    refused(answer, 504, "upstream_timeout")
    await _free(house, holder, answer)
    await house.policy(Routing())


async def test_a_model_that_no_channel_serves(house: Live):
    await house.model("orphan")
    holder = await house.holder()
    answer = await call(house, holder.key, HELLO | {"model": "orphan"})
    refused(answer, 503, "no_channel_available")
    assert answer.headers["retry-after"]
    await _free(house, holder, answer)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{", None),
        (b"[]", None),
        (b"", None),
        (b'{"messages": []}', "model"),
        (b'{"model": "demo"}', "messages"),
        (b'{"model": "demo", "messages": [], "max_tokens": -1}', "max_tokens"),
        (b'{"model": "demo", "messages": [], "n": 1000}', "n"),
        (b'{"model": 7, "messages": []}', "model"),
    ],
)
async def test_a_body_that_cannot_be_meant(house: Live, body: bytes, param: str | None):
    holder = await house.holder()
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            house.url + "/v1/chat/completions", headers={"authorization": f"Bearer {holder.key}"}, content=body
        )
    error = refused(answer, 400, "invalid_request")
    assert error["param"] == param


async def test_a_body_that_is_too_large(house: Live):
    await house.policy(Limits(body_bytes_max=2000))
    holder = await house.holder()
    body = HELLO | {"messages": [{"role": "user", "content": "x" * 5000}]}
    refused(await call(house, holder.key, body), 413, "body_too_large")
    await house.policy(Limits())
    assert (await call(house, holder.key, body)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/chat", "/v1/chat/completions/more"])
async def test_an_address_that_does_not_exist(house: Live, path: str):
    refused(await call(house, None, path=path), 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_a_method_that_a_door_does_not_take(house: Live, method: str):
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, house.url + "/v1/chat/completions")
    refused(answer, 405, "method_not_allowed")


async def test_a_meter_without_a_price(house: Live):
    holder = await house.holder()
    refused(await call(house, holder.key, HELLO | {"web_search_options": {}}), 400, "meter_not_priced")


async def _free(house: Live, holder: Holder, answer: httpx.Response) -> None:
    """The failed call is in the log, and cost nothing."""
    record = await house.record(answer.headers["x-request-id"])
    assert (record["status"], record["cost"], record["charged"]) == ("failed", 0, 0)
    assert await house.balance(holder) == 10**12

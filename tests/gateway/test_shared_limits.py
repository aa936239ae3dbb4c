"""Limits at the doors: of every noun, of channels, and of two gateways on one Postgres."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from airouter.domain.ids import AccountId
from airouter.domain.rate_limit import WINDOW_SECONDS, RateLimits
from airouter.gateway.rates import limits, shares
from airouter.services.admin_accounts import AdminAccounts
from airouter.services.groups import GroupChanges, GroupDraft, Groups
from airouter.services.models import ModelChanges, Models
from tests import postgres
from tests.audit import audit_books
from tests.live import Holder, Live, serving
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO: dict[str, Any] = {"model": "demo", "max_tokens": 50, "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def patience() -> Iterator[None]:
    """Gateways wait for each other's answers, and keep what they were given, however slow the machine is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "WAIT_SECONDS", PATIENCE_SECONDS)
        patched.setattr(limits, "EXCHANGE_SECONDS", PATIENCE_SECONDS)
        patched.setattr(shares, "EXCHANGE_SECONDS", PATIENCE_SECONDS)
        patched.setattr(shares, "LEASE_SECONDS", PATIENCE_SECONDS)
        patched.setattr(shares, "_LEASE", timedelta(seconds=PATIENCE_SECONDS))
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory, patience: None
) -> AsyncIterator[tuple[Live, Live]]:
    """Two gateways, one database."""
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with (
            serving(dsn, tmp_path_factory.mktemp("one")) as one,
            serving(dsn, tmp_path_factory.mktemp("other"), asks_for_records=False) as other,
        ):
            for model in ("demo", "scarce"):
                await one.model(model)
            async with one.database() as database:
                await Groups(database).save(GroupDraft(name="own", multiplier_micros=1_000_000))
            await one.channel(models=["demo", "scarce"], groups=["default", "own"])
            await other.in_force()
            yield one, other
        await audit_books(dsn)


async def ask(client: httpx.AsyncClient, house: Live, holder: Holder, body: dict[str, Any] = HELLO) -> httpx.Response:
    return await client.post(
        house.url + "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {holder.key}"}
    )


async def crowd(houses: tuple[Live, ...], holder: Holder, calls: int, body: dict[str, Any] = HELLO) -> Counter[int]:
    """Calls at once, to each gateway in turn; how often each status came."""
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, limits=httpx.Limits(max_connections=50)) as client:
        answers = await asyncio.gather(
            *(ask(client, houses[number % len(houses)], holder, body) for number in range(calls))
        )
    return Counter(answer.status_code for answer in answers)


async def test_of_a_crowd_at_two_gateways_a_limit_of_thirty_lets_thirty_through(two: tuple[Live, Live]):
    holder = await two[0].holder(rate_limits={"requests_per_minute": 30})
    began = asyncio.get_running_loop().time()
    found = await crowd(two, holder, 100)
    assert found[200] <= 30
    found += await crowd(two, holder, 30)  # what one gateway held too much of is the other's within a moment
    minutes = int((asyncio.get_running_loop().time() - began) / WINDOW_SECONDS)
    assert 30 <= found[200] <= 30 * (1 + minutes)
    assert found[200] + found[429] == 130


async def test_one_call_at_once_comes_by_either_gateway(two: tuple[Live, Live]):
    holder = await two[0].holder(rate_limits={"concurrency": 1})
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        for number in range(10):
            answer = await ask(client, two[number % 2], holder)
            assert answer.status_code == 200, answer.text


async def test_tokens_are_counted_by_what_was_used_once_it_is_known(two: tuple[Live, Live]):
    holder = await two[0].holder(rate_limits={"tokens_per_minute": 2000})
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        first = await ask(client, two[0], holder)
        bound = 2000 - int(first.headers["x-ratelimit-remaining-tokens"])
        used = first.json()["usage"]["total_tokens"]
        assert used < bound
        second = await ask(client, two[0], holder)
        assert 2000 - int(second.headers["x-ratelimit-remaining-tokens"]) == used + bound
        large = await ask(client, two[0], holder, HELLO | {"max_tokens": 4000})
    assert (large.status_code, large.json()["error"]["code"]) == (429, "request_exceeds_rate_limit")
    assert large.headers["x-should-retry"] == "false"
    assert "retry-after" not in large.headers


async def test_a_failed_call_gives_its_tokens_back_and_a_free_one_takes_none(two: tuple[Live, Live]):
    holder = await two[0].holder(rate_limits={"tokens_per_minute": 300, "concurrency": 1})
    broken = HELLO | {"scripted": {"status": 500}}
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        for _ in range(5):
            assert (await ask(client, two[0], holder, broken)).status_code >= 500
        assert (await ask(client, two[0], holder)).status_code == 200


@pytest.mark.parametrize("noun", ["account", "group", "model"])
async def test_the_limits_of_every_noun_are_obeyed(two: tuple[Live, Live], noun: str):
    house, two_a_minute = two[0], RateLimits(requests_per_minute=2)
    holder = await house.holder(group="own" if noun == "group" else "default")
    async with house.database() as database:
        if noun == "account":
            account_id = AccountId(holder.account_id)
            await AdminAccounts(database).change(account_id, group=None, status=None, rate_limits=two_a_minute)
        elif noun == "group":
            await Groups(database).change("own", GroupChanges(rate_limits=two_a_minute))
        else:
            await Models(database).change("scarce", ModelChanges(rate_limits=two_a_minute))
    await house.in_force()
    body = HELLO | {"model": "scarce" if noun == "model" else "demo"}
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        first, second, refused = [await ask(client, house, holder, body) for _ in range(3)]
    for answer, left in ((first, "1"), (second, "0")):
        assert (answer.status_code, answer.headers["x-ratelimit-remaining-requests"]) == (200, left)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert noun in refused.json()["error"]["message"]
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"


async def test_a_channel_at_its_cap_is_passed_over_and_two_such_say_when_to_come_back(two: tuple[Live, Live]):
    house = two[0]
    await house.model("capped")
    for name in ("first", "second"):
        await house.channel(name, models=["capped"], options={"caps": {"requests_per_minute": 1}})
    holder = await house.holder()
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        answers = [await ask(client, house, holder, HELLO | {"model": "capped"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 503], answers[-1].text
    assert answers[2].json()["error"]["code"] == "no_channel_available"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60
    records = [await house.record(answer.headers["x-request-id"]) for answer in answers]
    channels = await house.sql("SELECT channel_id FROM channels WHERE name IN ('first', 'second')")
    assert {record["channel_id"] for record in records[:2]} == {row["channel_id"] for row in channels}
    reasons = [attempt["reason"] for attempt in records[2]["attempts"]]
    assert reasons == ["at_capacity", "at_capacity"]


async def test_shares_never_add_up_to_more_than_the_limit_in_the_books(two: tuple[Live, Live]):
    holder = await two[0].holder(rate_limits={"requests_per_minute": 7, "concurrency": 3})
    await crowd(two, holder, 30)
    rows = await two[0].sql(
        "SELECT subject, sum(share)::bigint AS shares FROM rate_shares WHERE subject LIKE $1 GROUP BY subject",
        f"key {holder.key_id}%",
    )
    shares = {row["subject"].rsplit(" ", 1)[1]: row["shares"] for row in rows}
    assert shares["requests"] <= 7
    assert shares["calls"] <= 3

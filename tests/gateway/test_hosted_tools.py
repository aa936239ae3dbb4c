"""A tool that nobody counts: refused before it costs anything, unless another channel counts it or this one says so."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from airouter.domain.policy import Network
from tests import postgres
from tests.audit import audit_books
from tests.gateway.test_refusals import call, refused
from tests.live import Live, serving
from tests.upstream.server import Line, Upstream, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATES = {"input": 1_000_000, "output": 1_000_000, "search": 7}
USAGE: dict[str, Any] = {
    "prompt_tokens": 3,
    "completion_tokens": 2,
    "total_tokens": 5,
    "server_tool_use_details": {"web_search_requests": 2},
}


async def _answering(line: Line) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Nothing"}, "finish_reason": "stop"}
    await line.json(json.dumps({"id": "a", "choices": [choice], "usage": USAGE}).encode())


class House:
    def __init__(self, live: Live, upstream: Upstream) -> None:
        self.live = live
        self.upstream = upstream


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["hot", "asgi"])
async def house(
    postgres_server: str,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn:
        home = tmp_path_factory.mktemp("home")
        async with running(_answering) as upstream, serving(dsn, home, hot=request.param == "hot") as live:
            await live.policy(Network(allow_private=True))
            for name in ("elsewhere", "here", "passing"):
                await live.model(name, RATES)
            address = f"http://127.0.0.1:{upstream.port}/v1"
            facts: dict[str, Any] = {"base_url": address, "credentials": ["sk-upstream"], "groups": ["default"]}
            first = {"models": ["elsewhere", "here"], "priority": 9}
            await live.channel("uncounting", provider="openai-compatible", **first, **facts)
            await live.channel("counting", provider="openrouter", models=["elsewhere"], **facts)
            passes = {"uncounted_tools": True}
            await live.channel("passing", provider="openai-compatible", models=["passing"], options=passes, **facts)
            yield House(live, upstream)
        await audit_books(dsn)


def searching(model: str) -> dict[str, Any]:
    said = [{"role": "user", "content": "What is new?"}]
    return {"model": model, "messages": said, "tools": [{"type": "openrouter:web_search"}]}


async def test_a_tool_that_no_channel_counts_is_refused_by_name_and_costs_nothing(house: House):
    holder, before = await house.live.holder(), house.upstream.accepted
    answer = await call(house.live, holder.key, searching("here"))
    error = refused(answer, 400, "tool_not_counted")
    assert "openrouter:web_search" in error["message"]
    assert error["param"] == "tools"
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"]) == ("failed", 0)
    assert [attempt["reason"] for attempt in record["attempts"]] == ["tool_not_counted"]
    assert house.upstream.accepted == before, "nobody was asked"


async def test_a_channel_that_counts_the_tool_is_asked_instead_and_its_searches_are_charged(house: House):
    holder = await house.live.holder()
    answer = await call(house.live, holder.key, searching("elsewhere"))
    assert answer.status_code == 200, answer.text
    record = await house.live.record(answer.headers["x-request-id"])
    assert record["quantities"] == {"input": 3, "output": 2, "search": 2, "request": 1}
    assert record["attempts"][0]["reason"] == "tool_not_counted"


async def test_a_channel_whose_operator_says_so_passes_it_on(house: House):
    holder = await house.live.holder()
    assert (await call(house.live, holder.key, searching("passing"))).status_code == 200
    another = {**searching("passing"), "tools": [{"type": "openrouter:subagent"}]}
    refused(await call(house.live, holder.key, another), 400, "tool_not_counted")

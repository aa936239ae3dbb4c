"""Fallback models of a key and groups that stand for others: who answers, at whose price, and what the record says."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from airouter.domain.policy import Network, Routing
from airouter.gateway.routing.fallback import _renamed
from airouter.providers.contract import Call as ProviderCall
from airouter.providers.registry import PROVIDERS
from airouter.services.groups import GroupChanges, GroupDraft, Groups
from airouter.wire.requests import Named, read_request
from tests import postgres
from tests.audit import audit_books
from tests.live import Holder, Live, serving
from tests.patience import until
from tests.upstream.server import Line, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

USAGE = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
CHEAP, DEAR = 1_000_000, 3_000_000
BROKEN: dict[str, Any] = {"status": 500}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Live]:
    """`asked` and `spare` are served by channels that do as the request says; `lonely` by none; `dead` by one that is
    not there. `cheap` and `dear` are groups, `auto` stands for both.
    """
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with serving(dsn, tmp_path_factory.mktemp("home")) as live:
            await live.policy(Network(allow_private=True))
            async with live.database() as database:
                groups = Groups(database)
                await groups.save(GroupDraft(name="cheap", multiplier_micros=CHEAP))
                await groups.save(GroupDraft(name="dear", multiplier_micros=DEAR))
                await groups.save(GroupDraft(name="auto", members=["cheap", "dear"], usable_by=["default"]))
            rates = {"input": 1_000_000, "output": 1_000_000}
            for name in ("asked", "spare", "dear-only", "dead-cheap", "lonely", "dead"):
                await live.model(name, rates)
            nowhere = {"provider": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}
            everywhere = ["default", "cheap", "dear"]
            await live.channel("plain", models=["asked", "spare"], groups=everywhere)
            await live.channel("dear", models=["dear-only", "dead-cheap"], groups=["dear"])
            await live.channel("dead cheap", models=["dead-cheap"], groups=["cheap"], **nowhere)
            await live.channel("dead", models=["dead"], groups=everywhere, **nowhere)
            await live.policy(Routing(failures_in_a_row=1000, failure_calls_min=1000))
            yield live
        await audit_books(dsn)


async def call(house: Live, holder: Holder, model: str, **script: Any) -> httpx.Response:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 10,
        "scripted": {"usage": USAGE, **script},
    }
    async with httpx.AsyncClient() as client:
        return await client.post(
            f"{house.url}/v1/chat/completions", headers={"authorization": f"Bearer {holder.key}"}, json=body
        )


async def test_a_fallback_model_answers_at_its_own_price_and_is_named(house: Live):
    holder = await house.holder(fallback_models=["lonely", "spare"])
    answer = await call(house, holder, "dead")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-airouter-model"] == "spare"
    record = await house.record(answer.headers["x-request-id"])
    assert (record["model"], record["requested_model"], record["status"]) == ("spare", "dead", "ok")
    assert record["cost"] == 1000
    assert [(one["model"], one.get("reason")) for one in record["attempts"]] == [
        ("dead", "connect_failed"),
        ("spare", None),
    ]


async def test_a_model_that_nobody_serves_or_that_is_not_there_falls_back_too(house: Live):
    holder = await house.holder(fallback_models=["spare"])
    for name in ("lonely", "unheard-of"):
        answer = await call(house, holder, name)
        assert (answer.status_code, answer.headers["x-airouter-model"]) == (200, "spare"), answer.text
        record = await house.record(answer.headers["x-request-id"])
        assert (record["model"], record["requested_model"]) == ("spare", name)


async def test_an_answer_of_the_model_asked_for_says_nothing_of_another(house: Live):
    holder = await house.holder(fallback_models=["spare"])
    answer = await call(house, holder, "asked")
    assert "x-airouter-model" not in answer.headers
    assert (await house.record(answer.headers["x-request-id"]))["requested_model"] is None


async def test_a_stream_falls_back_before_its_first_byte(house: Live):
    holder = await house.holder(fallback_models=["spare"])
    body = {"model": "dead", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{house.url}/v1/chat/completions", headers={"authorization": f"Bearer {holder.key}"}, json=body
        )
    assert (answer.status_code, answer.headers["x-airouter-model"]) == (200, "spare")
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_a_request_that_is_at_fault_does_not_fall_back(house: Live):
    holder = await house.holder(fallback_models=["spare"])
    answer = await call(house, holder, "asked", status=400, error={"message": "bad"})
    assert answer.status_code == 400
    assert (await house.record(answer.headers["x-request-id"]))["model"] == "asked"


async def test_when_all_fail_the_first_failure_is_told_and_nothing_is_charged(house: Live):
    holder = await house.holder(fallback_models=["spare"])
    answer = await call(house, holder, "dead", **BROKEN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_failed")
    record = await house.record(answer.headers["x-request-id"])
    assert (record["cost"], record["status"]) == (0, "failed")
    assert [one["model"] for one in record["attempts"]] == ["dead", "spare"]


async def test_a_fallback_that_costs_more_than_there_is_is_passed_over(house: Live):
    await house.model("golden", {"input": 10**15, "output": 10**15})
    await house.channel("golden", models=["golden"])
    holder = await house.holder(quota=10**9, fallback_models=["golden", "spare"])
    answer = await call(house, holder, "dead")
    assert (answer.status_code, answer.headers["x-airouter-model"]) == (200, "spare"), answer.text
    assert (await house.record(answer.headers["x-request-id"]))["cost"] == 1000


async def test_a_group_that_stands_for_others_serves_at_the_price_of_the_one_that_answers(house: Live):
    holder = await house.holder(group="auto")
    prices = {"asked": ("cheap", 1000), "dear-only": ("dear", 3000), "dead-cheap": ("dear", 3000)}
    for model, (group, cost) in prices.items():
        answer = await call(house, holder, model)
        assert answer.status_code == 200, answer.text
        record = await house.record(answer.headers["x-request-id"])
        assert (record["group_name"], record["cost"], record["requested_model"]) == (group, cost, None), model
    assert [one["group"] for one in record["attempts"]] == ["cheap", "dear"]


async def test_models_and_prices_of_such_a_group_are_those_of_its_members(house: Live):
    holder = await house.holder(group="auto")
    async with httpx.AsyncClient() as client:
        listed = await client.get(f"{house.url}/v1/models", headers={"authorization": f"Bearer {holder.key}"})
    names = {one["id"] for one in listed.json()["data"]}
    assert {"asked", "dear-only", "dead-cheap"} <= names
    assert "lonely" not in names


async def test_members_are_plain_groups_and_stay_while_somebody_stands_for_them(house: Live):
    async with house.database() as database:
        groups = Groups(database)
        for members in (["nobody"], ["auto"], ["round"]):
            with pytest.raises(Exception, match=r"members\[0\]"):
                await groups.save(GroupDraft(name="round", members=members))
        with pytest.raises(Exception, match="stands for this one"):
            await groups.change("cheap", GroupChanges(members=["dear"]))
        with pytest.raises(Exception, match=r"referred to by .*groups"):
            await groups.delete("dear")


async def test_a_model_whose_channels_are_all_left_out_is_not_even_asked(house: Live):
    await house.policy(Routing(failures_in_a_row=2, cool_down_seconds=300))
    holder = await house.holder(fallback_models=["spare"])
    answers = [await call(house, holder, "dead") for _ in range(4)]
    assert [answer.headers.get("x-airouter-model") for answer in answers] == ["spare"] * 4
    record = await house.record(answers[-1].headers["x-request-id"])
    assert (record["requested_model"], record["attempts"]) == ("dead", [])
    alone = await house.holder()
    answer = await call(house, alone, "dead")
    assert answer.status_code == 502, "who has nothing else is asked for all the same"
    assert len((await house.record(answer.headers["x-request-id"]))["attempts"]) == 1


async def test_a_credential_that_is_refused_again_and_again_is_disabled_in_the_books(house: Live):
    async def picky(line: Line) -> None:
        if line.received.headers["authorization"] == "Bearer sk-good-0000000000":
            await line.json(b'{"object":"chat.completion","choices":[{"index":0}]}')
        else:
            await line.raw(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}")

    await house.policy(Routing(cool_down_seconds=0, credential_refusals_max=2))
    await house.model("picky", {"input": 1, "output": 1})
    query = """SELECT disabled_by, disabled_reason FROM channel_credentials JOIN channels USING (channel_id)
        WHERE name = 'picky' ORDER BY hint = '0000' DESC"""
    async with running(picky) as upstream:
        await house.channel(
            "picky",
            "openai-compatible",
            base_url=f"http://127.0.0.1:{upstream.port}/v1",
            models=["picky"],
            credentials=["sk-good-0000000000", "sk-wrong-1111111111"],
        )
        holder = await house.holder()
        for _ in range(4):
            assert (await call(house, holder, "picky")).status_code == 200
        await until(lambda: _is_disabled(house, query))
        good, wrong = await house.sql(query)
        assert good["disabled_by"] is None
        assert (wrong["disabled_by"], wrong["disabled_reason"]) == ("gateway", "status 401")
        await house.in_force()
        seen = len(upstream.received)
        for _ in range(4):
            assert (await call(house, holder, "picky")).status_code == 200
        assert len(upstream.received) == seen + 4, "nobody asks with it any more"


async def _is_disabled(house: Live, query: str) -> bool:
    return any(row["disabled_by"] == "gateway" for row in await house.sql(query))


@pytest.mark.parametrize(
    ("endpoint", "provider", "body"),
    [
        ("chat.completions", "openai", b'{"model":"asked","messages":[{"role":"user","content":"say asked"}]}'),
        ("responses", "openai", b'{"model":"asked","input":"say asked"}'),
        (
            "messages",
            "anthropic",
            b'{"model":"asked","max_tokens":9,"messages":[{"role":"user","content":"say asked"}]}',
        ),
        ("generate_content", "gemini", b'{"contents":[{"parts":[{"text":"say asked"}]}]}'),
    ],
)
async def test_in_every_dialect_the_provider_is_asked_for_the_model_that_was_admitted(
    endpoint: Any, provider: str, body: bytes
):
    named = Named(model="asked") if endpoint == "generate_content" else None
    request, renamed = _renamed(read_request(endpoint, body, named), body, "spare")
    for upstream_model in ("spare", "vendor-spare"):
        asked = ProviderCall(
            endpoint=endpoint, request=request, body=renamed, upstream_model=upstream_model, credential="sk"
        )
        out = PROVIDERS[provider].outgoing(asked)
        named_in = json.loads(out.body).get("model", out.path)
        assert upstream_model in named_in
        assert "asked" not in named_in
        assert b"say asked" in out.body

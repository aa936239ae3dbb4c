"""The life of a response: kept at one provider, found again by its account on every node, and by nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from airouter.domain.policy import Network
from airouter.services.groups import GroupDraft, Groups
from tests import postgres
from tests.audit import audit_books
from tests.live import RATES, Holder, Live, serving
from tests.upstream.kept import QUANTITIES, KeptResponses, keeping

pytestmark = pytest.mark.asyncio(loop_scope="module")

COST = (20 * 2500) + (10 * 1250) + (12 * 10_000) + 7
MODEL = "keeper"


class House:
    """Two nodes on one database, and an upstream that keeps responses for two organisations."""

    def __init__(self, live: Live, other: Live, kept: KeptResponses, holder: Holder) -> None:
        self.live = live
        self.other = other
        self.kept = kept
        self.holder = holder
        self._clients: list[openai.AsyncOpenAI] = []

    def client(self, holder: Holder | None = None, live: Live | None = None) -> openai.AsyncOpenAI:
        base_url = (live or self.live).url + "/v1"
        self._clients.append(openai.AsyncOpenAI(api_key=(holder or self.holder).key, base_url=base_url, max_retries=0))
        return self._clients[-1]

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    async def usage_of(self, holder: Holder) -> list[tuple[str, int]]:
        rows = await self.live.sql(
            "SELECT status, charged FROM usage_records WHERE account_id = $1 ORDER BY created_at", holder.account_id
        )
        return [(row["status"], row["charged"]) for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn, keeping() as (kept, _):
        homes = [tmp_path_factory.mktemp("home") for _ in range(2)]
        async with serving(dsn, homes[0]) as live, serving(dsn, homes[1], hot=False) as other:
            await furnish(live, kept)
            await other.in_force()
            opened = House(live, other, kept, await live.holder())
            yield opened
            await opened.close()
        await audit_books(dsn)


async def furnish(live: Live, kept: KeptResponses) -> None:
    await live.policy(Network(allow_private=True))
    await live.model(MODEL, {**RATES, "reasoning": 10_000_000_000}, context_window=1000)
    await live.model("stranger", RATES)
    await live.channel(
        "organisations", provider="openai", base_url=kept.base_url, credentials=["sk-one", "sk-two"], models=[MODEL]
    )
    await live.channel("translated", models=["stranger"])


async def test_a_conversation_goes_on_where_it_is_kept_whichever_node_is_asked(house: House):
    here, there = house.client(), house.client(live=house.other)
    for _ in range(6):  # two credentials take turns: only one of them knows each response
        first = await here.responses.create(model=MODEL, input="Hello")
        second = await there.responses.create(model=MODEL, input="And?", previous_response_id=first.id)
        items = [{"type": "item_reference", "id": second.output[0].id}, {"role": "user", "content": "So?"}]
        third = await here.responses.create(model=MODEL, input=items)  # type: ignore[arg-type]
        assert third.output_text == "Hello there"
    credentials = {credential for _, _, credential, _ in house.kept.asked}
    assert credentials == {"sk-one", "sk-two"}


async def test_what_is_kept_is_read_listed_and_deleted_for_nothing(house: House):
    holder = await house.live.holder()
    client = house.client(holder)
    made = await client.responses.create(model=MODEL, input="Hello")
    found = await house.client(holder, house.other).responses.retrieve(made.id)
    assert (found.id, found.output_text) == (made.id, "Hello there")
    assert [item.id async for item in client.responses.input_items.list(made.id, limit=5)] == ["msg_in"]
    assert house.kept.asked[-1][1] == f"/responses/{made.id}/input_items?limit=5"
    events = [event.type async for event in await client.responses.retrieve(made.id, stream=True, starting_after=1)]
    assert events == ["response.completed"]
    assert "starting_after=1" in house.kept.asked[-1][1]
    await client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError) as refused:
        await client.responses.retrieve(made.id)
    assert refused.value.code == "response_not_found"
    await house.live.record(str(made._request_id))
    assert await house.usage_of(holder) == [("ok", COST)]


async def test_another_account_finds_nothing(house: House):
    made = await house.client().responses.create(model=MODEL, input="Hello")
    stranger = house.client(await house.live.holder())
    asked = len(house.kept.asked)
    for attempt in (
        stranger.responses.retrieve(made.id),
        stranger.responses.delete(made.id),
        stranger.responses.cancel(made.id),
        stranger.responses.input_items.list(made.id),
        stranger.responses.create(model=MODEL, input="And?", previous_response_id=made.id),
        stranger.responses.create(model=MODEL, input=[{"type": "item_reference", "id": made.output[0].id}]),
        stranger.responses.create(model=MODEL, input=[{"id": made.output[0].id}]),  # type: ignore[list-item]
        stranger.responses.create(model=MODEL, input="And?", conversation="conv_unknown"),
    ):
        with pytest.raises(openai.NotFoundError) as refused:
            await attempt
        assert refused.value.code in {"response_not_found", "item_not_found", "conversation_not_found"}
    assert len(house.kept.asked) == asked, "nothing of it reached the provider"


async def test_a_body_that_names_two_responses_goes_out_with_the_one_that_was_looked_up(house: House):
    made = await house.client().responses.create(model=MODEL, input="Hello")
    body = (
        f'{{"model":"{MODEL}","input":"x","previous_response_id":"resp_of_others","previous_response_id":"{made.id}"}}'
    )
    async with httpx.AsyncClient(base_url=house.live.url) as client:
        headers = {"authorization": f"Bearer {house.holder.key}", "content-type": "application/json"}
        answer = await client.post("/v1/responses", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert house.kept.asked[-1][3]["previous_response_id"] == made.id


async def test_what_was_not_stored_is_not_known(house: House):
    client = house.client()
    made = await client.responses.create(
        model=MODEL, input="Hello", store=False, include=["reasoning.encrypted_content"]
    )
    with pytest.raises(openai.NotFoundError):
        await client.responses.create(model=MODEL, input="And?", previous_response_id=made.id)
    stream = await client.responses.create(model=MODEL, input="Hello", store=False, stream=True)  # as Codex does
    assert [event.type async for event in stream][-1] == "response.completed"


async def test_a_streamed_response_is_known_when_its_stream_ends(house: House):
    async for event in await house.client().responses.create(model=MODEL, input="Hello", stream=True):
        last = event
    assert last.type == "response.completed"
    found = await house.client(live=house.other).responses.retrieve(last.response.id)
    assert found.id == last.response.id


async def test_a_translated_model_remembers_nothing_and_says_so(house: House):
    client = house.client()
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="stranger", input="And?", previous_response_id="resp_1")
    assert refused.value.code == "not_translatable"
    assert "whole conversation" in refused.value.message
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="stranger", input="Hello", background=True)
    assert refused.value.code == "not_translatable"
    raw = await client.responses.with_raw_response.create(model="stranger", input="Hello", store=True)
    assert raw.headers["x-airouter-dropped"] == "stored_answer"
    assert raw.parse().to_dict()["store"] is False


async def test_a_conversation_is_kept_for_its_account_and_answers_go_where_it_lives(house: House):
    client, there = house.client(), house.client(live=house.other)
    hello: list[Any] = [{"type": "message", "role": "user", "content": "Hello"}]
    made = await client.conversations.create(items=hello, metadata={"topic": "greetings"})
    assert house.kept.asked[-1][3] == {"items": hello, "metadata": {"topic": "greetings"}}
    assert (await there.conversations.retrieve(made.id)).metadata == {"topic": "greetings"}
    changed = await there.conversations.update(made.id, metadata={"topic": "farewells"})
    assert changed.metadata == {"topic": "farewells"}
    await client.conversations.items.create(made.id, items=hello)
    assert [item.id async for item in client.conversations.items.list(made.id)] == ["msg_1"]
    assert (await client.conversations.items.retrieve("msg_1", conversation_id=made.id)).id == "msg_1"
    await client.conversations.items.delete("msg_1", conversation_id=made.id)
    for conversation in (made.id, {"id": made.id}):
        answer = await there.responses.create(model=MODEL, input="And?", conversation=conversation)  # type: ignore[arg-type]
        assert answer.output_text == "Hello there"
    assert {asked[2] for asked in house.kept.asked[-9:]} == {"sk-one"}, "where it was begun"
    stranger = house.client(await house.live.holder())
    with pytest.raises(openai.NotFoundError) as refused:
        await stranger.conversations.retrieve(made.id)
    assert refused.value.code == "conversation_not_found"
    await client.conversations.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        await client.conversations.items.list(made.id)


async def test_compacting_is_charged_and_counting_is_free(house: House):
    holder = await house.live.holder()
    client = house.client(holder)
    compacted = await client.responses.compact(model=MODEL, input="Hello")
    assert compacted.object == "response.compaction"
    record = await house.live.record(str(compacted._request_id))
    assert (record["endpoint"], record["quantities"], record["charged"]) == ("responses.compact", QUANTITIES, COST)
    counted = await client.responses.input_tokens.count(model=MODEL, input="Hello")
    assert counted.input_tokens == 31
    assert await house.usage_of(holder) == [("ok", COST)]


async def test_what_a_gone_channel_kept_is_refused_and_never_looked_for_elsewhere(house: House):
    await house.live.model("moving", RATES)
    channel = await house.live.channel(
        "one", provider="openai", base_url=house.kept.base_url, credentials=["sk-three"], models=["moving"]
    )
    client = house.client()
    made = await client.responses.create(model="moving", input="Hello")
    await house.live.sql("UPDATE channels SET is_enabled = false WHERE channel_id = $1", channel)
    await house.live.channel(  # whose announcement tells of the other, too
        "two", provider="openai", base_url=house.kept.base_url, credentials=["sk-four"], models=["moving"]
    )
    await client.responses.create(model="moving", input="Hello")
    assert house.kept.asked[-1][2] == "sk-four"
    asked = len(house.kept.asked)
    for attempt in (
        client.responses.create(model="moving", input="And?", previous_response_id=made.id),
        client.responses.retrieve(made.id),
    ):
        with pytest.raises(openai.ConflictError) as refused:
            await attempt
        assert refused.value.code == "channel_gone"
    assert len(house.kept.asked) == asked


async def test_a_conversation_stays_in_the_group_that_it_began_in_at_its_price(house: House):
    async with house.live.database() as database:
        groups = Groups(database)
        await groups.save(GroupDraft(name="first", multiplier_micros=1_000_000))
        await groups.save(GroupDraft(name="second", multiplier_micros=3_000_000))
        await groups.save(GroupDraft(name="either", members=["first", "second"]))
    await house.live.model("grouped", RATES)
    for group, credential in (("second", "sk-second"), ("first", "sk-first")):
        await house.live.channel(
            group, provider="openai", base_url=house.kept.base_url, credentials=[credential], models=["grouped"],
            groups=[group],
        )  # fmt: skip
        if group == "second":
            client = house.client(await house.live.holder(group="either"))
            made = await client.responses.create(model="grouped", input="Hello")
    plain = await client.responses.create(model="grouped", input="Hello")
    assert house.kept.asked[-1][2] == "sk-first"
    going_on = await client.responses.create(model="grouped", input="And?", previous_response_id=made.id)
    assert house.kept.asked[-1][2] == "sk-second"
    counted = await client.responses.input_tokens.count(model="grouped", input="?", previous_response_id=made.id)
    assert (counted.input_tokens, house.kept.asked[-1][2]) == (31, "sk-second")
    first, second = [await house.live.record(str(one._request_id)) for one in (plain, going_on)]
    assert (first["group_name"], second["group_name"]) == ("first", "second")
    assert (second["multiplier_micros"], second["cost"]) == (3_000_000, 3 * first["cost"])

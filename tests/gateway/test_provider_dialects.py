"""Bedrock and Cohere as the replayed provider of calls through every door: what was recorded arrives, in the client's
dialect, and costs to the unit what the provider reported.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anthropic
import httpx
import openai
import pytest
import pytest_asyncio
from google import genai
from google.genai import types

from airouter.domain.policy import Network
from airouter.providers.sigv4 import Keys, Scope, Unsigned, signed
from airouter.translation.bedrock.replies import read as read_bedrock
from airouter.translation.cohere.replies import read as read_cohere
from tests import postgres
from tests.audit import audit_books
from tests.gateway.test_recorded_calls import MULTIPLIER_MICROS, RATES, cost_of
from tests.live import Holder, Live, serving
from tests.providers.provider_recordings import CHAT, CONVERSE, EMBED, EVERY, WITH_TOOLS, cohere_streamed, streamed
from tests.providers.replay import Played, Received, Replay, listened_to, replaying, torn
from tests.providers.translated_calls import DOORS, SIMPLE
from tests.translation.dialects import DIALECTS, events_of, reply_essence, stream_essence
from tests.translation.test_recorded import nearest
from tests.wire.frames import EVENT_STREAM, event, exception

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = Keys(access_key_id="AKIDEXAMPLE", secret="se/cret", session_token="token==")
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


class House:
    def __init__(self, live: Live, upstream: Replay, client: httpx.AsyncClient, holder: Holder) -> None:
        self.live = live
        self.upstream = upstream
        self.client = client
        self.holder = holder

    def says(self, answer: dict[str, Any] | bytes, content_type: str = "application/json", status: int = 200) -> None:
        """What the provider answers from now on."""
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        played = Played(status=status, content_type=content_type, pieces=torn(data, seed=len(data), pieces=4))
        self.upstream.choose = lambda _request: played

    async def ask(self, endpoint: str, model: str, *, is_streaming: bool = False) -> httpx.Response:
        verb = "streamGenerateContent?alt=sse" if is_streaming else "generateContent"
        path = {
            "chat.completions": "/v1/chat/completions",
            "responses": "/v1/responses",
            "messages": "/v1/messages",
            "generate_content": f"/v1beta/models/{model}:{verb}",
        }[endpoint]
        body = dict(SIMPLE[endpoint])
        if endpoint != "generate_content":
            body |= {"model": model, "stream": is_streaming}
        return await self.client.post(path, json=body, headers={"authorization": f"Bearer {self.holder.key}"})

    async def interrupted(self, model: str, beginning: bytes, rest: bytes, *, breaks: bool = False) -> httpx.Response:
        """The answer to a stream at the door of Anthropic that goes on with the rest once its beginning was heard.

        (What comes at once with the beginning could still be answered by another channel, or with a status.)
        """
        heard = asyncio.Event()
        played = Played(content_type=EVENT_STREAM, pieces=[beginning, rest], breaks=breaks, heard=heard)
        self.upstream.choose = lambda _request: played
        body = {**SIMPLE["messages"], "model": model, "stream": True}
        headers = {"authorization": f"Bearer {self.holder.key}"}
        return await listened_to(self.client, heard, "/v1/messages", json=body, headers=headers)

    async def charged(self, answer: httpx.Response, tokens: int) -> dict[str, Any]:
        """The record of a call that used so many tokens: charged by what was reported, exactly."""
        record = await self.live.record(answer.headers["x-request-id"])
        assert record["usage_source"] == "provider"
        assert sum(count for meter, count in record["quantities"].items() if meter != "request") == tokens
        assert record["charged"] == record["cost"]
        assert record["cost"] == cost_of(record["quantities"])
        return record


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn, replaying(lambda _: Played()) as upstream:
        async with serving(dsn, tmp_path_factory.mktemp("home"), hot=True) as live:
            await live.policy(Network(allow_private=True))
            await live.sql("INSERT INTO groups (name, multiplier_micros) VALUES ('recorded', $1)", MULTIPLIER_MICROS)
            for provider, theirs, credential in (
                ("bedrock", MODEL, f"{KEYS.access_key_id}:{KEYS.secret}:{KEYS.session_token}"),
                ("cohere", "command-a-03-2025", "co-key"),
            ):
                await live.model(f"of-{provider}", RATES)
                await live.channel(
                    provider,
                    provider=provider,
                    base_url=upstream.base_url.removesuffix("/v1"),
                    credentials=[credential],
                    models={f"of-{provider}": theirs},
                    groups=["recorded"],
                )
            await live.model("of-two", RATES)
            for name in ("first", "second"):
                await live.channel(
                    name,
                    provider="bedrock",
                    base_url=upstream.base_url.removesuffix("/v1"),
                    credentials=[f"{KEYS.access_key_id}:{KEYS.secret}:{KEYS.session_token}"],
                    models={"of-two": MODEL},
                    groups=["recorded"],
                )
            holder = await live.holder(quota=10**15, group="recorded")
            async with httpx.AsyncClient(base_url=live.url) as client:
                yield House(live, upstream, client, holder)
        await audit_books(dsn)


def assert_signed(sent: Received, host: str) -> None:
    """As AWS checks it: the signature is made anew from what arrived."""
    at = datetime.strptime(sent.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 300
    request = Unsigned(
        method="POST",
        host=host,
        target=sent.path,
        headers=((b"content-type", sent.headers["content-type"].encode()),),
        body=sent.body,
    )
    wanted = dict(signed(request, KEYS, Scope(region="us-east-1", service="bedrock", at=at)))
    assert sent.headers["authorization"] == wanted[b"authorization"].decode()
    assert sent.headers["x-amz-security-token"] == KEYS.session_token
    assert "sk-air-" not in json.dumps(sent.headers)


async def test_every_recorded_answer_of_bedrock_arrives_at_openai_s_door_and_is_charged(house: House):
    for recorded in CONVERSE:
        house.says(recorded.answer)
        answer = await house.ask("chat.completions", "of-bedrock")
        assert answer.status_code == 200, answer.text
        wanted = reply_essence(read_bedrock(recorded.answer, "m", 1))
        assert reply_essence(DIALECTS["chat"].read_reply(answer.json())) == wanted, recorded.name
        assert answer.json()["model"] == "of-bedrock"
        await house.charged(answer, recorded.answer["usage"]["totalTokens"])
    sent = house.upstream.received[-1]
    assert sent.path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert_signed(sent, house.upstream.base_url.removesuffix("/v1").removeprefix("http://"))


@pytest.mark.parametrize("endpoint", list(DOORS))
async def test_streams_of_bedrock_arrive_at_every_door_and_are_charged(house: House, endpoint: str):
    here = DIALECTS[DOORS[endpoint]]
    for recorded in CONVERSE[:: 2 if endpoint == "chat.completions" else 4]:
        house.says(streamed(recorded.answer), EVENT_STREAM)
        answer = await house.ask(endpoint, "of-bedrock", is_streaming=True)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        wanted = reply_essence(read_bedrock(recorded.answer, "m", 1))
        got = stream_essence(events_of(here, answer.content))
        assert (got["words"], got["calls"], got["failures"]) == (wanted["words"], wanted["calls"], [])
        assert nearest(got["stop"]) == nearest(wanted["stop"])
        await house.charged(answer, recorded.answer["usage"]["totalTokens"])
    assert house.upstream.received[-1].path.endswith("/converse-stream")


@pytest.mark.parametrize("endpoint", list(DOORS))
async def test_answers_of_cohere_arrive_at_every_door_and_cost_what_it_bills(house: House, endpoint: str):
    here = DIALECTS[DOORS[endpoint]]
    for said in [*(recorded.answer for recorded in CHAT), WITH_TOOLS]:
        wanted = reply_essence(read_cohere(said, "m", 1))
        units = said["usage"]["billed_units"]
        house.says(said)
        whole = await house.ask(endpoint, "of-cohere")
        got = reply_essence(here.read_reply(whole.json()))
        assert (got["words"], got["calls"]) == (wanted["words"], wanted["calls"])
        record = await house.charged(whole, units["input_tokens"] + units["output_tokens"])
        assert record["quantities"] == {
            "input": units["input_tokens"], "output": units["output_tokens"], "request": 1
        }  # fmt: skip
        house.says(cohere_streamed(said), "text/event-stream")
        stream = await house.ask(endpoint, "of-cohere", is_streaming=True)
        found = stream_essence(events_of(here, stream.content))
        assert (found["words"], found["calls"], found["failures"]) == (wanted["words"], wanted["calls"], [])
        await house.charged(stream, units["input_tokens"] + units["output_tokens"])
    assert house.upstream.received[-1].headers["authorization"] == "Bearer co-key"


async def test_openai_s_own_client_gets_vectors_calls_and_streams(house: House):
    client = openai.AsyncOpenAI(api_key=house.holder.key, base_url=house.live.url + "/v1", max_retries=0)
    async with client:
        recorded = EMBED[0].answer
        house.says(recorded)
        vectors = await client.embeddings.create(model="of-cohere", input="Hello, world!")
        assert vectors.data[0].embedding == pytest.approx(recorded["embeddings"]["float"][0])
        assert vectors.usage.total_tokens == recorded["meta"]["billed_units"]["input_tokens"]
        assert house.upstream.received[-1].path == "/v2/embed"
        both = {**CONVERSE[0].answer, "stopReason": "tool_use"}
        calls = [{"toolUse": {"toolUseId": f"t{n}", "name": "weather", "input": {"city": city}}}
                 for n, city in enumerate(("Rome", "Oslo"))]  # fmt: skip
        both["output"] = {"message": {"role": "assistant", "content": [{"text": "Both."}, *calls]}}
        house.says(streamed(both), EVENT_STREAM)
        found: dict[int, str] = {}
        async for chunk in await client.chat.completions.create(
            model="of-bedrock", messages=[{"role": "user", "content": "Weather?"}], stream=True
        ):
            for call in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
                found[call.index] = found.get(call.index, "") + (call.function.arguments or "" if call.function else "")
        assert [json.loads(arguments) for arguments in found.values()] == [{"city": "Rome"}, {"city": "Oslo"}]


THOUGHTFUL = next(one for one in CONVERSE if "signature" in str(one.answer) and "toolUse" in str(one.answer))


async def test_a_thought_and_its_proof_find_their_way_back_through_anthropic_s_own_client(house: House):
    """Two turns with a tool: what Bedrock signed in the first is in the second as it signed it."""
    thought, words, call = (block for block in THOUGHTFUL.answer["output"]["message"]["content"])
    tools: Any = [{"name": "get_user_country", "input_schema": {"type": "object", "properties": {}}}]
    asked: Any = {"model": "of-bedrock", "max_tokens": 4000, "tools": tools,
                  "thinking": {"type": "enabled", "budget_tokens": 1024}}  # fmt: skip
    messages: list[Any] = [{"role": "user", "content": "Where am I?"}]
    async with anthropic.AsyncAnthropic(api_key=house.holder.key, base_url=house.live.url, max_retries=0) as client:
        house.says(streamed(THOUGHTFUL.answer), EVENT_STREAM)
        async with client.messages.stream(messages=messages, **asked) as stream:
            said = await stream.get_final_message()
        assert [block.type for block in said.content] == ["thinking", "text", "tool_use"]
        assert said.stop_reason == "tool_use"
        usage = THOUGHTFUL.answer["usage"]
        assert (said.usage.input_tokens, said.usage.output_tokens) == (usage["inputTokens"], usage["outputTokens"])
        told = {"type": "tool_result", "tool_use_id": call["toolUse"]["toolUseId"], "content": "Mexico"}
        messages += [
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in said.content]},
            {"role": "user", "content": [told]},
        ]
        house.says(CONVERSE[0].answer)
        await client.messages.create(messages=messages, **asked)
    sent = json.loads(house.upstream.received[-1].body)
    bare = {"toolUse": {name: call["toolUse"][name] for name in ("toolUseId", "name", "input")}}
    assert sent["messages"][1]["content"] == [thought, words, bare]
    assert sent["messages"][2]["content"][0]["toolResult"]["content"] == [{"text": "Mexico"}]
    assert sent["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 1024}}


async def test_google_s_own_client_streams_from_cohere(house: House):
    house.says(cohere_streamed(WITH_TOOLS), "text/event-stream")
    options = types.HttpOptions(base_url=house.live.url)
    calls: list[Any] = []
    with genai.Client(api_key=house.holder.key, http_options=options) as made:
        async with made.aio as client:
            async for chunk in await client.models.generate_content_stream(model="of-cohere", contents="Weather?"):
                calls += chunk.function_calls or []
    assert [call.args for call in calls] == [{"city": "Rome"}, {"city": "Oslo"}]


async def test_a_connection_that_ends_before_the_figures_charges_nothing_unreported(house: House):
    whole = streamed(CONVERSE[0].answer)
    half = whole[: len(whole) // 2]
    answer = await house.interrupted("of-bedrock", half[:-1], half[-1:], breaks=True)
    assert b"event: error" in answer.content
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"]) == ("partial", 0)


@pytest.mark.parametrize("endpoint", list(DOORS))
async def test_a_recorded_refusal_arrives_in_the_client_s_shape_and_is_free(house: House, endpoint: str):
    refused = next(one for one in EVERY if one.provider == "bedrock" and one.status == 400)
    house.says(refused.answer, status=400)
    answer = await house.ask(endpoint, "of-bedrock")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == refused.answer["message"]
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"]) == ("failed", 0)


async def test_a_refusal_of_cohere_s_embeddings_has_openai_s_shape(house: House):
    house.says({"id": "x", "message": "too many texts"}, status=400)
    answer = await house.client.post(
        "/v1/embeddings",
        json={"model": "of-cohere", "input": "x"},
        headers={"authorization": f"Bearer {house.holder.key}"},
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "too many texts"


ONE = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "One"}})


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (exception("modelStreamErrorException", {"message": "The model broke"}), b"The model broke"),
        (b"\x00" * 40, b"damaged"),
        (ONE[:-3] + b"xyz", b"damaged"),
    ],
)
async def test_a_stream_that_goes_wrong_says_so_and_costs_nothing_unreported(house: House, rest: bytes, words: bytes):
    answer = await house.interrupted("of-bedrock", ONE, rest)
    assert words in answer.content
    assert b"event: error" in answer.content
    assert b"message_stop" not in answer.content
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"], record["usage_source"]) == ("partial", 0, "none")


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("throttlingException", "limited", (529, "overloaded_error")),
        ("serviceUnavailableException", "overloaded", (502, "api_error")),
        ("modelStreamErrorException", "overloaded", (502, "api_error")),
        ("tomorrowException", "bad_answer", (502, "api_error")),
    ],
)
async def test_an_exception_as_the_first_event_of_a_stream_is_what_it_says_and_another_channel_may_mend_it(
    house: House, name: str, reason: str, told: tuple[int, str]
):
    house.says(exception(name, {"message": "Too much"}), EVENT_STREAM)
    asked = len(house.upstream.received)
    answer = await house.ask("messages", "of-two", is_streaming=True)
    assert len(house.upstream.received) == asked + 2
    assert (answer.status_code, answer.json()["error"]["type"]) == told
    assert ("retry-after" in answer.headers) == (reason == "limited")
    record = await house.live.record(answer.headers["x-request-id"])
    assert (record["status"], record["charged"]) == ("failed", 0)
    assert [attempt["reason"] for attempt in record["attempts"]] == [reason, reason]


@pytest.mark.parametrize("endpoint", list(DOORS))
async def test_an_exception_about_the_request_is_told_once_and_nobody_else_is_asked(house: House, endpoint: str):
    house.says(exception("validationException", {"message": "Input is too long for this model."}), EVENT_STREAM)
    asked = len(house.upstream.received)
    answer = await house.ask(endpoint, "of-two", is_streaming=True)
    assert len(house.upstream.received) == asked + 1
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Input is too long for this model."


async def test_a_limit_in_the_middle_of_a_stream_lets_the_credential_rest_and_is_no_failure(house: House):
    await house.live.model("of-third", RATES)
    third = await house.live.channel(
        "third",
        provider="bedrock",
        base_url=house.upstream.base_url.removesuffix("/v1"),
        credentials=["ABSK-third"],
        models={"of-third": MODEL},
        groups=["recorded"],
    )
    relay = house.live.app._house.open_doors().gateway._relay
    for name in ("validationException", "throttlingException"):
        answer = await house.interrupted("of-third", ONE, exception(name, {"message": "Too many tokens"}))
        assert b"Too many tokens" in answer.content
    standings = relay.health.view(relay._clock())
    assert third not in standings
    assert [one.reason for one in standings.values() if one.state == "resting"].count("limited") >= 1


async def test_what_a_family_of_models_cannot_be_told_is_named(house: House):
    house.says(CONVERSE[0].answer)
    body = {**SIMPLE["chat.completions"], "model": "of-bedrock", "seed": 7, "top_p": 0.5}
    answer = await house.client.post(
        "/v1/chat/completions", json=body, headers={"authorization": f"Bearer {house.holder.key}"}
    )
    assert answer.headers["x-airouter-dropped"] == "seed"
    assert json.loads(house.upstream.received[-1].body)["inferenceConfig"] == {"topP": 0.5}

"""Every dialect at its own door, over a provider of its own and over those of the others: recorded answers arrive, mean
the same, and are charged to the unit.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from airouter.domain.policy import Network
from tests import postgres
from tests.audit import audit_books
from tests.effort import EFFORT
from tests.gateway.test_recorded_calls import MULTIPLIER_MICROS, RATES, cost_of
from tests.live import Holder, Live, serving
from tests.providers.replay import Played, Received, Replay, error_at, listened_to, replaying, torn
from tests.providers.test_other_dialects import REMEMBERED
from tests.translation.dialects import DIALECTS, Traffic, events_of, reply_essence, stream_essence, traffic
from tests.translation.test_recorded import nearest

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROVIDERS = {"chat": "openai-compatible", "responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}
MODELS = {"chat": "of-chat", "responses": "of-responses", "anthropic": "of-anthropic", "gemini": "of-gemini"}
CALLS = [call for call in traffic() if call.status == 200 and (call.answer or call.stream)]
OWN = [call for call in CALLS if call.dialect != "chat" and "advisor_" not in str(call.request.get("tools"))]
"""One recording asks for another model within the call: refused (providers/hosted_tools.py)."""
SEARCHES = {"search": 5_000_000}


class House:
    def __init__(self, live: Live, upstream: Replay, client: httpx.AsyncClient, holder: Holder) -> None:
        self.live = live
        self.upstream = upstream
        self.client = client
        self.holder = holder
        self.heard = asyncio.Event()

    def says(self, call: Traffic) -> None:
        """What the provider answers from now on."""
        self.heard = asyncio.Event()
        if call.stream is not None and (at := error_at(call.stream)):
            pieces = [call.stream[:at], *torn(call.stream[at:], seed=at)]
            played = Played(content_type="text/event-stream", pieces=pieces, heard=self.heard)
        elif call.stream is not None:
            played = Played(content_type="text/event-stream", pieces=torn(call.stream, seed=len(call.stream)))
        else:
            played = Played(pieces=torn(json.dumps(call.answer).encode(), seed=7, pieces=3))
        self.upstream.choose = lambda _request: played

    async def ask(self, dialect: str, model: str, body: dict[str, Any], *, is_streaming: bool) -> httpx.Response:
        verb = "streamGenerateContent?alt=sse" if is_streaming else "generateContent"
        path = {
            "chat": "/v1/chat/completions",
            "responses": "/v1/responses",
            "anthropic": "/v1/messages?beta=true",
            "gemini": f"/v1beta/models/{model}:{verb}",
        }[dialect]
        if dialect != "gemini":
            body = {**body, "model": model, "stream": is_streaming}
        key = {"gemini": "x-goog-api-key", "anthropic": "x-api-key"}.get(dialect, "authorization")
        secret = self.holder.key if key != "authorization" else f"Bearer {self.holder.key}"
        return await listened_to(self.client, self.heard, path, json=body, headers={key: secret})


@asynccontextmanager
async def _answering() -> AsyncIterator[Replay]:
    async with replaying(lambda _request: Played()) as upstream:
        upstream.base_url = upstream.base_url.removesuffix("/v1")
        yield upstream


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["hot", "asgi"])
async def house(
    postgres_server: str,
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn, _answering() as upstream:
        home = tmp_path_factory.mktemp("home")
        async with serving(dsn, home, hot=request.param == "hot") as live:
            await live.policy(Network(allow_private=True))
            await live.sql("INSERT INTO groups (name, multiplier_micros) VALUES ('recorded', $1)", MULTIPLIER_MICROS)
            for dialect, model in MODELS.items():
                await live.model(
                    model, {**RATES, **SEARCHES, "image_output": 9_000_000_019, "audio_output": 7_000_000_007}
                )
                version = "/v1" if dialect in {"chat", "responses"} else ""
                await live.channel(
                    dialect,
                    provider=PROVIDERS[dialect],
                    base_url=upstream.base_url + version,
                    credentials=["sk-upstream"],
                    models={model: "theirs"},
                    options={"uncounted_tools": True},  # some recordings run code at the vendor
                    groups=["recorded"],
                )
            holder = await live.holder(quota=10**15, group="recorded")
            async with httpx.AsyncClient(base_url=live.url) as client:
                yield House(live, upstream, client, holder)
        await audit_books(dsn)


@pytest.mark.parametrize("call", OWN, ids=lambda call: call.name)
async def test_the_same_dialect_passes_byte_for_byte_and_costs_what_was_reported(house: House, call: Traffic):
    house.says(call)
    body = {name: value for name, value in call.request.items() if name not in REMEMBERED}
    body.setdefault("max_tokens", 100) if call.dialect == "anthropic" else None
    answer = await house.ask(call.dialect, MODELS[call.dialect], body, is_streaming=call.stream is not None)
    assert answer.status_code == 200, answer.text
    assert answer.content == (call.stream or json.dumps(call.answer).encode())
    sent = house.upstream.received[-1]
    assert_authorised(call.dialect, sent)
    record = await house.live.record(answer.headers["x-request-id"])
    priced = {meter: count for meter, count in record["quantities"].items() if meter != "search"}
    searched = record["quantities"].get("search", 0)
    assert record["cost"] >= cost_of(priced)
    assert searched or record["cost"] == cost_of(priced)
    assert record["charged"] == record["cost"]


def assert_authorised(dialect: str, sent: Received) -> None:
    """With our credential in the vendor's own header, never with the client's key."""
    name = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}.get(dialect, "authorization")
    assert sent.headers[name] == ("sk-upstream" if name != "authorization" else "Bearer sk-upstream")
    assert "sk-air-" not in json.dumps(sent.headers) + sent.path
    if dialect == "anthropic":
        assert sent.path == "/v1/messages"
        assert sent.headers["anthropic-version"] == "2023-06-01"


SIMPLE: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Go on."}]},
    "responses": {"input": "Go on."},
    "anthropic": {"max_tokens": 1000, "messages": [{"role": "user", "content": "Go on."}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Go on."}]}]},
}
STEP = {"quick": 6, "full": 2, "soak": 1}[EFFORT.name]


@pytest.mark.parametrize("theirs", ["chat", "anthropic", "gemini"])
@pytest.mark.parametrize("mine", list(DIALECTS))
async def test_another_dialect_says_the_same_and_costs_what_was_reported(house: House, mine: str, theirs: str):
    """A provider of `openai` speaks two dialects, and is asked in chat completions by those who speak neither."""
    if mine == theirs:
        return
    here, there = DIALECTS[mine], DIALECTS[theirs]
    calls = [call for call in CALLS if call.dialect == theirs]
    chosen = calls[::STEP] + [call for call in calls if call.stream is not None]
    for call in chosen:
        house.says(call)
        answer = await house.ask(mine, MODELS[theirs], SIMPLE[mine], is_streaming=call.stream is not None)
        assert answer.status_code == 200, (call.name, answer.text)
        if call.stream is not None:
            wanted, got = stream_essence(events_of(there, call.stream)), stream_essence(events_of(here, answer.content))
        else:
            assert call.answer is not None
            wanted, got = reply_essence(there.read_reply(call.answer)), reply_essence(here.read_reply(answer.json()))
        wanted["stop"], got["stop"] = nearest(wanted["stop"]), nearest(got["stop"])
        assert got == wanted, call.name
        record = await house.live.record(answer.headers["x-request-id"])
        assert record["charged"] == record["cost"]
        if record["usage_source"] == "provider" and "search" not in record["quantities"]:
            assert record["cost"] == cost_of(record["quantities"])


async def test_what_cannot_be_said_over_there_is_refused_before_it_costs_anything(house: House):
    asked = {**SIMPLE["chat"], "logprobs": True}
    answer = await house.ask("chat", MODELS["anthropic"], asked, is_streaming=False)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "not_translatable"
    record = await house.live.record(answer.headers["x-request-id"])
    assert record["charged"] == 0


async def test_what_is_left_out_by_rule_is_named(house: House):
    house.says(next(call for call in CALLS if call.dialect == "anthropic" and call.answer))
    asked = {**SIMPLE["chat"], "seed": 7, "frequency_penalty": 0.5}
    answer = await house.ask("chat", MODELS["anthropic"], asked, is_streaming=False)
    assert answer.status_code == 200
    assert answer.headers["x-airouter-dropped"] == "penalties,seed"
    sent = json.loads(house.upstream.received[-1].body)
    assert sent["max_tokens"] == 4096
    assert "seed" not in sent


@pytest.mark.parametrize(
    ("dialect", "shape"),
    [
        ("anthropic", {"type": "error", "error": {"type": "authentication_error"}}),
        ("gemini", {"error": {"code": 401, "status": "UNAUTHENTICATED"}}),
        ("responses", {"error": {"code": "invalid_api_key", "type": "authentication_error"}}),
    ],
)
async def test_a_refusal_has_the_shape_of_its_door(house: House, dialect: str, shape: dict[str, Any]):
    stranger = House(house.live, house.upstream, house.client, house.holder)
    stranger.holder = Holder(
        **{name: getattr(house.holder, name) for name in Holder.__struct_fields__} | {"key": "sk-air-x"}
    )
    answer = await stranger.ask(dialect, MODELS[dialect], SIMPLE[dialect], is_streaming=False)
    assert answer.status_code == 401
    assert contains(answer.json(), shape)


def contains(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return all(name in found and contains(found[name], value) for name, value in wanted.items())
    return found == wanted


async def test_a_provider_s_refusal_arrives_in_the_client_s_shape(house: House):
    refused = {"type": "error", "error": {"type": "invalid_request_error", "message": "messages: too many images"}}
    house.upstream.choose = lambda _request: Played(status=400, pieces=[json.dumps(refused).encode()])
    own = await house.ask("anthropic", MODELS["anthropic"], SIMPLE["anthropic"], is_streaming=False)
    assert (own.status_code, own.json()) == (400, refused)
    chat = await house.ask("chat", MODELS["anthropic"], SIMPLE["chat"], is_streaming=False)
    assert chat.json()["error"]["message"] == "messages: too many images"
    gemini = await house.ask("gemini", MODELS["anthropic"], SIMPLE["gemini"], is_streaming=False)
    assert gemini.json()["error"]["status"] == "INVALID_ARGUMENT"


async def test_a_provider_without_the_like_is_said_so(house: House):
    answer = await house.client.post(
        "/v1/embeddings",
        json={"model": MODELS["anthropic"], "input": "x"},
        headers={"authorization": f"Bearer {house.holder.key}"},
    )
    assert answer.status_code == 400
    assert "embeddings" in answer.json()["error"]["message"]


async def test_a_key_in_the_address_is_accepted_and_goes_no_further(house: House):
    house.says(next(call for call in CALLS if call.dialect == "gemini" and call.answer))
    answer = await house.client.post(
        f"/v1beta/models/{MODELS['gemini']}:generateContent?key={house.holder.key}", json=SIMPLE["gemini"]
    )
    assert answer.status_code == 200
    assert_authorised("gemini", house.upstream.received[-1])

"""What the official Python clients raise when a provider fails: passed through and translated, whole and streamed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import anthropic
import msgspec
import openai
import pytest
import pytest_asyncio
from google import genai
from google.genai import errors as google
from google.genai import types

from airouter.domain.policy import Network, Routing
from tests import postgres
from tests.audit import audit_books
from tests.gateway.upstreams import House, replayed
from tests.providers.replay import Played

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATIENT = Routing(left_out_percent_max=0, credential_refusals_max=1000)
"""Nobody is left out for what these tests let it do, however long they take."""
MODELS = ["of-openai-compatible", "of-anthropic", "of-gemini"]
"""One of each dialect: every door passes through to one of them, and is translated for the others."""
WORDS = "The model cannot do this."
FAULTS: dict[str, tuple[int, dict[str, str], tuple[int, int, int]]] = {
    "400": (400, {}, (400, 400, 400)),
    "401": (401, {}, (502, 502, 502)),
    "402": (402, {}, (502, 502, 502)),
    "403": (403, {}, (502, 502, 502)),
    "413": (413, {}, (413, 413, 413)),
    "429": (429, {"retry-after": "7"}, (503, 529, 503)),
    "500": (500, {}, (502, 502, 502)),
    "503": (503, {}, (502, 502, 502)),
    "529": (529, {}, (502, 502, 502)),
}
"""What the provider says, and the status at the doors of OpenAI, Anthropic and Gemini."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(
    postgres_server: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with postgres.cloned(postgres_server, template_database) as dsn:
        async with replayed(dsn, tmp_path_factory.mktemp("home")) as made:
            await made.live.policy(Network(allow_private=True))
            await made.live.policy(PATIENT)
            yield made
        await audit_books(dsn)


def fails(house: House, status: int, headers: dict[str, str]) -> None:
    body = json.dumps({"error": {"message": WORDS, "type": "refused", "code": None}}).encode()
    house.answers(lambda _: Played(status=status, headers=list(headers.items()), pieces=[body]))


async def chat(house: House, model: str, heard: asyncio.Event, *, is_streaming: bool) -> None:
    async with openai.AsyncOpenAI(api_key=house.holder.key, base_url=house.live.url + "/v1", max_retries=0) as client:
        asked: Any = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": is_streaming}
        answer = await client.chat.completions.create(**asked)
        if is_streaming:
            async for _ in answer:
                heard.set()


async def responses(house: House, model: str, heard: asyncio.Event, *, is_streaming: bool) -> None:
    async with openai.AsyncOpenAI(api_key=house.holder.key, base_url=house.live.url + "/v1", max_retries=0) as client:
        answer: Any = await client.responses.create(model=model, input="Hi", stream=is_streaming, store=False)
        if is_streaming:
            async for event in answer:
                heard.set()
                if event.type == "error":  # this dialect's own: its client hands it out as an event
                    raise openai.APIError(event.message, answer.response.request, body=None)


async def messages(house: House, model: str, heard: asyncio.Event, *, is_streaming: bool) -> None:
    async with anthropic.AsyncAnthropic(api_key=house.holder.key, base_url=house.live.url, max_retries=0) as client:
        asked: Any = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
        if is_streaming:
            async with client.messages.stream(**asked) as stream:
                async for _ in stream:
                    heard.set()
        else:
            await client.messages.create(**asked)


async def gemini(house: House, model: str, heard: asyncio.Event, *, is_streaming: bool) -> None:
    with genai.Client(api_key=house.holder.key, http_options=types.HttpOptions(base_url=house.live.url)) as made:
        async with made.aio as client:
            if is_streaming:
                async for _ in await client.models.generate_content_stream(model=model, contents="Hi"):
                    heard.set()
            else:
                await client.models.generate_content(model=model, contents="Hi")


DOORS: dict[str, tuple[Callable[..., Any], int]] = {
    "chat": (chat, 0), "responses": (responses, 0), "messages": (messages, 1), "gemini": (gemini, 2)
}  # fmt: skip
CLASSES: list[dict[int, type[Exception]]] = [
    {400: openai.BadRequestError, 404: openai.NotFoundError},
    {400: anthropic.BadRequestError, 404: anthropic.NotFoundError, 413: anthropic.RequestTooLargeError},
    {400: google.ClientError, 404: google.ClientError, 413: google.ClientError},
]
FURTHER: list[tuple[type[Exception], type[Exception]]] = [
    (openai.APIStatusError, openai.InternalServerError),
    (anthropic.APIStatusError, anthropic.InternalServerError),
    (google.ClientError, google.ServerError),
]
"""The class of any other status below 500, and from there on."""


async def raised(house: House, door: str, model: str, *, is_streaming: bool, heard: asyncio.Event | None = None) -> Any:
    """What the client raises, which is one of its own errors with words in it. `heard`: something came before."""
    with pytest.raises((openai.APIError, anthropic.APIError, google.APIError)) as caught:
        await DOORS[door][0](house, model, heard or asyncio.Event(), is_streaming=is_streaming)
    error: Any = caught.value
    assert error.message
    assert "<" not in error.message
    return error


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_provider_s_refusal_is_the_error_that_programs_catch(
    house: House, fault: str, door: str, *, is_streaming: bool
):
    said, headers, statuses = FAULTS[fault]
    fails(house, said, headers)
    dialect = DOORS[door][1]
    status = statuses[dialect]
    kind = CLASSES[dialect].get(status, FURTHER[dialect][status >= 500])
    for model in MODELS:
        error = await raised(house, door, model, is_streaming=is_streaming)
        assert isinstance(error, kind), (model, error)
        assert (error.code if dialect == 2 else error.status_code) == status, model
        assert (WORDS in error.message) == (status < 500), model
        if dialect != 2:
            assert error.request_id
            assert error.response.headers.get("retry-after") == headers.get("retry-after")


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("fault", ["dies", "hangs"])
async def test_a_provider_that_dies_or_hangs_is_a_server_s_error(
    house: House, fault: str, door: str, *, is_streaming: bool
):
    dialect = DOORS[door][1]
    kind = "text/event-stream" if is_streaming else "application/json"
    hangs = Played(content_type=kind, pieces=[b" "], heard=asyncio.Event())
    house.answers(lambda _: Played(content_type=kind, breaks=True) if fault == "dies" else hangs)
    if fault == "hangs":
        await house.live.policy(msgspec.structs.replace(PATIENT, first_byte_seconds=2, idle_seconds=2))
    try:
        error = await raised(house, door, MODELS[0], is_streaming=is_streaming)
    finally:
        await house.live.policy(PATIENT)
    assert isinstance(error, FURTHER[dialect][1])
    assert (error.code if dialect == 2 else error.status_code) == (502 if fault == "dies" else 504)


BEGINNINGS = {
    "of-openai-compatible": b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"Hel"}}]}\n\n',
    "of-anthropic": b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":'
    b'"assistant","model":"theirs","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,'
    b'"output_tokens":1}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta",'
    b'"index":0,"delta":{"type":"text_delta","text":"Hel"}}\n\n',
    "of-gemini": b'data: {"candidates":[{"content":{"parts":[{"text":"Hel"}],"role":"model"},"index":0}]}\n\n',
}
ERRORS = {
    "of-openai-compatible": b'data: {"error":{"message":"It broke.","type":"server_error","code":null}}\n\n',
    "of-anthropic": b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"It broke."}}\n\n',
    "of-gemini": b'data: {"error":{"code":500,"message":"It broke.","status":"INTERNAL"}}\n\n',
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("ending", ["an error", "nothing", "a cut"])
async def test_a_stream_that_goes_wrong_in_the_middle_raises(house: House, ending: str, door: str, model: str):
    pieces = [BEGINNINGS[model], *([ERRORS[model]] if ending == "an error" else [])]
    heard = asyncio.Event()
    played = Played(content_type="text/event-stream", pieces=pieces, heard=heard, breaks=ending == "a cut")
    house.answers(lambda _: played)
    error = await raised(house, door, model, is_streaming=True, heard=heard)
    assert ("It broke." in error.message) == (ending == "an error")

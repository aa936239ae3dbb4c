"""The official clients of Anthropic and Google, and OpenAI's responses, against a running gateway whose provider speaks
chat completions only.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import openai
import pytest
import pytest_asyncio
from google import genai
from google.genai import types

from tests.live import Holder, Live

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def holder(house: Live) -> Holder:
    return await house.holder()


async def charged(house: Live, request_id: str, endpoint: str) -> dict[str, Any]:
    record = await house.record(request_id)
    assert record["endpoint"] == endpoint
    assert record["charged"] == record["cost"] > 0
    return record["quantities"]


class TestAnthropic:
    @pytest_asyncio.fixture(loop_scope="module")
    async def client(self, house: Live, holder: Holder) -> AsyncIterator[anthropic.AsyncAnthropic]:
        async with anthropic.AsyncAnthropic(api_key=holder.key, base_url=house.url, max_retries=0) as made:
            yield made

    async def test_a_message(self, house: Live, client: anthropic.AsyncAnthropic):
        raw = await client.messages.with_raw_response.create(
            model="demo",
            max_tokens=200,
            system="Be brief.",
            messages=[{"role": "user", "content": "Hello there"}],
        )
        message = await raw.parse()
        assert message.type == "message"
        assert message.stop_reason == "end_turn"
        assert message.content[0].type == "text"
        assert message.model == "demo"
        used = await charged(house, raw.headers["x-request-id"], "messages")
        assert (message.usage.input_tokens, message.usage.output_tokens) == (used["input"], used["output"])

    async def test_a_stream(self, client: anthropic.AsyncAnthropic):
        async with client.messages.stream(
            model="demo", max_tokens=200, messages=[{"role": "user", "content": "Tell me a story"}]
        ) as stream:
            words = "".join([text async for text in stream.text_stream])
            message = await stream.get_final_message()
        assert message.content[0].type == "text"
        assert words == message.content[0].text
        assert message.usage.output_tokens > 0
        assert message.stop_reason == "end_turn"

    @pytest.mark.parametrize("is_streaming", [False, True])
    async def test_a_tool_is_called_and_answered(self, client: anthropic.AsyncAnthropic, *, is_streaming: bool):
        asked: dict[str, Any] = {
            "model": "demo",
            "max_tokens": 200,
            "tools": [{"name": "weather", "description": "Weather of a city", "input_schema": WEATHER}],
            "tool_choice": {"type": "tool", "name": "weather"},
            "messages": [{"role": "user", "content": "The weather in Bern?"}],
        }
        if is_streaming:
            async with client.messages.stream(**asked) as stream:
                message = await stream.get_final_message()
        else:
            message = await client.messages.create(**asked)
        assert message.stop_reason == "tool_use"
        call = message.content[-1]
        assert call.type == "tool_use"
        assert call.name == "weather"
        assert isinstance(call.input, dict)
        del asked["tool_choice"]
        again = await client.messages.create(
            **{
                **asked,
                "messages": [
                    *asked["messages"],
                    {"role": "assistant", "content": [block.model_dump() for block in message.content]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "Sunny"}]},
                ],
            }
        )
        assert again.content[0].type == "text"

    async def test_models_are_listed_in_its_shape(self, client: anthropic.AsyncAnthropic):
        page = await client.models.list()
        assert [model.id for model in page.data] == ["demo"]
        assert (await client.models.retrieve("demo")).type == "model"

    async def test_tokens_are_counted(self, client: anthropic.AsyncAnthropic):
        """The provider of this house cannot, so it is our estimate, marked as one."""
        raw = await client.messages.with_raw_response.count_tokens(
            model="demo", system="Be brief.", messages=[{"role": "user", "content": "Hello there, how are you?"}]
        )
        assert raw.headers["x-airouter-estimated"] == "true"
        assert (await raw.parse()).input_tokens == 10  # by the vocabulary that stands in for those we do not know

    async def test_a_refusal_is_its_own_error(self, client: anthropic.AsyncAnthropic):
        with pytest.raises(anthropic.NotFoundError) as refused:
            await client.messages.create(model="nothing", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
        assert refused.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]

    async def test_an_empty_purse_is_a_billing_error(self, house: Live):
        poor = await house.holder(quota=0)
        async with anthropic.AsyncAnthropic(api_key=poor.key, base_url=house.url, max_retries=0) as client:
            with pytest.raises(anthropic.APIStatusError) as refused:
                await client.messages.create(model="demo", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
        assert refused.value.status_code == 402
        assert refused.value.body["error"]["type"] == "billing_error"  # type: ignore[index]


class TestGemini:
    @pytest_asyncio.fixture(loop_scope="module", params=["v1", "v1beta"])
    async def client(
        self, house: Live, holder: Holder, request: pytest.FixtureRequest
    ) -> AsyncIterator[genai.client.AsyncClient]:
        options = types.HttpOptions(base_url=house.url, api_version=request.param)
        with genai.Client(api_key=holder.key, http_options=options) as client:
            async with client.aio as made:
                yield made

    async def test_an_answer(self, client: genai.client.AsyncClient):
        answer = await client.models.generate_content(
            model="demo",
            contents="Hello there",
            config=types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=200, temperature=0.2),
        )
        assert answer.text
        assert answer.usage_metadata is not None
        assert answer.usage_metadata.total_token_count
        assert answer.candidates is not None
        assert answer.candidates[0].finish_reason == types.FinishReason.STOP

    async def test_a_stream(self, client: genai.client.AsyncClient):
        parts = [part async for part in await client.models.generate_content_stream(model="demo", contents="A story")]
        assert "".join(part.text or "" for part in parts)
        assert parts[-1].usage_metadata is not None
        assert parts[-1].usage_metadata.candidates_token_count

    async def test_a_tool_is_called_and_answered(self, client: genai.client.AsyncClient):
        declared = types.FunctionDeclaration(
            name="weather", description="Weather of a city", parameters_json_schema=WEATHER
        )
        calling = types.FunctionCallingConfig(
            mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=["weather"]
        )
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declared])],
            tool_config=types.ToolConfig(function_calling_config=calling),
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        answer = await client.models.generate_content(model="demo", contents="Weather in Bern?", config=config)
        assert answer.function_calls
        assert answer.function_calls[0].name == "weather"
        assert answer.candidates is not None
        history: list[Any] = [
            types.Content(role="user", parts=[types.Part(text="Weather in Bern?")]),
            answer.candidates[0].content,
            types.Content(
                role="user",
                parts=[types.Part.from_function_response(name="weather", response={"output": "Sunny"})],
            ),
        ]
        again = await client.models.generate_content(model="demo", contents=history)
        assert again.text

    async def test_tokens_are_counted(self, client: genai.client.AsyncClient):
        counted = await client.models.count_tokens(model="demo", contents="Hello there, how are you?")
        assert counted.total_tokens == -(-len("Hello there, how are you?") // 4)

    async def test_vectors_are_those_of_the_provider(self, client: genai.client.AsyncClient):
        config = types.EmbedContentConfig(output_dimensionality=32)
        several = await client.models.embed_content(model="demo", contents=["one", "two"], config=config)
        assert several.embeddings is not None
        assert [len(vector.values or ()) for vector in several.embeddings] == [32, 32]
        [alone] = (await client.models.embed_content(model="demo", contents="one", config=config)).embeddings or ()
        assert alone.values == several.embeddings[0].values

    async def test_models_are_listed_in_its_shape(self, client: genai.client.AsyncClient):
        names = [model.name async for model in await client.models.list()]
        assert names == ["models/demo"]

    async def test_a_refusal_is_its_own_error(self, client: genai.client.AsyncClient):
        with pytest.raises(genai.errors.ClientError) as refused:
            await client.models.generate_content(model="nothing", contents="Hi")
        assert refused.value.code == 404
        assert refused.value.status == "NOT_FOUND"


class TestResponses:
    @pytest_asyncio.fixture(loop_scope="module")
    async def client(self, house: Live, holder: Holder) -> AsyncIterator[openai.AsyncOpenAI]:
        async with openai.AsyncOpenAI(api_key=holder.key, base_url=f"{house.url}/v1", max_retries=0) as made:
            yield made

    async def test_a_response(self, house: Live, client: openai.AsyncOpenAI):
        raw = await client.responses.with_raw_response.create(model="demo", input="Hello", instructions="Be brief.")
        response = raw.parse()
        assert response.status == "completed"
        assert response.output_text
        used = await charged(house, raw.headers["x-request-id"], "responses")
        assert response.usage is not None
        assert response.usage.input_tokens == used["input"]

    async def test_a_stream(self, client: openai.AsyncOpenAI):
        events = [event async for event in await client.responses.create(model="demo", input="A story", stream=True)]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        assert events[0].type == "response.created"
        last = events[-1]
        assert last.type == "response.completed"
        words = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert words == last.response.output_text

    async def test_a_tool_is_called_and_answered(self, client: openai.AsyncOpenAI):
        tools: Any = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
        response = await client.responses.create(
            model="demo", input="Weather in Bern?", tools=tools, tool_choice={"type": "function", "name": "weather"}
        )
        call = response.output[0]
        assert call.type == "function_call"
        assert call.name == "weather"
        json.loads(call.arguments)
        again = await client.responses.create(
            model="demo",
            tools=tools,
            input=[
                {"role": "user", "content": "Weather in Bern?"},
                call.model_dump(exclude_none=True),  # type: ignore[list-item]
                {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"},
            ],
        )
        assert again.output_text

    async def test_what_a_provider_would_have_to_remember_is_refused_in_words(self, client: openai.AsyncOpenAI):
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model="demo", input="More", previous_response_id="resp_1")
        assert refused.value.code == "not_translatable"

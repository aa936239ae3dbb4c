"""The official clients as judges of what is written for them: an agent's two turns with parallel tools, streamed and
whole, for every dialect of a client over every dialect of a provider.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

from airouter.providers.contract import Call, Provider
from airouter.providers.registry import PROVIDERS
from airouter.providers.serving import Providers
from airouter.translation.conversation import Reasoning, Text, ToolCall
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import Named, read_request
from tests.translation.test_laws import PAIRS, VENDORS, stream_of, whole_of

CALLS = (
    ToolCall(call_id="call_a", name="weather", arguments='{"city":"Zürich"}'),
    ToolCall(call_id="call_b", name="time", arguments="{}"),
)
WANTED = [("weather", {"city": "Zürich"}), ("time", {})]
TURNS = [
    ((Reasoning(text="Both at once."), Text(text="Let me see… "), *CALLS), "tools"),
    ((Text(text="Rain at noon."),), "stop"),
]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
ENDPOINTS: dict[str, Endpoint] = {
    "/v1/chat/completions": "chat.completions", "/v1/responses": "responses", "/v1/messages": "messages",
}  # fmt: skip


class Vendor:
    """Answers as the provider of that dialect would, through the translation, without a network."""

    def __init__(self, mine: Endpoint, theirs: str) -> None:
        self.theirs = theirs
        self.asked: list[dict[str, Any]] = []
        found = Providers(PROVIDERS).serving(VENDORS[theirs], mine)
        assert found is not None
        self._provider: Provider = found

    def __call__(self, request: Any) -> Any:
        """Anthropic's client speaks through the next generation of httpx."""
        response = httpx2.Response if isinstance(request, httpx2.Request) else httpx.Response
        call = call_of(request)
        self.asked.append(json.loads(self._provider.outgoing(call).body))
        parts, stop = TURNS[len(self.asked) - 1]
        if not call.is_streaming:
            body = self._provider.answer(call, whole_of(self.theirs, parts, stop)).body
            return response(200, content=body, headers={"content-type": "application/json"})
        reader = self._provider.stream(call)
        stream = stream_of(self.theirs, parts, stop, 3)
        out = b"".join(reader.feed(stream[at : at + 11]) for at in range(0, len(stream), 11)) + reader.finish()
        return response(200, content=out, headers={"content-type": (reader.content_type or b"").decode()})


def call_of(request: Any) -> Call:
    body, path = request.content, request.url.path
    endpoint = ENDPOINTS.get(path, "generate_content")
    named = Named(model="public", is_streaming="stream" in path) if endpoint == "generate_content" else None
    head = read_request(endpoint, body, named)
    return Call(
        endpoint=endpoint, request=head, body=body, upstream_model="theirs", credential="k", output_allowance=4096
    )


@contextmanager
def client_of(kind: Any, vendor: Vendor) -> Iterator[Any]:
    base = "http://gateway" if kind is anthropic.Anthropic else "http://gateway/v1"
    spoken: Any = httpx2 if kind is anthropic.Anthropic else httpx
    with spoken.Client(transport=spoken.MockTransport(vendor)) as http:
        yield kind(api_key="k", base_url=base, http_client=http, max_retries=0)


def with_chat(vendor: Vendor, *, is_streaming: bool) -> tuple[list[Any], str]:
    functions = [{"name": name, "parameters": SCHEMA} for name, _ in WANTED]
    tools: Any = [{"type": "function", "function": function} for function in functions]
    messages: list[Any] = [{"role": "user", "content": "Weather and time?"}]
    said: list[Any] = []
    with client_of(openai.OpenAI, vendor) as client:
        for _ in TURNS:
            asked: Any = {"model": "public", "messages": messages, "tools": tools}
            if is_streaming:
                with client.chat.completions.stream(**asked) as stream:
                    message = stream.get_final_completion().choices[0].message
            else:
                message = client.chat.completions.create(**asked).choices[0].message
            said.append(message)
            messages.append(message.model_dump(exclude_none=True))
            messages += [
                {"role": "tool", "tool_call_id": call.id, "content": f"of {call.function.name}"}
                for call in message.tool_calls or ()
            ]
    calls = [(call.function.name, json.loads(call.function.arguments)) for call in said[0].tool_calls]
    assert said[0].content == "Let me see… "
    return calls, said[1].content


def with_responses(vendor: Vendor, *, is_streaming: bool) -> tuple[list[Any], str]:
    tools: Any = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name, _ in WANTED]
    items: list[Any] = [{"role": "user", "content": "Weather and time?"}]
    said: list[Any] = []
    with client_of(openai.OpenAI, vendor) as client:
        for _ in TURNS:
            asked: Any = {"model": "public", "input": items, "tools": tools, "store": False}
            if is_streaming:
                with client.responses.stream(**asked) as stream:
                    response = stream.get_final_response()
            else:
                response = client.responses.create(**asked)
            said.append(response)
            items += [item.model_dump(exclude_none=True) for item in response.output]
            for item in response.output:
                if item.type == "function_call":
                    made = {"type": "function_call_output", "call_id": item.call_id, "output": f"of {item.name}"}
                    items.append(made)
    calls = [(item.name, json.loads(item.arguments)) for item in said[0].output if item.type == "function_call"]
    assert said[0].output_text == "Let me see… "
    return calls, said[1].output_text


def with_messages(vendor: Vendor, *, is_streaming: bool) -> tuple[list[Any], str]:
    tools: Any = [{"name": name, "input_schema": SCHEMA} for name, _ in WANTED]
    messages: list[Any] = [{"role": "user", "content": "Weather and time?"}]
    said: list[Any] = []
    with client_of(anthropic.Anthropic, vendor) as client:
        for _ in TURNS:
            asked: Any = {"model": "public", "max_tokens": 999, "messages": messages, "tools": tools}
            if is_streaming:
                with client.messages.stream(**asked) as stream:
                    message = stream.get_final_message()
            else:
                message = client.messages.create(**asked)
            said.append(message)
            used = [block for block in message.content if block.type == "tool_use"]
            results = [{"type": "tool_result", "tool_use_id": one.id, "content": f"of {one.name}"} for one in used]
            content = [block.model_dump(exclude_none=True) for block in message.content]
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results}]
    assert [block.type for block in said[0].content] == ["thinking", "text", "tool_use", "tool_use"]
    assert said[0].stop_reason == "tool_use"
    calls = [(block.name, block.input) for block in said[0].content if block.type == "tool_use"]
    return calls, said[1].content[0].text


def with_gemini(vendor: Vendor, *, is_streaming: bool) -> tuple[list[Any], str]:
    functions = [types.FunctionDeclaration(name=name, parameters_json_schema=SCHEMA) for name, _ in WANTED]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=functions)])
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text="Weather and time?")])]
    said: list[list[types.Part]] = []
    args = {"transport": httpx.MockTransport(vendor)}
    options = types.HttpOptions(base_url="http://gateway", client_args=args)
    client = genai.Client(api_key="k", http_options=options)
    for _ in TURNS:
        asked: Any = {"model": "public", "contents": contents, "config": config}
        if is_streaming:
            answers = list(client.models.generate_content_stream(**asked))
        else:
            answers = [client.models.generate_content(**asked)]
        parts = [part for one in answers for part in one.candidates[0].content.parts or ()]  # type: ignore[index,union-attr]
        said.append(parts)
        contents.append(types.Content(role="model", parts=parts))
        calls = [part.function_call for part in parts if part.function_call]
        made = [
            types.Part.from_function_response(name=c.name or "", response={"output": f"of {c.name}"}) for c in calls
        ]
        contents.append(types.Content(role="user", parts=made))
    found = [(part.function_call.name, part.function_call.args) for part in said[0] if part.function_call]
    return found, "".join(part.text or "" for part in said[1] if not part.thought)


LOOPS = {
    "chat.completions": with_chat,
    "responses": with_responses,
    "messages": with_messages,
    "generate_content": with_gemini,
}


@pytest.mark.parametrize("is_streaming", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("mine", "theirs"), PAIRS)
def test_an_agent_calls_its_tools_and_goes_on(mine: Endpoint, theirs: str, *, is_streaming: bool):
    vendor = Vendor(mine, theirs)
    calls, words = LOOPS[mine](vendor, is_streaming=is_streaming)
    assert calls == WANTED
    assert words == "Rain at noon."
    told = json.dumps(vendor.asked[1], ensure_ascii=False)
    assert len(re.findall(r"Zürich", told)) == 1
    assert told.index("of weather") < told.index("of time")
    assert "of weather" not in json.dumps(vendor.asked[0])

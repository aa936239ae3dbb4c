"""Counting the tokens of a request without running it: what each vendor is asked, and where its answer says the figure.

Anthropic's `POST /v1/messages/count_tokens`, Gemini's `countTokens`, OpenAI's `POST /v1/responses/input_tokens`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.wire.decoding import read_or_none
from airouter.wire.endpoint import Endpoint

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
FIGURE_MAX: Final = 1_000_000_000


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor's way. `counts` is the endpoint whose requests it takes, without what only matters to an answer."""

    counts: Endpoint
    figure: str
    """The member of the answer that says how many."""
    more: Mapping[str, Any] = {}
    """What else its answers carry."""
    takes: frozenset[str] | None = None
    """The members of a request that it reads; None: the request is wrapped whole."""
    wrapped_in: str | None = None
    """The member in which a whole request stands."""


COUNTERS: Final[Mapping[Endpoint, Counter]] = {
    "messages.count_tokens": Counter(
        counts="messages",
        figure="input_tokens",
        takes=frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"}),
    ),
    "generate_content.count_tokens": Counter(
        counts="generate_content", figure="totalTokens", wrapped_in="generateContentRequest"
    ),
    "responses.input_tokens": Counter(
        counts="responses",
        figure="input_tokens",
        more={"object": "response.input_tokens"},
        takes=frozenset({
            "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning",
        }),
    ),
}  # fmt: skip
"""In the order in which a provider that has several is asked."""


def written_request(endpoint: Endpoint, request: Mapping[str, Any], model: str) -> bytes:
    """A request to count, made of one to run."""
    counter = COUNTERS[endpoint]
    if counter.wrapped_in is not None:
        return msgspec.json.encode({counter.wrapped_in: {"model": f"models/{model}", **request}})
    takes = counter.takes or frozenset()
    return msgspec.json.encode({name: value for name, value in request.items() if name in takes})


def unwrapped(endpoint: Endpoint, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request to run that stands in one to count; Google takes both its spellings."""
    wrapped_in = COUNTERS[endpoint].wrapped_in
    inner = None if wrapped_in is None else body.get(wrapped_in, body.get("generate_content_request"))
    return inner if isinstance(inner, dict) else body


def read_answer(endpoint: Endpoint, body: bytes) -> int | None:
    """How many tokens; None for what is no such answer."""
    said = read_or_none(_ANY, body)
    figure = None if said is None else said.get(COUNTERS[endpoint].figure)
    is_count = isinstance(figure, int) and not isinstance(figure, bool) and 0 <= figure <= FIGURE_MAX
    return figure if is_count else None


def written_answer(endpoint: Endpoint, tokens: int) -> bytes:
    """The answer as this endpoint says it."""
    counter = COUNTERS[endpoint]
    return msgspec.json.encode({**counter.more, counter.figure: tokens})

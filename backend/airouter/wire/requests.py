"""The head of a request in whatever dialect its door speaks, and what every such head can be asked."""

from typing import Final, Protocol

import msgspec

from airouter.domain.rate_card import Meter
from airouter.wire import anthropic, gemini, gemini_embeddings, moderations, openai, responses
from airouter.wire.endpoint import Endpoint
from airouter.wire.prompt import Bound, estimated_tokens, utf8_length
from airouter.wire.prompt import estimated_input_tokens as estimated_openai
from airouter.wire.prompt import input_bound as openai_bound
from airouter.wire.prompt import prompt_texts as openai_texts


class RequestHead(Protocol):
    """What the gateway needs to know of a request before it is relayed."""

    @property
    def model(self) -> str:
        """As the client calls it."""
        ...

    @property
    def is_streaming(self) -> bool:
        """The client asked for a stream."""
        ...

    @property
    def wants_usage(self) -> bool:
        """The client wants the usage within the stream."""
        ...

    @property
    def stated_output_tokens(self) -> int | None:
        """The most tokens one answer may have, as the client put it."""
        ...

    @property
    def choices(self) -> int:
        """How many answers are written, and billed."""
        ...

    @property
    def asks(self) -> tuple[Meter, ...]:
        """The meters beyond text that it sets running upstream."""
        ...

    @property
    def service_tier(self) -> str | None:
        """As the client put it."""
        ...


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What the address of a call says, where a dialect says it there."""

    model: str
    is_streaming: bool = False
    is_array: bool = False


def read_request(endpoint: Endpoint, body: bytes, named: Named | None = None) -> RequestHead:
    """Read the head of a request.

    Raises:
        InvalidRequest: it cannot be meant; `field` says where.
    """
    match endpoint:
        case "chat.completions" | "completions" | "embeddings":
            return openai.read_request(endpoint, body)
        case "messages":
            return anthropic.read_request(body)
        case "responses" | "responses.input_tokens" | "responses.compact":
            return responses.read_request(body)
        case "moderations":
            return moderations.read_request(body)
        case "messages.count_tokens":
            return anthropic.read_count_request(body)
        case _:
            return _read_named(endpoint, body, named)


def _read_named(endpoint: Endpoint, body: bytes, named: Named | None) -> RequestHead:
    assert named is not None, "the address names the model"
    match endpoint:
        case "generate_content.count_tokens":
            return gemini.read_count_request(body, named.model)
        case "embed_content" | "batch_embed_contents":
            is_batch = endpoint == "batch_embed_contents"
            return gemini_embeddings.read_request(body, named.model, is_batch=is_batch)
        case _:
            return gemini.read_request(body, named.model, is_streaming=named.is_streaming, is_array=named.is_array)


def hosted_by(request: RequestHead) -> tuple[str, ...]:
    """What a request has its vendor run beside the model, by name; most have nothing."""
    if isinstance(request, openai.Request | anthropic.Request | responses.Request | gemini.Request):
        return request.hosted
    return ()


_OTHERS: Final = (
    anthropic.Request,
    gemini.Request,
    gemini_embeddings.Request,
    moderations.Request,
    responses.Request,
)
"""Heads that bound and estimate themselves."""


def input_bound(endpoint: Endpoint, request: RequestHead, body: bytes) -> Bound:
    """The most that a request can count as input (see prompt.py)."""
    if isinstance(request, openai.Request):
        return openai_bound(endpoint, request, body)
    assert isinstance(request, _OTHERS)
    return request.input_bound(body)


def estimated_input_tokens(endpoint: Endpoint, request: RequestHead) -> int:
    """For calls that nobody counted (see prompt.py)."""
    if isinstance(request, openai.Request):
        return estimated_openai(endpoint, request)
    return estimated_tokens(sum(map(utf8_length, prompt_texts(endpoint, request))))


def prompt_texts(endpoint: Endpoint, request: RequestHead) -> list[str]:
    """What the model reads of a request: the texts that its estimate counts. Token ids are none."""
    if isinstance(request, openai.Request):
        return openai_texts(endpoint, request)
    assert isinstance(request, _OTHERS)
    return request.prompt_texts()

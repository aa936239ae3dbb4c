"""The head of a request in whatever dialect its door speaks, and what every such head can be asked."""

from typing import Protocol

import msgspec

from airouter.domain.rate_card import Meter
from airouter.wire import anthropic, gemini, openai, responses
from airouter.wire.endpoint import Endpoint
from airouter.wire.prompt import Bound
from airouter.wire.prompt import estimated_input_tokens as estimated_openai
from airouter.wire.prompt import input_bound as openai_bound


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
        case "messages":
            return anthropic.read_request(body)
        case "responses":
            return responses.read_request(body)
        case "generate_content":
            assert named is not None, "the address names the model"
            return gemini.read_request(body, named.model, is_streaming=named.is_streaming, is_array=named.is_array)
        case _:
            return openai.read_request(endpoint, body)


def input_bound(endpoint: Endpoint, request: RequestHead, body: bytes) -> Bound:
    """The most that a request can count as input (see prompt.py)."""
    if isinstance(request, openai.Request):
        return openai_bound(endpoint, request, body)
    assert isinstance(request, anthropic.Request | gemini.Request | responses.Request)
    return request.input_bound(body)


def estimated_input_tokens(endpoint: Endpoint, request: RequestHead) -> int:
    """For calls that nobody counted (see prompt.py)."""
    if isinstance(request, openai.Request):
        return estimated_openai(endpoint, request)
    assert isinstance(request, anthropic.Request | gemini.Request | responses.Request)
    return request.estimated_input_tokens()

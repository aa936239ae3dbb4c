"""The doors of the gateway as one table. The router, the hot route, the document and the test that no door is free are
made from it.
"""

from typing import Final, Literal
from urllib.parse import unquote

import msgspec

from airouter.domain.ids import RequestId
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import Named

Dialect = Literal["openai", "anthropic", "gemini"]


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """One address that goes on to a provider. `endpoint` is what is asked of it."""

    method: Literal["GET", "POST", "DELETE"] = "POST"
    path: str
    dialect: Dialect
    endpoint: Endpoint
    operation_id: str
    summary: str
    writes: bool
    """The model writes text, so a call needs an output allowance."""
    bills_as: Endpoint | None = None
    """What rate cards and usage records call it; None: as the provider is asked."""
    is_free: bool = False
    """Nothing is run, so nothing is held, charged or recorded."""
    keeps: bool = False
    """Requests may refer to what a provider keeps, and answers may be kept there (kept/pins.py)."""

    @property
    def billed(self) -> Endpoint:
        """The name on receipts."""
        return self.bills_as or self.endpoint

    def id_headers(self, request_id: RequestId) -> tuple[tuple[bytes, bytes], ...]:
        """What tells a client the id of its request. Anthropic's clients look for it under a name of their own."""
        text = str(request_id).encode()
        ours = (b"x-request-id", text)
        return (ours, (b"request-id", text)) if self.dialect == "anthropic" else (ours,)


DOORS: Final[tuple[Door, ...]] = (
    Door(
        path="/v1/chat/completions",
        dialect="openai",
        endpoint="chat.completions",
        operation_id="createChatCompletion",
        summary="Answer a conversation, whole or as a stream of events.",
        writes=True,
    ),
    Door(
        path="/v1/completions",
        dialect="openai",
        endpoint="completions",
        operation_id="createCompletion",
        summary="Continue a prompt, whole or as a stream of events.",
        writes=True,
    ),
    Door(
        path="/v1/embeddings",
        dialect="openai",
        endpoint="embeddings",
        operation_id="createEmbedding",
        summary="Turn text into vectors.",
        writes=False,
    ),
    Door(
        path="/v1/moderations",
        dialect="openai",
        endpoint="moderations",
        operation_id="createModeration",
        summary="Say whether text or images are harmful.",
        writes=False,
    ),
    Door(
        path="/v1/responses",
        dialect="openai",
        endpoint="responses",
        operation_id="createResponse",
        summary="Answer a conversation in items, whole or as a stream of events.",
        writes=True,
        keeps=True,
    ),
    Door(
        path="/v1/responses/compact",
        dialect="openai",
        endpoint="responses.compact",
        operation_id="compactResponse",
        summary="Shorten a conversation to what a model needs to go on with it.",
        writes=True,
        keeps=True,
    ),
    Door(
        path="/v1/responses/input_tokens",
        dialect="openai",
        endpoint="responses.input_tokens",
        operation_id="countResponseInputTokens",
        summary="Count the tokens of a conversation in items without running it. Free.",
        writes=False,
        is_free=True,
        keeps=True,
    ),
    Door(
        path="/v1/messages",
        dialect="anthropic",
        endpoint="messages",
        operation_id="createMessage",
        summary="Answer a conversation in Anthropic's dialect, whole or as a stream of events.",
        writes=True,
    ),
    Door(
        path="/v1/messages/count_tokens",
        dialect="anthropic",
        endpoint="messages.count_tokens",
        operation_id="countMessageTokens",
        summary="Count the tokens of a conversation without running it. Free.",
        writes=False,
        is_free=True,
    ),
    Door(
        path="/v1beta/models/{model}:generateContent",
        dialect="gemini",
        endpoint="generate_content",
        operation_id="generateContent",
        summary="Answer a conversation in Gemini's dialect.",
        writes=True,
    ),
    Door(
        path="/v1beta/models/{model}:streamGenerateContent",
        dialect="gemini",
        endpoint="generate_content",
        operation_id="streamGenerateContent",
        summary="Answer a conversation in Gemini's dialect as a stream: events with `alt=sse`, else one growing array.",
        writes=True,
    ),
    Door(
        path="/v1beta/models/{model}:countTokens",
        dialect="gemini",
        endpoint="generate_content.count_tokens",
        operation_id="countTokens",
        summary="Count the tokens of a conversation without running it. Free.",
        writes=False,
        is_free=True,
    ),
    Door(
        path="/v1beta/models/{model}:embedContent",
        dialect="gemini",
        endpoint="embed_content",
        bills_as="embeddings",
        operation_id="embedContent",
        summary="Turn a content into a vector.",
        writes=False,
    ),
    Door(
        path="/v1beta/models/{model}:batchEmbedContents",
        dialect="gemini",
        endpoint="batch_embed_contents",
        bills_as="embeddings",
        operation_id="batchEmbedContents",
        summary="Turn contents into vectors.",
        writes=False,
    ),
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A door, and what the address says of the call where its dialect says it there."""

    door: Door
    named: Named | None = None


def spellings(path: str) -> tuple[str, ...]:
    """The addresses that mean a door: SDKs get base URLs with and without `/v1`, twice, or with a slash at the end."""
    bare = path.removeprefix("/v1")
    every = (path, bare, "/v1" + path)
    return (*every, *(spelling + "/" for spelling in every))


PLAIN: Final = tuple(door for door in DOORS if "{" not in door.path)
"""Doors whose address is always the same."""
BY_PATH: Final = {spelling.encode(): Found(door=door) for door in PLAIN for spelling in spellings(door.path)}
"""Every accepted spelling, as the bytes on the wire."""
NAMING_PREFIX: Final = "/v1beta/models/"
NAMING: Final = {door.path.partition(":")[2]: door for door in DOORS if door not in PLAIN}
"""Doors whose address names the model, by their verb."""
_VERSIONS: Final = frozenset({
    "", "/v1", "/v1beta", "/v1alpha", "/v1/v1", "/v1beta/v1beta", "/v1/v1beta", "/v1/v1alpha",
})  # fmt: skip
"""Google's clients take the version from a setting of their own, whatever the base URL ends with."""
_STREAMS: Final = "streamGenerateContent"


def find(path: bytes, query: bytes) -> Found | None:
    """The door at an address, if there is one."""
    found = BY_PATH.get(path)
    if found is not None or (b":" not in path and b"%3" not in path):
        return found
    name, colon, verb = unquote(path.decode("latin-1")).rstrip("/").rpartition(":")
    door = NAMING.get(verb)
    prefix, models, model = name.partition("/models/")
    if not colon or door is None or not models or prefix not in _VERSIONS:
        return None
    is_streaming = verb == _STREAMS
    named = Named(
        model=model,
        is_streaming=is_streaming,
        is_array=is_streaming and b"alt=sse" not in query,
    )
    return Found(door=door, named=named)

"""The doors of the gateway as one table. The router, the hot route, the document and the test that no door is free are
made from it.
"""

from typing import Final, Literal

import msgspec

from airouter.wire.endpoint import Endpoint

Dialect = Literal["openai", "anthropic", "gemini"]


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """One address that costs quota. `endpoint` is what rate cards and usage records call it."""

    method: Literal["POST"] = "POST"
    path: str
    dialect: Dialect
    endpoint: Endpoint
    operation_id: str
    summary: str
    writes: bool
    """The model writes text, so a call needs an output allowance."""


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
)


def spellings(path: str) -> tuple[str, ...]:
    """The addresses that mean a door: SDKs get base URLs with and without `/v1`, twice, or with a slash at the end."""
    bare = path.removeprefix("/v1")
    every = (path, bare, "/v1" + path)
    return (*every, *(spelling + "/" for spelling in every))


BY_PATH: Final = {spelling.encode(): door for door in DOORS for spelling in spellings(door.path)}
"""Every accepted spelling, as the bytes on the wire."""

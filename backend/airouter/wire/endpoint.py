"""What a call asks for, as providers and channels name it. Rate cards and usage records name it by its door."""

from typing import Final, Literal

Endpoint = Literal[
    "chat.completions",
    "completions",
    "responses",
    "messages",
    "generate_content",
    "embeddings",
    "embed_content",
    "batch_embed_contents",
    "moderations",
    "messages.count_tokens",
    "generate_content.count_tokens",
    "responses.input_tokens",
    "responses.compact",
]

TEXT: Final[frozenset[Endpoint]] = frozenset({"chat.completions", "responses", "messages", "generate_content"})
"""The endpoints that mean the same in different dialects: what one asks for, a provider of another can answer."""

VECTORS: Final[frozenset[Endpoint]] = frozenset({"embeddings", "embed_content", "batch_embed_contents"})
"""The same for embeddings. They write nothing, and have no streams."""

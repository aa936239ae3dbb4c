"""What a call asks for, as rate cards, usage records and channels name it."""

from typing import Final, Literal

Endpoint = Literal["chat.completions", "completions", "embeddings", "responses", "messages", "generate_content"]

TEXT: Final[frozenset[Endpoint]] = frozenset({"chat.completions", "responses", "messages", "generate_content"})
"""The endpoints that mean the same in different dialects: what one asks for, a provider of another can answer."""

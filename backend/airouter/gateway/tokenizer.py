"""The optional tokenizer: `splintr-rs`, installed as `airouter[tokens]`. It brings its vocabularies along, so that
nothing is fetched; without it tokens are estimated by bytes.
"""

import importlib
import importlib.util
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final, Protocol

from airouter.wire.prompt import estimated_tokens, utf8_length

PIECE_CHARACTERS: Final = 4096
"""The library keeps Python's lock while it works: a long text goes in pieces of a few milliseconds, so that other calls
go on between them. A cut costs at most a token.
"""
COUNTED_CHARACTERS_MAX: Final = 1_000_000
"""What is beyond is estimated, so that one call does not take seconds."""
VOCABULARIES_MAX: Final = 3
"""Each takes 10 to 50 MB."""
_DEFAULT: Final = "o200k_base"
_BY_NAME: Final = (
    ("gpt-oss", "gpt-oss"),
    ("gpt-3.5", "cl100k_base"),
    ("gpt-4-", "cl100k_base"),
    ("text-embedding", "cl100k_base"),
    ("gemini", "gemma3"),
    ("gemma", "gemma3"),
    ("deepseek", "deepseek_v3"),
    ("llama", "llama3"),
    ("qwen", "qwen3"),
    ("qwq", "qwen3"),
    ("glm", "glm4"),
    ("kimi", "kimi"),
    ("moonshot", "kimi"),
    ("mistral", "mistral_v3"),
    ("mixtral", "mistral_v3"),
    ("codestral", "mistral_v3"),
    ("magistral", "mistral_v3"),
    ("ministral", "mistral_v3"),
    ("devstral", "mistral_v3"),
    ("pixtral", "mistral_v3"),
)
"""By a part of the model's name, the first that fits. Anthropic publishes no vocabulary; Google's is that of Gemma."""


class Tokenizer(Protocol):
    """Counts tokens, in whatever thread it is asked."""

    def count(self, texts: Sequence[str], model: str) -> int:
        """Of all texts together, as nearly as the model's vocabulary is known."""
        ...


class SplintrTokenizer:
    """Keeps the vocabularies that were used last."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._open: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()

    def count(self, texts: Sequence[str], model: str) -> int:
        """See Tokenizer."""
        encode = self._vocabulary(vocabulary_of(model)).encode_ordinary
        tokens, left = 0, COUNTED_CHARACTERS_MAX
        for text in texts:
            counted = text[:left]
            left -= len(counted)
            for start in range(0, len(counted), PIECE_CHARACTERS):
                piece = counted[start : start + PIECE_CHARACTERS]
                tokens += len(encode(piece.encode("utf-8", "replace").decode()))
            tokens += estimated_tokens(utf8_length(text[len(counted) :]))
        return tokens

    def _vocabulary(self, name: str) -> Any:
        with self._lock:
            found = self._open.pop(name, None)
            if found is None:
                found = self._library.Tokenizer.from_pretrained(name)
                if len(self._open) >= VOCABULARIES_MAX:
                    self._open.popitem(last=False)
            self._open[name] = found
            return found


def vocabulary_of(model: str) -> str:
    """The vocabulary of a model by its name; OpenAI's newest where the name tells nothing."""
    lowered = model.lower()
    return next((vocabulary for part, vocabulary in _BY_NAME if part in lowered), _DEFAULT)


def installed_tokenizer() -> Tokenizer | None:
    """None where the extra is not installed. Nothing is read from disk before the first count."""
    if importlib.util.find_spec("splintr") is None:
        return None
    return SplintrTokenizer(importlib.import_module("splintr"))

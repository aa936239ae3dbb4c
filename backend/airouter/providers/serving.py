"""Who serves an endpoint: a provider itself where it speaks the dialect, else a translation."""

from collections.abc import Callable, Iterable
from typing import Final

from airouter.providers.contract import Provider
from airouter.providers.translated import SpeaksAlone, TranslatedProvider
from airouter.providers.translated_count import TranslatedCount
from airouter.providers.translated_embeddings import TranslatedEmbeddings
from airouter.translation.dialect import DIALECTS
from airouter.wire.counting import COUNTERS
from airouter.wire.endpoint import TEXT, VECTORS, Endpoint

Translation = Callable[[Provider, Endpoint, Endpoint], Provider]
_KINDS: Final[tuple[tuple[Iterable[Endpoint], tuple[Endpoint, ...], Translation], ...]] = (
    (TEXT, tuple(DIALECTS), TranslatedProvider),
    (COUNTERS, tuple(COUNTERS), TranslatedCount),
    (VECTORS, ("embeddings", "batch_embed_contents"), TranslatedEmbeddings),
)
"""Endpoints that mean the same, those of them that a provider is asked at, the first that it has, and how."""
TRANSLATIONS: Final = (TranslatedProvider, TranslatedCount)
"""Those that read a request before it is written, because its media may have to be fetched."""


class Providers:
    """Every provider for every endpoint."""

    def __init__(self, natives: dict[str, Provider]) -> None:
        self._natives = natives
        self._translated: dict[tuple[str, Endpoint], Provider | None] = {}

    def __getitem__(self, name: str) -> Provider:
        """By the name that a channel carries."""
        return self._natives[name]

    def serving(self, name: str, endpoint: Endpoint) -> Provider | None:
        """Whom to ask; None: this provider can do nothing that means the same."""
        native = self._natives[name]
        if endpoint in native.endpoints:
            return native
        if (name, endpoint) not in self._translated:
            self._translated[name, endpoint] = _translation(native, endpoint)
        return self._translated[name, endpoint]


def _translation(native: Provider, endpoint: Endpoint) -> Provider | None:
    for alike, asked_at, translation in _KINDS:
        if endpoint in alike:
            spoken: Endpoint | None = next((one for one in asked_at if one in native.endpoints), None)
            return _of_one_alone(native, endpoint) if spoken is None else translation(native, endpoint, spoken)
    return None


def _of_one_alone(native: Provider, endpoint: Endpoint) -> Provider | None:
    """For a provider whose dialect is no endpoint's."""
    if not isinstance(native, SpeaksAlone):
        return None
    if endpoint in TEXT:
        return TranslatedProvider(native, endpoint, None)
    return TranslatedCount(native, endpoint, None) if endpoint in COUNTERS and native.can_count else None

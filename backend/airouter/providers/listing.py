"""What models a provider says it has: how each is asked, and how its answer reads.

An optional part of a provider's shape: those that have no list under the address and credential of a channel are in
`UNLISTED`, and their models are typed by hand. Most speak OpenAI's `GET /models`.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

import msgspec

from airouter.providers.contract import Headers, Outgoing
from airouter.providers.registry import PROVIDERS

NAME_LENGTH_MAX: Final = 400
_ANTHROPIC_VERSION: Final = b"2023-06-01"
_ACCEPT: Final = (b"accept", b"application/json")

UNLISTED: Final[Mapping[str, str]] = {
    "scripted": "The scripted provider answers to any name.",
    "azure-openai": "Azure answers to the names of your deployments; they stand in its portal.",
    "vertex": "Vertex AI has no list behind this address; its model garden names them.",
    "vertex-anthropic": "Vertex AI has no list behind this address; its model garden names them.",
    "bedrock": "Bedrock keeps its list behind another address; its console names the models and inference profiles.",
    "perplexity": "Perplexity has no list; its documentation names the models.",
    "perplexity-agent": "Perplexity has no list; its documentation names the models.",
    "jina": "Jina has no list; its documentation names the models.",
    "voyage": "Voyage has no list; its documentation names the models.",
}
"""Provider -> why it cannot be asked, and where the names are."""


class NoList(ValueError):
    """What was answered is no list of models."""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of names, as requests have to call them. `after`: where the next page begins; None: that was the last."""

    names: tuple[str, ...]
    after: str | None = None


class Listing(Protocol):
    """How one kind of provider lists its models."""

    def request(self, credential: str, after: str | None) -> Outgoing:
        """A page; `after` None: the first."""
        ...

    def read(self, body: bytes) -> Listed:
        """Raises NoList."""
        ...


def listing_of(provider: str) -> Listing | None:
    """None: it has no list, see UNLISTED."""
    if provider in UNLISTED or provider not in PROVIDERS:
        return None
    return _LISTINGS.get(provider, _OPENAI)


class _OpenAIListing:
    """`GET /models` -> `{"data": [{"id"}]}`, in one page; Together answers with the bare list (2026-01)."""

    def request(self, credential: str, after: str | None) -> Outgoing:
        """`after` is never given: there is one page."""
        del after
        authorisation = ((b"authorization", b"Bearer " + credential.encode()),) if credential else ()
        return _get("/models", (*authorisation, _ACCEPT))

    def read(self, body: bytes) -> Listed:
        """Tolerant of who says `models` for `data`, and `name` for `id`."""
        answer = _json(body)
        entries = answer if isinstance(answer, list) else _member(answer, "data", "models")
        return Listed(names=_names(entries, "id", "name", "model"))


class _AnthropicListing:
    """`GET /v1/models?limit=1000&after_id=` -> `{"data": [{"id"}], "has_more", "last_id"}`."""

    def request(self, credential: str, after: str | None) -> Outgoing:
        """A page of a thousand."""
        path = "/v1/models?limit=1000" + ("" if after is None else f"&after_id={quote(after, safe='')}")
        headers = ((b"x-api-key", credential.encode()), (b"anthropic-version", _ANTHROPIC_VERSION), _ACCEPT)
        return _get(path, headers)

    def read(self, body: bytes) -> Listed:
        answer = _json(body)
        names = _names(_member(answer, "data"), "id")
        last = answer.get("last_id") if answer.get("has_more") is True else None
        return Listed(names=names, after=last if isinstance(last, str) and last else None)


class _GeminiListing:
    """`GET /v1beta/models?pageSize=1000&pageToken=` -> `{"models": [{"name": "models/…"}], "nextPageToken"}`."""

    def request(self, credential: str, after: str | None) -> Outgoing:
        """A page of a thousand. The key goes into a header, never into the address."""
        path = "/v1beta/models?pageSize=1000" + ("" if after is None else f"&pageToken={quote(after, safe='')}")
        return _get(path, ((b"x-goog-api-key", credential.encode()), _ACCEPT))

    def read(self, body: bytes) -> Listed:
        """Only what can be asked through our doors."""
        answer = _json(body)
        usable = [one for one in _member(answer, "models") if _is_callable_gemini(one)]
        names = tuple(name.removeprefix("models/") for name in _names(usable, "name"))
        after = answer.get("nextPageToken")
        return Listed(names=names, after=after if isinstance(after, str) and after else None)


class _CohereListing:
    """`GET /v1/models?page_size=1000&page_token=` -> `{"models": [{"name"}], "next_page_token"}`."""

    def request(self, credential: str, after: str | None) -> Outgoing:
        """A page of a thousand."""
        path = "/v1/models?page_size=1000" + ("" if after is None else f"&page_token={quote(after, safe='')}")
        return _get(path, ((b"authorization", b"Bearer " + credential.encode()), _ACCEPT))

    def read(self, body: bytes) -> Listed:
        answer = _json(body)
        after = answer.get("next_page_token")
        names = _names(_member(answer, "models"), "name")
        return Listed(names=names, after=after if isinstance(after, str) and after else None)


_OPENAI: Final = _OpenAIListing()
_LISTINGS: Final[Mapping[str, Listing]] = {
    "anthropic": _AnthropicListing(),
    "gemini": _GeminiListing(),
    "cohere": _CohereListing(),
}


def _get(path: str, headers: Headers) -> Outgoing:
    return Outgoing(method="GET", path=path, headers=headers, body=b"")


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NoList from None


def _member(answer: Any, *names: str) -> list[Any]:
    if isinstance(answer, dict):
        for name in names:
            if isinstance(answer.get(name), list):
                return answer[name]
    raise NoList


def _names(entries: list[Any], *members: str) -> tuple[str, ...]:
    """Each once, in the order given; what has no usable name is left out."""
    found: dict[str, None] = {}
    for entry in entries:
        named = [entry.get(member) for member in members] if isinstance(entry, dict) else [entry]
        name = next((one for one in named if isinstance(one, str) and one), "")
        if 0 < len(name) <= NAME_LENGTH_MAX and name.isprintable():
            found[name] = None
    return tuple(found)


def _is_callable_gemini(entry: Any) -> bool:
    methods = entry.get("supportedGenerationMethods") if isinstance(entry, dict) else None
    return not isinstance(methods, list) or not {"generateContent", "embedContent"}.isdisjoint(map(str, methods))

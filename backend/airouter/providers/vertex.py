"""Vertex AI: Gemini and Anthropic's models at Google Cloud, with a service account.

Addresses (cloud.google.com/vertex-ai, read in 2026): `{host}/v1/projects/{project}/locations/{location}/publishers/…`.
The host says the location (`europe-west4-aiplatform.googleapis.com`; `aiplatform.googleapis.com` is `global`), the
service account the project; an address that names both in its path is used as it stands. An API key (express mode) has
no project: `{host}/v1/publishers/google/…`.
"""

import re
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from airouter.providers import vertex_embeddings
from airouter.providers.anthropic import AnthropicProvider, passed_on
from airouter.providers.blame import blame
from airouter.providers.contract import Answered, Call, Headers, Outgoing, Refusal
from airouter.providers.exchanged import Grant, google_grant, service_account
from airouter.providers.gemini import GeminiProvider
from airouter.providers.headers import HeaderBook, bearer
from airouter.providers.overrides import overridden
from airouter.providers.passing_stream import PassingStreamReader
from airouter.translation.foreign_thoughts import without_foreign_thoughts
from airouter.wire.decoding import read_or_none
from airouter.wire.endpoint import Endpoint

ANTHROPIC_VERSION: Final = b'"vertex-2023-10-16"'
"""What Anthropic's models at Vertex want in the body, in place of the header."""
_VERSIONED: Final = re.compile(r"/v1(beta1)?(/|$)")
_REGIONAL: Final = re.compile(r"([a-z0-9-]+)-aiplatform\.googleapis\.com|aiplatform\.([a-z]+)\.rep\.googleapis\.com")
_SCOPED: Final = "/projects/"
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CONTENTS: Final = msgspec.json.Decoder(list[dict[str, Any]])
_NOT_FOUND: Final = 404
_COUNTED: Final = frozenset({
    "contents", "systemInstruction", "system_instruction", "tools", "generationConfig", "generation_config",
})  # fmt: skip
"""The members of a request that it counts (cloud.google.com/vertex-ai, CountTokensRequest, 2026)."""


def _with_key(key: bytes) -> Headers:
    return ((b"x-goog-api-key", key),)


class _Authority:
    """Who calls, and where to."""

    def __init__(self) -> None:
        self._tokens = HeaderBook(bearer)
        self._keys = HeaderBook(_with_key)

    @staticmethod
    def grant(credential: str, at_seconds: int) -> Grant | None:
        account = service_account(credential)
        return None if account is None else google_grant(account, at_seconds)

    def headers(self, call: Call, more: Headers = ()) -> Headers:
        return self._tokens.of(call.bearer, more) if call.bearer else self._keys.of(call.credential, more)


def location_of(host: str) -> str:
    """Which location a host of Google's stands for."""
    found = _REGIONAL.fullmatch(host)
    return (found[1] or found[2]) if found else "global"


def _models(call: Call, publisher: str) -> str:
    """The path of a publisher's models, as it follows the channel's base URL."""
    account = service_account(call.credential)
    return _prefix(call.base_url, "" if account is None else account.project_id) + f"/publishers/{publisher}/models"


@lru_cache(maxsize=1024)
def _prefix(base_url: str, project: str) -> str:
    parts = urlsplit(base_url)
    if _SCOPED in parts.path:
        return ""
    version = "" if _VERSIONED.search(parts.path) else "/v1"
    if not project:
        return version
    location = location_of(parts.hostname or "")
    return f"{version}/projects/{quote(project, safe='')}/locations/{location}"


class VertexProvider:
    """Gemini at Vertex AI."""

    def __init__(self, name: str = "vertex") -> None:
        self._gemini = GeminiProvider(name)
        self._authority = _Authority()

    @property
    def name(self) -> str:
        """The `provider` of a channel."""
        return self._gemini.name

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """GenerateContent, how many tokens it has, and vectors in OpenAI's words."""
        return frozenset({"generate_content", "generate_content.count_tokens", "embeddings"})

    def grant(self, credential: str, at_seconds: int) -> Grant | None:
        """A service account is exchanged, an API key is not (exchanged.Exchanging)."""
        return self._authority.grant(credential, at_seconds)

    def outgoing(self, call: Call) -> Outgoing:
        """The client's body; the address names project, location and model."""
        if call.endpoint == "embeddings":
            verb = "predict"
            body, dropped = vertex_embeddings.body_of(call)
        elif call.endpoint == "generate_content.count_tokens":
            verb = "countTokens"
            body, dropped = _with_roles(_unwrapped(call.body)), ()
        else:
            verb = "streamGenerateContent?alt=sse" if call.is_streaming else "generateContent"
            body, dropped = _with_roles(without_foreign_thoughts(call.endpoint, call.body)), ()
        path = f"{_models(call, 'google')}/{quote(call.upstream_model, safe='@')}:{verb}"
        headers = self._authority.headers(call)
        out = overridden(Outgoing(method="POST", path=path, headers=headers, body=body, dropped=dropped), call)
        return msgspec.structs.replace(out, body=_countable(out.body)) if verb == "countTokens" else out

    def answer(self, call: Call, body: bytes) -> Answered:
        """As Gemini's own; vectors come out in OpenAI's shape."""
        return (
            vertex_embeddings.answer(call, body) if call.endpoint == "embeddings" else self._gemini.answer(call, body)
        )

    def stream(self, call: Call) -> PassingStreamReader:
        """As Gemini's own."""
        return self._gemini.stream(call)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """A model that this project or location does not have is the operator's mistake."""
        return "model" if status == _NOT_FOUND else blame(status, body)


class VertexAnthropicProvider:
    """Anthropic's models at Vertex AI. The model stands in the address, the version of the dialect in the body."""

    def __init__(self, name: str = "vertex-anthropic") -> None:
        self._anthropic = AnthropicProvider(name)
        self._authority = _Authority()

    @property
    def name(self) -> str:
        """The `provider` of a channel."""
        return self._anthropic.name

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """Messages, and how many tokens they have."""
        return self._anthropic.endpoints

    def grant(self, credential: str, at_seconds: int) -> Grant | None:
        """A service account is exchanged (exchanged.Exchanging)."""
        return self._authority.grant(credential, at_seconds)

    def outgoing(self, call: Call) -> Outgoing:
        """The client's members, but for the model, which a count keeps."""
        members = _MEMBERS.decode(passed_on(call))
        members["anthropic_version"] = msgspec.Raw(ANTHROPIC_VERSION)
        if call.endpoint == "messages":
            members.pop("model", None)
            verb = "streamRawPredict" if call.is_streaming else "rawPredict"
            named = f"{quote(call.upstream_model, safe='@')}:{verb}"
        else:
            members["model"] = msgspec.Raw(msgspec.json.encode(call.upstream_model))
            named = "count-tokens:rawPredict"
        more = tuple(header for header in call.client_headers if header[0] != b"anthropic-version")
        return overridden(
            Outgoing(
                method="POST",
                path=f"{_models(call, 'anthropic')}/{named}",
                headers=self._authority.headers(call, more),
                body=msgspec.json.encode(members),
            ),
            call,
        )

    def answer(self, call: Call, body: bytes) -> Answered:
        """As Anthropic's own."""
        return self._anthropic.answer(call, body)

    def stream(self, call: Call) -> PassingStreamReader:
        """As Anthropic's own."""
        return self._anthropic.stream(call)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """A model that this project or location does not have is the operator's mistake."""
        return "model" if status == _NOT_FOUND else blame(status, body)


def _unwrapped(body: bytes) -> bytes:
    """The request to run, in place of the one to count it: Vertex has no wrapper."""
    given = _MEMBERS.decode(body)
    wrapped = given.get("generateContentRequest", given.get("generate_content_request"))
    return body if wrapped is None else bytes(wrapped)


def _countable(body: bytes) -> bytes:
    """Without what Vertex refuses in a count."""
    members = _MEMBERS.decode(body)
    return msgspec.json.encode({name: value for name, value in members.items() if name in _COUNTED})


def _with_roles(body: bytes) -> bytes:
    """Vertex wants a role on every content, which Gemini's own API takes for the user's where there is none."""
    if body.count(b'"parts"') <= body.count(b'"role"'):
        return body
    members = _MEMBERS.decode(body)
    contents = read_or_none(_CONTENTS, members.get("contents", b"[]"))
    if contents is None:
        return body
    if all("role" in one for one in contents):
        return body
    members["contents"] = msgspec.Raw(msgspec.json.encode([{"role": "user", **one} for one in contents]))
    return msgspec.json.encode(members)

"""Azure OpenAI: OpenAI's dialect at addresses of Azure's own, with its own ways to authorise.

Two surfaces (learn.microsoft.com/azure/ai-foundry/openai, read in 2026). v1: `{resource}/openai/v1/…`, the deployment's
name is the model. Dated: `{resource}/openai/deployments/{deployment}/…?api-version=…`, and `/openai/responses`. The
second is used when the channel has an `api_version` and its address does not end in `/openai/v1`.
"""

from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from airouter.providers.contract import Answered, Call, Headers, Outgoing, Refusal, StreamReader
from airouter.providers.exchanged import Grant, azure_client, azure_grant
from airouter.providers.openai import OpenAIProvider
from airouter.providers.vendors import Vendor
from airouter.wire.endpoint import Endpoint

_V1: Final = "/openai/v1"
_DATED: Final = "/openai"
_IN_DEPLOYMENTS: Final[frozenset[Endpoint]] = frozenset({"chat.completions", "completions", "embeddings"})
_NOT_FOUND: Final = 404


def _authorise(credential: bytes) -> Headers:
    """A key, or a token of Entra ID, which is a JWT (three parts, the first of them JSON in base64)."""
    if credential.startswith(b"eyJ") and credential.count(b".") == 2:
        return ((b"authorization", b"Bearer " + credential),)
    return ((b"api-key", credential),)


class AzureProvider:
    """One resource of Azure, or several under one address."""

    def __init__(self, name: str, vendor: Vendor) -> None:
        self._openai = OpenAIProvider(name, vendor, authorise=_authorise)

    @property
    def name(self) -> str:
        """The `provider` of a channel."""
        return self._openai.name

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """Those of its row."""
        return self._openai.endpoints

    def grant(self, credential: str, at_seconds: int) -> Grant | None:
        """An application's secret is exchanged; keys and tokens are not (exchanged.Exchanging)."""
        del at_seconds
        client = azure_client(credential)
        return None if client is None else azure_grant(client)

    def outgoing(self, call: Call) -> Outgoing:
        """OpenAI's request, at Azure's address."""
        if call.bearer:
            call = msgspec.structs.replace(call, credential=call.bearer)
        out = self._openai.outgoing(call)
        return msgspec.structs.replace(out, path=_path(call, out.path))

    def answer(self, call: Call, body: bytes) -> Answered:
        """As OpenAI's; verdicts of content filters stand in it for whoever looks."""
        return self._openai.answer(call, body)

    def stream(self, call: Call) -> StreamReader:
        """The first event may have no choices, but verdicts about the prompt; it is forwarded like any other."""
        return self._openai.stream(call)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """A deployment that is not there is the operator's mistake. What the content filter refuses is a 400 about the
        request.
        """
        return "model" if status == _NOT_FOUND else self._openai.refusal(status, body)


def _path(call: Call, path: str) -> str:
    base, version = urlsplit(call.base_url).path, call.options.api_version
    query = "" if version is None else f"?api-version={version}"
    if base.endswith(_V1):
        return path + query
    has_openai = base.endswith(_DATED)
    if version is None:
        return ("/v1" if has_openai else _V1) + path
    prefix = "" if has_openai else _DATED
    if call.endpoint in _IN_DEPLOYMENTS:
        prefix += f"/deployments/{quote(call.upstream_model, safe='')}"
    return prefix + path + query

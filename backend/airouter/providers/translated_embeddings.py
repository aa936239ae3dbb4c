"""A provider asked for vectors in another dialect than its own. It has the shape of a provider (contract.Provider)."""

from typing import Any

import msgspec

from airouter.providers.contract import Answered, Call, Outgoing, Provider, Refusal, StreamReader
from airouter.providers.vectors import given, shaped
from airouter.translation.embeddings import read_reply, read_request, write_request
from airouter.wire.endpoint import Endpoint
from airouter.wire.openai import Request as OpenAIRequest


class TranslatedEmbeddings:
    """`native`, for calls of another endpoint. One for each pair; shared by all calls of a process."""

    def __init__(self, native: Provider, endpoint: Endpoint, native_endpoint: Endpoint) -> None:
        self.name = native.name
        self.endpoints: frozenset[Endpoint] = frozenset((endpoint,))
        self._native = native
        self._endpoint: Endpoint = endpoint
        self._native_endpoint: Endpoint = native_endpoint

    def outgoing(self, call: Call) -> Outgoing:
        """The request in the provider's dialect.

        Raises:
            InvalidRequest: it cannot be meant. NotTranslatable: it asks for what the provider's dialect cannot say.
        """
        wish = read_request(self._endpoint, given(call))
        body = write_request(self._native_endpoint, wish, call.upstream_model)
        out = self._native.outgoing(self._inner(call, msgspec.json.encode(body)))
        return msgspec.structs.replace(out, dropped=(*wish.dropped, *out.dropped))

    def answer(self, call: Call, body: bytes) -> Answered:
        """The provider's vectors in the client's dialect, with what it counted, else what is charged in its place."""
        answered = self._native.answer(self._inner(call, b""), body)
        vectors = read_reply(self._native_endpoint, answered.body) if answered.is_proper else None
        if vectors is None:
            return msgspec.structs.replace(answered, is_proper=False)
        return shaped(call, vectors, answered.reported)

    def stream(self, call: Call) -> StreamReader:
        """There are no streams of vectors; a provider that sends one all the same is read as it comes."""
        return self._native.stream(self._inner(call, b""))

    def refusal(self, status: int, body: bytes) -> Refusal:
        """As the provider judges it."""
        return self._native.refusal(status, body)

    def _inner(self, call: Call, body: bytes) -> Call:
        options = msgspec.structs.replace(call.options, rewrite_model=False)
        request: Any = call.request
        if self._native_endpoint == "embeddings":  # its provider looks into the head
            request = OpenAIRequest(model=call.upstream_model)
        return msgspec.structs.replace(
            call, endpoint=self._native_endpoint, request=request, body=body, client_headers=(), options=options
        )

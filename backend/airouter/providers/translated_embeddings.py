"""A provider asked for vectors in another dialect than its own. It has the shape of a provider (contract.Provider)."""

from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.providers.contract import Answered, Call, Outgoing, Provider, Refusal, StreamReader
from airouter.translation.embeddings import Wish, read_reply, read_request, write_reply, write_request
from airouter.wire.endpoint import Endpoint
from airouter.wire.openai import Request as OpenAIRequest
from airouter.wire.requests import estimated_input_tokens

_ANY: Final = msgspec.json.Decoder(dict[str, Any])


class TranslatedEmbeddings:
    """`native`, for calls of another endpoint. One for each pair; shared by all calls of a process."""

    def __init__(self, native: Provider, endpoint: Endpoint, native_endpoint: Endpoint) -> None:
        self._native = native
        self._endpoint: Endpoint = endpoint
        self._native_endpoint: Endpoint = native_endpoint

    @property
    def name(self) -> str:
        """The `provider` of a channel."""
        return self._native.name

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """The one it translates."""
        return frozenset((self._endpoint,))

    def outgoing(self, call: Call) -> Outgoing:
        """The request in the provider's dialect.

        Raises:
            InvalidRequest: it cannot be meant. NotTranslatable: it asks for what the provider's dialect cannot say.
        """
        wish = self._wish(call)
        body = write_request(self._native_endpoint, wish, call.upstream_model)
        out = self._native.outgoing(self._inner(call, msgspec.json.encode(body)))
        return msgspec.structs.replace(out, dropped=(*wish.dropped, *out.dropped))

    def answer(self, call: Call, body: bytes) -> Answered:
        """The provider's vectors in the client's dialect, with what it counted, else what is charged in its place."""
        answered = self._native.answer(self._inner(call, b""), body)
        vectors = read_reply(self._native_endpoint, answered.body) if answered.is_proper else None
        if vectors is None:
            return msgspec.structs.replace(answered, is_proper=False)
        reported = answered.reported
        if reported is None or reported.quantities is None:
            tokens = estimated_input_tokens(self._endpoint, call.request)
        else:
            tokens = sum(quantity for meter, quantity in reported.quantities.items() if meter != "request")
        wish = self._wish(call)
        written = write_reply(self._endpoint, vectors, wish, model=call.request.model, input_tokens=tokens)
        return msgspec.structs.replace(answered, body=msgspec.json.encode(written))

    def stream(self, call: Call) -> StreamReader:
        """There are no streams of vectors; a provider that sends one all the same is read as it comes."""
        return self._native.stream(self._inner(call, b""))

    def refusal(self, status: int, body: bytes) -> Refusal:
        """As the provider judges it."""
        return self._native.refusal(status, body)

    def _wish(self, call: Call) -> Wish:
        try:
            return read_request(self._endpoint, _ANY.decode(call.body))
        except RecursionError:
            raise InvalidRequest("The body is nested too deeply.", field=None) from None

    def _inner(self, call: Call, body: bytes) -> Call:
        options = msgspec.structs.replace(call.options, rewrite_model=False)
        request: Any = call.request
        if self._native_endpoint == "embeddings":  # its provider looks into the head
            request = OpenAIRequest(model=call.upstream_model)
        return msgspec.structs.replace(
            call, endpoint=self._native_endpoint, request=request, body=body, client_headers=(), options=options
        )

"""A provider asked in its own dialect how many tokens a request of another dialect has. It has the shape of a provider
(contract.Provider).
"""

from typing import Any, Final

import msgspec

from airouter.providers.contract import Answered, Call, Outgoing, Prepared, Provider, Refusal, StreamReader
from airouter.providers.translated import PlainHead, TranslatedProvider, asked_in
from airouter.translation.dialect import Wanted
from airouter.translation.tool_names import with_made_names
from airouter.wire.counting import COUNTERS, read_answer, unwrapped, written_answer, written_request
from airouter.wire.endpoint import Endpoint
from airouter.wire.members import decode_head

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_ALLOWANCE: Final = 32_000
"""Stands for the length of an answer that will not be written; a thinking budget has room in it."""


class TranslatedCount:
    """`native`, for counts of another endpoint. One for each pair; shared by all calls of a process.

    `native_endpoint` is where it is asked instead; None for one that speaks alone.
    """

    def __init__(self, native: Provider, endpoint: Endpoint, native_endpoint: Endpoint | None) -> None:
        self.name = native.name
        self.endpoints: frozenset[Endpoint] = frozenset((endpoint,))
        self._native = native
        self._endpoint: Endpoint = endpoint
        self._native_endpoint: Endpoint = native_endpoint or endpoint
        self._speaks_alone = native_endpoint is None
        counts = None if native_endpoint is None else COUNTERS[native_endpoint].counts
        self._ours = asked_in(native, counts)
        self._translated = TranslatedProvider(native, COUNTERS[endpoint].counts, counts)

    def read(self, call: Call) -> Prepared:
        """The request without a dialect. Raises as TranslatedProvider.read."""
        body = unwrapped(self._endpoint, decode_head(_ANY, call.body))
        return self._translated.read(msgspec.structs.replace(call, body=msgspec.json.encode(body)))

    def links(self, prepared: Prepared) -> list[str]:
        """The links in the request that have to be fetched for this provider."""
        return self._translated.links(prepared)

    def outgoing(self, call: Call) -> Outgoing:
        """The request in the provider's dialect, without what only matters to an answer."""
        prepared = call.prepared or self.read(call)
        conversation = with_made_names(prepared.conversation, self._ours.name)
        request = self._ours.write_request(conversation, Wanted(allowance=_ALLOWANCE))
        if self._speaks_alone:
            body = msgspec.json.encode(request)
        else:
            body = written_request(self._native_endpoint, request, call.upstream_model)
        out = self._native.outgoing(self._inner(call, body))
        return msgspec.structs.replace(out, dropped=(*prepared.dropped, *out.dropped))

    def answer(self, call: Call, body: bytes) -> Answered:
        """The provider's figure in the client's dialect."""
        answered = self._native.answer(self._inner(call, b""), body)
        tokens = read_answer(self._native_endpoint, answered.body)
        if tokens is None:
            return msgspec.structs.replace(answered, is_proper=False)
        return msgspec.structs.replace(answered, body=written_answer(self._endpoint, tokens))

    def stream(self, call: Call) -> StreamReader:
        """There are no streams of counts; a provider that sends one all the same is read as it comes."""
        return self._native.stream(self._inner(call, b""))

    def refusal(self, status: int, body: bytes) -> Refusal:
        """As the provider judges it."""
        return self._native.refusal(status, body)

    def _inner(self, call: Call, body: bytes) -> Call:
        request = PlainHead(model=call.upstream_model, is_streaming=False)
        return msgspec.structs.replace(
            call, endpoint=self._native_endpoint, request=request, body=body, client_headers=()
        )

"""OpenAI and everybody who speaks its dialect: the same requests, the same answers, small habits apart."""

from collections.abc import Callable
from typing import Final

import msgspec

from airouter.providers import moderations, openai_responses
from airouter.providers.adapting import Adapter
from airouter.providers.blame import blame
from airouter.providers.contract import Answered, Call, Headers, Outgoing, Refusal, StreamReader
from airouter.providers.counts import counted
from airouter.providers.headers import HeaderBook, bearer
from airouter.providers.openai_stream import OpenAIStreamReader
from airouter.providers.openai_usage import usage_of
from airouter.providers.overrides import overridden
from airouter.providers.saying import answered
from airouter.providers.vendors import Vendor
from airouter.wire.endpoint import Endpoint
from airouter.wire.members import with_model, without_members
from airouter.wire.openai import Request, outgoing_body, read_answer
from airouter.wire.prompt import written_text_bytes

_PATHS: Final[dict[Endpoint, str]] = {
    "chat.completions": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
}
_RESPONSES: Final[frozenset[Endpoint]] = frozenset({"responses", "responses.input_tokens", "responses.compact"})
_TOO_MANY: Final = 429


class OpenAIProvider:
    """A vendor of this dialect: one row of the table in vendors.py."""

    def __init__(self, name: str, vendor: Vendor, *, authorise: Callable[[bytes], Headers] = bearer) -> None:
        self.name = name
        self.endpoints: frozenset[Endpoint] = frozenset(vendor.endpoints)
        self._habits = vendor.habits
        self._asks_for_usage = vendor.asks_for_usage
        self._quota_is_pace = vendor.quota_is_pace
        self._adapter = None if vendor.adaptation is None else Adapter(vendor.adaptation)
        self._headers = HeaderBook(authorise)

    def outgoing(self, call: Call) -> Outgoing:
        """The client's body, with the model's name here and a demand for usage where this upstream understands it.

        What would let the vendor run another, perhaps dearer, model than the one that is charged does not go out.
        """
        out = self._unadapted(call, self._headers.of(call.credential))
        if self._adapter is not None:
            body, left_out = self._adapter.adapted(out.body)
            out = msgspec.structs.replace(out, body=body, dropped=left_out)
        options = call.options
        return overridden(out, call) if options.body or options.headers else out

    def _unadapted(self, call: Call, headers: Headers) -> Outgoing:
        """As OpenAI itself takes it."""
        if self._habits.chooses_models_by:
            call = msgspec.structs.replace(call, body=without_members(call.body, self._habits.chooses_models_by))
        if call.endpoint in _RESPONSES:
            return openai_responses.outgoing(call, headers)
        if call.endpoint == "moderations":
            return moderations.outgoing(call, headers)
        request = call.request
        assert isinstance(request, Request), "this dialect's own"
        asks = self._asks_for_usage and call.options.include_usage and call.is_streaming
        body = outgoing_body(request, call.body, model=call.upstream_model, include_usage=asks)
        return Outgoing(method="POST", path=_PATHS[call.endpoint], headers=headers, body=body)

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer; only `rewrite_model` changes its bytes."""
        if call.endpoint in {"responses", "responses.compact"}:
            return openai_responses.answer(call, body, self._habits)
        if call.endpoint == "responses.input_tokens":
            return counted(call, body)
        if call.endpoint == "moderations":
            return moderations.answer(call, body, self._habits)
        answer = read_answer(body)
        if answer is None:
            return Answered(body=body, reported=None, is_proper=False)
        reported = usage_of(answer, call, self._habits)
        if call.options.rewrite_model:
            body = with_model(body, call.request.model)
        return answered(
            body,
            reported,
            has_shape=answer.is_answer,
            has_content=answer.has_content,
            written_bytes=lambda: written_text_bytes(answer.choices),
        )

    def stream(self, call: Call) -> StreamReader:
        """A reader for one event stream."""
        if call.endpoint == "responses":
            return openai_responses.stream(call, self._habits)
        return OpenAIStreamReader(call, self._habits)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """As everybody's, but for vendors who call the pace a quota."""
        verdict = blame(status, body)
        return "limited" if verdict == "funds" and status == _TOO_MANY and self._quota_is_pace else verdict

"""OpenAI and everybody who speaks its dialect: the same requests, the same answers, small habits apart."""

from typing import Final

from airouter.providers.contract import Answered, Call, Headers, Outgoing, Refusal
from airouter.providers.openai_stream import OpenAIStreamReader
from airouter.providers.openai_usage import usage_of
from airouter.providers.reporting import Habits
from airouter.wire import http
from airouter.wire.endpoint import Endpoint
from airouter.wire.openai import error_code, outgoing_body, read_answer, with_model, without_members
from airouter.wire.prompt import estimated_tokens, written_text_bytes

_PATHS: Final[dict[Endpoint, str]] = {
    "chat.completions": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
}
_CACHED_CREDENTIALS: Final = 4096
_REQUEST_STATUSES: Final = frozenset({400, 404, 413, 422})
_OVERLOADED_STATUSES: Final = frozenset({408, 409, 425, 429})
_FIRST_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429
_BAD_CREDENTIAL_MARKS: Final = (b"api key not valid", b"incorrect api key", b"api_key_invalid", b"invalid_api_key")
"""How some vendors refuse a credential with a 400 (Google, xAI): passed on, it would tell our client about our key."""
_OUR_QUOTA_CODES: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


class OpenAIProvider:
    """A vendor of this dialect; `habits` is its row in the table of reporting.py."""

    def __init__(self, name: str, habits: Habits) -> None:
        self._name = name
        self._habits = habits
        self._headers: dict[str, Headers] = {}

    @property
    def name(self) -> str:
        """The `provider` of a channel."""
        return self._name

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """Chat, the older completions, and embeddings."""
        return frozenset(_PATHS)

    def outgoing(self, call: Call) -> Outgoing:
        """The client's body, with the model's name here and a demand for usage where this upstream understands it.

        What would let the vendor run another, perhaps dearer, model than the one that is charged does not go out.
        """
        headers = self._headers.get(call.credential)
        if headers is None:
            headers = self._make_headers(call.credential)
        given = call.body
        if self._habits.chooses_models_by:
            given = without_members(given, self._habits.chooses_models_by)
        body = outgoing_body(
            call.request,
            given,
            model=call.upstream_model,
            include_usage=call.options.include_usage and call.is_streaming,
        )
        return Outgoing(method="POST", path=_PATHS[call.endpoint], headers=headers, body=body)

    def _make_headers(self, credential: str) -> Headers:
        if len(self._headers) >= _CACHED_CREDENTIALS:
            self._headers.clear()
        headers: Headers = (
            http.JSON,
            (b"accept", b"application/json, text/event-stream"),
            (b"accept-encoding", b"identity"),
            (b"user-agent", b"airouter"),
        )
        if credential:
            headers = (*headers, (b"authorization", b"Bearer " + credential.encode("utf-8")))
        self._headers[credential] = headers
        return headers

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer; only `rewrite_model` changes its bytes."""
        answer = read_answer(body)
        if answer is None:
            return Answered(body=body, reported=None, is_proper=False)
        reported = usage_of(answer, call.endpoint, self._habits)
        written = 0
        if reported is None or reported.quantities is None:
            written = estimated_tokens(written_text_bytes(answer.choices))
        if call.options.rewrite_model:
            body = with_model(body, call.request.model)
        return Answered(body=body, reported=reported, is_proper=answer.is_answer, written_tokens=written)

    def stream(self, call: Call) -> OpenAIStreamReader:
        """A reader for one event stream."""
        return OpenAIStreamReader(call, self._habits)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """400, 404, 413 and 422 are about the request, but for those that are about our credential in disguise."""
        if status in _REQUEST_STATUSES:
            lowered = body[:4096].lower()
            return "channel" if any(mark in lowered for mark in _BAD_CREDENTIAL_MARKS) else "request"
        if status == _TOO_MANY and error_code(body) in _OUR_QUOTA_CODES:
            return "channel"
        return "overloaded" if status in _OVERLOADED_STATUSES or status >= _FIRST_SERVER_ERROR else "channel"

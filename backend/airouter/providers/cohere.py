"""Cohere: chat, whole and streamed, and embeddings at OpenAI's door."""

from typing import Any, Final

import msgspec

from airouter.providers import cohere_embeddings
from airouter.providers.blame import blame
from airouter.providers.cohere_usage import reported_in
from airouter.providers.contract import Answered, Call, Outgoing, Refusal, Reported
from airouter.providers.deltas import Deltas
from airouter.providers.headers import HeaderBook, bearer
from airouter.providers.overrides import overridden
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.saying import answered
from airouter.translation.cohere.replies import FAILED
from airouter.translation.support import Dialect
from airouter.wire.decoding import UNREADABLE, read_or_none
from airouter.wire.endpoint import Endpoint
from airouter.wire.prompt import text_bytes

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
_NO_MODEL, _DENY_LISTED = 404, 498
_SAID: Final = ("content", "tool_plan", "tool_calls")
"""Where an answer says something."""
_DELTA: Final = b'-delta"'
"""In every event that adds to what is written; in no other, because text quotes it."""


class CohereProvider:
    """Cohere's own address, whose base URL has no version."""

    def __init__(self, name: str = "cohere") -> None:
        self.name = name
        self.endpoints: frozenset[Endpoint] = frozenset({"embeddings"})
        """No client speaks its chat; its embeddings are shaped here."""
        self._headers = HeaderBook(bearer)

    @property
    def dialect(self) -> Dialect:
        """See translated.SpeaksAlone."""
        return "cohere"

    @property
    def can_count(self) -> bool:
        """It takes texts apart into tokens, but counts no conversations."""
        return False

    def outgoing(self, call: Call) -> Outgoing:
        """Embeddings as Cohere wants them; anything else was translated before.

        Raises:
            InvalidRequest, NotTranslatable: embeddings of what cannot be embedded there.
        """
        headers = self._headers.of(call.credential)
        if call.endpoint == "embeddings":
            return overridden(cohere_embeddings.outgoing(call, headers), call)
        return overridden(Outgoing(method="POST", path="/v2/chat", headers=headers, body=call.body), call)

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer; vectors come out in OpenAI's shape."""
        if call.endpoint == "embeddings":
            return cohere_embeddings.answer(call, body)
        answer = read_or_none(_ANY, body)
        if answer is None:
            return Answered(body=body, reported=None, is_proper=False)
        message = answer.get("message")
        return answered(
            body,
            reported_in(answer.get("usage")),
            has_shape=isinstance(message, dict) and answer.get("finish_reason") not in FAILED,
            has_content=isinstance(message, dict) and any(message.get(name) for name in _SAID),
            written_bytes=lambda: text_bytes(message, lambda _: None),
        )

    def stream(self, call: Call) -> PassingStreamReader:
        """A reader for one event stream."""
        return PassingStreamReader(call, ChatNotes(), Deltas(_DELTA, _written_bytes_in))

    def refusal(self, status: int, body: bytes) -> Refusal:
        """498: a word of the request is on a list of Cohere's. 404: its model is unknown, whose name is ours."""
        if status == _DENY_LISTED:
            return "request"
        return "model" if status == _NO_MODEL else blame(status, body)


def _written_bytes_in(data: bytes) -> int:
    """Of the data of one event: bytes of text, of thoughts, of what a tool is called with."""
    event = read_or_none(_ANY, data) if _DELTA in data else None
    return 0 if event is None else text_bytes(event.get("delta"), lambda _: None)


class ChatNotes:
    """The last event says why the model stopped, and what was used."""

    marks: tuple[bytes, ...] = (b'"message-end"', b'"error"')
    content_marks: tuple[bytes, ...] = (b'"content-', b'"tool-')
    kept: None = None

    def __init__(self) -> None:
        self.is_over = False
        self.has_content = False
        self.error: bytes | None = None
        self._reported: Reported | None = None

    def note(self, data: bytes) -> None:
        """`message-end`; or an error."""
        try:
            event = _ANY.decode(data)
        except UNREADABLE:
            return
        delta = event.get("delta")
        if event.get("type") == "message-end" and isinstance(delta, dict):
            self.is_over = True
            if delta.get("error") or delta.get("finish_reason") in FAILED:
                self.error = self.error or data
            self._reported = reported_in(delta.get("usage"))
        elif event.get("type") in {None, "error"}:
            self.error = self.error or data

    @property
    def reported(self) -> Reported | None:
        """The figures, once they were said."""
        return self._reported

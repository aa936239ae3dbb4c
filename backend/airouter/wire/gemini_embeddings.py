"""Gemini's embedContent and batchEmbedContents: the few members that a gateway needs; everything else passes by unread.

The shapes are those of Google's API reference (`models.embedContent`, `models.batchEmbedContents`).
"""

from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.rate_card import Meter
from airouter.wire.decoding import read_or_none
from airouter.wire.gemini import payload_of
from airouter.wire.members import OPENS_LIST, decode_head, is_given
from airouter.wire.prompt import Bound, decoded, media_bound, texts_in

_ABSENT: Final = msgspec.Raw(b"")
_MEDIA_MARKS: Final = (b"nlineData", b"nline_data", b"ileData", b"ile_data", b"\\u00")


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    content: msgspec.Raw = _ABSENT
    requests: msgspec.Raw = _ABSENT


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request for one vector or for many. The model comes from the address."""

    model: str
    contents: msgspec.Raw
    """The one content, or the list of requests."""
    is_streaming: bool = False
    wants_usage: bool = True
    stated_output_tokens: int | None = None
    choices: int = 1
    asks: tuple[Meter, ...] = ()
    service_tier: str | None = None

    def input_bound(self, body: bytes) -> Bound:
        """The most that the request can count as input: a token is never under a byte."""
        if not any(mark in body for mark in _MEDIA_MARKS):
            return Bound(text_tokens=len(body))
        return media_bound(body, self.contents, payload_of, more_tokens=0, reads_upstream=False)

    def prompt_texts(self) -> list[str]:
        """What is to be embedded, without what says how; for calls that nobody counted."""
        value = decoded(self.contents)
        given = value if isinstance(value, list) else [{"content": value}]
        return list(texts_in([one.get("content") for one in given if isinstance(one, dict)], payload_of))


_BODIES: Final = msgspec.json.Decoder(_Body)


def read_request(body: bytes, model: str, *, is_batch: bool) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or a member is missing or cannot be meant; `field` names it.
    """
    head = decode_head(_BODIES, body)
    if is_batch and memoryview(head.requests)[:1] != OPENS_LIST:
        raise InvalidRequest("`requests` must be a list.", field="requests")
    if not is_batch and not is_given(head.content):
        raise InvalidRequest("`content` is missing.", field="content")
    return Request(model=model, contents=head.requests if is_batch else head.content)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One vector or many; newer models say what they counted."""

    embedding: dict[str, msgspec.Raw] | None = None
    embeddings: list[dict[str, msgspec.Raw]] | None = None
    usageMetadata: dict[str, Any] | None = None  # noqa: N815


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """Read an answer; None for what is no JSON object of this dialect."""
    return read_or_none(_ANSWERS, body)

"""OpenAI's moderations: a request may leave out its model, and an answer says no usage."""

from typing import Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.rate_card import Meter
from airouter.wire.decoding import read_or_none
from airouter.wire.members import OPENS_LIST, decode_head, is_given
from airouter.wire.prompt import Bound, media_bound, payload_of

DEFAULT_MODEL: Final = "omni-moderation-latest"
"""What OpenAI takes where none is named (API reference, `POST /v1/moderations`)."""
_ABSENT: Final = msgspec.Raw(b"")


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    model: str | None = None
    input: msgspec.Raw = _ABSENT


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. It is charged by the request, so a model without that rate cannot serve it."""

    model: str
    input: msgspec.Raw
    is_streaming: bool = False
    wants_usage: bool = True
    stated_output_tokens: int | None = None
    choices: int = 1
    asks: tuple[Meter, ...] = ("request",)
    service_tier: str | None = None

    def input_bound(self, body: bytes) -> Bound:
        """For vendors that count tokens here too."""
        if b"image" not in body and b"\\u00" not in body:
            return Bound(text_tokens=len(body))
        return media_bound(body, self.input, payload_of, more_tokens=0, reads_upstream=False)

    def prompt_texts(self) -> list[str]:
        """None: it is charged by the request, whatever it says."""
        return []


_BODIES: Final = msgspec.json.Decoder(_Body)


def read_request(body: bytes) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or `input` is missing.
    """
    head = decode_head(_BODIES, body)
    if not is_given(head.input):
        raise InvalidRequest("`input` is missing.", field="input")
    return Request(model=head.model or DEFAULT_MODEL, input=head.input)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict on each input; some vendors say what they counted."""

    results: msgspec.Raw = _ABSENT
    usage: dict[str, object] | None = None
    error: msgspec.Raw = _ABSENT

    @property
    def is_answer(self) -> bool:
        """It has verdicts, and says of no error."""
        return memoryview(self.results)[:1] == OPENS_LIST and not is_given(self.error)


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """Read an answer; None for what is no JSON object."""
    return read_or_none(_ANSWERS, body)

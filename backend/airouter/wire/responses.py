"""OpenAI's responses: the few members of requests and answers that a gateway needs; all else passes by unread."""

from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest, NotSupportedYet
from airouter.domain.rate_card import Meter
from airouter.wire.openai import OPENS_LIST, decode_head, each_text, is_given
from airouter.wire.prompt import (
    TOOLS_TOKENS,
    Bound,
    as_text,
    decoded,
    media_bound,
    payload_of,
    text_bytes,
    texts_in,
)

_ABSENT: Final = msgspec.Raw(b"")
_MEDIA_MARKS: Final = (b"input_image", b"input_file", b"input_audio", b"_id", b"\\u00")
_OURS: Final = frozenset({"function", "custom", "local_shell", "apply_patch", "shell", "tool_search", "namespace"})
"""Tools that the client runs."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. Values keep the meaning they have in the dialect: None is what the client left open."""

    model: str = ""
    stream: bool | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: msgspec.Raw = _ABSENT
    prompt: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT
    instructions: msgspec.Raw = _ABSENT
    tools: msgspec.Raw = _ABSENT

    @property
    def is_streaming(self) -> bool:
        """The client asked for an event stream."""
        return self.stream is True

    @property
    def wants_usage(self) -> bool:
        """Every stream of this dialect says its usage."""
        return True

    @property
    def stated_output_tokens(self) -> int | None:
        """The most tokens the answer may have, thoughts included."""
        return self.max_output_tokens

    @property
    def choices(self) -> int:
        """One answer a call."""
        return 1

    @property
    def asks(self) -> tuple[Meter, ...]:
        """The meters beyond text that this request sets running upstream."""
        kinds = each_text(self.tools, "type")
        asked: list[Meter] = []
        if any(kind.startswith("web_search") for kind in kinds):
            asked.append("search")
        if "image_generation" in kinds:
            asked.append("image_output")
        return tuple(asked)

    @property
    def runs_upstream(self) -> bool:
        """Tools that the vendor runs read what nobody but the vendor can measure."""
        return any(kind not in _OURS for kind in each_text(self.tools, "type"))

    def input_bound(self, body: bytes) -> Bound:
        """The most that the request can count as input: a token is never under a byte."""
        of_tools = TOOLS_TOKENS if memoryview(self.tools)[:1] == OPENS_LIST else 0
        if not any(mark in body for mark in _MEDIA_MARKS):
            return Bound(text_tokens=len(body) + of_tools, reads_upstream=self.runs_upstream)
        return media_bound(body, self.input, payload_of, more_tokens=of_tools, reads_upstream=self.runs_upstream)

    def prompt_texts(self) -> list[str]:
        """What the model reads, for calls that nobody counted."""
        return [*texts_in([decoded(self.instructions), decoded(self.input)], payload_of), as_text(self.tools)]


_REQUESTS: Final = msgspec.json.Decoder(Request)


def read_request(body: bytes) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or a member is missing or cannot be meant; `field` names it.
        NotSupportedYet: it asks for what a provider would have to remember.
    """
    request = decode_head(_REQUESTS, body)
    if not request.model:
        raise InvalidRequest("Name a model: `model` is missing or empty.", field="model")
    if not is_given(request.input):
        raise InvalidRequest("`input` is missing.", field="input")
    if request.max_output_tokens is not None and request.max_output_tokens < 0:
        raise InvalidRequest("`max_output_tokens` cannot be negative.", field="max_output_tokens")
    remembered = {
        "background": request.background is True,
        "previous_response_id": request.previous_response_id is not None,
        "conversation": is_given(request.conversation),
        "prompt": is_given(request.prompt),
    }
    for field, is_asked in remembered.items():
        if is_asked:
            raise NotSupportedYet(f"{field}: send the whole conversation in `input` for now.", field=field)
    return request


class _Response(msgspec.Struct, frozen=True, kw_only=True):
    status: str = ""
    usage: dict[str, Any] | None = None
    output: msgspec.Raw = _ABSENT
    service_tier: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A response, or an event that carries one."""

    type: str = ""
    object: str = ""
    status: str = ""
    usage: dict[str, Any] | None = None
    output: msgspec.Raw = _ABSENT
    service_tier: str | None = None
    error: msgspec.Raw = _ABSENT
    response: _Response | None = None


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """Read an answer or the data of an event; None for what is no JSON object of this dialect."""
    try:
        return _ANSWERS.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def searches_in(output: msgspec.Raw) -> int:
    """Searches that ran upstream."""
    return sum(kind == "web_search_call" for kind in each_text(output, "type"))


def written_bytes(output: msgspec.Raw) -> int:
    """Bytes of what a model wrote."""
    return text_bytes(decoded(output), payload_of)

"""Anthropic's dialect: the few members of requests and answers that a gateway needs; everything else passes by unread.

The shapes are those of Anthropic's API reference (messages, count_tokens, errors).
"""

from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.rate_card import Meter
from airouter.wire.decoding import read_or_none
from airouter.wire.members import OPENS_LIST, decode_head, each_tool, is_given
from airouter.wire.prompt import TOOLS_TOKENS, Bound, as_text, decoded, media_bound, text_bytes, texts_in, utf8_length

_ABSENT: Final = msgspec.Raw(b"")
_MEDIA_MARKS: Final = (b'"image"', b'"document"', b"file_id", b"\\u00")
"""A body without any of these has neither media nor references. `\\u00` may spell any of them."""


_OURS: Final = ("custom", "bash_", "text_editor_", "computer_", "memory_")
"""What the types of tools that the client runs begin with; those without a type are its own."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. Values keep the meaning they have in the dialect: None is what the client left open."""

    model: str
    max_tokens: int | None = None
    stream: bool | None = None
    service_tier: str | None = None
    messages: msgspec.Raw = _ABSENT
    system: msgspec.Raw = _ABSENT
    tools: msgspec.Raw = _ABSENT
    mcp_servers: msgspec.Raw = _ABSENT

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
        """The most tokens the answer may have."""
        return self.max_tokens

    @property
    def choices(self) -> int:
        """One answer a call."""
        return 1

    @property
    def hosted(self) -> tuple[str, ...]:
        """What it has the vendor run beside the model: types of tools, and `mcp_servers`."""
        kinds = [tool.type for tool in each_tool(self.tools)]
        found = [kind for kind in kinds if isinstance(kind, str) and not kind.startswith(_OURS)]
        return (*found, "mcp_servers") if is_given(self.mcp_servers) else tuple(found)

    @property
    def asks(self) -> tuple[Meter, ...]:
        """The meters beyond text that this request sets running upstream."""
        return ("search",) if any("web_search" in name for name in self.hosted) else ()

    @property
    def runs_upstream(self) -> bool:
        """Tools that the vendor runs read what nobody but the vendor can measure."""
        kinds = [tool.type for tool in each_tool(self.tools)]
        return any(isinstance(kind, str) and kind != "custom" for kind in kinds) or is_given(self.mcp_servers)

    def input_bound(self, body: bytes) -> Bound:
        """The most that the request can count as input: a token is never under a byte."""
        of_tools = TOOLS_TOKENS if memoryview(self.tools)[:1] == OPENS_LIST else 0
        if not any(mark in body for mark in _MEDIA_MARKS):
            return Bound(text_tokens=len(body) + of_tools, reads_upstream=self.runs_upstream)
        return media_bound(body, self.messages, _payload_of, more_tokens=of_tools, reads_upstream=self.runs_upstream)

    def prompt_texts(self) -> list[str]:
        """What the model reads, for calls that nobody counted."""
        return [*texts_in([decoded(self.system), decoded(self.messages)], _payload_of), as_text(self.tools)]


def _payload_of(part: dict[str, object]) -> object:
    """The payload of an image or a document; a document of plain text is text."""
    source = part.get("source")
    if part.get("type") not in {"image", "document"} or not isinstance(source, dict):
        return {"file_id": part["file_id"]} if part.get("type") == "container_upload" and "file_id" in part else None
    if source.get("type") in {"text", "content"}:
        return None
    if part["type"] == "document" and source.get("type") == "url":
        return {"document_url": source.get("url")}
    return source


_REQUESTS: Final = msgspec.json.Decoder(Request)


def read_request(body: bytes) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or a member is missing or cannot be meant; `field` names it.
    """
    request = decode_head(_REQUESTS, body)
    if request.max_tokens is None or request.max_tokens < 0:
        raise InvalidRequest("`max_tokens` is missing, or negative.", field="max_tokens")
    return _checked(request)


def read_count_request(body: bytes) -> Request:
    """The head of a request to count: the same, which says nothing of the answer.

    Raises:
        InvalidRequest: as above.
    """
    return _checked(decode_head(_REQUESTS, body))


def _checked(request: Request) -> Request:
    if not request.model:
        raise InvalidRequest("Name a model: `model` is empty.", field="model")
    if memoryview(request.messages)[:1] != OPENS_LIST:
        raise InvalidRequest("`messages` must be a list.", field="messages")
    return request


class _Usages(msgspec.Struct, frozen=True):
    usage: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A message, or an event of a stream: where the usage stands, and what kind it is."""

    type: str = ""
    content: msgspec.Raw = _ABSENT
    usage: dict[str, Any] | None = None
    message: _Usages | None = None
    """Of `message_start`."""
    delta: dict[str, Any] | None = None
    """Of `message_delta` and `content_block_delta`."""

    @property
    def any_usage(self) -> dict[str, Any] | None:
        """Wherever it is said."""
        return self.usage if self.usage is not None else self.message and self.message.usage


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """Read an answer or the data of an event; None for what is no JSON object of this dialect."""
    return read_or_none(_ANSWERS, body)


def written_bytes(content: msgspec.Raw) -> int:
    """Bytes of what a model wrote in the blocks of an answer."""
    return text_bytes(decoded(content), lambda _part: None)


DELTA: Final = b'"content_block_delta"'
"""In every event that adds to what is written; in no other, because text quotes it."""


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    """Of a text, of thoughts, of what a tool is called with; a signature is none of them."""

    text: str = ""
    thinking: str = ""
    partial_json: str = ""


class _Delta(msgspec.Struct, frozen=True, kw_only=True):
    delta: _Written


_DELTAS: Final = msgspec.json.Decoder(_Delta)


def written_bytes_in(data: bytes) -> int:
    """Of the data of one event: bytes of what the model wrote."""
    event = read_or_none(_DELTAS, data) if DELTA in data else None
    return 0 if event is None else sum(map(utf8_length, msgspec.structs.astuple(event.delta)))


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in words."""

    type: str
    message: str


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of an error."""

    type: str = "error"
    error: ErrorDetail
    request_id: str | None = None


def error_body(message: str, kind: str, request_id: str | None) -> bytes:
    """An error as this door says it; the same bytes are the data of an `error` event inside a stream."""
    return msgspec.json.encode(ErrorBody(error=ErrorDetail(type=kind, message=message), request_id=request_id))

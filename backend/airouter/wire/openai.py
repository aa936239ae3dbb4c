"""OpenAI's dialect: the few fields of requests and answers that a gateway needs; everything else passes by unread.

Bodies are decoded with structs that name those fields only, and forwarded as the client's own bytes wherever nothing
must change. The shapes are those of OpenAI's API reference (chat, completions, embeddings).
"""

from typing import Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.rate_card import Meter
from airouter.wire.decoding import UNREADABLE, read_or_none
from airouter.wire.endpoint import Endpoint
from airouter.wire.members import (
    LISTS,
    MEMBERS,
    OPENS_LIST,
    WHITESPACE,
    decode_head,
    each_tool,
    has_items,
    is_given,
    names_only,
    object_of,
)

CHOICES_MAX: Final = 128
"""The largest `n` and `best_of` that is taken, as at OpenAI."""

_ABSENT: Final = msgspec.Raw(b"")
_OURS: Final = frozenset({"function", "custom"})
"""Tools that the client runs."""
_SWITCHES: Final = ("web_search_options", "search_parameters", "enable_search", "compound_custom")
_OFF: Final = memoryview(b"false")
_INCLUDE_USAGE: Final = b'{"stream_options":{"include_usage":true}'


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`stream_options`, as far as it concerns us; other members are kept when it has to be rewritten."""

    include_usage: bool | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. Values keep the meaning they have in the dialect: None is what the client left open."""

    model: str
    stream: bool | None = None
    stream_options: StreamOptions | msgspec.UnsetType | None = msgspec.UNSET
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    n: int | None = None
    best_of: int | None = None
    service_tier: str | None = None
    modalities: tuple[str, ...] | None = None
    tools: msgspec.Raw = _ABSENT
    plugins: msgspec.Raw = _ABSENT
    web_search_options: msgspec.Raw = _ABSENT
    search_parameters: msgspec.Raw = _ABSENT
    enable_search: msgspec.Raw = _ABSENT
    compound_custom: msgspec.Raw = _ABSENT
    messages: msgspec.Raw = _ABSENT
    prompt: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT

    @property
    def is_streaming(self) -> bool:
        """The client asked for an event stream."""
        return self.stream is True

    @property
    def wants_usage(self) -> bool:
        """The client asked for the usage chunk at the end of the stream."""
        options = self.stream_options
        return isinstance(options, StreamOptions) and options.include_usage is True

    @property
    def stated_output_tokens(self) -> int | None:
        """The most tokens one choice may have, as the client put it; where it said so twice, the larger figure."""
        if self.max_completion_tokens is None:
            return self.max_tokens
        return max(self.max_completion_tokens, self.max_tokens or 0)

    @property
    def choices(self) -> int:
        """How many answers are written, and billed: `n` or `best_of` of them, for each prompt of a completion
        request.
        """
        return max(self.n or 1, self.best_of or 1) * _prompts(self.prompt)

    @property
    def hosted(self) -> tuple[str, ...]:
        """What it has the vendor run beside the model: types of tools, plugins as `plugins.web`, members that switch
        something on. (`enable_search` is Alibaba's, `compound_custom` Groq's.)
        """
        switches = (self.web_search_options, self.search_parameters, self.enable_search, self.compound_custom)
        if not (self.tools or self.plugins or any(switches)):
            return ()
        found = [tool.type for tool in each_tool(self.tools) if isinstance(tool.type, str) and tool.type not in _OURS]
        if is_given(self.plugins):
            found += plugins_in(self.plugins)
        for name, value in zip(_SWITCHES, switches, strict=True):
            if is_given(value) and memoryview(value) != _OFF:
                found.append(name)
        return tuple(found)

    @property
    def asks(self) -> tuple[Meter, ...]:
        """The meters beyond text that this request sets running upstream; a model without their rate cannot serve
        it.
        """
        asked: list[Meter] = []
        hosted = self.hosted
        if hosted and any("search" in name or name == "plugins.web" for name in hosted):
            asked.append("search")
        if self.modalities is not None:
            if "audio" in self.modalities:
                asked.append("audio_output")
            if "image" in self.modalities:
                asked.append("image_output")
        return tuple(asked)


def plugins_in(raw: msgspec.Raw) -> list[str]:
    """Plugins by name; one that reads files with its engine, where one is named: each has a price of its own."""
    found: list[str] = []
    for plugin in read_or_none(LISTS, raw) or []:
        name = plugin.get("id") if isinstance(plugin, dict) else plugin
        if not isinstance(name, str):
            continue
        pdf = plugin.get("pdf") if isinstance(plugin, dict) else None
        engine = pdf.get("engine") if isinstance(pdf, dict) else None
        found.append(f"plugins.{name}:{engine}" if isinstance(engine, str) else f"plugins.{name}")
    return found


def _prompts(raw: msgspec.Raw) -> int:
    """How many prompts a completion request carries: one, or one per text or list of ids."""
    if memoryview(raw)[:1] != OPENS_LIST:
        return 1
    prompts = read_or_none(LISTS, raw)
    if prompts is None:
        return 1
    return len(prompts) if prompts and not isinstance(prompts[0], int) else 1


_REQUESTS: Final = msgspec.json.Decoder(Request)
_REQUIRED: Final[dict[Endpoint, str]] = {"chat.completions": "messages", "embeddings": "input"}


class InputInsteadOfMessages(InvalidRequest):
    """A body of the responses API, at the address of chat completions."""


def read_request(endpoint: Endpoint, body: bytes) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or one of the fields above is missing or cannot be meant. `field`
            names it where there is one.
    """
    request = decode_head(_REQUESTS, body)
    _check(endpoint, request)
    return request


def _check(endpoint: Endpoint, request: Request) -> None:
    if not request.model:
        message = "Name a model: `model` is empty."
        raise InvalidRequest(message, field="model")
    for field, value in (("max_tokens", request.max_tokens), ("max_completion_tokens", request.max_completion_tokens)):
        if value is not None and value < 0:
            message = f"`{field}` cannot be negative."
            raise InvalidRequest(message, field=field)
    for field, value in (("n", request.n), ("best_of", request.best_of)):
        if value is not None and not 1 <= value <= CHOICES_MAX:
            message = f"`{field}` must be between 1 and {CHOICES_MAX}."
            raise InvalidRequest(message, field=field)
    required = _REQUIRED.get(endpoint)
    if required is not None and not is_given(getattr(request, required)):
        if endpoint == "chat.completions" and is_given(request.input):
            raise InputInsteadOfMessages("`messages` is missing.", field="messages")
        message = f"`{required}` is missing."
        raise InvalidRequest(message, field=required)
    if endpoint == "chat.completions" and memoryview(request.messages)[:1] != OPENS_LIST:
        message = "`messages` must be a list."
        raise InvalidRequest(message, field="messages")


def outgoing_body(request: Request, body: bytes, *, model: str, include_usage: bool) -> bytes:
    """What goes upstream: the client's own bytes unless something must change.

    With `include_usage`, a stream is made to end with its usage. Where `model` is another name than the client's, it
    takes its place. Every other member keeps its bytes: unknown fields, spelling of numbers, order of keys. A body that
    names its model more than once (or might) goes out with one of each key, so that the upstream runs what was
    admitted.
    """
    adds_usage = include_usage and request.is_streaming and not request.wants_usage
    if names_only(body, request.model, model):
        if not adds_usage:
            return body
        if request.stream_options is msgspec.UNSET:
            return b"%b,%b" % (_INCLUDE_USAGE, body.lstrip(WHITESPACE)[1:])
    members = MEMBERS.decode(body)
    members["model"] = msgspec.Raw(msgspec.json.encode(model))
    if adds_usage:
        members["stream_options"] = _with_include_usage(members.get("stream_options"))
    return object_of(members)


def _with_include_usage(options: msgspec.Raw | None) -> msgspec.Raw:
    given = {} if options is None or not is_given(options) else MEMBERS.decode(options)
    given["include_usage"] = msgspec.Raw(b"true")
    return msgspec.Raw(object_of(given))


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, or one event of a stream: where vendors put what is to be metered. Undecoded, because they differ."""

    object: msgspec.Raw = _ABSENT
    choices: msgspec.Raw = _ABSENT
    data: msgspec.Raw = _ABSENT
    usage: msgspec.Raw = _ABSENT
    x_groq: msgspec.Raw = _ABSENT
    service_tier: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT

    @property
    def is_answer(self) -> bool:
        """It has what an answer of this dialect is made of, and says of no error."""
        return (is_given(self.choices) or is_given(self.data)) and not is_given(self.error)

    @property
    def has_content(self) -> bool:
        """There is a choice, or a vector."""
        return has_items(self.choices) or has_items(self.data)

    @property
    def is_error(self) -> bool:
        """An `error` was said."""
        return is_given(self.error)

    @property
    def has_choices(self) -> bool:
        """Something was said to the client: `choices` is there and not empty."""
        return has_items(self.choices)


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes | memoryview) -> Answer | None:
    """Read an answer or an event of a stream; None for what is no JSON object."""
    return read_or_none(_ANSWERS, body)


class _Choice(msgspec.Struct, frozen=True):
    finish_reason: str | None = None


_CHOICES: Final = msgspec.json.Decoder(list[_Choice])


def finish_reasons(choices: msgspec.Raw) -> list[str]:
    """Why the choices of an answer or an event stopped; those that go on are left out."""
    if not is_given(choices):
        return []
    try:
        return [choice.finish_reason for choice in _CHOICES.decode(choices) if choice.finish_reason]
    except UNREADABLE:
        return []


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An error in OpenAI's shape."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope of an error."""

    error: ErrorDetail


class _UpstreamErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    message: str
    code: str | int | None = None


class _UpstreamError(msgspec.Struct, frozen=True, kw_only=True):
    error: _UpstreamErrorDetail


_UPSTREAM_ERRORS: Final = msgspec.json.Decoder(_UpstreamError)
_LOOSE: Final = msgspec.json.Decoder(dict[str, object])
_MESSAGE_MAX: Final = 2_000


def error_body(message: str, type_: str, *, param: str | None = None, code: str | None = None) -> bytes:
    """An error as this door says it; the same bytes are the data of an error event inside a stream."""
    return msgspec.json.encode(ErrorBody(error=ErrorDetail(message=message, type=type_, param=param, code=code)))


def passed_on_error(body: bytes) -> bytes:
    """An upstream's refusal of the request, for the client: as it came where it has our shape, else its words in it."""
    try:
        _UPSTREAM_ERRORS.decode(body)
    except UNREADABLE:
        return error_body(_words(body), "invalid_request_error")
    return body


def upstream_words(body: bytes) -> str:
    """The message of an error in anybody's shape."""
    try:
        return _UPSTREAM_ERRORS.decode(body).error.message
    except UNREADABLE:
        return _words(body)


def _words(body: bytes) -> str:
    """The message of an error in somebody else's shape: `message`, `detail` or `error`, else the body itself."""
    fallback = "The provider refused the request without saying why."
    try:
        loose = _LOOSE.decode(body)
    except UNREADABLE:
        text = body[:_MESSAGE_MAX].decode("utf-8", "replace").strip()
        return fallback if not text or text.startswith("<") else text
    for name in ("message", "detail", "error"):
        value = loose.get(name)
        if isinstance(value, str) and value:
            return value[:_MESSAGE_MAX]
        if isinstance(value, dict | list) and value:
            return msgspec.json.encode(value)[:_MESSAGE_MAX].decode("utf-8", "replace")
    return fallback

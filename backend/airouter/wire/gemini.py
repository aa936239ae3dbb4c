"""Gemini's dialect: the few members of requests and answers that a gateway needs; everything else passes by unread.

The shapes are those of Google's API reference (generateContent, errors). Google's servers take every name in two
spellings, `generationConfig` and `generation_config`, and so do we.
"""

from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.domain.rate_card import Meter
from airouter.wire.decoding import read_or_none
from airouter.wire.members import decode_head, is_given
from airouter.wire.prompt import TOOLS_TOKENS, Bound, as_text, decoded, media_bound, text_bytes, texts_in

_ABSENT: Final = msgspec.Raw(b"")
_MEDIA_MARKS: Final = (b"nlineData", b"nline_data", b"ileData", b"ile_data", b"\\u00")
_OURS: Final = frozenset({"functionDeclarations", "computerUse"})
"""Tools that the client runs."""
_SEARCHES: Final = ("googleSearch", "enterpriseWebSearch")


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """`generationConfig`, as far as it concerns us, in both spellings."""

    maxOutputTokens: int | None = None  # noqa: N815 - Google's spelling
    max_output_tokens: int | None = None
    candidateCount: int | None = None  # noqa: N815
    candidate_count: int | None = None
    responseModalities: tuple[str, ...] | None = None  # noqa: N815
    response_modalities: tuple[str, ...] | None = None


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    contents: msgspec.Raw = _ABSENT
    systemInstruction: msgspec.Raw = _ABSENT  # noqa: N815
    system_instruction: msgspec.Raw = _ABSENT
    tools: msgspec.Raw = _ABSENT
    generationConfig: Output | None = None  # noqa: N815
    generation_config: Output | None = None
    cachedContent: str | None = None  # noqa: N815
    cached_content: str | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. The model and whether it streams come from the address."""

    model: str
    is_streaming: bool
    is_array: bool = False
    """A stream without `alt=sse` is one JSON array that grows."""
    body: _Body

    @property
    def service_tier(self) -> str | None:
        """There is none in this dialect."""
        return None

    @property
    def wants_usage(self) -> bool:
        """Every stream of this dialect says its usage."""
        return True

    @property
    def _output(self) -> Output:
        return self.body.generationConfig or self.body.generation_config or Output()

    @property
    def stated_output_tokens(self) -> int | None:
        """The most tokens one candidate may have."""
        output = self._output
        return output.maxOutputTokens if output.maxOutputTokens is not None else output.max_output_tokens

    @property
    def choices(self) -> int:
        """How many candidates are written, and billed."""
        return max(self._output.candidateCount or self._output.candidate_count or 1, 1)

    @property
    def hosted(self) -> tuple[str, ...]:
        """What it has the vendor run beside the model: the names of tools, as Google's reference spells them."""
        if not is_given(self.body.tools):
            return ()
        found = read_or_none(_TOOLS, self.body.tools) or []
        listed = [found] if isinstance(found, dict) else found
        names = [_camel(name) for tool in listed for name, value in tool.items() if is_given(value)]
        return tuple(name for name in names if name not in _OURS)

    @property
    def asks(self) -> tuple[Meter, ...]:
        """The meters beyond text that this request sets running upstream."""
        asked: list[Meter] = []
        if any(name.startswith(_SEARCHES) for name in self.hosted):
            asked.append("search")
        output = self._output
        kinds = {kind.upper() for kind in output.responseModalities or output.response_modalities or ()}
        if "AUDIO" in kinds:
            asked.append("audio_output")
        if "IMAGE" in kinds:
            asked.append("image_output")
        return tuple(asked)

    def input_bound(self, body: bytes) -> Bound:
        """The most that the request can count as input: a token is never under a byte."""
        of_tools = TOOLS_TOKENS if memoryview(self.body.tools) else 0
        reads = bool(self.hosted or self.body.cachedContent or self.body.cached_content)
        if not any(mark in body for mark in _MEDIA_MARKS):
            return Bound(text_tokens=len(body) + of_tools, reads_upstream=reads, choices=self.choices)
        return media_bound(
            body, self.body.contents, payload_of, more_tokens=of_tools, reads_upstream=reads, choices=self.choices
        )

    def prompt_texts(self) -> list[str]:
        """What the model reads, for calls that nobody counted."""
        system = self.body.systemInstruction if is_given(self.body.systemInstruction) else self.body.system_instruction
        return [*texts_in([decoded(system), decoded(self.body.contents)], payload_of), as_text(self.body.tools)]


_TOOLS: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]] | dict[str, msgspec.Raw])
"""Google's servers take one thing where a list of it belongs."""


def _camel(name: str) -> str:
    """`google_search` as `googleSearch`."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


def payload_of(part: dict[str, object]) -> object:
    """The payload of a part that is not text; a file behind a link may be of any size."""
    for name in ("inlineData", "inline_data"):
        if name in part:
            return part[name]
    for name in ("fileData", "file_data"):
        if name in part:
            return {"file_url": part[name]}
    return None


_BODIES: Final = msgspec.json.Decoder(_Body)


def read_request(body: bytes, model: str, *, is_streaming: bool, is_array: bool) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or a member is missing or cannot be meant; `field` names it.
    """
    head = decode_head(_BODIES, body)
    if not is_given(head.contents):
        raise InvalidRequest("`contents` is missing.", field="contents")
    request = Request(model=model, is_streaming=is_streaming, is_array=is_array, body=head)
    stated = request.stated_output_tokens
    if stated is not None and stated < 0:
        raise InvalidRequest("`maxOutputTokens` cannot be negative.", field="generationConfig.maxOutputTokens")
    return request


class _CountBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request to count: contents, or a whole request."""

    contents: msgspec.Raw = _ABSENT
    generateContentRequest: _Body | None = None  # noqa: N815
    generate_content_request: _Body | None = None


_COUNT_BODIES: Final = msgspec.json.Decoder(_CountBody)


def read_count_request(body: bytes, model: str) -> Request:
    """Read the head of a request to count, in either of its forms.

    Raises:
        InvalidRequest: as above.
    """
    given = decode_head(_COUNT_BODIES, body)
    head = given.generateContentRequest or given.generate_content_request or _Body(contents=given.contents)
    if not is_given(head.contents):
        raise InvalidRequest("`contents` is missing.", field="contents")
    return Request(model=model, is_streaming=False, body=head)


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LISTED: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_WRAPPED: Final = ("generateContentRequest", "generate_content_request")


def with_one_model(body: bytes, named: str) -> bytes:
    """A request to count or to embed with this model wherever it names one, as Google demands; its own bytes where
    every name is the right one.

    Raises:
        InvalidRequest: `requests` holds something else than objects.
    """
    members = _MEMBERS.decode(body)
    name = msgspec.Raw(msgspec.json.encode(named))
    changed: dict[str, msgspec.Raw] = {}
    if members.get("model", name) != name:
        changed["model"] = name
    for wrapped in _WRAPPED:
        inner = _MEMBERS.decode(members[wrapped]) if is_given(members.get(wrapped, _ABSENT)) else {"model": name}
        if inner.get("model") != name:
            changed[wrapped] = msgspec.Raw(msgspec.json.encode({**inner, "model": name}))
    if "requests" in members:
        try:
            requests = _LISTED.decode(members["requests"])
        except msgspec.ValidationError:
            raise InvalidRequest("`requests` must be a list of objects.", field="requests") from None
        if any(one.get("model") != name for one in requests):
            changed["requests"] = msgspec.Raw(msgspec.json.encode([{**one, "model": name} for one in requests]))
    return msgspec.json.encode({**members, **changed}) if changed else body


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, or the data of an event, which is an answer too."""

    candidates: list[dict[str, Any]] | None = None
    usageMetadata: dict[str, Any] | None = None  # noqa: N815
    promptFeedback: dict[str, Any] | None = None  # noqa: N815
    error: dict[str, Any] | None = None

    @property
    def has_content(self) -> bool:
        """There is a candidate, or a reason why there is none."""
        return bool(self.candidates or self.promptFeedback)

    @property
    def is_finished(self) -> bool:
        """Some candidate says why it stopped, or the prompt was refused."""
        return any(one.get("finishReason") for one in self.candidates or ()) or bool(self.promptFeedback)

    @property
    def queries(self) -> frozenset[str]:
        """What was looked up. An empty query is none."""
        grounded = (one.get("groundingMetadata") for one in self.candidates or ())
        lists = (meta.get("webSearchQueries") for meta in grounded if isinstance(meta, dict))
        return frozenset(
            query for listed in lists if isinstance(listed, list) for query in listed if query and type(query) is str
        )


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """Read an answer or the data of an event; None for what is no JSON object of this dialect."""
    return read_or_none(_ANSWERS, body)


def written_bytes(answer: Answer) -> int:
    """Bytes of what a model wrote: neither pictures nor signatures, nor what Google's tools found."""
    contents = [one.get("content") for one in answer.candidates or ()]
    lists = [content.get("parts") for content in contents if isinstance(content, dict)]
    parts = [part for listed in lists if isinstance(listed, list) for part in listed if isinstance(part, dict)]
    return text_bytes([part.get(name) for part in parts for name in _WRITTEN], payload_of)


_WRITTEN: Final = ("text", "functionCall", "executableCode")
"""Where a part has what the model wrote."""
DELTA: Final = b'"parts"'
"""In every event that adds to what is written; in text it is quoted."""
PICTURE: Final = b'"inlineData"'
"""In every event with media in it, whose bytes say nothing of tokens."""


def written_bytes_in(data: bytes) -> int:
    """Of the data of one event: bytes of what the model wrote."""
    answer = read_answer(data) if DELTA in data else None
    return 0 if answer is None else written_bytes(answer)


def error_body(message: str, code: int, status: str) -> bytes:
    """An error as this door says it."""
    return msgspec.json.encode({"error": {"code": code, "message": message, "status": status}})

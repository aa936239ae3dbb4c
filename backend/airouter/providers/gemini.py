"""Gemini: generateContent, whole and streamed; countTokens; embeddings (gemini_embeddings.py)."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from airouter.domain.rate_card import Meter
from airouter.providers import gemini_embeddings
from airouter.providers.blame import blame
from airouter.providers.contract import Answered, Call, Headers, Outgoing, Problem, Refusal, Reported
from airouter.providers.counts import counted
from airouter.providers.deltas import Deltas
from airouter.providers.headers import HeaderBook
from airouter.providers.overrides import overridden
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.reporting import UsageRefused, figure
from airouter.providers.saying import answered
from airouter.translation.foreign_thoughts import without_foreign_thoughts
from airouter.wire.endpoint import VECTORS, Endpoint
from airouter.wire.gemini import (
    DELTA,
    PICTURE,
    Answer,
    Request,
    read_answer,
    with_one_model,
    written_bytes,
    written_bytes_in,
)

_VERBS: Final[dict[Endpoint, str]] = {
    "generate_content": "generateContent",
    "generate_content.count_tokens": "countTokens",
    "embed_content": "embedContent",
    "batch_embed_contents": "batchEmbedContents",
}
_DETAILS: Final[tuple[tuple[str, str, Meter, Meter], ...]] = (
    ("promptTokensDetails", "AUDIO", "input", "audio_input"),
    ("promptTokensDetails", "IMAGE", "input", "image_input"),
    ("candidatesTokensDetails", "AUDIO", "output", "audio_output"),
    ("candidatesTokensDetails", "IMAGE", "output", "image_output"),
)
"""Where the kinds of tokens are said, and the bucket that they are taken out of."""


_BY_THE_CALL: Final = re.compile(r"(?:.*/)?gemini-[12]\b")
"""Models whose searches Google bills by the call that made any; since Gemini 3 by the query (its price list, 2026)."""


def _authorise(credential: bytes) -> Headers:
    return ((b"x-goog-api-key", credential),)


class GeminiProvider:
    """Google's Gemini API; the model and whether it streams are in the address."""

    def __init__(self, name: str = "gemini") -> None:
        self.name = name
        self.endpoints: frozenset[Endpoint] = frozenset(_VERBS)
        """Text, how many tokens it has, and vectors."""
        self._headers = HeaderBook(_authorise)

    def outgoing(self, call: Call) -> Outgoing:
        """The client's own bytes; the address names the model."""
        model = call.upstream_model
        named = model if "/" in model else f"models/{model}"
        verb = "streamGenerateContent?alt=sse" if call.is_streaming else _VERBS[call.endpoint]
        body = without_foreign_thoughts(call.endpoint, call.body)
        out = Outgoing(
            method="POST",
            path=f"/v1beta/{quote(named)}:{verb}",
            headers=self._headers.of(call.credential),
            body=body if call.endpoint == "generate_content" else with_one_model(body, named),
        )
        return overridden(out, call)

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer; its bytes stay."""
        if call.endpoint in VECTORS:
            return gemini_embeddings.answer(body)
        if call.endpoint != "generate_content":
            return counted(call, body)
        answer = read_answer(body)
        if answer is None:
            return Answered(body=body, reported=None, is_proper=False)
        is_told = answer.candidates is not None or answer.promptFeedback is not None
        return answered(
            body,
            reported_in(answer, searches(call.upstream_model, answer.queries)),
            has_shape=is_told and answer.error is None,
            has_content=answer.has_content,
            written_bytes=lambda: written_bytes(answer),
        )

    def stream(self, call: Call) -> PassingStreamReader:
        """A reader for one event stream, which a client without `alt=sse` gets as an array."""
        notes = CandidateNotes(call.request.choices, call.upstream_model)
        deltas = Deltas(DELTA, written_bytes_in, other_mark=PICTURE)
        request = call.request
        if isinstance(request, Request) and request.is_array:
            frame = ArrayFrame()
            return PassingStreamReader(
                call, notes, deltas, content_type=b"application/json", change=frame.element, end=frame.end
            )
        return PassingStreamReader(call, notes, deltas)

    def refusal(self, status: int, body: bytes) -> Refusal:
        """A bad key is a 400 there."""
        return blame(status, body)


class ArrayFrame:
    """A JSON array that grows by an element for each event."""

    def __init__(self) -> None:
        self._has_begun = False

    def element(self, data: bytes) -> bytes:
        """One more."""
        opening, self._has_begun = (b",\r\n" if self._has_begun else b"["), True
        return opening + data

    def end(self) -> bytes:
        """The closing bracket, and the opening one of an array without elements."""
        return b"]" if self._has_begun else b"[]"


class CandidateNotes:
    """Every event is an answer with the figures so far; the last says why each candidate stopped."""

    marks: tuple[bytes, ...] = (b"usageMetadata", b"finishReason", b"promptFeedback", b'"error"')
    content_marks: tuple[bytes, ...] = ()
    kept: None = None

    def __init__(self, choices: int, model: str) -> None:
        self.is_over = False
        self.has_content = False
        self.error: bytes | None = None
        self._open = choices
        self._latest: Answer | None = None
        self._model = model
        self._queries: frozenset[str] = frozenset()

    def note(self, data: bytes) -> None:
        """Any event with figures or an end."""
        answer = read_answer(data)
        if answer is None:
            return
        self.has_content = self.has_content or answer.has_content
        if answer.usageMetadata is not None:
            self._latest = answer
        self._queries |= answer.queries
        if answer.error is not None:
            self.error = self.error or data
        if answer.is_finished:
            self._open -= max(1, sum(bool(one.get("finishReason")) for one in answer.candidates or ()))
            self.is_over = self._open <= 0

    @property
    def reported(self) -> Reported | None:
        """The figures so far."""
        return None if self._latest is None else reported_in(self._latest, searches(self._model, self._queries))


def searches(model: str, queries: frozenset[str]) -> int:
    """How many Google bills for these."""
    return min(len(queries), 1) if _BY_THE_CALL.match(model) else len(queries)


def reported_in(answer: Answer, searched: int = 0) -> Reported | None:
    """Google's figures: cached tokens are within the prompt's; thoughts and the results of tools stand beside."""
    usage = answer.usageMetadata
    if usage is None:
        return None
    try:
        quantities, problem = _disjoint(usage)
    except UsageRefused:
        return Reported(quantities=None, problem="usage_refused")
    if quantities is None:
        return None
    if searched:
        quantities["search"] = searched
    quantities["request"] = 1
    return Reported(quantities=quantities, problem=problem)


def _disjoint(usage: Mapping[str, Any]) -> tuple[dict[Meter, int] | None, Problem | None]:
    prompt, total = figure(usage, (("promptTokenCount",),)), figure(usage, (("totalTokenCount",),))
    written, thoughts = figure(usage, (("candidatesTokenCount",),)), figure(usage, (("thoughtsTokenCount",),)) or 0
    if prompt is None and written is None and total is None:
        return None, None
    of_tools = figure(usage, (("toolUsePromptTokenCount",),)) or 0
    cached = figure(usage, (("cachedContentTokenCount",),)) or 0
    read = (prompt or 0) + of_tools
    problem: Problem | None = None
    if cached > read:
        cached, problem = 0, "details_contradict"
    quantities: dict[Meter, int] = {"input": read - cached, "output": written or 0}
    if cached:
        quantities["cached_input"] = cached
    if thoughts:
        quantities["reasoning"] = thoughts
    if total is not None and total != read + (written or 0) + thoughts:
        problem = problem or "total_differs"
        excess = total - read - (written or 0) - thoughts
        if excess > 0:  # thoughts that no figure names
            quantities["reasoning"] = thoughts + excess
    for member, kind, plain, special in _DETAILS:
        counted = _of_kind(usage, member, kind)
        if member == "promptTokensDetails" and cached:  # those that were cached are there, too, and stay cached
            counted = max(counted - _of_kind(usage, "cacheTokensDetails", kind), 0)
        moved = min(counted, quantities[plain])
        if moved:
            quantities[plain] -= moved
            quantities[special] = moved
    return quantities, problem


def _of_kind(usage: Mapping[str, Any], member: str, kind: str) -> int:
    details = usage.get(member)
    return sum(
        figure(detail, (("tokenCount",),)) or 0
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict) and detail.get("modality") == kind
    )

"""Anthropic: messages, whole and streamed."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.domain.rate_card import Meter
from airouter.providers.blame import blame
from airouter.providers.contract import Answered, Call, Headers, Outgoing, Refusal, Reported
from airouter.providers.counts import counted
from airouter.providers.deltas import Deltas
from airouter.providers.headers import HeaderBook
from airouter.providers.overrides import overridden
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.reporting import UsageRefused, figure
from airouter.providers.saying import answered
from airouter.translation.foreign_thoughts import without_foreign_thoughts
from airouter.wire.anthropic import DELTA, Answer, read_answer, written_bytes, written_bytes_in
from airouter.wire.endpoint import Endpoint
from airouter.wire.members import has_items, is_given, with_model, with_one_model, without_members

_PATHS: Final[dict[Endpoint, str]] = {
    "messages": "/v1/messages",
    "messages.count_tokens": "/v1/messages/count_tokens",
}
VERSION: Final = (b"anthropic-version", b"2023-06-01")
"""For clients that say none, such as those of another dialect."""
_CHOOSES_MODELS_BY: Final = ("fallbacks",)
"""The vendor would let another model answer what the one that is charged refuses to (2026). The client gets to know of
the refusal instead.
"""
_READ: Final = (("input_tokens",),)
_WRITTEN: Final = (("output_tokens",),)
_FAST: Final = "fast"


def _authorise(credential: bytes) -> Headers:
    return ((b"x-api-key", credential),)


def passed_on(call: Call) -> bytes:
    """The client's body without what the vendor would refuse, or another model would answer by."""
    return without_members(without_foreign_thoughts(call.endpoint, call.body), _CHOOSES_MODELS_BY)


class AnthropicProvider:
    """Anthropic's own address, and whoever serves the same one."""

    def __init__(self, name: str = "anthropic") -> None:
        self.name = name
        self.endpoints: frozenset[Endpoint] = frozenset(_PATHS)
        """Messages, and how many tokens they have."""
        self._headers = HeaderBook(_authorise)

    def outgoing(self, call: Call) -> Outgoing:
        """The client's body, with the model's name here. Its version and its betas are the client's business."""
        more = call.client_headers
        if not any(name == VERSION[0] for name, _ in more):
            more = (VERSION, *more)
        body = passed_on(call)
        body = with_one_model(body, call.request.model, call.upstream_model)
        headers = self._headers.of(call.credential, more)
        return overridden(Outgoing(method="POST", path=_PATHS[call.endpoint], headers=headers, body=body), call)

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer; only `rewrite_model` changes its bytes."""
        if call.endpoint == "messages.count_tokens":
            return counted(call, body)
        answer = read_answer(body)
        if answer is None or answer.type != "message":
            return Answered(body=body, reported=None, is_proper=False)
        reported = reported_in(answer.usage or {})
        if call.options.rewrite_model:
            body = with_model(body, call.request.model)
        return answered(
            body,
            reported,
            has_shape=is_given(answer.content),
            has_content=has_items(answer.content),
            written_bytes=lambda: written_bytes(answer.content),
        )

    def stream(self, call: Call) -> PassingStreamReader:
        """A reader for one event stream."""
        return PassingStreamReader(call, MessageNotes(), Deltas(DELTA, written_bytes_in))

    def refusal(self, status: int, body: bytes) -> Refusal:
        """529 is Anthropic's own way to say that it is overloaded."""
        return blame(status, body)


class MessageNotes:
    """Usage comes twice: what was read at the start, with a stand-in for what will be written, and all at the end. The
    later figure counts.
    """

    marks: tuple[bytes, ...] = (b'"usage"', b'"message_stop"', b'"error"')
    content_marks: tuple[bytes, ...] = (b'"content_block',)
    kept: None = None

    def __init__(self) -> None:
        self.is_over = False
        self.has_content = False
        self.error: bytes | None = None
        self._usage: dict[str, Any] = {}
        self._has_told_output = False

    def note(self, data: bytes) -> None:
        """`message_start`, `message_delta`, `message_stop`, `error`."""
        answer = read_answer(data)
        if answer is None:
            return
        self._learn(answer)
        self.is_over = self.is_over or answer.type == "message_stop"
        if answer.type == "error":
            self.error = self.error or data

    def _learn(self, answer: Answer) -> None:
        usage = answer.any_usage if answer.type in {"message_start", "message_delta"} else None
        for name, value in (usage or {}).items():
            if value is not None:
                self._usage[name] = value
                self._has_told_output = self._has_told_output or answer.type == "message_delta"

    @property
    def reported(self) -> Reported | None:
        """The figures so far."""
        found = reported_in(self._usage)
        if found is None or self._has_told_output:
            return found
        return msgspec.structs.replace(found, tells_output=False)


def reported_in(usage: Mapping[str, Any]) -> Reported | None:
    """Anthropic's figures are disjoint already: what was read plainly, what was written to and read from the cache.

    Thoughts are within `output_tokens`, at the same price, and are not told apart. A conversation that the vendor
    summed up on the way was read twice; only `iterations` say so (platform.claude.com, "Compaction", 2026). Those of
    an advisor are another model's, at another price; such calls are refused (hosted_tools.py). A call that ran in fast
    mode has prices of its own, like a service tier (platform.claude.com, "Fast mode", 2026), and is told as one.
    """
    tier = _FAST if usage.get("speed") == _FAST else usage.get("service_tier")
    listed = usage.get("iterations")
    summed_up = [one for one in _objects(listed) if one.get("type") == "compaction"]
    try:
        if figure(usage, _READ) is None and figure(usage, _WRITTEN) is None:
            return None
        quantities: dict[Meter, int] = {"input": 0, "output": 0}
        for one in (usage, *summed_up):
            for meter, quantity in _disjoint(one).items():
                quantities[meter] = quantities.get(meter, 0) + quantity
    except UsageRefused:
        return Reported(quantities=None, problem="usage_refused")
    quantities["request"] = 1
    return Reported(quantities=quantities, service_tier=tier if isinstance(tier, str) else None)


def _objects(listed: object) -> list[dict[str, Any]]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _disjoint(usage: Mapping[str, Any]) -> dict[Meter, int]:
    """The buckets that have something in them.

    Raises:
        UsageRefused: a figure cannot be true.
    """
    long = figure(usage, (("cache_creation", "ephemeral_1h_input_tokens"),)) or 0
    writes = figure(usage, (("cache_creation_input_tokens",),))
    short = figure(usage, (("cache_creation", "ephemeral_5m_input_tokens"),)) or 0
    if writes is not None and writes != short + long:
        short = max(writes - long, 0)
    found: dict[Meter, int] = {
        "input": figure(usage, _READ) or 0,
        "output": figure(usage, _WRITTEN) or 0,
        "cached_input": figure(usage, (("cache_read_input_tokens",),)) or 0,
        "cache_write_5m": short,
        "cache_write_1h": long,
        "search": figure(usage, (("server_tool_use", "web_search_requests"),)) or 0,
    }
    return {meter: quantity for meter, quantity in found.items() if quantity}

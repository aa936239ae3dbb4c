"""OpenAI's responses, whole and streamed: another shape at the same vendor."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.providers.contract import Answered, Call, Kept, KeptStatus, Outgoing, Reported
from airouter.providers.deltas import Deltas
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.reporting import Habits, UsageRefused, reported
from airouter.providers.saying import answered, has_figures, says_something
from airouter.translation.foreign_thoughts import without_foreign_thoughts
from airouter.wire.endpoint import Endpoint
from airouter.wire.members import has_items, is_given, with_each_member_once, with_model, with_one_model
from airouter.wire.prompt import estimated_tokens
from airouter.wire.response_deltas import DELTA, RESPONSE, written_bytes_in
from airouter.wire.responses import Response, item_names, read_answer, searches_in, written_bytes

_PATHS: Final[dict[Endpoint, str]] = {
    "responses": "/responses",
    "responses.input_tokens": "/responses/input_tokens",
    "responses.compact": "/responses/compact",
}
_OBJECTS: Final[dict[Endpoint, str]] = {"responses": "response", "responses.compact": "response.compaction"}
_STATUSES: Final[dict[str, KeptStatus]] = {
    "completed": "ok",
    "incomplete": "ok",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""Every other one is on its way there."""
_NAMING: Final = (b'"previous_response_id"', b'"conversation"', b'"input"')


def outgoing(call: Call, headers: Any) -> Outgoing:
    """The client's body, with the model's name here.

    A member that decides where a call may go stands in it once: what was looked up is what is read.
    """
    given = without_foreign_thoughts(call.endpoint, call.body)
    body = with_one_model(given, call.request.model, call.upstream_model)
    if body is given and any(body.count(name) > 1 for name in _NAMING):
        body = with_each_member_once(body)
    return Outgoing(method="POST", path=_PATHS[call.endpoint], headers=headers, body=body)


def about(out: Outgoing, method: str, path: str, *, query: str = "", body: bytes = b"") -> Outgoing:
    """A request about what is kept, from `out`, which would make a response: same place, same credential.

    `path` stands for `/responses`; what a vendor puts around that (a version) stays.
    """
    before, _, own = out.path.partition("?")
    asked = "&".join(part for part in (own, query) if part)
    where = before.removesuffix(_PATHS["responses"]) + path
    return msgspec.structs.replace(out, method=method, path=where + ("?" + asked if asked else ""), body=body)


def answer(call: Call, body: bytes, habits: Habits) -> Answered:
    """Read a whole answer; only `rewrite_model` changes its bytes."""
    found = read_answer(body)
    if found is None or found.object != _OBJECTS.get(call.endpoint):
        return Answered(body=body, reported=None, is_proper=False)
    usage = reported_in(found.usage, found.output, found.service_tier, habits)
    if call.options.rewrite_model:
        body = with_model(body, call.request.model)
    is_compact = call.endpoint == "responses.compact"
    is_whole = found.status in {"completed", "incomplete"} and not is_given(found.error)
    return answered(
        body,
        usage,
        has_shape=is_compact or is_whole,
        has_content=has_items(found.output),
        written_bytes=lambda: written_bytes(found.output),
        kept=None if is_compact else _kept(found, usage),
    )


def _kept(found: Response, usage: Reported | None) -> Kept | None:
    """One that ended and said nothing came to nothing, whatever its status (saying.py)."""
    if not found.id:
        return None
    status = _STATUSES.get(found.status, "running")
    if status == "ok" and not says_something(usage, has_content=has_items(found.output)):
        status = "failed"
    return Kept(
        name=found.id,
        status=status,
        is_stored=found.store is not False,
        items=item_names(found.output),
        expires_at_seconds=found.expires_at,
        reported=usage,
        written_tokens=0 if has_figures(usage) else estimated_tokens(written_bytes(found.output)),
    )


def stream(call: Call, habits: Habits) -> PassingStreamReader:
    """A reader for one event stream."""
    return PassingStreamReader(call, ResponseNotes(habits), Deltas(DELTA, written_bytes_in, other_mark=RESPONSE))


class ResponseNotes:
    """The name stands in the first event, the figures in the last, with the whole response."""

    marks: tuple[bytes, ...] = (
        b'"response.created"',
        b'"response.completed"',
        b'"response.incomplete"',
        b'"response.failed"',
        b'"response.cancelled"',
        b'"type":"error"',
        b'"error",',
    )
    content_marks: tuple[bytes, ...] = (b'"response.output',)

    def __init__(self, habits: Habits) -> None:
        self.is_over = False
        self.has_content = False
        self.error: bytes | None = None
        self._habits = habits
        self._reported: Reported | None = None
        self._response: Response | None = None

    def note(self, data: bytes) -> None:
        """The beginning or end of the response, or an error."""
        event = read_answer(data)
        if event is None:
            return
        response = event.response
        if event.type in {"response.completed", "response.incomplete"}:
            self.is_over = True
        elif event.type in {"response.failed", "response.cancelled", "error"}:
            self.error = self.error or data
        if response is not None:
            self._response = response
            self.has_content = self.has_content or has_items(response.output)
            if response.usage is not None:
                self._reported = reported_in(response.usage, response.output, response.service_tier, self._habits)

    @property
    def reported(self) -> Reported | None:
        """The figures, once they were said."""
        return self._reported

    @property
    def kept(self) -> Kept | None:
        """What the response is called, and how it ended."""
        found = self._response
        if found is None:
            return None
        return _kept(found, self._reported)


def reported_in(
    usage: Mapping[str, Any] | None, output: msgspec.Raw, tier: str | None, habits: Habits
) -> Reported | None:
    """The same reading as that of chat completions; of a vendor whose usage counts none, searches are items of the
    output.
    """
    if not usage:
        return None
    try:
        found = reported(usage, "responses", habits, tier)
    except UsageRefused:
        return Reported(quantities=None, service_tier=tier, problem="usage_refused")
    searches = 0 if habits.searches else searches_in(output)
    if found is None or found.quantities is None or not searches:
        return found
    return msgspec.structs.replace(found, quantities={**found.quantities, "search": searches})

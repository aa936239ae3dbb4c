"""OpenAI's responses, whole and streamed: another shape at the same vendor."""

from collections.abc import Mapping
from typing import Any

import msgspec

from airouter.providers.contract import Answered, Call, Outgoing, Reported
from airouter.providers.passing_stream import PassingStreamReader
from airouter.providers.reporting import Habits, UsageRefused, reported
from airouter.wire.openai import is_given, with_model, with_one_model
from airouter.wire.prompt import estimated_tokens
from airouter.wire.responses import read_answer, searches_in, written_bytes

PATH = "/responses"
COUNT_PATH = "/responses/input_tokens"


def outgoing(call: Call, headers: Any) -> Outgoing:
    """The client's body, with the model's name here."""
    body = with_one_model(call.body, call.request.model, call.upstream_model)
    path = PATH if call.endpoint == "responses" else COUNT_PATH
    return Outgoing(method="POST", path=path, headers=headers, body=body)


def answer(call: Call, body: bytes, habits: Habits) -> Answered:
    """Read a whole answer; only `rewrite_model` changes its bytes."""
    found = read_answer(body)
    if found is None or found.object != "response":
        return Answered(body=body, reported=None, is_proper=False)
    usage = reported_in(found.usage, found.output, found.service_tier, habits)
    written = 0
    if usage is None or usage.quantities is None:
        written = estimated_tokens(written_bytes(found.output))
    if call.options.rewrite_model:
        body = with_model(body, call.request.model)
    is_proper = found.status in {"completed", "incomplete"} and not is_given(found.error)
    return Answered(body=body, reported=usage, is_proper=is_proper, written_tokens=written)


def stream(call: Call, habits: Habits) -> PassingStreamReader:
    """A reader for one event stream."""
    return PassingStreamReader(call, ResponseNotes(habits))


class ResponseNotes:
    """The figures stand in the last event, with the whole response."""

    marks: tuple[bytes, ...] = (
        b'"response.completed"',
        b'"response.incomplete"',
        b'"response.failed"',
        b'"type":"error"',
        b'"error",',
    )

    def __init__(self, habits: Habits) -> None:
        self.is_over = False
        self.has_error = False
        self._habits = habits
        self._reported: Reported | None = None

    def note(self, data: bytes) -> None:
        """The end of the response, or an error."""
        event = read_answer(data)
        if event is None:
            return
        response = event.response
        if event.type in {"response.completed", "response.incomplete"}:
            self.is_over = True
        elif event.type in {"response.failed", "error"}:
            self.has_error = True
        if response is not None and response.usage is not None:
            self._reported = reported_in(response.usage, response.output, response.service_tier, self._habits)

    @property
    def reported(self) -> Reported | None:
        """The figures, once they were said."""
        return self._reported


def reported_in(
    usage: Mapping[str, Any] | None, output: msgspec.Raw, tier: str | None, habits: Habits
) -> Reported | None:
    """The same reading as that of chat completions; searches are items of the output."""
    if not usage:
        return None
    try:
        found = reported(usage, "responses", habits, tier)
    except UsageRefused:
        return Reported(quantities=None, service_tier=tier, problem="usage_refused")
    searches = searches_in(output)
    if found is None or found.quantities is None or not searches:
        return found
    return msgspec.structs.replace(found, quantities={**found.quantities, "search": searches})

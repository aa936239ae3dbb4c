"""Streams of Cohere's chat, read event by event (docs.cohere.com, "Streaming", 2026)."""

from typing import Any

from airouter.translation.cohere.replies import FAILED, STOPS, call_of
from airouter.translation.json_text import object_of
from airouter.translation.reply import CallBegan, CallDelta, Event, Failed, Stopped, TextDelta, ThoughtDelta


class Reader:
    """Events of the provider -> events without a dialect. Fed the data of one event at a time."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        """Index of a call as the vendor counts -> number of the call."""

    def read(self, data: bytes) -> list[Event]:
        """What one event says; nothing for citations, for what cannot be read, and for kinds that are not known."""
        body = object_of(data)
        delta = body.get("delta")
        message = delta.get("message") if isinstance(delta, dict) else None
        match body.get("type"):
            case "content-start" | "content-delta" if isinstance(message, dict):
                return _content(message.get("content"))
            case "tool-plan-delta" if isinstance(message, dict):
                plan = message.get("tool_plan")
                return [ThoughtDelta(text=plan, vendor="cohere")] if isinstance(plan, str) and plan else []
            case "tool-call-start" | "tool-call-delta" if isinstance(message, dict):
                return self._call(body.get("index"), message.get("tool_calls"))
            case "message-end" if isinstance(delta, dict):
                return [_end(delta)]
            case None | "error":
                words = failure(body)
                return [] if words is None else [Failed(message=words)]
            case _:
                return []

    def _call(self, index: object, call: object) -> list[Event]:
        """One call, although the member's name is a plural; some versions put it into a list."""
        if isinstance(call, list):
            call = call[0] if call else None
        if not isinstance(call, dict):
            return []
        at = index if isinstance(index, int) else 0
        said = call_of(call)
        events: list[Event] = []
        if said.name:
            self._calls[at] = len(self._calls)
            events.append(CallBegan(number=self._calls[at], call_id=said.call_id, name=said.name))
        if said.arguments and at in self._calls:
            events.append(CallDelta(number=self._calls[at], arguments=said.arguments))
        return events


def _content(content: object) -> list[Event]:
    match content:
        case {"thinking": str(text)} if text:
            return [ThoughtDelta(text=text, vendor="cohere")]
        case {"text": str(text)} if text:
            return [TextDelta(text=text)]
        case _:
            return []


def _end(delta: dict[str, Any]) -> Event:
    reason = str(delta.get("finish_reason"))
    if delta.get("error") or reason in FAILED:
        return Failed(message=str(delta.get("error") or "The provider could not finish the answer."))
    return Stopped(reason=STOPS.get(reason, "stop"))


def failure(body: dict[str, Any]) -> str | None:
    """The words of an event that is an error and nothing else."""
    words = body.get("message") or body.get("error")
    return words if isinstance(words, str) else None

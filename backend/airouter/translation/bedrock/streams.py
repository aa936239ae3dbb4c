"""Streams of ConverseStream, read event by event: each is an object with one member, named for what happened."""

from typing import Any, Final

import msgspec

from airouter.translation.bedrock.replies import AT_VENDOR, STOPS
from airouter.translation.reply import CallBegan, CallDelta, Event, Failed, Stopped, TextDelta, ThoughtDelta
from airouter.wire.decoding import read_or_none

_ANY: Final = msgspec.json.Decoder(dict[str, dict[str, Any]])


class Reader:
    """Events of the provider -> events without a dialect. Fed the data of one event at a time."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        """Index of a block -> number of the call in it."""
        self._thought: list[str] = []
        """The text of the thought under way: its signature is sealed together with it."""

    def read(self, data: bytes) -> list[Event]:
        """What one event says; nothing for what cannot be read, and for kinds of events that are not known."""
        body = read_or_none(_ANY, data)
        if body is None:
            return []
        match body:
            case {"contentBlockStart": event}:
                return self._began(_index(event), event.get("start"))
            case {"contentBlockDelta": event}:
                return self._said(_index(event), event.get("delta"))
            case {"contentBlockStop": _}:
                self._thought = []
                return []
            case {"messageStop": event}:
                return [Stopped(reason=STOPS.get(str(event.get("stopReason")), "stop"))]
            case _:
                return [Failed(message=words) for name, event in body.items() if (words := failure(name, event))]

    def _began(self, index: int, start: object) -> list[Event]:
        match start:
            case {"toolUse": {"name": str(name), "toolUseId": str(call_id)} as call} if call.get("type") != AT_VENDOR:
                number = self._calls[index] = len(self._calls)
                return [CallBegan(number=number, call_id=call_id, name=name)]
            case _:
                return []

    def _said(self, index: int, delta: object) -> list[Event]:
        match delta:
            case {"text": str(text)}:
                return [TextDelta(text=text)]
            case {"toolUse": {"input": str(arguments)}} if index in self._calls:
                return [CallDelta(number=self._calls[index], arguments=arguments)]
            case {"reasoningContent": {"text": str(text)}}:
                self._thought.append(text)
                return [ThoughtDelta(text=text, vendor="bedrock")]
            case {"reasoningContent": {"signature": str(signature)}}:
                return [ThoughtDelta(signature=signature, whole="".join(self._thought), vendor="bedrock")]
            case {"reasoningContent": {"redactedContent": str(sealed)}}:
                return [ThoughtDelta(sealed=sealed, vendor="bedrock")]
            case _:
                return []


def _index(event: dict[str, Any]) -> int:
    index = event.get("contentBlockIndex")
    return index if isinstance(index, int) else 0


def failure(name: str, event: dict[str, Any]) -> str | None:
    """The words of an event that is an error; None for all others. AWS names its exceptions so."""
    if name != "error" and not name.lower().endswith("exception"):
        return None
    return str(event.get("message") or event.get("originalMessage") or name)

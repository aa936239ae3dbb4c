"""Streams of chat completions, read and written event by event."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from airouter.translation import usage
from airouter.translation.chat.replies import (
    FINISHES,
    read_chances,
    stop_of,
    thought_of,
    words_of,
    written_call,
    written_chances,
    written_seal,
)
from airouter.translation.json_text import object_of
from airouter.translation.reply import (
    CallBegan,
    CallDelta,
    Event,
    Failed,
    Head,
    Quantities,
    RefusalDelta,
    Stopped,
    TextDelta,
    ThoughtDelta,
)
from airouter.wire.decoding import read_or_none

DONE: Final = b"data: [DONE]\n\n"


class _Words(msgspec.Struct, frozen=True):
    content: str
    reasoning_content: None = None
    reasoning: None = None
    refusal: None = None
    tool_calls: None = None


class _Choice(msgspec.Struct, frozen=True):
    delta: _Words
    index: int = 0
    finish_reason: None = None
    logprobs: None = None


class _Usual(msgspec.Struct, frozen=True):
    """Nearly every event: words of one choice, and nothing beside them. Any other shape fails to be read as this."""

    choices: tuple[_Choice]
    error: None = None


_USUAL: Final = msgspec.json.Decoder(_Usual)


class Reader:
    """Events of the provider -> events without a dialect. Fed the data of one event at a time."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, int], tuple[int, str]] = {}
        """(choice, index as the vendor counts) -> number as we count, and the id of the call."""
        self._counts: dict[int, int] = {}
        """Choice -> calls so far."""

    def read(self, data: bytes) -> list[Event]:
        """What one event says; nothing for `[DONE]` and for what cannot be read."""
        if data[:1] != b"{":
            return []
        if (usual := read_or_none(_USUAL, data)) is not None:
            choice = usual.choices[0]
            return [TextDelta(text=words, choice=choice.index)] if (words := choice.delta.content) else []
        body = object_of(data)
        if body.get("error"):
            error = body["error"]
            return [Failed(message=str(error.get("message") if isinstance(error, dict) else error))]
        said: list[Event] = []
        for choice in body.get("choices") or ():
            self._take(choice, said)
        return said

    def _take(self, choice: Mapping[str, Any], said: list[Event]) -> None:
        index = choice.get("index") or 0
        delta: Mapping[str, Any] = choice.get("delta") or {}
        if thought := thought_of(delta):
            said.append(ThoughtDelta(text=thought, vendor="chat", choice=index))
        if words := words_of(delta.get("content")):
            said.append(TextDelta(text=words, choice=index, chances=read_chances(choice.get("logprobs"))))
        if delta.get("refusal"):
            said.append(RefusalDelta(text=delta["refusal"], choice=index))
        for position, call in enumerate(delta.get("tool_calls") or ()):
            said += self._call(index, call.get("index", position), call)
        if choice.get("finish_reason"):
            has_calls = index in self._counts
            said.append(Stopped(reason=stop_of(choice["finish_reason"], has_calls=has_calls), choice=index))

    def _call(self, choice: int, place: int, call: Mapping[str, Any]) -> Iterator[Event]:
        """Some vendors count every call as the first; another id and a name say that another one begins."""
        function: Mapping[str, Any] = call.get("function") or {}
        call_id, name = call.get("id"), function.get("name")
        number, known_id = self._calls.get((choice, place), (None, None))
        if number is None or (name and call_id and call_id != known_id):
            number = self._counts.get(choice, 0)
            self._counts[choice] = number + 1
            call_id = call_id or f"call_{number}"
            self._calls[choice, place] = number, call_id
            yield CallBegan(number=number, call_id=call_id, name=name or "", choice=choice)
        if function.get("arguments"):
            yield CallDelta(number=number, arguments=function["arguments"], choice=choice)


class Writer:
    """Events without a dialect -> bytes for a client of this one."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._begun: set[int] = set()
        self._held: dict[tuple[int, int], tuple[CallBegan, list[str]]] = {}
        """(choice, number) -> a call of a tool that takes any text, and what came of its arguments."""

    def write(self, events: list[Event]) -> bytes:
        """What a client reads of these events."""
        return b"".join(self._event(event) for event in events)

    def end(self, quantities: Quantities | None) -> bytes:
        """The usage chunk if it was asked for, and the end."""
        if quantities is None or not self._head.wants_usage:
            return DONE
        return self._framed({**self._envelope(), "choices": [], "usage": usage.for_chat(quantities)}) + DONE

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta():
                return self._delta(event.choice, {"content": event.text}, written_chances(event.chances))
            case ThoughtDelta():
                said: dict[str, Any] = {"reasoning_content": event.text} if event.text else {}
                if details := written_seal(event):
                    said["reasoning_details"] = details
                return self._delta(event.choice, said) if said else b""
            case RefusalDelta():
                return self._delta(event.choice, {"refusal": event.text})
            case CallBegan() if event.name in self._head.free_text:
                self._held[event.choice, event.number] = (event, [])
                return b""
            case CallBegan():
                function = {"name": event.name, "arguments": ""}
                call = {"index": event.number, "id": event.call_id, "type": "function", "function": function}
                return self._delta(event.choice, {"tool_calls": [call]})
            case CallDelta() if (event.choice, event.number) in self._held:
                self._held[event.choice, event.number][1].append(event.arguments)
                return b""
            case CallDelta():
                call = {"index": event.number, "function": {"arguments": event.arguments}}
                return self._delta(event.choice, {"tool_calls": [call]})
            case Stopped():
                return self._told(event.choice) + self._delta(event.choice, {}, finish=FINISHES[event.reason])
            case Failed():
                error = {"message": event.message, "type": "server_error", "param": None, "code": "upstream_failed"}
                return self._framed({"error": error})

    def _told(self, choice: int) -> bytes:
        """Calls of tools that take any text, whole: their text is known when its JSON is."""
        out = b""
        for place in [place for place in self._held if place[0] == choice]:
            began, parts = self._held.pop(place)
            call = written_call(began.call_id, began.name, "".join(parts), self._head.free_text)
            out += self._delta(choice, {"tool_calls": [{"index": began.number, **call}]})
        return out

    def _delta(self, choice: int, delta: dict[str, Any], chances: Any = None, finish: str | None = None) -> bytes:
        if choice not in self._begun:
            self._begun.add(choice)
            delta = {"role": "assistant", **delta}
        said = {"index": choice, "delta": delta, "logprobs": chances, "finish_reason": finish}
        return self._framed({**self._envelope(), "choices": [said]})

    def _envelope(self) -> dict[str, Any]:
        head = self._head
        return {
            "id": head.reply_id,
            "object": "chat.completion.chunk",
            "created": head.created_at_seconds,
            "model": head.model,
        }

    @staticmethod
    def _framed(body: dict[str, Any]) -> bytes:
        return b"data: " + msgspec.json.encode(body) + b"\n\n"

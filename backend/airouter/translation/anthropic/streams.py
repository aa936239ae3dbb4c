"""Streams of Anthropic's messages, read and written event by event."""

from typing import Any, Final, Literal

import msgspec

from airouter.translation import usage
from airouter.translation.anthropic.replies import FINISHES, STOPS
from airouter.translation.call_order import CallOrder, check_is_over
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
from airouter.translation.support import Dialect
from airouter.translation.thought_seal import mark, sealed_text

_ENCODER: Final = msgspec.json.Encoder()
_WORDS: Final = (
    b"%bevent: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%b}}\n\n'
)
"""Nearly every event, after what has to come before it."""
_Kind = Literal["text", "thinking", "tool_use"]


class Reader:
    """Events of the provider -> events without a dialect. Fed the data of one event at a time."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        """Index of a block -> number of the call in it."""
        self._thought: list[str] = []
        """The text of the thought under way: its signature is sealed together with it."""

    def read(self, data: bytes) -> list[Event]:
        """What one event says; nothing for pings and for what cannot be read."""
        body = object_of(data)
        match body.get("type"):
            case "content_block_start":
                return self._began(body.get("index") or 0, body.get("content_block") or {})
            case "content_block_delta":
                return self._said(body.get("index") or 0, body.get("delta") or {})
            case "message_delta":
                delta = body.get("delta") or {}
                if delta.get("stop_reason") is None:
                    return []
                reason = STOPS.get(delta["stop_reason"], "stop")
                return [Stopped(reason=reason, sequence=delta.get("stop_sequence"))]
            case "error":
                return [Failed(message=str((body.get("error") or {}).get("message")))]
            case _:
                return []

    def _began(self, index: int, block: dict[str, Any]) -> list[Event]:
        match block.get("type"):
            case "tool_use":
                number = self._calls[index] = len(self._calls)
                return [CallBegan(number=number, call_id=block.get("id") or "", name=block.get("name") or "")]
            case "text":
                return [TextDelta(text=block["text"])] if block.get("text") else []
            case "thinking":
                self._thought = [block.get("thinking") or ""]
                return []
            case "redacted_thinking":
                return [ThoughtDelta(sealed=block.get("data"), vendor="anthropic")]
            case _:
                return []

    def _said(self, index: int, delta: dict[str, Any]) -> list[Event]:
        match delta.get("type"):
            case "text_delta":
                return [TextDelta(text=delta.get("text") or "")]
            case "thinking_delta":
                self._thought.append(delta.get("thinking") or "")
                return [ThoughtDelta(text=delta.get("thinking") or "", vendor="anthropic")]
            case "signature_delta":
                thought = "".join(self._thought)
                return [ThoughtDelta(signature=delta.get("signature"), whole=thought, vendor="anthropic")]
            case "input_json_delta" if index in self._calls:
                return [CallDelta(number=self._calls[index], arguments=delta.get("partial_json") or "")]
            case _:
                return []


class Writer:
    """Events without a dialect -> bytes for a client of this one: blocks that begin and end, one after the other."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._index = -1
        self._open: _Kind | None = None
        self._thinker: Dialect | None = None
        self._call: int | None = None
        self._calls = CallOrder()
        self._has_begun = False
        self._stop: Stopped = Stopped(reason="stop")
        self._has_failed = False

    def write(self, events: list[Event]) -> bytes:
        """What a client reads of these events; choices beyond the first have no place here."""
        out = [] if self._has_begun else [self._start()]
        out += [self._event(event) for event in events if getattr(event, "choice", 0) == 0]
        return b"".join(out)

    def end(self, quantities: Quantities | None) -> bytes:
        """The last block's end, why the model stopped, and what was used."""
        out = [] if self._has_begun else [self._start()]
        if self._has_failed:
            return b""
        delta = {"stop_reason": FINISHES[self._stop.reason], "stop_sequence": self._stop.sequence}
        out += [
            self._close(),
            _framed("message_delta", {"delta": delta, "usage": usage.for_anthropic(quantities or {})}),
            _framed("message_stop", {}),
        ]
        return b"".join(out)

    def _start(self) -> bytes:
        self._has_begun = True
        message = {
            "id": self._head.reply_id,
            "type": "message",
            "role": "assistant",
            "model": self._head.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return _framed("message_start", {"message": message})

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta() | RefusalDelta() if not event.text:  # nothing begins with nothing
                return b""
            case TextDelta() | RefusalDelta():
                begun = self._in("text", {"type": "text", "text": ""})
                return _WORDS % (begun, self._index, _ENCODER.encode(event.text))
            case ThoughtDelta():
                return self._think(event)
            case CallBegan() | CallDelta() | Stopped():
                return b"".join([self._in_order(one) for one in self._calls.ordered(event)])
            case Failed():
                self._has_failed = True
                return _framed("error", {"error": {"type": "api_error", "message": event.message}})

    def _in_order(self, event: CallBegan | CallDelta | Stopped) -> bytes:
        match event:
            case CallBegan():
                self._call = event.number
                block = {"type": "tool_use", "id": event.call_id, "name": event.name, "input": {}}
                return self._close() + self._begin("tool_use", block)
            case CallDelta():
                if self._open != "tool_use" or self._call != event.number:
                    return check_is_over(event)
                return self._delta({"type": "input_json_delta", "partial_json": event.arguments})
            case Stopped():
                self._stop = event
                return b""

    def _think(self, event: ThoughtDelta) -> bytes:
        out = b""
        if event.text:
            self._thinker = event.vendor
            out += self._in("thinking", {"type": "thinking", "thinking": "", "signature": ""})
            out += self._delta({"type": "thinking_delta", "thinking": event.text})
        seal = sealed_text(event.vendor, text=event.whole, signature=event.signature, sealed=event.sealed)
        if seal is None:
            return out
        if self._open == "thinking":
            return out + self._close(seal)
        return out + self._close() + self._begin("text", {"type": "redacted_thinking", "data": seal}) + self._close()

    def _in(self, kind: _Kind, block: dict[str, Any]) -> bytes:
        return b"" if self._open == kind else self._close() + self._begin(kind, block)

    def _begin(self, kind: _Kind, block: dict[str, Any]) -> bytes:
        self._index += 1
        self._open = kind
        return _framed("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _framed("content_block_delta", {"index": self._index, "delta": delta})

    def _close(self, seal: str | None = None) -> bytes:
        if self._open is None:
            return b""
        signed = b""
        if self._open == "thinking":
            signed = self._delta({"type": "signature_delta", "signature": seal or mark(self._thinker)})
        self._open = None
        return signed + _framed("content_block_stop", {"index": self._index})


def _framed(kind: str, body: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode({"type": kind, **body}))

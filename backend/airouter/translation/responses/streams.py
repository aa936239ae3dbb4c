"""Streams of OpenAI's responses, read and written event by event."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from airouter.translation import usage
from airouter.translation.call_order import CallOrder, check_is_over
from airouter.translation.chat.replies import read_chances, written_chances
from airouter.translation.free_text import text_in
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
    StopReason,
    TextDelta,
    ThoughtDelta,
)
from airouter.translation.responses.replies import (
    call_item,
    envelope,
    free_text_item,
    message_item,
    text_part,
    thought_item,
)
from airouter.translation.support import Dialect
from airouter.translation.thought_seal import mark, sealed_text

_Kind = Literal["text", "refusal", "thought", "call"]


class Reader:
    """Events of the provider -> events without a dialect. Fed the data of one event at a time."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        """Place in the output -> number of the call there."""

    def read(self, data: bytes) -> list[Event]:
        """What one event says; nothing for those that only repeat, and for what cannot be read."""
        body = object_of(data)
        place = body.get("output_index") or 0
        match body.get("type"):
            case "response.output_text.delta":
                chances = read_chances({"content": body.get("logprobs")})
                return [TextDelta(text=body.get("delta") or "", chances=chances)]
            case "response.refusal.delta":
                return [RefusalDelta(text=body.get("delta") or "")]
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [ThoughtDelta(text=body.get("delta") or "")]
            case "response.reasoning_summary_part.added" if body.get("summary_index"):
                return [ThoughtDelta(text="\n\n")]
            case "response.output_item.added":
                return self._added(place, body.get("item") or {})
            case "response.function_call_arguments.delta" if place in self._calls:
                return [CallDelta(number=self._calls[place], arguments=body.get("delta") or "")]
            case "response.output_item.done":
                return self._done(body.get("item") or {})
            case "response.completed" | "response.incomplete":
                return [Stopped(reason=self._reason(body.get("response") or {}))]
            case "response.failed":
                error = (body.get("response") or {}).get("error") or {}
                return [Failed(message=str(error.get("message")))]
            case "error":
                return [Failed(message=str(body.get("message")))]
            case _:
                return []

    def _added(self, place: int, item: Mapping[str, Any]) -> list[Event]:
        if item.get("type") != "function_call":
            return []
        number = self._calls[place] = len(self._calls)
        return [CallBegan(number=number, call_id=item.get("call_id") or "", name=item.get("name") or "")]

    def _done(self, item: Mapping[str, Any]) -> list[Event]:
        """A thought's seal comes with its end; everything else has been said."""
        sealed = item.get("encrypted_content")
        if item.get("type") != "reasoning" or not sealed:
            return []
        summary = "\n\n".join(part.get("text") or "" for part in item.get("summary") or ())
        return [ThoughtDelta(sealed=sealed, whole=summary, vendor="responses")]

    def _reason(self, response: Mapping[str, Any]) -> StopReason:
        reason = (response.get("incomplete_details") or {}).get("reason")
        if reason == "max_output_tokens":
            return "length"
        if reason == "content_filter":
            return "filter"
        return "tools" if self._calls else "stop"


class Writer:
    """Events without a dialect -> bytes for a client of this one: items that begin, grow and are repeated whole."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._sequence = 0
        self._output: list[dict[str, Any]] = []
        self._open: _Kind | None = None
        self._text: list[str] = []
        self._chances: list[dict[str, Any]] = []
        self._thinker: Dialect | None = None
        self._call: CallBegan | None = None
        self._calls = CallOrder()
        self._stop: StopReason = "stop"
        self._has_begun = False
        self._has_failed = False

    def write(self, events: list[Event]) -> bytes:
        """What a client reads of these events; choices beyond the first have no place here."""
        out = [self._start()]
        out += [self._event(event) for event in events if getattr(event, "choice", 0) == 0]
        return b"".join(out)

    def end(self, quantities: Quantities | None) -> bytes:
        """The last item's end, and the whole response."""
        if self._has_failed:
            return b""
        out = self._start() + self._close()
        body = envelope(self._head, "completed", self._output, self._stop)
        if quantities is not None:
            body["usage"] = usage.for_responses(quantities)
        return out + self._say(f"response.{body['status']}", {"response": body})

    def _start(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        body = envelope(self._head, "in_progress", [], None)
        return self._say("response.created", {"response": body}) + self._say("response.in_progress", {"response": body})

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta() | RefusalDelta() if not event.text:  # nothing begins with nothing
                return b""
            case TextDelta():
                out = self._in("text")
                self._text.append(event.text)
                chances = (written_chances(event.chances) or {}).get("content", [])
                self._chances += chances
                return out + self._part_event("response.output_text.delta", {"delta": event.text, "logprobs": chances})
            case RefusalDelta():
                out = self._in("refusal")
                self._text.append(event.text)
                return out + self._part_event("response.refusal.delta", {"delta": event.text})
            case ThoughtDelta():
                return self._think(event)
            case CallBegan() | CallDelta() | Stopped():
                return b"".join([self._in_order(one) for one in self._calls.ordered(event)])
            case Failed():
                self._has_failed = True
                return self._say("error", {"code": "upstream_failed", "message": event.message, "param": None})

    def _in_order(self, event: CallBegan | CallDelta | Stopped) -> bytes:
        match event:
            case CallBegan():
                out = self._close()
                self._open, self._call, self._text = "call", event, []
                begun = free_text_item if event.name in self._head.free_text else call_item
                item = begun(self._suffix(), event.call_id, event.name, "", "in_progress")
                return out + self._item_event("response.output_item.added", {"item": item})
            case CallDelta():
                if self._open != "call" or self._call is None or self._call.number != event.number:
                    return check_is_over(event)
                self._text.append(event.arguments)
                if self._call.name in self._head.free_text:  # the text is known when its JSON is whole
                    return b""
                said = {"item_id": f"fc_{self._suffix()}", "delta": event.arguments}
                return self._item_event("response.function_call_arguments.delta", said)
            case Stopped():
                self._stop = event.reason
                return b""

    def _think(self, event: ThoughtDelta) -> bytes:
        out = b""
        if event.text:
            self._thinker = event.vendor
            out += self._in("thought")
            self._text.append(event.text)
            said = {"item_id": f"rs_{self._suffix()}", "summary_index": 0, "delta": event.text}
            out += self._item_event("response.reasoning_summary_text.delta", said)
        seal = sealed_text(event.vendor, text=event.whole, signature=event.signature, sealed=event.sealed)
        if seal is None:
            return out
        if self._open != "thought":
            out += self._close() + self._begin_thought()
        return out + self._close(seal)

    def _in(self, kind: _Kind) -> bytes:
        """An item of this kind is open."""
        if self._open == kind:
            return b""
        out = self._close()
        if kind == "thought":
            return out + self._begin_thought() + self._begin_summary()
        self._open, self._text, self._chances = kind, [], []
        item = message_item(self._suffix(), None, "in_progress")
        part = text_part("") if kind == "text" else {"type": "refusal", "refusal": ""}
        out += self._item_event("response.output_item.added", {"item": item})
        return out + self._part_event("response.content_part.added", {"part": part})

    def _begin_thought(self) -> bytes:
        self._open, self._text = "thought", []
        return self._item_event("response.output_item.added", {"item": thought_item(self._suffix(), "", None)})

    def _begin_summary(self) -> bytes:
        part = {"type": "summary_text", "text": ""}
        said = {"item_id": f"rs_{self._suffix()}", "summary_index": 0, "part": part}
        return self._item_event("response.reasoning_summary_part.added", said)

    def _close(self, seal: str | None = None) -> bytes:
        """The end of the open item, which is said whole once more."""
        text, suffix, out = "".join(self._text), self._suffix(), b""
        match self._open:
            case None:
                return b""
            case "text":
                part = {**text_part(text), "logprobs": self._chances}
                said = {"text": text, "logprobs": self._chances}
                out = self._part_event("response.output_text.done", said)
                out += self._part_event("response.content_part.done", {"part": part})
                item = message_item(suffix, part)
            case "refusal":
                part = {"type": "refusal", "refusal": text}
                out = self._part_event("response.refusal.done", {"refusal": text})
                out += self._part_event("response.content_part.done", {"part": part})
                item = message_item(suffix, part)
            case "thought":
                if text:
                    place = {"item_id": f"rs_{suffix}", "summary_index": 0}
                    out = self._item_event("response.reasoning_summary_text.done", {**place, "text": text})
                    part = {"type": "summary_text", "text": text}
                    out += self._item_event("response.reasoning_summary_part.done", {**place, "part": part})
                item = thought_item(suffix, text, seal or mark(self._thinker))
            case "call":
                assert self._call is not None
                out, item = self._close_call(self._call, text, suffix)
        out += self._item_event("response.output_item.done", {"item": item})
        self._output.append(item)
        self._open = None
        return out

    def _close_call(self, call: CallBegan, arguments: str, suffix: str) -> tuple[bytes, dict[str, Any]]:
        if call.name in self._head.free_text:
            text = text_in(arguments)
            place = {"item_id": f"ctc_{suffix}"}
            out = self._item_event("response.custom_tool_call_input.delta", {**place, "delta": text})
            out += self._item_event("response.custom_tool_call_input.done", {**place, "input": text})
            return out, free_text_item(suffix, call.call_id, call.name, text)
        said = {"item_id": f"fc_{suffix}", "name": call.name, "arguments": arguments or "{}"}
        out = self._item_event("response.function_call_arguments.done", said)
        return out, call_item(suffix, call.call_id, call.name, arguments or "{}")

    def _suffix(self) -> str:
        return f"{self._head.reply_id}_{len(self._output)}"

    def _item_event(self, kind: str, body: dict[str, Any]) -> bytes:
        return self._say(kind, {"output_index": len(self._output), **body})

    def _part_event(self, kind: str, body: dict[str, Any]) -> bytes:
        return self._item_event(kind, {"item_id": f"msg_{self._suffix()}", "content_index": 0, **body})

    def _say(self, kind: str, body: dict[str, Any]) -> bytes:
        encoded = msgspec.json.encode({"type": kind, "sequence_number": self._sequence, **body})
        self._sequence += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), encoded)

"""Answers of Gemini's generateContent, whole and streamed: every event of a stream is an answer of its own."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from airouter.translation import usage
from airouter.translation.call_order import CallOrder, check_is_over
from airouter.translation.conversation import Reasoning, Refusal, Text, ToolCall
from airouter.translation.json_text import arguments_in, arguments_text, object_of
from airouter.translation.reply import (
    CallBegan,
    CallDelta,
    Choice,
    Event,
    Failed,
    Head,
    Quantities,
    RefusalDelta,
    Reply,
    SaidPart,
    Stopped,
    StopReason,
    TextDelta,
    ThoughtDelta,
    TokenChance,
)
from airouter.translation.thought_seal import sealed_text

STOPS: Final[Mapping[str, StopReason]] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "filter",
    "RECITATION": "filter",
    "BLOCKLIST": "filter",
    "PROHIBITED_CONTENT": "filter",
    "SPII": "filter",
    "IMAGE_SAFETY": "filter",
}
FINISHES: Final[Mapping[StopReason, str]] = {
    "stop": "STOP",
    "sequence": "STOP",
    "length": "MAX_TOKENS",
    "tools": "STOP",
    "filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "STOP",
}


def read(body: Mapping[str, Any], model: str, now_seconds: int) -> Reply:
    """A provider's answer; `model` is what the client called the model. It carries no time of its own."""
    reply_id = str(body.get("responseId") or "")
    choices = tuple(_choice(candidate, reply_id) for candidate in body.get("candidates") or ())
    if not choices and body.get("promptFeedback"):
        choices = (Choice(parts=(), stop="filter"),)
    return Reply(reply_id=reply_id, model=model, created_at_seconds=now_seconds, choices=choices)


def _choice(candidate: Mapping[str, Any], reply_id: str) -> Choice:
    parts: list[SaidPart] = []
    for part in (candidate.get("content") or {}).get("parts") or ():
        parts += _read_part(part, sum(1 for known in parts if isinstance(known, ToolCall)), reply_id)
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    stop = STOPS.get(str(candidate.get("finishReason")), "stop")
    return Choice(
        parts=_joined(parts),
        stop="tools" if has_calls and stop == "stop" else stop,
        chances=_chances(candidate.get("logprobsResult")),
    )


def _read_part(part: Mapping[str, Any], calls: int, reply_id: str) -> Iterator[SaidPart]:
    signature, text = part.get("thoughtSignature"), part.get("text")
    if part.get("thought") and isinstance(text, str):
        yield Reasoning(text=text, signature=signature, vendor="gemini")
        return
    if signature:
        yield Reasoning(signature=signature, vendor="gemini")
    if isinstance(text, str) and text:
        yield Text(text=text)
    elif call := part.get("functionCall"):
        yield ToolCall(
            call_id=call.get("id") or call_id_for(reply_id, calls),
            name=call.get("name") or "",
            arguments=arguments_text(call.get("args")),
        )


def call_id_for(reply_id: str, number: int) -> str:
    """An id for a call that came without one, different in every answer."""
    return f"call_{reply_id}_{number}"


def _joined(parts: list[SaidPart]) -> tuple[SaidPart, ...]:
    """Neighbouring texts are one: Gemini cuts where it likes."""
    joined: list[SaidPart] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text):
            joined[-1] = Text(text=last.text + part.text)
        else:
            joined.append(part)
    return tuple(joined)


def _chances(result: Any) -> tuple[TokenChance, ...]:
    if not isinstance(result, dict):
        return ()
    tops = result.get("topCandidates") or []
    return tuple(
        TokenChance(
            token=chosen.get("token", ""),
            logprob=chosen.get("logProbability", 0.0),
            others=tuple(
                (other.get("token", ""), other.get("logProbability", 0.0))
                for other in (tops[number].get("candidates") or () if number < len(tops) else ())
            ),
        )
        for number, chosen in enumerate(result.get("chosenCandidates") or ())
    )


def write(reply: Reply, quantities: Quantities | None) -> dict[str, Any]:
    """The body for a client of this dialect."""
    body: dict[str, Any] = {
        "candidates": [
            {
                "content": {"role": "model", "parts": list(_written(choice.parts))},
                "finishReason": FINISHES[choice.stop],
                "index": index,
                **_written_chances(choice.chances),
            }
            for index, choice in enumerate(reply.choices)
        ],
        "modelVersion": reply.model,
        "responseId": reply.reply_id,
    }
    if quantities is not None:
        body["usageMetadata"] = usage.for_gemini(quantities)
    return body


def _written(parts: tuple[SaidPart, ...]) -> Iterator[dict[str, Any]]:
    signature: str | None = None
    for part in parts:
        if isinstance(part, Reasoning):
            signature = sealed_text(part.vendor, text=part.text, signature=part.signature, sealed=part.sealed)
            if part.text:
                yield {"text": part.text, "thought": True, **({"thoughtSignature": signature} if signature else {})}
                signature = None
            continue
        if isinstance(part, ToolCall):
            said: dict[str, Any] = {
                "functionCall": {"id": part.call_id, "name": part.name, "args": arguments_in(part.arguments)}
            }
        else:
            said = {"text": part.text}
        yield {**said, "thoughtSignature": signature} if signature else said
        signature = None
    if signature:
        yield {"text": "", "thoughtSignature": signature}


def _written_chances(chances: tuple[TokenChance, ...]) -> dict[str, Any]:
    if not chances:
        return {}
    return {
        "logprobsResult": {
            "chosenCandidates": [{"token": one.token, "logProbability": one.logprob} for one in chances],
            "topCandidates": [
                {"candidates": [{"token": token, "logProbability": logprob} for token, logprob in one.others]}
                for one in chances
            ],
        }
    }


class Reader:
    """Events of the provider -> events without a dialect. Fed the data of one event at a time."""

    def __init__(self) -> None:
        self._calls: dict[int, int] = {}
        """Choice -> calls so far."""

    def read(self, data: bytes) -> list[Event]:
        """What one event says; nothing for what cannot be read."""
        body = object_of(data)
        if error := body.get("error"):
            return [Failed(message=str(error.get("message") if isinstance(error, dict) else error))]
        events = [event for candidate in body.get("candidates") or () for event in self._candidate(candidate, body)]
        if not events and (body.get("promptFeedback") or {}).get("blockReason"):
            return [Stopped(reason="filter")]
        return events

    def _candidate(self, candidate: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Event]:
        index = candidate.get("index") or 0
        for part in (candidate.get("content") or {}).get("parts") or ():
            for said in _read_part(part, self._calls.get(index, 0), str(body.get("responseId") or "")):
                yield from self._said(index, said)
        if reason := candidate.get("finishReason"):
            stop = STOPS.get(reason, "stop")
            yield Stopped(reason="tools" if stop == "stop" and self._calls.get(index) else stop, choice=index)

    def _said(self, index: int, said: SaidPart) -> Iterator[Event]:
        match said:
            case Text():
                yield TextDelta(text=said.text, choice=index)
            case Reasoning():
                yield ThoughtDelta(
                    text=said.text, whole=said.text, signature=said.signature, vendor="gemini", choice=index
                )
            case ToolCall():
                number = self._calls[index] = self._calls.get(index, 0) + 1
                yield CallBegan(number=number - 1, call_id=said.call_id, name=said.name, choice=index)
                yield CallDelta(number=number - 1, arguments=said.arguments, choice=index)
            case Refusal():  # Gemini has no words of its own for that
                pass


class Writer:
    """Events without a dialect -> bytes for a client of this one. A call is said when its arguments are whole."""

    def __init__(self, head: Head, *, is_array: bool = False) -> None:
        self._head = head
        self._is_array = is_array
        """Without `alt=sse`, a stream is one JSON array that grows."""
        self._has_begun = False
        self._calls: dict[tuple[int, int], tuple[CallBegan, list[str]]] = {}
        self._orders: dict[int, CallOrder] = {}
        self._stops: dict[int, Stopped] = {}
        self._has_failed = False

    def write(self, events: list[Event]) -> bytes:
        """What a client reads of these events."""
        return b"".join(self._event(event) for event in events)

    def end(self, quantities: Quantities | None) -> bytes:
        """Why the model stopped, and what was used."""
        closing = b"]" if self._is_array and self._has_begun else b""
        if self._has_failed:
            return closing
        candidates = [
            {"content": {"role": "model", "parts": []}, "finishReason": FINISHES[stop.reason], "index": choice}
            for choice, stop in sorted(self._stops.items())
        ]
        last = self._framed({"candidates": candidates, "usageMetadata": usage.for_gemini(quantities or {})})
        return last + (b"]" if self._is_array else b"")

    def _event(self, event: Event) -> bytes:
        match event:
            case TextDelta() | RefusalDelta():
                return self._part(event.choice, {"text": event.text}) if event.text else b""
            case ThoughtDelta():
                seal = sealed_text(event.vendor, text=event.whole, signature=event.signature, sealed=event.sealed)
                said: dict[str, Any] = {"text": event.text, "thought": True}
                if seal is not None:
                    said["thoughtSignature"] = seal
                return self._part(event.choice, said)
            case CallBegan() | CallDelta() | Stopped():
                order = self._orders.setdefault(event.choice, CallOrder())
                return b"".join([self._in_order(one) for one in order.ordered(event)])
            case Failed():
                self._has_failed = True
                return self._framed({"error": {"code": 500, "message": event.message, "status": "INTERNAL"}})

    def _in_order(self, event: CallBegan | CallDelta | Stopped) -> bytes:
        match event:
            case CallBegan():
                flushed = self._flush(event.choice)
                self._calls[event.choice, event.number] = event, []
                return flushed
            case CallDelta():
                held = self._calls.get((event.choice, event.number))
                if held is None:
                    return check_is_over(event)
                held[1].append(event.arguments)
                return b""
            case Stopped():
                self._stops[event.choice] = event
                return self._flush(event.choice)

    def _flush(self, choice: int) -> bytes:
        out = b""
        for place in [place for place in self._calls if place[0] == choice]:
            began, arguments = self._calls.pop(place)
            call = {"id": began.call_id, "name": began.name, "args": arguments_in("".join(arguments))}
            out += self._part(choice, {"functionCall": call})
        return out

    def _part(self, choice: int, part: dict[str, Any]) -> bytes:
        return self._framed({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": choice}]})

    def _framed(self, body: dict[str, Any]) -> bytes:
        head = self._head
        encoded = msgspec.json.encode({**body, "modelVersion": head.model, "responseId": head.reply_id})
        if not self._is_array:
            return b"data: " + encoded + b"\r\n\r\n"
        opened, self._has_begun = (b"," if self._has_begun else b"["), True
        return opened + encoded

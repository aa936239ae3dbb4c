"""Recorded traffic of the providers whose dialects no client speaks: Bedrock and Cohere.

No stream of Bedrock is among it: `streamed` says a whole answer in the events of ConverseStream.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from tests.providers.recordings import FOLDER
from tests.wire.frames import event


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a provider."""

    name: str
    provider: str
    path: str
    status: int
    answer: dict[str, Any]

    @property
    def model(self) -> str:
        """The model that Bedrock's address names."""
        return unquote(self.path.split("/")[-2])


def _load() -> Iterator[Recorded]:
    providers = {"bedrock_converse": "bedrock", "cohere": "cohere"}
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                call = json.loads(line)
                provider = providers.get(call["family"])
                if provider is not None:
                    yield Recorded(
                        name=f"{number}-{provider}-{call['status']}",
                        provider=provider,
                        path=call["uri"].partition("//")[2].partition("/")[2],
                        status=call["status"],
                        answer=call["json"] or json.loads(call["text"]),
                    )


EVERY = list(_load())
CONVERSE = [one for one in EVERY if one.provider == "bedrock" and one.status == 200]
CHAT = [one for one in EVERY if one.path.endswith("v2/chat")]
EMBED = [one for one in EVERY if one.path.endswith("v2/embed")]


def streamed(answer: dict[str, Any], piece: int = 7) -> bytes:
    """The same answer as ConverseStream says it, its words and arguments in small pieces."""
    frames = [event("messageStart", {"role": "assistant"})]
    for index, block in enumerate(answer["output"]["message"]["content"]):
        frames += _block(index, block, piece)
    frames.append(event("messageStop", {"stopReason": answer["stopReason"]}))
    frames.append(event("metadata", {"usage": answer["usage"], "metrics": {"latencyMs": 7}}))
    return b"".join(frames)


def _block(index: int, block: dict[str, Any], piece: int) -> Iterator[bytes]:
    def delta(said: dict[str, Any]) -> bytes:
        return event("contentBlockDelta", {"contentBlockIndex": index, "delta": said, "p": "abcdefg"})

    if "text" in block:
        yield from (delta({"text": part}) for part in cut(block["text"], piece))
    elif "toolUse" in block:
        call = block["toolUse"]
        start = {"toolUse": {name: value for name, value in call.items() if name != "input"}}
        yield event("contentBlockStart", {"contentBlockIndex": index, "start": start})
        yield from (delta({"toolUse": {"input": part}}) for part in cut(json.dumps(call["input"]), piece))
    elif "reasoningContent" in block:
        thought = block["reasoningContent"]["reasoningText"]
        yield from (delta({"reasoningContent": {"text": part}}) for part in cut(thought["text"], piece))
        if "signature" in thought:
            yield delta({"reasoningContent": {"signature": thought["signature"]}})
    yield event("contentBlockStop", {"contentBlockIndex": index})


def cut(text: str, piece: int) -> list[str]:
    """In pieces of so many characters."""
    return [text[at : at + piece] for at in range(0, len(text), piece)]


def cohere_streamed(answer: dict[str, Any], piece: int = 7) -> bytes:
    """An answer of Cohere's chat as its stream says it."""
    message = answer["message"]
    begun = {"role": "assistant", "content": [], "tool_plan": ""}
    events: list[dict[str, Any]] = [{"type": "message-start", "id": "x", "delta": {"message": begun}}]
    if plan := message.get("tool_plan"):
        events += [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": part}}} for part in cut(plan, piece)]
    for index, block in enumerate(message.get("content") or ()):
        kind = block["type"]
        events.append(_said("content-start", index, {"content": {"type": kind, kind: ""}}))
        events += [_said("content-delta", index, {"content": {kind: part}}) for part in cut(block[kind], piece)]
        events.append({"type": "content-end", "index": index})
    for index, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        begun = {**call, "function": {"name": function["name"], "arguments": ""}}
        events.append(_said("tool-call-start", index, {"tool_calls": begun}))
        events += [
            _said("tool-call-delta", index, {"tool_calls": {"function": {"arguments": part}}})
            for part in cut(function["arguments"], piece)
        ]
        events.append({"type": "tool-call-end", "index": index})
    end = {"finish_reason": answer["finish_reason"], "usage": answer["usage"]}
    events.append({"type": "message-end", "delta": end})
    return b"".join(b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in events)


def _said(kind: str, index: int, message: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "index": index, "delta": {"message": message}}


WITH_TOOLS: dict[str, Any] = {
    "id": "f1",
    "finish_reason": "TOOL_CALL",
    "message": {
        "role": "assistant",
        "tool_plan": "I will look up the weather in both cities.",
        "content": [{"type": "thinking", "thinking": "Two cities."}, {"type": "text", "text": "One moment."}],
        "tool_calls": [
            {"id": "w0", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
            {"id": "w1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
        ],
    },
    "usage": {
        "billed_units": {"input_tokens": 17.0, "output_tokens": 31.0},
        "tokens": {"input_tokens": 502.0, "output_tokens": 60.0},
        "cached_tokens": 480.0,
    },
}
"""Cohere's answer with two calls, written by hand from its reference."""

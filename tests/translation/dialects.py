"""The four dialects that clients speak, side by side, and what has to survive between them."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import msgspec

from airouter.translation import anthropic, chat, gemini, responses
from airouter.translation.anthropic import replies as anthropic_replies
from airouter.translation.anthropic import requests as anthropic_requests
from airouter.translation.anthropic import streams as anthropic_streams
from airouter.translation.chat import replies as chat_replies
from airouter.translation.chat import requests as chat_requests
from airouter.translation.chat import streams as chat_streams
from airouter.translation.conversation import Conversation, Media, Reasoning, Refusal, Text, ToolCall, ToolResult
from airouter.translation.gemini import replies as gemini_replies
from airouter.translation.gemini import requests as gemini_requests
from airouter.translation.json_text import object_of
from airouter.translation.reply import (
    CallBegan,
    CallDelta,
    Event,
    Failed,
    Head,
    Quantities,
    RefusalDelta,
    Reply,
    Stopped,
    TextDelta,
    ThoughtDelta,
)
from airouter.translation.responses import replies as responses_replies
from airouter.translation.responses import requests as responses_requests
from airouter.translation.responses import streams as responses_streams
from airouter.wire.sse import event_data, split_events
from tests.providers.recordings import FOLDER

__all__ = ["anthropic", "chat", "gemini", "responses"]

HEAD = Head(reply_id="reply_1", model="the-model", created_at_seconds=1_700_000_000)


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one dialect can do, behind names that all share."""

    name: str
    family: str
    read_request: Callable[[dict[str, Any]], Conversation]
    write_request: Callable[[Conversation], dict[str, Any]]
    read_reply: Callable[[dict[str, Any]], Reply]
    write_reply: Callable[[Reply, Quantities | None], dict[str, Any]]
    reader: Callable[[], Any]
    writer: Callable[[Head], Any]


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect(
            name="chat",
            family="openai_chat",
            read_request=lambda body: chat_requests.read(body, "m"),
            write_request=chat_requests.write,
            read_reply=lambda body: chat_replies.read(body, "m"),
            write_reply=chat_replies.write,
            reader=chat_streams.Reader,
            writer=chat_streams.Writer,
        ),
        Dialect(
            name="responses",
            family="openai_responses",
            read_request=lambda body: responses_requests.read(body, "m"),
            write_request=responses_requests.write,
            read_reply=lambda body: responses_replies.read(body, "m"),
            write_reply=lambda reply, used: responses_replies.write(reply, used, HEAD),
            reader=responses_streams.Reader,
            writer=responses_streams.Writer,
        ),
        Dialect(
            name="anthropic",
            family="anthropic_messages",
            read_request=lambda body: anthropic_requests.read(body, "m"),
            write_request=lambda conversation: anthropic_requests.write(conversation, 4096),
            read_reply=lambda body: anthropic_replies.read(body, "m", 1),
            write_reply=anthropic_replies.write,
            reader=anthropic_streams.Reader,
            writer=anthropic_streams.Writer,
        ),
        Dialect(
            name="gemini",
            family="gemini",
            read_request=lambda body: gemini_requests.read(body, "m", is_streaming=False),
            write_request=gemini_requests.write,
            read_reply=lambda body: gemini_replies.read(body, "m", 1),
            write_reply=gemini_replies.write,
            reader=gemini_replies.Reader,
            writer=gemini_replies.Writer,
        ),
    )
}


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    dialect: str
    request: dict[str, Any]
    status: int
    answer: dict[str, Any] | None
    stream: bytes | None


def traffic() -> list[Traffic]:
    """Recorded calls of the four dialects; empty when the folder is not there."""
    of_family = {dialect.family: dialect.name for dialect in DIALECTS.values()}
    found: list[Traffic] = []
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                call = json.loads(line)
                name = of_family.get(call["family"])
                if name is None or "mbed" in call["uri"] or not isinstance(call["request"], dict):
                    continue
                text = call.get("text")
                found.append(
                    Traffic(
                        name=f"{path.stem}:{number} {call['src']}",
                        dialect=name,
                        request=call["request"],
                        status=call["status"],
                        answer=call.get("json") if isinstance(call.get("json"), dict) else None,
                        stream=text.encode() if text and "event-stream" in (call["content_type"] or "") else None,
                    )
                )
    return found


def essence(conversation: Conversation) -> dict[str, Any]:
    """What must mean the same in every dialect: who said what, which tools there are, what is wanted."""
    said: list[tuple[str, Any]] = []
    for turn in conversation.turns:
        for part in turn.parts:
            match part:
                case Text() | Refusal():
                    said += [(turn.role, part.text)] if part.text else []
                case Media(kind="document", media_type="text/plain", data=str(data)):  # some dialects say it as words
                    said.append((turn.role, base64.b64decode(data).decode()))
                case Media():
                    said.append((turn.role, (part.kind, part.url or part.data)))
                case ToolCall():
                    said.append((turn.role, (part.name, object_of(part.arguments))))
                case ToolResult():
                    words = "\n".join(inner.text for inner in part.content if isinstance(inner, Text))
                    said.append((turn.role, ("result", object_of(words) or words)))
                    media = (inner for inner in part.content if isinstance(inner, Media))
                    said += [(turn.role, (inner.kind, inner.url or inner.data)) for inner in media]
                case Reasoning():
                    pass
    return {
        "said": said,
        "system": "\n\n".join(text.text for text in conversation.system),
        "tools": [(tool.name, tool.description or None) for tool in conversation.tools],
        "choice": conversation.tool_choice and (conversation.tool_choice.mode, conversation.tool_choice.name),
        "format": conversation.format and conversation.format.kind,
        "schema": conversation.format and conversation.format.schema,
        "stop": conversation.sampling.stop,
    }


def reply_essence(reply: Reply) -> dict[str, Any]:
    """What a reader of the answer must find: the words, the calls, why it stopped."""
    choice = reply.choices[0] if reply.choices else None
    parts = choice.parts if choice else ()
    return {
        "words": "".join(part.text for part in parts if isinstance(part, Text | Refusal)),
        "calls": [(part.name, object_of(part.arguments)) for part in parts if isinstance(part, ToolCall)],
        "stop": choice and choice.stop,
    }


def events_of(dialect: Dialect, stream: bytes) -> list[Event]:
    """Every event of a stream."""
    reader, found = dialect.reader(), []
    for event in split_events(stream):
        if data := event_data(event):
            found += reader.read(data)
    return found


def stream_essence(events: list[Event]) -> dict[str, Any]:
    """The same of a stream, put together."""
    words: list[str] = []
    calls: dict[int, list[str]] = {}
    names: dict[int, str] = {}
    stops: list[str] = []
    failures: list[str] = []
    thought: list[str] = []
    for event in events:
        match event:
            case TextDelta() | RefusalDelta():
                words.append(event.text)
            case ThoughtDelta():
                thought.append(event.text)
            case CallBegan():
                names[event.number], calls[event.number] = event.name, []
            case CallDelta():
                calls[event.number].append(event.arguments)
            case Stopped():
                stops.append(event.reason)
            case Failed():
                failures.append(event.message)
    return {
        "words": "".join(words),
        "thought": "".join(thought),
        "calls": [(names[number], object_of("".join(parts) or "{}")) for number, parts in calls.items()],
        "stop": stops[-1] if stops else None,
        "failures": failures,
    }

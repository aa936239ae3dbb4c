"""How much a request puts before the model: a bound that is never too low, and an estimate where nobody counted."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from airouter.wire.decoding import read_or_none
from airouter.wire.endpoint import Endpoint
from airouter.wire.members import OPENS_LIST
from airouter.wire.openai import Request

_MEDIA: Final[Mapping[str, str]] = {
    "image_url": "image_url",
    "input_image": "image_url",
    "image": "image",
    "input_audio": "input_audio",
    "audio_url": "audio_url",
    "video_url": "video_url",
    "input_video": "input_video",
    "file": "file",
    "input_file": "file",
    "document_url": "document_url",
}
"""Kinds of content parts that are not text, and the member in which the payload lies."""

_AT_UPSTREAM: Final = frozenset({"file_id", "file_url", "document_url", "document_id", "library_ids"})
"""Members that name something which only the upstream can measure: it may fill the model's context window."""

_MARKS: Final = (b"_url", b"input_", b'"file', b'"audio"', b'"image"', b'"document', b"base64,", b"_id", b"\\u00")
"""A body without any of these has neither media nor references. `\\u00` may spell any of them."""

TOOLS_TOKENS: Final = 512
"""What a vendor's own instructions about tools may add to a prompt; the most seen is 331 tokens beyond all bytes
sent.
"""
_BYTES_PER_TOKEN: Final = 4
_ANY: Final = msgspec.json.Decoder()


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """The most that a request can count as input: `text_tokens`, plus `media_items` at the model's maximum for one.

    With `reads_upstream` nothing in the request bounds it, only the model's context window. `choices` is how many
    answers are written, and billed, for it.
    """

    text_tokens: int
    media_items: int = 0
    reads_upstream: bool = False
    choices: int = 1


def input_bound(endpoint: Endpoint, request: Request, body: bytes) -> Bound:
    """Bound the input of a request, cheaply: a token is never under a byte, so a body without media counts its bytes.

    Media count by the item, never by their base64 length. Arrays of token ids count their tokens. Tools add what
    vendors say about them on their own account.
    """
    if endpoint == "completions":
        return Bound(text_tokens=_text_or_ids(request.prompt, body), choices=request.choices)
    if endpoint == "chat.completions":
        source, has_media = request.messages, any(mark in body for mark in _MARKS)
    else:
        source, has_media = request.input, b"image" in body or b"base64," in body or b"\\u00" in body
    searches = "search" in request.asks
    of_tools = TOOLS_TOKENS if memoryview(request.tools)[:1] == OPENS_LIST else 0
    if not has_media:
        tokens = len(body) if endpoint == "chat.completions" else _text_or_ids(source, body)
        return Bound(text_tokens=tokens + of_tools, reads_upstream=searches, choices=request.choices)
    return media_bound(body, source, payload_of, more_tokens=of_tools, reads_upstream=searches, choices=request.choices)


def media_bound(
    body: bytes,
    source: msgspec.Raw,
    payload_of: Callable[[dict[str, object]], object],
    *,
    more_tokens: int,
    reads_upstream: bool,
    choices: int = 1,
) -> Bound:
    """Bound a request with media in `source`: they count by the item, everything else of the body by its bytes."""
    media = MediaCount(payload_of)
    media.look_at(decoded(source))
    return Bound(
        text_tokens=max(len(body) - media.payload_bytes, 0) + more_tokens,
        media_items=media.items,
        reads_upstream=media.reads_upstream or reads_upstream,
        choices=choices,
    )


def _text_or_ids(raw: msgspec.Raw, body: bytes) -> int:
    """Ids if the list holds nothing else (commas + 1 is never fewer than they are), else the bytes of the body."""
    value = bytes(raw)
    return value.count(b",") + 1 if value.startswith(b"[") and b'"' not in value else len(body)


def decoded(raw: msgspec.Raw) -> object:
    """Any value, or None for what cannot be decoded: the upstream will refuse it, and nothing is billed."""
    if not memoryview(raw):
        return None
    return read_or_none(_ANY, raw)


class MediaCount:
    """Counts the parts of a prompt that are not text, and the bytes their payloads take in the body.

    `payload_of` knows them: it gives the payload of such a part, and None for everything else.
    """

    def __init__(self, payload_of: Callable[[dict[str, object]], object]) -> None:
        self._payload_of = payload_of
        self.items = 0
        self.payload_bytes = 0
        self.reads_upstream = False

    def look_at(self, value: object) -> None:
        """Messages, contents, parts: whatever is nested, and however deep."""
        waiting = [value]
        while waiting:
            here = waiting.pop()
            if isinstance(here, list):
                waiting.extend(here)
            elif isinstance(here, dict):
                payload = self._payload_of(here)
                if payload is None:
                    self._earlier_audio(here)
                    waiting.extend(v for v in here.values() if isinstance(v, list | dict))
                else:
                    self.items += 1
                    self._weigh(payload)

    def _earlier_audio(self, message: dict[str, object]) -> None:
        """An assistant's message may stand for audio that the upstream kept: `"audio": {"id": …}`."""
        audio = message.get("audio")
        if message.get("role") == "assistant" and isinstance(audio, dict) and "id" in audio:
            self.items += 1

    def _weigh(self, payload: object) -> None:
        waiting = [payload]
        while waiting:
            here = waiting.pop()
            if isinstance(here, str):
                # The body spells a character with no fewer bytes than UTF-8 does: this never takes off too much.
                self.payload_bytes += len(here.encode("utf-8", "surrogatepass"))
            elif isinstance(here, list):
                waiting.extend(here)
            elif isinstance(here, dict):
                self.reads_upstream = self.reads_upstream or not _AT_UPSTREAM.isdisjoint(here)
                waiting.extend(here.values())


def payload_of(part: dict[str, object]) -> object:
    """The payload of a content part that is not text; None for everything else."""
    kind = part.get("type")
    if not isinstance(kind, str):
        return part.get("image") or part.get("image_url") if "content" not in part else None
    member = _MEDIA.get(kind)
    if member is None:
        return None
    if kind == "document_url":
        return {"document_url": part.get(member)}
    payload = part.get(member, part)
    return {"data": payload} if payload is None else payload


def estimated_input_tokens(endpoint: Endpoint, request: Request) -> int:
    """For calls that nobody counted: a quarter of the UTF-8 bytes of the prompt's text, rounded up; token ids as they
    are.

    The prompt's text is every text in `messages`, `prompt` or `input`, and the tools' descriptions as sent. Media are
    not estimated. The figure is marked `estimated` wherever it is shown.
    """
    value = bytes(_source(endpoint, request))
    if value.startswith(b"[") and b'"' not in value:
        return value.count(b",") + 1 if value[1:-1].strip() else 0
    return estimated_tokens(sum(map(utf8_length, prompt_texts(endpoint, request))))


def prompt_texts(endpoint: Endpoint, request: Request) -> list[str]:
    """The prompt's text, as above; token ids are none."""
    return [*texts_in(decoded(_source(endpoint, request)), payload_of), as_text(request.tools)]


def _source(endpoint: Endpoint, request: Request) -> msgspec.Raw:
    if endpoint == "completions":
        return request.prompt
    return request.messages if endpoint == "chat.completions" else request.input


def as_text(raw: msgspec.Raw) -> str:
    """The JSON as it was sent."""
    return bytes(raw).decode("utf-8", "replace")


def utf8_length(text: str) -> int:
    """Bytes of a text, half surrogates included."""
    return len(text.encode("utf-8", "surrogatepass"))


def estimated_tokens(text_bytes: int) -> int:
    """A token for every four bytes of text, the last one perhaps shorter."""
    return -(-text_bytes // _BYTES_PER_TOKEN)


_NOT_TEXT: Final = frozenset({"role", "type", "id", "tool_call_id", "index", "finish_reason", "object"})


def text_bytes(value: object, payload_of: Callable[[dict[str, object]], object]) -> int:
    """Bytes of every text in a prompt or an answer, without roles, ids and the payloads of media."""
    return sum(map(utf8_length, texts_in(value, payload_of)))


def texts_in(value: object, payload_of: Callable[[dict[str, object]], object]) -> Iterator[str]:
    """Those texts, in no order."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, list):
            waiting.extend(here)
        elif isinstance(here, dict) and payload_of(here) is None:
            waiting.extend(member for name, member in here.items() if name not in _NOT_TEXT)


def written_text_bytes(choices: msgspec.Raw) -> int:
    """Bytes of what a model wrote in all choices of an answer or event: content, reasoning, refusals, tool calls."""
    total = 0
    listed = decoded(choices)
    for choice in listed if isinstance(listed, list) else ():
        if isinstance(choice, dict):
            said = choice.get("delta") or choice.get("message") or choice.get("text")
            if isinstance(said, dict):
                # Some vendors say the same reasoning twice, once as text and once in parts.
                said = {name: member for name, member in said.items() if name not in _TWICE or "reasoning" not in said}
            total += text_bytes(said, payload_of)
    return total


_TWICE: Final = frozenset({"reasoning_content", "reasoning_details"})

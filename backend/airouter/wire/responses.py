"""OpenAI's responses: the few members of requests and answers that a gateway needs; all else passes by unread."""

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from airouter.domain.errors import InvalidRequest, NotSupportedYet
from airouter.domain.rate_card import Meter
from airouter.wire.decoding import UNREADABLE, read_or_none
from airouter.wire.members import OPENS_LIST, decode_head, each_text, each_tool, is_given
from airouter.wire.prompt import (
    TOOLS_TOKENS,
    Bound,
    as_text,
    decoded,
    media_bound,
    payload_of,
    text_bytes,
    texts_in,
)

_ABSENT: Final = msgspec.Raw(b"")
_MEDIA_MARKS: Final = (b"input_image", b"input_file", b"input_audio", b"_id", b'"id"', b"\\u00")
_OURS: Final = frozenset({"function", "custom", "local_shell", "apply_patch", "shell", "tool_search", "namespace"})
"""Tools that the client runs."""
_SCREENS: Final = ("computer",)
"""What the types of tools begin with that the client runs, and that read more than the request shows."""


class _Item(msgspec.Struct, frozen=True, kw_only=True):
    type: Any = None
    id: Any = None
    role: Any = None
    encrypted_content: Any = None


_ITEMS: Final = msgspec.json.Decoder(list[_Item])
_CONVERSATION: Final = msgspec.json.Decoder(str | _Item)

Remembered = Literal["response", "conversation", "item"]


class Name(msgspec.Struct, frozen=True):
    """A name that a request carries, and where it stands. `is_certain` False: all it names came along as well, so that
    one which is not known does no harm.
    """

    name: str
    kind: Remembered
    field: str
    is_certain: bool = True


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. Values keep the meaning they have in the dialect: None is what the client left open."""

    model: str = ""
    stream: bool | None = None
    max_output_tokens: int | None = None
    service_tier: str | None = None
    background: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: msgspec.Raw = _ABSENT
    prompt: msgspec.Raw = _ABSENT
    input: msgspec.Raw = _ABSENT
    instructions: msgspec.Raw = _ABSENT
    tools: msgspec.Raw = _ABSENT

    @property
    def is_streaming(self) -> bool:
        """The client asked for an event stream."""
        return self.stream is True

    @property
    def wants_usage(self) -> bool:
        """Every stream of this dialect says its usage."""
        return True

    @property
    def stated_output_tokens(self) -> int | None:
        """The most tokens the answer may have, thoughts included."""
        return self.max_output_tokens

    @property
    def choices(self) -> int:
        """One answer a call."""
        return 1

    @property
    def hosted(self) -> tuple[str, ...]:
        """What it has the vendor run beside the model: types of tools."""
        return tuple(_hosted_in(self.tools))

    @property
    def asks(self) -> tuple[Meter, ...]:
        """The meters beyond text that this request sets running upstream."""
        kinds = self.hosted
        asked: list[Meter] = []
        if any(kind.startswith(("web_search", "x_search")) for kind in kinds):
            asked.append("search")
        if "image_generation" in kinds:
            asked.append("image_output")
        return tuple(asked)

    @property
    def runs_upstream(self) -> bool:
        """Tools that the vendor runs read what nobody but the vendor can measure."""
        kinds = [tool.type for tool in each_tool(self.tools)]
        return bool(self.hosted) or any(isinstance(kind, str) and kind not in _OURS for kind in kinds)

    @property
    def names(self) -> tuple[Name, ...]:
        """Everything in it that means something only where a provider keeps it.

        Raises:
            InvalidRequest: `conversation` is neither a name nor an object with one.
        """
        found: list[Name] = []
        if self.previous_response_id is not None:
            found.append(Name(self.previous_response_id, "response", "previous_response_id"))
        if is_given(self.conversation):
            found.append(Name(_conversation_name(self.conversation), "conversation", "conversation"))
        return (*found, *_named_items(self.input))

    def input_bound(self, body: bytes) -> Bound:
        """The most that the request can count as input: a token is never under a byte. What a provider remembers may
        fill the context window.
        """
        of_tools = TOOLS_TOKENS if memoryview(self.tools)[:1] == OPENS_LIST else 0
        reads_upstream = self.previous_response_id is not None or is_given(self.conversation) or self.runs_upstream
        if not any(mark in body for mark in _MEDIA_MARKS):
            return Bound(text_tokens=len(body) + of_tools, reads_upstream=reads_upstream)
        reads_upstream = reads_upstream or any(name.kind == "item" and name.is_certain for name in self.names)
        return media_bound(body, self.input, payload_of, more_tokens=of_tools, reads_upstream=reads_upstream)

    def prompt_texts(self) -> list[str]:
        """What the model reads, for calls that nobody counted."""
        return [*texts_in([decoded(self.instructions), decoded(self.input)], payload_of), as_text(self.tools)]


_REQUESTS: Final = msgspec.json.Decoder(Request)


def _hosted_in(raw: msgspec.Raw) -> Iterator[str]:
    """A shell is the client's unless it is given a container of the vendor's; a namespace holds more tools."""
    for tool in each_tool(raw):
        if tool.type == "namespace":
            yield from _hosted_in(tool.tools)
        elif tool.type == "shell":
            where = tool.environment
            if where is not None and not (isinstance(where, dict) and where.get("type") == "local"):
                yield "shell"
        elif isinstance(tool.type, str) and tool.type not in _OURS and not tool.type.startswith(_SCREENS):
            yield tool.type


def _conversation_name(raw: msgspec.Raw) -> str:
    try:
        found = _CONVERSATION.decode(raw)
    except UNREADABLE:
        found = ""
    name = found if isinstance(found, str) else found.id
    if not isinstance(name, str) or not name:
        raise InvalidRequest(
            "`conversation` is the id of a conversation, or an object with its `id`.", field="conversation"
        )
    return name


def _named_items(raw: msgspec.Raw) -> list[Name]:
    """References to items that a provider keeps, and thoughts that came without what they were."""
    view = memoryview(raw)
    if view[:1] != OPENS_LIST or (b'"id"' not in (text := bytes(view)) and b"\\u00" not in text):
        return []
    items = read_or_none(_ITEMS, raw)
    if items is None:
        return []
    found: list[Name] = []
    for number, item in enumerate(items):
        if not isinstance(item.id, str) or not item.id:
            continue
        if item.type == "item_reference" or (item.type is None and item.role is None):
            found.append(Name(item.id, "item", f"input[{number}].id"))
        elif item.type == "reasoning" and not item.encrypted_content:
            found.append(Name(item.id, "item", f"input[{number}].id", is_certain=False))
    return found


def read_request(body: bytes) -> Request:
    """Read the head of a request.

    Raises:
        InvalidRequest: the body is no JSON object, or a member is missing or cannot be meant; `field` names it.
        NotSupportedYet: it names a prompt that the operator keeps at a provider.
    """
    request = decode_head(_REQUESTS, body)
    if not request.model:
        raise InvalidRequest("Name a model: `model` is missing or empty.", field="model")
    if not is_given(request.input) and request.previous_response_id is None and not is_given(request.conversation):
        raise InvalidRequest("`input` is missing.", field="input")
    if request.max_output_tokens is not None and request.max_output_tokens < 0:
        raise InvalidRequest("`max_output_tokens` cannot be negative.", field="max_output_tokens")
    if is_given(request.prompt):
        raise NotSupportedYet("prompt: write the instructions and the input yourself for now.", field="prompt")
    return request


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A response, as far as it concerns us."""

    id: str = ""
    object: str = ""
    status: str = ""
    usage: dict[str, Any] | None = None
    output: msgspec.Raw = _ABSENT
    service_tier: str | None = None
    store: bool | None = None
    expires_at: int | None = None
    error: msgspec.Raw = _ABSENT


class Answer(Response, frozen=True, kw_only=True):
    """A response, or an event that carries one."""

    type: str = ""
    response: Response | None = None


_ANSWERS: Final = msgspec.json.Decoder(Answer)


def read_answer(body: bytes) -> Answer | None:
    """Read an answer or the data of an event; None for what is no JSON object of this dialect."""
    return read_or_none(_ANSWERS, body)


def searches_in(output: msgspec.Raw) -> int:
    """Searches that ran upstream."""
    return sum(kind == "web_search_call" for kind in each_text(output, "type"))


def item_names(output: msgspec.Raw) -> tuple[str, ...]:
    """What the provider calls the items of an answer."""
    return tuple(each_text(output, "id"))


_NOT_WRITTEN: Final = frozenset({"status", "call_id"})


def written_bytes(output: msgspec.Raw) -> int:
    """Bytes of what a model wrote; what became of an item, and the name of a call, were not written by it."""
    items = decoded(output)
    if not isinstance(items, list):
        return 0
    written = [
        {name: member for name, member in item.items() if name not in _NOT_WRITTEN}
        for item in items
        if isinstance(item, dict)
    ]
    return text_bytes(written, payload_of)

"""A provider asked in another dialect than its own: the request is translated for it, the answer for the client.

It has the shape of a provider, so that the gateway need not know. What the call used is read by the provider itself.
"""

import logging
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from airouter.domain.ids import RequestId, minted_at
from airouter.domain.rate_card import Meter
from airouter.providers.contract import Answered, Call, Outgoing, Prepared, Provider, Refusal, Reported, StreamReader
from airouter.providers.vendors import TAKES_THOUGHTS
from airouter.translation.conversation import Conversation, features_of
from airouter.translation.dialect import DIALECTS, ID_PREFIXES, OF_PROVIDERS, Asked, EventReader, EventWriter, Wanted
from airouter.translation.links import links_of
from airouter.translation.reply import CallDelta, Event, Failed, Head, RefusalDelta, Reply, TextDelta, ThoughtDelta
from airouter.translation.support import Dialect, dropped_or_refused
from airouter.translation.tool_names import GivenNames, with_made_names
from airouter.wire.endpoint import Endpoint
from airouter.wire.framing import Framing
from airouter.wire.gemini import Request as GeminiRequest
from airouter.wire.members import decode_head
from airouter.wire.openai import Request as ChatRequest
from airouter.wire.owner_ids import without_owner_ids

log = logging.getLogger("airouter.providers")

_ANY: Final = msgspec.json.Decoder(dict[str, Any])
ODD: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError, msgspec.MsgspecError)
"""What a reader runs into where a member has another type than the vendor's reference says: not each is looked at."""


_NOT_FOUND: Final = 404
_UNREADABLE: Final = "The provider said something that cannot be read."


class PlainHead(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request that we wrote ourselves (wire.requests.RequestHead)."""

    model: str
    is_streaming: bool
    choices: int = 1
    wants_usage: bool = True
    stated_output_tokens: int | None = None
    asks: tuple[Meter, ...] = ()
    service_tier: str | None = None


@runtime_checkable
class SpeaksAlone(Protocol):
    """A provider whose dialect no client speaks, so that every text is translated for it."""

    @property
    def dialect(self) -> Dialect:
        """What it is asked in."""
        ...

    @property
    def can_count(self) -> bool:
        """It says how many tokens a request has: in the words of whoever asks, since nobody asks in its own."""
        ...


class TranslatedProvider:
    """`native`, for calls of another endpoint. One for each pair; shared by all calls of a process.

    `native_endpoint` is where it is asked instead; None for one that speaks alone.
    """

    def __init__(self, native: Provider, endpoint: Endpoint, native_endpoint: Endpoint | None) -> None:
        self.name = native.name
        self.endpoints: frozenset[Endpoint] = frozenset((endpoint,))
        self._native = native
        self._endpoint: Endpoint = endpoint
        self._native_endpoint: Endpoint = native_endpoint or endpoint
        self._theirs = DIALECTS[endpoint]
        self._ours = asked_in(native, native_endpoint)

    def read(self, call: Call) -> Prepared:
        """The request without a dialect, and what has to be left out of it for this provider.

        Raises:
            InvalidRequest: it cannot be meant. NotTranslatable: it asks for what the provider's dialect cannot say.
        """
        body = decode_head(_ANY, call.body)
        conversation = self._theirs.read_request(body, call.upstream_model, is_streaming=call.is_streaming)
        dropped = dropped_or_refused(features_of(conversation, self._ours.name), self._ours.name)
        lacking = self._ours.lacks(conversation, self._wanted(call, conversation))
        return Prepared(conversation=conversation, dropped=tuple(dict.fromkeys((*dropped, *lacking))))

    def links(self, prepared: Prepared) -> list[str]:
        """The links in the request that have to be fetched for this provider."""
        return links_of(prepared.conversation, self._ours.name)

    def outgoing(self, call: Call) -> Outgoing:
        """The request in the provider's dialect. Raises as `read` does, unless that was done (`call.prepared`)."""
        prepared = call.prepared or self.read(call)
        conversation = prepared.conversation
        named = with_made_names(conversation, self._ours.name)
        body = self._ours.write_request(named, self._wanted(call, conversation))
        out = self._native.outgoing(self._inner(call, msgspec.json.encode(body), conversation.sampling.choices))
        return msgspec.structs.replace(out, dropped=(*prepared.dropped, *out.dropped))

    def answer(self, call: Call, body: bytes) -> Answered:
        """The provider's answer in the client's dialect; what is no answer, or cannot be read, stays as it is."""
        answered = self._native.answer(self._inner(call, b""), body)
        if not answered.is_proper:
            return answered
        head = self._head(call)
        quantities = None if answered.reported is None else answered.reported.quantities
        try:
            reply = self._names(call).in_reply(self._ours.read_reply(_ANY.decode(answered.body), head))
            reply = self._headed(reply, head)
            written = msgspec.json.encode(self._theirs.write_reply(reply, quantities, head))
        except ODD as error:
            _tell_odd(call, error)
            return msgspec.structs.replace(answered, is_proper=False)
        return msgspec.structs.replace(answered, body=written)

    def stream(self, call: Call) -> "TranslatingStreamReader":
        """A reader that translates event by event."""
        is_array = isinstance(call.request, GeminiRequest) and call.request.is_array
        return TranslatingStreamReader(
            call,
            self._native.stream(self._inner(call, b"", call.request.choices)),
            self._ours.framing(),
            self._ours.reader(),
            self._theirs.writer(self._head(call), is_array=is_array),
            names=self._names(call),
            is_array=is_array,
        )

    def refusal(self, status: int, body: bytes) -> Refusal:
        """As the provider judges it. What is not there is no thing that the client named: only its model is named."""
        verdict = self._native.refusal(status, body)
        return "model" if verdict == "request" and status == _NOT_FOUND else verdict

    def _wanted(self, call: Call, conversation: Conversation) -> Wanted:
        allowance = call.output_allowance or conversation.max_output_tokens or 1
        return Wanted(allowance=allowance, takes_thoughts=self.name in TAKES_THOUGHTS)

    def _inner(self, call: Call, body: bytes, choices: int = 1) -> Call:
        """The same call as the provider sees it: in its own dialect, under its own model's name."""
        request: Any = PlainHead(model=call.upstream_model, is_streaming=call.is_streaming, choices=choices)
        if self._ours.name == "chat":  # its provider looks further into the head
            request = ChatRequest(model=call.upstream_model, stream=call.is_streaming)
        options = msgspec.structs.replace(call.options, rewrite_model=False)
        return msgspec.structs.replace(
            call, endpoint=self._native_endpoint, request=request, body=body, client_headers=(), options=options
        )

    def _names(self, call: Call) -> GivenNames:
        return GivenNames(None if call.prepared is None else call.prepared.conversation, self._ours.name)

    def _head(self, call: Call) -> Head:
        return Head(
            reply_id=ID_PREFIXES[self._endpoint] + call.request_id.hex,
            model=call.request.model,
            created_at_seconds=int(minted_at(RequestId(call.request_id)).timestamp()),
            wants_usage=call.request.wants_usage,
            free_text=_free_text(call),
            request=_ANY.decode(call.body) if self._endpoint == "responses" else {},
        )

    @staticmethod
    def _headed(reply: Reply, head: Head) -> Reply:
        return msgspec.structs.replace(
            reply, reply_id=head.reply_id, model=head.model, created_at_seconds=head.created_at_seconds
        )


def _check_words(events: list[Event]) -> None:
    """Writers put words together, at the latest at the end of the stream. A client reads those of a failure, but for
    whose credential was used.

    Raises:
        TypeError: something stands where words should.
    """
    for at, event in enumerate(events):
        match event:
            case TextDelta() | ThoughtDelta() | RefusalDelta():
                words = event.text
            case CallDelta():
                words = event.arguments
            case Failed():
                said = event.message.encode("utf-8", "replace")
                events[at] = Failed(message=without_owner_ids(said).decode())
                continue
            case _:
                continue
        if type(words) is not str:
            raise TypeError


def _tell_odd(call: Call, error: Exception) -> None:
    """For the operator, without a word of what was said: where the translation ended, and on what kind of error."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
    log.warning("translation.odd request=%s error=%s at=%s", call.request_id, type(error).__name__, place)


def _free_text(call: Call) -> frozenset[str]:
    if call.prepared is None:
        return frozenset()
    return frozenset(tool.name for tool in call.prepared.conversation.tools if tool.is_free_text)


class TranslatingStreamReader:
    """Reads the provider's events and writes the client's (contract.StreamReader). Whole events leave, never parts."""

    __slots__ = (
        "_framing",
        "_has_ended",
        "_has_failed",
        "_names",
        "_native",
        "_reader",
        "_writer",
        "call",
        "content_type",
    )

    def __init__(
        self,
        call: Call,
        native: StreamReader,
        framing: Framing,
        reader: EventReader,
        writer: EventWriter,
        *,
        names: GivenNames,
        is_array: bool,
    ) -> None:
        self.call = call
        self.content_type: bytes | None = b"application/json" if is_array else b"text/event-stream; charset=utf-8"
        self._native = native
        self._reader = reader
        self._writer = writer
        self._names = names
        self._framing = framing
        self._has_ended = False
        self._has_failed = False

    def feed(self, data: bytes) -> bytes:
        """What the client reads of it now. After a failure or the end nothing, but the figures are still waited for."""
        self._native.feed(data)
        if self._has_failed:
            return b""
        said = self._framing.feed(data)
        out = self._translated(said) if said and not self._has_ended else b""
        fault = self._framing.fault
        return out if fault is None or self._has_failed else out + self._fail(fault)

    def finish(self) -> bytes:
        """The provider ended the stream: a last event without its empty line, and the end if it was a proper one."""
        self._native.finish()
        rest = self._framing.rest()
        out = self._translated(rest) if rest and not (self._has_failed or self._has_ended) else b""
        return out + self._end() if self.is_complete else out

    def _translated(self, said: list[bytes]) -> bytes:
        out: list[bytes] = []
        try:
            for data in said:
                if events := self._reader.read(data):
                    _check_words(events)
                    out.append(self._writer.write(self._names.in_events(events)))
        except ODD as error:
            _tell_odd(self.call, error)
            out.append(self._fail(_UNREADABLE))
        if self._native.saw_done and self.is_complete:
            out.append(self._end())
        return b"".join(out)

    def _fail(self, message: str) -> bytes:
        self._has_failed = True
        return self._writer.write([Failed(message=message)])

    def _end(self) -> bytes:
        if self._has_ended:
            return b""
        self._has_ended = True
        reported = self._native.reported
        try:
            return self._writer.end(None if reported is None else reported.quantities)
        except ODD as error:
            _tell_odd(self.call, error)
            return self._fail(_UNREADABLE)

    def close_event(self) -> bytes:
        """Only whole events left, so none is open."""
        self._native.close_event()
        self._framing.rest()
        return b""

    @property
    def saw_done(self) -> bool:
        """What completes the answer is among what `feed` returned."""
        return self._native.saw_done

    def has_outgrown(self, allowance: int) -> bool:
        """As the provider's own reader counts."""
        return self._native.has_outgrown(allowance)

    @property
    def received_bytes(self) -> int:
        """Bytes of the provider's stream."""
        return self._native.received_bytes

    @property
    def reported(self) -> Reported | None:
        """The latest figures the provider gave."""
        return self._native.reported

    @property
    def is_complete(self) -> bool:
        """The provider's answer is whole, and all of it could be translated."""
        return self._native.is_complete and not self._has_failed

    @property
    def has_error(self) -> bool:
        """The provider said an error inside the stream, or what could not be translated."""
        return self._native.has_error or self._has_failed

    @property
    def error(self) -> bytes | None:
        """As the provider said it."""
        return self._native.error

    @property
    def kept(self) -> None:
        """Nobody can come back to this answer."""
        return

    def written_tokens(self) -> int:
        """An estimate of the output so far."""
        return self._native.written_tokens()


def asked_in(native: Provider, endpoint: Endpoint | None) -> Asked:
    """The dialect of an endpoint; None: of a provider that speaks alone."""
    if endpoint is not None:
        return DIALECTS[endpoint]
    assert isinstance(native, SpeaksAlone), "who has no endpoint of a client's has a dialect of its own"
    return OF_PROVIDERS[native.dialect]

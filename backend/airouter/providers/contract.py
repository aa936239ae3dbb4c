"""The seam between the gateway and a vendor's protocol: what is asked of a vendor, and what its answer means.

A provider builds the outgoing request, reads what the answer reports, and says whose fault a refusal is. It never opens
a connection, never retries, and knows neither keys of our clients nor prices.
"""

from collections.abc import Callable
from typing import Literal, Protocol
from uuid import UUID

import msgspec

from airouter.domain.catalogue import ChannelOptions
from airouter.domain.rate_card import Meter
from airouter.translation.conversation import Conversation
from airouter.translation.support import Feature
from airouter.wire.endpoint import VECTORS, Endpoint
from airouter.wire.requests import RequestHead

Headers = tuple[tuple[bytes, bytes], ...]

Refusal = Literal["request", "credential", "funds", "limited", "model", "channel", "overloaded", "counting"]
"""Who is to blame for an error status.

`request`: the client's request; it is passed on and not tried again. `credential`: ours is not accepted. `funds`: it
is, but not for this: no money left, not from this region. `limited`: too many calls with it at the moment. `model`: our
list of its models, which has one that the vendor does not know. `channel`: the address, or what we make of it.
`overloaded`: the vendor at this moment. `counting`: nobody; it does not count the tokens of this, which says nothing
about calls. In all but the first another credential or channel may do.
"""

Problem = Literal["usage_refused", "total_differs", "details_contradict"]
"""What is odd about a usage report.

`usage_refused`: a figure cannot be true, and none is used. `total_differs`: the figures do not add up to the total.
`details_contradict`: a detail is larger than what it is a part of, and was dropped.
"""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A request without a dialect, and what is left out of it by rule for the vendor that is asked."""

    conversation: Conversation
    dropped: tuple[Feature, ...] = ()


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one channel. `body` is the client's; `upstream_model` is what this channel calls its model."""

    endpoint: Endpoint
    request: RequestHead
    body: bytes
    upstream_model: str
    credential: str
    base_url: str = ""
    options: ChannelOptions = ChannelOptions()
    client_headers: Headers = ()
    """Of the client's, those that this dialect gives a meaning, such as `anthropic-beta`."""
    output_allowance: int = 0
    """Tokens that the answer may have, for dialects that want to be told; 0: as the client put it."""
    request_id: UUID = UUID(int=0)
    """Ours; what an answer is called and dated by where the vendor does not say."""
    prepared: Prepared | None = None
    """The request read for a translation; its media are at hand."""
    public_model: str = ""
    """As the client calls it, through every translation."""
    bearer: str = ""
    """What the credential was exchanged for, where it is of that kind (exchanged.py)."""

    @property
    def is_streaming(self) -> bool:
        """The answer should be an event stream; embeddings have none, whatever the client wrote."""
        return self.request.is_streaming and self.endpoint not in VECTORS


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """The request for the upstream. `path` follows the path of the channel's base URL.

    `headers` is the same tuple for every call with the same credential, so that a client may keep its bytes.
    """

    method: str
    path: str
    headers: Headers
    body: bytes
    dropped: tuple[str, ...] = ()
    """What the client asked for and this vendor's dialect cannot say, so that it was left out by rule."""
    sign: Callable[["Outgoing"], Headers] | None = None
    """For vendors that want the request signed: all headers to send, made from what goes out in the end. Called last,
    after every change that a channel makes to body and headers.
    """


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a vendor said a call used: disjoint and not negative, `request` always 1. A bucket left out holds nothing.

    `quantities` None: it said something that cannot be true, see `problem`. `tells_output` False: it was said before
    the model wrote, and what it says of the output is a stand-in.
    """

    quantities: dict[Meter, int] | None
    tells_output: bool = True
    service_tier: str | None = None
    problem: Problem | None = None


KeptStatus = Literal["running", "ok", "failed", "cancelled"]
"""`ok`: written to its end, be it an end that a limit set."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that its vendor gave a name, as the vendor last described it.

    `is_stored` False: nobody can come back to it. `items` are names within it, known once they are written.
    `written_tokens` is an estimate, made only of an end without usable figures.
    """

    name: str
    status: KeptStatus
    is_stored: bool
    items: tuple[str, ...] = ()
    expires_at_seconds: int | None = None
    reported: Reported | None = None
    written_tokens: int = 0


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `body` is what the client gets: the upstream's bytes, unless the channel rewrites the model's
    name.

    `is_proper`: it is an answer of this dialect. What is not (a page of text with status 200) is forwarded all the
    same, but is no complete answer. `written_tokens` is an estimate of the output, made only where nothing usable was
    reported. `is_empty`: it has the shape of an answer and nothing in it, not even figures: as good as none.
    """

    body: bytes
    reported: Reported | None
    is_proper: bool
    is_empty: bool = False
    written_tokens: int = 0
    kept: Kept | None = None


class StreamReader(Protocol):
    """Reads a stream while it is forwarded. One per call; fed in the order of arrival; never awaits.

    Every byte of the upstream comes out again in order, but for a usage chunk that the client did not ask for, and for
    what an error says of whose credential was used. Bytes are held back only where they could be such a chunk whose end
    has not arrived, which no client could use yet anyway.
    """

    @property
    def call(self) -> Call:
        """What is being answered."""
        ...

    def feed(self, data: bytes) -> bytes:
        """What to send to the client now; may be empty."""
        ...

    def finish(self) -> bytes:
        """The upstream ended the stream properly: what is still to be sent."""
        ...

    def close_event(self) -> bytes:
        """The stream ends here, torn. What to send before an event of our own: an empty line if an event is open.

        What was held back is dropped: it is part of an event that will never be whole.
        """
        ...

    @property
    def saw_done(self) -> bool:
        """What completes the answer is among what `feed` returned, or comes with its next bytes. Cheap to ask."""
        ...

    @property
    def content_type(self) -> bytes | None:
        """What the client is told of the body; None: what the upstream said."""
        ...

    def has_outgrown(self, allowance: int) -> bool:
        """More than so many tokens seem to be written, for extending holds: cheap to ask at every chunk, and looked at
        every few thousand bytes where it is near.
        """
        ...

    @property
    def received_bytes(self) -> int:
        """Bytes of the stream so far. No token takes less than one of them."""
        ...

    @property
    def reported(self) -> Reported | None:
        """The latest figures the vendor gave; final only when `is_complete`."""
        ...

    @property
    def is_complete(self) -> bool:
        """The answer is whole: its end came, or the model said why it stopped, and no error was said. An end without
        anything before it, be it only figures, is none.
        """
        ...

    @property
    def has_error(self) -> bool:
        """The vendor said an error inside the stream, or what cannot be read."""
        ...

    @property
    def error(self) -> bytes | None:
        """The first error that the vendor said, as it would be the body of a refusal; None: none, or not in words."""
        ...

    @property
    def kept(self) -> Kept | None:
        """What the vendor keeps of the answer, as far as it has said so; None: nothing."""
        ...

    def written_tokens(self) -> int:
        """An estimate of the output so far, for charging where nothing was reported.

        A quarter of the bytes of the text: of every event where the channel cannot report usage, else projected from
        the latest events.
        """
        ...


class Provider(Protocol):
    """One vendor's protocol. Stateless but for caches; shared by all calls of a process."""

    @property
    def name(self) -> str:
        """The `provider` of a channel."""
        ...

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        """What it can be asked for in its own dialect."""
        ...

    def outgoing(self, call: Call) -> Outgoing:
        """The request to send."""
        ...

    def answer(self, call: Call, body: bytes) -> Answered:
        """Read a whole answer of status 200."""
        ...

    def stream(self, call: Call) -> StreamReader:
        """A reader for a stream of status 200."""
        ...

    def refusal(self, status: int, body: bytes) -> Refusal:
        """Whose fault an error status is."""
        ...

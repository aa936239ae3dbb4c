"""Every dialect with its readers and writers: what translation between two of them needs."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from airouter.translation import support
from airouter.translation.anthropic import replies as anthropic_replies
from airouter.translation.anthropic import requests as anthropic_requests
from airouter.translation.anthropic import streams as anthropic_streams
from airouter.translation.bedrock import replies as bedrock_replies
from airouter.translation.bedrock import requests as bedrock_requests
from airouter.translation.bedrock import streams as bedrock_streams
from airouter.translation.chat import replies as chat_replies
from airouter.translation.chat import requests as chat_requests
from airouter.translation.chat import streams as chat_streams
from airouter.translation.cohere import replies as cohere_replies
from airouter.translation.cohere import requests as cohere_requests
from airouter.translation.cohere import streams as cohere_streams
from airouter.translation.conversation import Conversation
from airouter.translation.gemini import replies as gemini_replies
from airouter.translation.gemini import requests as gemini_requests
from airouter.translation.reply import Event, Head, Quantities, Reply
from airouter.translation.responses import replies as responses_replies
from airouter.translation.responses import requests as responses_requests
from airouter.translation.responses import streams as responses_streams
from airouter.translation.strict_schemas import lost_strictness
from airouter.wire.endpoint import Endpoint
from airouter.wire.event_stream import EventStreamFraming
from airouter.wire.framing import Framing, SseFraming


class EventReader(Protocol):
    """Reads a provider's stream."""

    def read(self, data: bytes) -> list[Event]:
        """What the data of one event says."""
        ...


class EventWriter(Protocol):
    """Writes a client's stream."""

    def write(self, events: list[Event]) -> bytes:
        """What a client reads of these events."""
        ...

    def end(self, quantities: Quantities | None) -> bytes:
        """What completes the stream."""
        ...


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer of requests has to know beyond the conversation."""

    allowance: int
    """The output allowance of a request that states none."""
    takes_thoughts: bool = False
    """The provider wants its thoughts back in words, without a proof."""


class Asked(Protocol):
    """The dialect of a provider: how it is asked, and what it answers."""

    name: support.Dialect

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        """The body for a provider.

        Raises:
            NotTranslatable: a part of it is of a kind that the dialect has no word for.
        """
        ...

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        """What the dialect can say, but not to this model: left out like everything that is dropped."""
        ...

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        """A provider's whole answer."""
        ...

    def reader(self) -> EventReader:
        """For a provider's stream."""
        ...

    def framing(self) -> Framing:
        """How the bytes of a provider's stream are cut into events."""
        ...


class Dialect(Asked, Protocol):
    """A dialect that clients speak too: both ways."""

    def read_request(self, body: Mapping[str, Any], model: str, *, is_streaming: bool) -> Conversation:
        """Raises InvalidRequest."""
        ...

    def write_reply(self, reply: Reply, quantities: Quantities | None, head: Head) -> dict[str, Any]:
        """The body for a client."""
        ...

    def writer(self, head: Head, *, is_array: bool) -> EventWriter:
        """For a client's stream."""
        ...


class Chat:
    name: support.Dialect = "chat"

    def read_request(self, body: Mapping[str, Any], model: str, *, is_streaming: bool) -> Conversation:
        del is_streaming
        return chat_requests.read(body, model)

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        return chat_requests.write(conversation, takes_thoughts=wanted.takes_thoughts)

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        return chat_replies.read(body, head.model)

    def write_reply(self, reply: Reply, quantities: Quantities | None, head: Head) -> dict[str, Any]:
        return chat_replies.write(reply, quantities, head.free_text)

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        return (*lost_strictness(conversation), *(() if wanted.takes_thoughts else chat_requests.lacks(conversation)))

    def reader(self) -> EventReader:
        return chat_streams.Reader()

    def framing(self) -> Framing:
        return SseFraming()

    def writer(self, head: Head, *, is_array: bool) -> EventWriter:
        del is_array
        return chat_streams.Writer(head)


class Responses:
    name: support.Dialect = "responses"

    def read_request(self, body: Mapping[str, Any], model: str, *, is_streaming: bool) -> Conversation:
        del is_streaming
        return responses_requests.read(body, model)

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        del wanted
        return responses_requests.write(conversation)

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        return responses_replies.read(body, head.model)

    def write_reply(self, reply: Reply, quantities: Quantities | None, head: Head) -> dict[str, Any]:
        return responses_replies.write(reply, quantities, head)

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        del wanted
        return lost_strictness(conversation)

    def reader(self) -> EventReader:
        return responses_streams.Reader()

    def framing(self) -> Framing:
        return SseFraming()

    def writer(self, head: Head, *, is_array: bool) -> EventWriter:
        del is_array
        return responses_streams.Writer(head)


class Anthropic:
    name: support.Dialect = "anthropic"

    def read_request(self, body: Mapping[str, Any], model: str, *, is_streaming: bool) -> Conversation:
        del is_streaming
        return anthropic_requests.read(body, model)

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        return anthropic_requests.write(conversation, wanted.allowance)

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        return anthropic_replies.read(body, head.model, head.created_at_seconds)

    def write_reply(self, reply: Reply, quantities: Quantities | None, head: Head) -> dict[str, Any]:
        del head
        return anthropic_replies.write(reply, quantities)

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        return anthropic_requests.lacks(conversation, wanted.allowance)

    def reader(self) -> EventReader:
        return anthropic_streams.Reader()

    def framing(self) -> Framing:
        return SseFraming()

    def writer(self, head: Head, *, is_array: bool) -> EventWriter:
        del is_array
        return anthropic_streams.Writer(head)


class Gemini:
    name: support.Dialect = "gemini"

    def read_request(self, body: Mapping[str, Any], model: str, *, is_streaming: bool) -> Conversation:
        return gemini_requests.read(body, model, is_streaming=is_streaming)

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        del wanted
        return gemini_requests.write(conversation)

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        return gemini_replies.read(body, head.model, head.created_at_seconds)

    def write_reply(self, reply: Reply, quantities: Quantities | None, head: Head) -> dict[str, Any]:
        del head
        return gemini_replies.write(reply, quantities)

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        del conversation, wanted
        return ()

    def reader(self) -> EventReader:
        return gemini_replies.Reader()

    def framing(self) -> Framing:
        return SseFraming()

    def writer(self, head: Head, *, is_array: bool) -> EventWriter:
        return gemini_replies.Writer(head, is_array=is_array)


class Bedrock:
    name: support.Dialect = "bedrock"

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        return bedrock_requests.write(conversation, wanted.allowance)

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        return bedrock_requests.lacks(conversation, wanted.allowance)

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        return bedrock_replies.read(body, head.model, head.created_at_seconds)

    def reader(self) -> EventReader:
        return bedrock_streams.Reader()

    def framing(self) -> Framing:
        return EventStreamFraming()


class Cohere:
    name: support.Dialect = "cohere"

    def write_request(self, conversation: Conversation, wanted: Wanted) -> dict[str, Any]:
        del wanted
        return cohere_requests.write(conversation)

    def lacks(self, conversation: Conversation, wanted: Wanted) -> tuple[support.Feature, ...]:
        del conversation, wanted
        return ()

    def read_reply(self, body: Mapping[str, Any], head: Head) -> Reply:
        return cohere_replies.read(body, head.model, head.created_at_seconds)

    def reader(self) -> EventReader:
        return cohere_streams.Reader()

    def framing(self) -> Framing:
        return SseFraming()


DIALECTS: Final[Mapping[Endpoint, Dialect]] = {
    "chat.completions": Chat(),
    "responses": Responses(),
    "messages": Anthropic(),
    "generate_content": Gemini(),
}
"""By the endpoint that speaks it. In the order in which a provider that speaks several is asked."""
OF_PROVIDERS: Final[Mapping[support.Dialect, Asked]] = {dialect.name: dialect for dialect in (Bedrock(), Cohere())}
"""Dialects that no client speaks: a provider of one of them is always translated for."""
ID_PREFIXES: Final[Mapping[Endpoint, str]] = {
    "chat.completions": "chatcmpl-",
    "responses": "resp_",
    "messages": "msg_",
    "generate_content": "",
}
"""How the vendor's own answers are called: some clients look."""

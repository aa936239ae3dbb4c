"""An answer without a dialect, whole or as the events of a stream."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from airouter.domain.rate_card import Meter
from airouter.translation.conversation import Reasoning, Refusal, Text, ToolCall
from airouter.translation.support import Dialect

StopReason = Literal["stop", "sequence", "length", "tools", "filter", "refusal", "pause"]
"""Why the model stopped: it was done; a stop sequence; no room left; it wants tools run; a filter cut it; it declined;
it wants to be called again.
"""
Quantities = Mapping[Meter, int]
"""What was used, in disjoint buckets; each dialect's writer adds them up its own way."""
SaidPart = Text | ToolCall | Reasoning | Refusal


class TokenChance(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was drawn, its log probability, and the likeliest others."""

    token: str
    logprob: float
    others: tuple[tuple[str, float], ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers asked for."""

    parts: tuple[SaidPart, ...]
    stop: StopReason
    stop_sequence: str | None = None
    chances: tuple[TokenChance, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `model` is what the client called it."""

    reply_id: str
    model: str
    created_at_seconds: int
    choices: tuple[Choice, ...]


class TextDelta(msgspec.Struct, frozen=True, kw_only=True, tag="text"):
    """More words."""

    text: str
    choice: int = 0
    chances: tuple[TokenChance, ...] = ()


class ThoughtDelta(msgspec.Struct, frozen=True, kw_only=True, tag="thought"):
    """More of a thought. `signature` and `sealed` come at its end or alone; `whole` is the text that was signed."""

    text: str = ""
    whole: str = ""
    signature: str | None = None
    sealed: str | None = None
    vendor: Dialect | None = None
    choice: int = 0


class RefusalDelta(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """More of the words for not answering."""

    text: str
    choice: int = 0


class CallBegan(msgspec.Struct, frozen=True, kw_only=True, tag="call"):
    """The model begins to call a tool; `number` counts the calls of a choice from 0."""

    number: int
    call_id: str
    name: str
    choice: int = 0


class CallDelta(msgspec.Struct, frozen=True, kw_only=True, tag="arguments"):
    """More of the text of a call's arguments."""

    number: int
    arguments: str
    choice: int = 0


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag="stopped"):
    """A choice is finished."""

    reason: StopReason
    sequence: str | None = None
    choice: int = 0


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The vendor said an error inside the stream."""

    message: str


Event = TextDelta | ThoughtDelta | RefusalDelta | CallBegan | CallDelta | Stopped | Failed


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a writer says of every event of one stream."""

    reply_id: str
    model: str
    created_at_seconds: int
    wants_usage: bool = True
    """Chat completions only: a client that did not ask for usage gets none."""
    free_text: frozenset[str] = frozenset()
    """Names of the client's tools that take any text: calls of them are told as such (free_text.py)."""
    request: Mapping[str, Any] = {}
    """Responses only: they repeat the settings of the request in the answer."""

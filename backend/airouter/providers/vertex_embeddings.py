"""OpenAI's embeddings, asked of Vertex AI (cloud.google.com/vertex-ai, Text Embeddings API, `:predict`, 2026)."""

from typing import Any, Final

import msgspec

from airouter.providers.contract import Answered, Call, Reported
from airouter.providers.reporting import UsageRefused, figure
from airouter.providers.vectors import given, shaped
from airouter.translation.embeddings import read_request
from airouter.translation.support import NotTranslatable
from airouter.wire.decoding import read_or_none

_TASK: Final = "task_type"
"""What a text is embedded for, as Google spells it; a client of this door may give it."""


class _Vector(msgspec.Struct, frozen=True):
    values: msgspec.Raw
    statistics: dict[str, Any] = {}


class _Prediction(msgspec.Struct, frozen=True):
    embeddings: _Vector


class _Reply(msgspec.Struct, frozen=True):
    predictions: list[_Prediction]


_REPLIES: Final = msgspec.json.Decoder(_Reply)


def body_of(call: Call) -> tuple[bytes, tuple[str, ...]]:
    """The same texts in Vertex' words, and what has no word there.

    Raises:
        InvalidRequest: it cannot be meant. NotTranslatable: token ids, which are another vendor's.
    """
    asked = given(call)
    wish = read_request("embeddings", asked)
    if wish.ids:
        raise NotTranslatable("input: token ids mean nothing to the provider of this model.", field="input")
    task = asked.get(_TASK)
    more = {} if task is None else {_TASK: task}
    body: dict[str, Any] = {"instances": [{"content": text, **more} for text in wish.texts]}
    if wish.dimensions is not None:
        body["parameters"] = {"outputDimensionality": wish.dimensions}
    return msgspec.json.encode(body), tuple(name for name in wish.dropped if name != _TASK)


def answer(call: Call, body: bytes) -> Answered:
    """The vectors in OpenAI's shape, with the tokens that each is said to have had."""
    reply = read_or_none(_REPLIES, body)
    if reply is None:
        return Answered(body=body, reported=None, is_proper=False)
    reported = _reported([one.embeddings.statistics for one in reply.predictions])
    return shaped(call, [one.embeddings.values for one in reply.predictions], reported)


def _reported(statistics: list[dict[str, Any]]) -> Reported | None:
    """None: not every text has a figure."""
    try:
        counts = [figure(one, (("token_count",),)) for one in statistics]
    except UsageRefused:
        return Reported(quantities=None, problem="usage_refused")
    if not counts or None in counts:
        return None
    return Reported(quantities={"input": sum(count or 0 for count in counts), "request": 1})

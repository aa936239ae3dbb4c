"""OpenAI's embeddings, asked of Cohere (API reference of Cohere, `POST /v2/embed`, 2026)."""

from typing import Any, Final

import msgspec

from airouter.providers.cohere_usage import reported_in
from airouter.providers.contract import Answered, Call, Headers, Outgoing
from airouter.providers.vectors import given, shaped
from airouter.translation.embeddings import read_request
from airouter.translation.support import NotTranslatable
from airouter.wire.decoding import read_or_none

DEFAULT_INPUT_TYPE: Final = "search_document"
"""Cohere wants to know what a text is embedded for, and OpenAI's clients do not say. Who embeds a query for a search
says so himself, with the member `input_type` as Cohere spells it.
"""
_OWN: Final = ("input_type", "truncate")
"""Members of Cohere's that a client of this door may give."""


class _Vectors(msgspec.Struct, frozen=True):
    numbers: list[msgspec.Raw] = msgspec.field(name="float")


class _Reply(msgspec.Struct, frozen=True):
    embeddings: _Vectors
    meta: dict[str, Any] = {}


_REPLIES: Final = msgspec.json.Decoder(_Reply)


def outgoing(call: Call, headers: Headers) -> Outgoing:
    """The same texts in Cohere's words.

    Raises:
        InvalidRequest: it cannot be meant. NotTranslatable: token ids, which are another vendor's.
    """
    asked = given(call)
    wish = read_request("embeddings", asked)
    if wish.ids:
        raise NotTranslatable("input: token ids mean nothing to the provider of this model.", field="input")
    body: dict[str, Any] = {
        "model": call.upstream_model,
        "texts": list(wish.texts),
        "input_type": DEFAULT_INPUT_TYPE,
        "embedding_types": ["float"],
        **{name: asked[name] for name in _OWN if asked.get(name) is not None},
    }
    if wish.dimensions is not None:
        body["output_dimension"] = wish.dimensions
    dropped = tuple(name for name in wish.dropped if name not in _OWN)
    return Outgoing(method="POST", path="/v2/embed", headers=headers, body=msgspec.json.encode(body), dropped=dropped)


def answer(call: Call, body: bytes) -> Answered:
    """The vectors in OpenAI's shape, with what Cohere bills as their tokens."""
    reply = read_or_none(_REPLIES, body)
    if reply is None:
        return Answered(body=body, reported=None, is_proper=False)
    return shaped(call, reply.embeddings.numbers, reported_in(reply.meta))

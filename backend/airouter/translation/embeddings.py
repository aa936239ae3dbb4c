"""Requests for vectors between dialects: OpenAI's `/embeddings`, Gemini's `embedContent` and `batchEmbedContents`.

The numbers of a vector travel as the text the provider wrote, so they mean the same to the last digit; only a client
that asks for base64 gets them packed, as 32-bit floats, which is what the models give.
"""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from airouter.domain.errors import InvalidRequest
from airouter.translation.gemini.names import camel
from airouter.translation.members import Members
from airouter.translation.support import NotTranslatable
from airouter.wire.endpoint import Endpoint

_NUMBERS: Final = msgspec.json.Decoder(list[float])
_TEXT: Final = msgspec.json.Decoder(str)
_OPENAI: Final = frozenset({"model", "input", "dimensions", "encoding_format"})
_GEMINI: Final = frozenset({"model", "content", "outputDimensionality"})


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A request for vectors without a dialect. `dropped` names what it asked for besides, which is left out."""

    texts: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...] = ()
    """In place of texts: token ids of OpenAI's vocabularies."""
    dimensions: int | None = None
    is_packed: bool = False
    """The client wants base64 instead of numbers."""
    is_single: bool = False
    """The client wants one vector, not a list of one."""
    dropped: tuple[str, ...] = ()


def read_request(endpoint: Endpoint, body: Mapping[str, Any]) -> Wish:
    """A client's request.

    Raises:
        InvalidRequest: a member cannot be meant. NotTranslatable: something else than text is to be embedded.
    """
    wish = _read_openai(body) if endpoint == "embeddings" else _read_gemini(endpoint, body)
    if not wish.texts and not wish.ids:
        raise InvalidRequest("There is nothing to embed.", field="input" if endpoint == "embeddings" else "requests")
    return wish


def _read_gemini(endpoint: Endpoint, body: Mapping[str, Any]) -> Wish:
    given = Members(camel(body))
    requests = [given] if endpoint == "embed_content" else given.objects("requests")
    wanted = {dimensions for one in requests if (dimensions := _dimensions(one)) is not None}
    if len(wanted) > 1 or (wanted and any(_dimensions(one) is None for one in requests)):
        raise NotTranslatable(
            "The provider of this model gives vectors of one size a call: use one `outputDimensionality`.",
            field="requests",
        )
    return Wish(
        texts=tuple(_gemini_text(one, f"requests[{number}].content") for number, one in enumerate(requests)),
        dimensions=next(iter(wanted), None),
        is_single=endpoint == "embed_content",
        dropped=tuple(sorted({name for one in requests for name in one.others(_GEMINI)})),
    )


def _read_openai(body: Mapping[str, Any]) -> Wish:
    given = Members(body)
    value = given.value("input")
    listed = value if isinstance(value, list) else [value]
    if listed and all(isinstance(item, int) and not isinstance(item, bool) for item in listed):
        listed = [listed]
    texts = tuple(item for item in listed if isinstance(item, str))
    ids = tuple(tuple(item) for item in listed if isinstance(item, list) and all(isinstance(n, int) for n in item))
    if len(texts) != len(listed) and len(ids) != len(listed):
        raise NotTranslatable("input: the provider of this model takes texts.", field="input")
    return Wish(
        texts=texts,
        ids=ids,
        dimensions=given.integer("dimensions"),
        is_packed=given.text("encoding_format") == "base64",
        dropped=tuple(sorted(given.others(_OPENAI))),
    )


def _dimensions(one: Members) -> int | None:
    inner = one.inner("embedContentConfig").integer("outputDimensionality")
    return inner if inner is not None else one.integer("outputDimensionality")


def _gemini_text(one: Members, where: str) -> str:
    """The text of a content; its parts are one text, as they are one vector."""
    if isinstance(content := one.value("content"), str):
        return content
    parts = one.inner("content").objects("parts")
    texts = [part.text("text") for part in parts]
    if not parts or any(text is None for text in texts):
        raise NotTranslatable(f"{where}: the provider of this model embeds texts only.", field=where)
    return "\n".join(text for text in texts if text is not None)


def write_request(endpoint: Endpoint, wish: Wish, model: str) -> dict[str, Any]:
    """The body for a provider; vectors are always asked for as numbers.

    Raises:
        NotTranslatable: token ids for a provider that has other ones.
    """
    if endpoint == "embeddings":
        body: dict[str, Any] = {"model": model, "input": list(wish.texts or wish.ids), "encoding_format": "float"}
        return body if wish.dimensions is None else {**body, "dimensions": wish.dimensions}
    if wish.ids:
        raise NotTranslatable("input: token ids mean nothing to the provider of this model.", field="input")
    more = {} if wish.dimensions is None else {"outputDimensionality": wish.dimensions}
    named = model if "/" in model else f"models/{model}"
    return {"requests": [{"model": named, "content": {"parts": [{"text": text}]}, **more} for text in wish.texts]}


class _Datum(msgspec.Struct, frozen=True):
    embedding: msgspec.Raw
    index: int = 0


class _OpenAIReply(msgspec.Struct, frozen=True):
    data: list[_Datum]


class _Vector(msgspec.Struct, frozen=True):
    values: msgspec.Raw = msgspec.Raw(b"[]")


class _GeminiReply(msgspec.Struct, frozen=True):
    embeddings: list[_Vector]


_OPENAI_REPLIES: Final = msgspec.json.Decoder(_OpenAIReply)
_GEMINI_REPLIES: Final = msgspec.json.Decoder(_GeminiReply)


def read_reply(endpoint: Endpoint, body: bytes) -> list[msgspec.Raw] | None:
    """The vectors of a provider's answer in the order of the request, each the text of a JSON array; None: it has
    another shape.
    """
    try:
        if endpoint != "embeddings":
            return [vector.values for vector in _GEMINI_REPLIES.decode(body).embeddings]
        ordered = sorted(_OPENAI_REPLIES.decode(body).data, key=lambda datum: datum.index)
        return [_as_numbers(datum.embedding) for datum in ordered]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None


def _as_numbers(vector: msgspec.Raw) -> msgspec.Raw:
    """Some vendors pack them although they were asked not to."""
    if bytes(memoryview(vector)[:1]) != b'"':
        return vector
    return msgspec.Raw(msgspec.json.encode(_little_endian(array("f", b64decode(_TEXT.decode(vector)))).tolist()))


def write_reply(
    endpoint: Endpoint, vectors: list[msgspec.Raw], wish: Wish, *, model: str, input_tokens: int
) -> dict[str, Any]:
    """The body for a client."""
    if endpoint == "embeddings":
        data = [
            {"object": "embedding", "index": number, "embedding": _packed(vector) if wish.is_packed else vector}
            for number, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": input_tokens, "total_tokens": input_tokens}
        return {"object": "list", "data": data, "model": model, "usage": usage}
    usage = {"promptTokenCount": input_tokens}
    if endpoint == "embed_content":
        return {"embedding": {"values": vectors[0] if vectors else []}, "usageMetadata": usage}
    return {"embeddings": [{"values": vector} for vector in vectors], "usageMetadata": usage}


def _packed(vector: msgspec.Raw) -> str:
    return b64encode(_little_endian(array("f", _NUMBERS.decode(vector))).tobytes()).decode()


def _little_endian(numbers: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers

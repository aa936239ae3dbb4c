"""Calls of one conversation go the same way, so that the provider still has its prompt in a cache.

Rendezvous hashing: every candidate gets a score from the conversation and its own id, the highest wins. All processes
agree without talking; when a candidate goes, only its own conversations move. Weights are kept (score -w / ln h).
"""

from collections.abc import Iterable
from hashlib import blake2b
from math import log
from typing import Final, Literal, TypeVar
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId

PREFIX_BYTES: Final = 4096
"""How much of a body tells one conversation from another, where nothing is stated."""
STATED_BYTES_MAX: Final = 512
_NO_WEIGHT: Final = 1e-9
"""Counts only among others that have none."""
_SCALE: Final = float(1 << 64)

Thing = TypeVar("Thing")


class _Metadata(msgspec.Struct, frozen=True):
    user_id: str | None = None


class _OpenAI(msgspec.Struct, frozen=True):
    prompt_cache_key: str | None = None


class _Anthropic(msgspec.Struct, frozen=True):
    metadata: _Metadata | None = None


_STATED: Final = (
    (b'"prompt_cache_key"', msgspec.json.Decoder(_OpenAI)),
    (b'"user_id"', msgspec.json.Decoder(_Anthropic)),
)


def conversation_of(account_id: AccountId, body: bytes, rule: Literal["off", "stated", "prefix"]) -> bytes | None:
    """What calls of one conversation have in common; None: nothing that is known."""
    if rule == "off":
        return None
    stated = _stated(body)
    if stated is not None:
        return _digest(account_id, stated.encode(errors="replace")[:STATED_BYTES_MAX])
    return _digest(account_id, body[:PREFIX_BYTES]) if rule == "prefix" else None


def _digest(account_id: AccountId, what: bytes) -> bytes:
    return blake2b(what, digest_size=16, key=account_id.bytes).digest()


def _stated(body: bytes) -> str | None:
    for mark, decoder in _STATED:
        if mark in body:
            try:
                found = decoder.decode(body)
            except msgspec.DecodeError:  # whoever serves the call will say so
                continue
            key = found.prompt_cache_key if isinstance(found, _OpenAI) else found.metadata and found.metadata.user_id
            if key:
                return key
    return None


def keep_to(conversation: bytes, candidates: Iterable[tuple[Thing, UUID, int]]) -> Thing:
    """Of candidates with their ids and weights, the one that this conversation keeps to."""
    best: Thing | None = None
    highest = -1.0
    for thing, identity, weight in candidates:
        digest = blake2b(conversation, digest_size=8, key=identity.bytes).digest()
        drawn = (int.from_bytes(digest, "big") + 0.5) / _SCALE
        score = -(weight or _NO_WEIGHT) / log(drawn) if drawn < 1 else float("inf")
        if score > highest:
            best, highest = thing, score
    assert best is not None, "there is always somebody to choose"
    return best

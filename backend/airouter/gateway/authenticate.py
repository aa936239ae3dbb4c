"""Who calls: the API key's hash looked up in a cache that Postgres invalidates."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

from airouter.domain.errors import InvalidApiKey
from airouter.domain.key import Caller

CALLERS_MAX: Final = 100_000
UNKNOWN_MAX: Final = 10_000
UNKNOWN_SECONDS: Final = 5.0
"""How long a wrong key is remembered, so that it costs Postgres one look in that time."""

FindCaller = Callable[[bytes], Awaitable[Caller | None]]


class Callers:
    """The keys this process has met. An entry lives until Postgres says that the key or its account changed."""

    def __init__(self, find: FindCaller, clock: Callable[[], float]) -> None:
        self._find = find
        self._clock = clock
        self._known: OrderedDict[bytes, Caller] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._looking: dict[bytes, asyncio.Task[Caller | None]] = {}
        self._generation = 0

    def known(self, secret: str | None) -> Caller | None:
        """The caller if this process has met the key before; no waiting."""
        return None if secret is None else self._known.get(_hash(secret))

    async def look_up(self, secret: str | None) -> Caller:
        """The caller, asking Postgres when the key is new here.

        Raises:
            InvalidApiKey: no such key.
            DatabaseUnavailable: it is new here and Postgres cannot be asked.
        """
        if not secret:
            raise InvalidApiKey("No API key was sent. Send it as `Authorization: Bearer sk-…`.")
        digest = _hash(secret)
        caller = self._known.get(digest)
        if caller is not None:
            return caller
        until = self._unknown.get(digest)
        if until is not None and self._clock() < until:
            raise InvalidApiKey
        task = self._looking.get(digest)
        if task is None:
            task = self._looking[digest] = asyncio.ensure_future(self._ask(digest))
            task.add_done_callback(lambda _: self._looking.pop(digest, None))
        caller = await asyncio.shield(task)
        if caller is None:
            raise InvalidApiKey
        return caller

    async def _ask(self, digest: bytes) -> Caller | None:
        generation = self._generation
        caller = await self._find(digest)
        if generation != self._generation:  # something changed while we asked: the answer may be the old one
            generation, caller = self._generation, await self._find(digest)
        if caller is None:
            self._unknown[digest] = self._clock() + UNKNOWN_SECONDS
            while len(self._unknown) > UNKNOWN_MAX:
                self._unknown.popitem(last=False)
        elif generation == self._generation:
            self._known[digest] = caller
            while len(self._known) > CALLERS_MAX:
                self._known.popitem(last=False)
        return caller

    def key_changed(self, key_id: str | None) -> None:
        """Forget a key; None forgets all. A new key may have been taken for a wrong one a moment ago."""
        self._forget(lambda caller, it: caller.key_id == it, key_id)

    def account_changed(self, account_id: str | None) -> None:
        """Forget every key of an account; None forgets all."""
        self._forget(lambda caller, it: caller.account_id == it, account_id)

    def _forget(self, concerns: Callable[[Caller, UUID], bool], subject: str | None) -> None:
        self._generation += 1
        self._unknown.clear()
        if subject is None:
            self._known.clear()
            return
        it = UUID(subject)
        for digest in [digest for digest, caller in self._known.items() if concerns(caller, it)]:
            del self._known[digest]


def _hash(secret: str) -> bytes:
    """Keys have 192 random bits and more: a plain hash is enough, and nothing reversible is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()

"""Tokens for credentials that have to be exchanged first: asked for once, remembered, renewed before they end."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

from airouter.providers.exchanged import Exchanging, Grant, read_token
from airouter.upstream.contract import Timeouts, UpstreamClient, UpstreamRequest, split_url

log = logging.getLogger("airouter.gateway")

FORM: Final = (
    (b"content-type", b"application/x-www-form-urlencoded"),
    (b"accept", b"application/json"),
    (b"accept-encoding", b"identity"),
    (b"user-agent", b"airouter"),
)
ANSWER_BYTES_MAX: Final = 64 * 1024
RENEW_BEFORE_SECONDS: Final = 600
"""So long before its end a token is renewed, while calls go on with the one that is there."""
USABLE_UNTIL_SECONDS: Final = 30
"""A token that ends sooner is not sent any more: the call would meet its end on the way."""
RETRY_SECONDS: Final = 10
"""After a renewal that failed, the next attempt; the token in use is still good."""
KEPT_MAX: Final = 4096


class GrantRefused(Exception):
    """The address for tokens answered without one. Its words may hold what was asked, so they are not passed on."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the address for tokens answered with status {status}")
        self.status = status


class _Held:
    __slots__ = ("renewal", "renews_at", "token", "usable_until")

    def __init__(self, token: str, now: float, lasts_seconds: int) -> None:
        self.token = token
        early = min(RENEW_BEFORE_SECONDS, lasts_seconds / 2)
        self.renews_at = now + lasts_seconds - early
        self.usable_until = now + lasts_seconds - min(USABLE_UNTIL_SECONDS, lasts_seconds / 4)
        self.renewal: asyncio.Task[str] | None = None


class TokenExchange:
    """Tokens by credential, shared by all calls of a process. `clock` is monotonic, `wall` says seconds since 1970."""

    def __init__(self, clock: Callable[[], float], wall: Callable[[], float]) -> None:
        self._clock = clock
        self._wall = wall
        self._held: dict[str, _Held] = {}
        self._asking: dict[str, asyncio.Task[str]] = {}

    async def bearer(
        self, provider: Exchanging, credential: str, client: UpstreamClient, timeouts: Timeouts
    ) -> str | None:
        """The token to send; None: this credential goes on the wire as it is.

        Raises:
            GrantRefused: no token was given for this credential.
            UpstreamError: the address for tokens was not reached.
            ValueError: the credential is broken.
        """
        held, now = self._held.get(credential), self._clock()
        if held is not None and now < held.usable_until:
            if now < held.renews_at or held.renewal is not None:
                return held.token
            held.renews_at = now + RETRY_SECONDS
            grant = provider.grant(credential, int(self._wall()))
            if grant is not None:
                self._renew(held, self._ask(grant, credential, client, timeouts))
            return held.token
        grant = provider.grant(credential, int(self._wall()))
        if grant is None:
            return None
        asking = self._asking.get(credential)
        if asking is None:
            asking = asyncio.create_task(self._ask(grant, credential, client, timeouts))
            self._asking[credential] = asking
            asking.add_done_callback(lambda done: self._asked(credential, done))
        return await asyncio.shield(asking)  # who waits may leave; the others still want it

    def forget(self, credential: str) -> None:
        """A token of this credential was refused although its time was not over: the next call asks for another."""
        self._held.pop(credential, None)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = [*self._asking.values(), *(held.renewal for held in self._held.values() if held.renewal is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    def _renew(held: _Held, asking: Coroutine[None, None, str]) -> None:
        """In the background; a failure is tried again at a later call."""
        held.renewal = task = asyncio.create_task(asking)

        def renewed(done: asyncio.Task[str]) -> None:
            held.renewal = None
            error = None if done.cancelled() else done.exception()
            if error is not None:
                log.warning("token.renewal_failed error=%s", error)

        task.add_done_callback(renewed)

    def _asked(self, credential: str, done: asyncio.Task[str]) -> None:
        self._asking.pop(credential, None)
        if not done.cancelled():
            done.exception()  # whoever waited was told; if nobody did, that is no error

    async def _ask(self, grant: Grant, credential: str, client: UpstreamClient, timeouts: Timeouts) -> str:
        origin, path = split_url(grant.url)
        request = UpstreamRequest(origin=origin, method="POST", path=path or "/", headers=FORM, body=grant.form)
        answer = await client.send(request, timeouts)
        try:
            body = await answer.read(ANSWER_BYTES_MAX)
        finally:
            answer.close()
        token = read_token(body) if answer.status == 200 else None
        if token is None:
            raise GrantRefused(answer.status)
        if len(self._held) >= KEPT_MAX:
            self._held.clear()
        self._held[credential] = _Held(token.access_token, self._clock(), max(token.expires_in, 1))
        return token.access_token

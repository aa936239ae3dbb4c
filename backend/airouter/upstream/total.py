"""A bound on a whole call, for upstreams that have one: from the moment it is sent to the last byte of its answer."""

import asyncio
from collections.abc import Sequence

from airouter.upstream.contract import (
    Timeouts,
    TotalTimeout,
    UpstreamAnswer,
    UpstreamClient,
    UpstreamRequest,
)
from airouter.upstream.whole import read_whole


async def send_within(
    seconds: float, client: UpstreamClient, request: UpstreamRequest, timeouts: Timeouts
) -> "BoundedAnswer":
    """As `client.send`, but the whole call ends after so many seconds.

    Raises: TotalTimeout, and what `send` raises.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.timeout_at(deadline):
            answer = await client.send(request, timeouts)
    except TimeoutError:
        raise TotalTimeout("the answer did not begin in the time that the whole call has", is_first=True) from None
    return BoundedAnswer(answer, deadline)


class BoundedAnswer:
    """An answer that has to be over by `deadline`, a time of the event loop; see `contract.UpstreamAnswer`."""

    def __init__(self, inner: UpstreamAnswer, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._seen = False
        self._is_late = False
        self.status: int = inner.status
        self.headers: Sequence[tuple[bytes, bytes]] = inner.headers

    async def chunk(self) -> bytes:
        """See the contract. Raises TotalTimeout as well, even if there is always another byte, and from then on."""
        if self._is_late or self._loop.time() >= self._deadline:
            raise self._timed_out()
        try:
            async with asyncio.timeout_at(self._deadline):
                data = await self._inner.chunk()
        except TimeoutError:
            self._is_late = True  # the loop's timer may be a tick early: its time says so only with the next one
            raise self._timed_out() from None
        self._seen = self._seen or bool(data)
        return data

    async def read(self, limit_bytes: int) -> bytes:
        """See the contract."""
        return await read_whole(self.chunk, limit_bytes)

    def close(self) -> None:
        """See the contract."""
        self._inner.close()

    def _timed_out(self) -> TotalTimeout:
        return TotalTimeout("the answer was not over in time", is_first=not self._seen)

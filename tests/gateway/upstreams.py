"""A gateway whose providers are played: one channel for each kind of provider, all at one upstream."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from airouter.domain.policy import Network
from tests.live import Holder, Live, serving
from tests.providers.replay import Played, Received, Replay, replaying

PROVIDERS = {"anthropic": "", "gemini": "", "openai": "/v1", "openai-compatible": "/v1"}
"""Each with what its base URL ends in."""


class House:
    """The gateway, what its providers say next, a client and who pays."""

    def __init__(self, live: Live, upstream: Replay, client: httpx.AsyncClient, holder: Holder) -> None:
        self.live = live
        self.upstream = upstream
        self.client = client
        self.holder = holder

    def says(self, body: Any, status: int = 200) -> None:
        """The provider answers every request with this JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.upstream.choose = lambda _: Played(status=status, pieces=[data])

    def answers(self, choose: Callable[[Received], Played]) -> None:
        """The provider answers as `choose` says."""
        self.upstream.choose = choose

    @property
    def asked(self) -> Received:
        """The provider's last request."""
        return self.upstream.received[-1]

    async def post(self, path: str, body: Any, key: str | None = None, **headers: str) -> httpx.Response:
        secret = self.holder.key if key is None else key
        return await self.client.post(path, json=body, headers={"authorization": f"Bearer {secret}", **headers})


@asynccontextmanager
async def replayed(dsn: str, home: Path, rates: dict[str, int] | None = None, **changes: Any) -> AsyncIterator[House]:
    """Models are called `of-<provider>`, and `theirs` by the provider."""
    async with replaying(lambda _: Played()) as upstream, serving(dsn, home, **changes) as live:
        upstream.base_url = upstream.base_url.removesuffix("/v1")
        await live.policy(Network(allow_private=True))
        for provider, version in PROVIDERS.items():
            await live.model(f"of-{provider}", rates)
            await live.channel(
                provider,
                provider=provider,
                base_url=upstream.base_url + version,
                credentials=["sk-upstream"],
                models={f"of-{provider}": "theirs"},
            )
        holder = await live.holder()
        async with httpx.AsyncClient(base_url=live.url) as client:
            yield House(live, upstream, client, holder)


def sent(received: Received) -> dict[str, Any]:
    """The JSON that the provider was asked."""
    return json.loads(received.body)

"""Calls through one channel for the operator who asks: whether it works, and what models its provider has.

Nobody's quota is charged. Routing and the channel's health are left as they are.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from airouter.domain.catalogue import Catalogue, Channel, Credential
from airouter.domain.errors import DomainError
from airouter.gateway.relay import Relay
from airouter.providers.contract import Call
from airouter.providers.listing import UNLISTED, NoList, listing_of
from airouter.services.channel_credentials import Trouble
from airouter.services.channel_probes import Probed, ProbedEndpoint
from airouter.services.discovery import Found
from airouter.upstream.contract import UpstreamError
from airouter.wire.requests import read_request
from airouter.world import now

OUTPUT_TOKENS_MAX: Final = 16
PATIENCE_SECONDS: Final = 60
"""For one test or one list, whatever time-outs calls have."""
LIST_BYTES_MAX: Final = 8 * 1024 * 1024
PAGES_MAX: Final = 20
NAMES_MAX: Final = 5000
_WORDS_MAX: Final = 500


class ChannelProbe:
    """What tests and model discovery do (services/channel_probes.py, services/discovery.py)."""

    def __init__(self, relay: Relay, catalogue: Callable[[], Catalogue], clock: Callable[[], float]) -> None:
        self._relay = relay
        self._catalogue = catalogue
        self._clock = clock

    async def test(
        self, channel: Channel, credential: Credential | None, model: str, endpoint: ProbedEndpoint
    ) -> Probed:
        """Asks for a word or two. What goes wrong on the way is the result, not an error."""
        body = msgspec.json.encode(_question(channel, model, endpoint))
        call = Call(
            endpoint=endpoint,
            request=read_request(endpoint, body),
            body=body,
            upstream_model=channel.models[model],
            credential="" if credential is None else credential.secret,
            base_url=channel.base_url,
            options=channel.options,
            output_allowance=OUTPUT_TOKENS_MAX,
        )
        began = self._clock()
        status: int | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, answer = await self._relay.probe(channel, call, self._catalogue())
            words = _refusal(status, answer)
        except (UpstreamError, DomainError) as error:
            words = str(error) or type(error).__name__
        except TimeoutError:
            words = f"No answer within {PATIENCE_SECONDS} seconds."
        latency_ms = int((self._clock() - began) * 1000)
        return Probed(
            status=status, latency_ms=latency_ms, error=None if words is None else _without_secret(words, credential)
        )

    def troubles(self) -> dict[UUID, Trouble]:
        """What routing knows against channels and credentials in this process, by their ids."""
        at = now()
        return {
            target: Trouble(
                state="cooling" if one.state == "out" or one.state == "resting" else one.state,  # noqa: PLR1714
                until=at + timedelta(seconds=one.left_seconds) if one.left_seconds else None,
                reason=one.reason,
                in_a_row=one.in_a_row,
            )
            for target, one in self._relay.health.view(self._clock()).items()
        }

    async def models(self, channel: Channel, credential: Credential | None) -> Found:
        """What the provider says it has, page by page. What goes wrong on the way is told in words."""
        found: dict[str, None] = {}
        words: str | None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                words, is_complete = await self._list(channel, credential, found)
        except (UpstreamError, DomainError) as error:
            words, is_complete = str(error) or type(error).__name__, False
        except TimeoutError:
            words, is_complete = f"No answer within {PATIENCE_SECONDS} seconds.", False
        return Found(
            names=list(found)[:NAMES_MAX],
            is_complete=is_complete and len(found) <= NAMES_MAX,
            error=None if words is None else _without_secret(words, credential),
        )

    async def _list(
        self, channel: Channel, credential: Credential | None, found: dict[str, None]
    ) -> tuple[str | None, bool]:
        """What went wrong, if anything, and whether the list is whole; its names go into `found`."""
        listing = listing_of(channel.provider)
        if listing is None:
            return UNLISTED.get(channel.provider, "This provider has no list of its models."), False
        after: str | None = None
        for _ in range(PAGES_MAX):
            out = listing.request("" if credential is None else credential.secret, after)
            status, answer = await self._relay.fetch(channel, out, self._catalogue(), LIST_BYTES_MAX)
            words = _refusal(status, answer)
            if words is not None:
                return words, False
            try:
                page = listing.read(answer)
            except NoList:
                return "What the provider answered is no list of models. Is the address right?", False
            found.update(dict.fromkeys(page.names))
            if page.after is None or len(found) > NAMES_MAX:
                return None, page.after is None
            after = page.after
        return None, False


def _question(channel: Channel, model: str, endpoint: ProbedEndpoint) -> dict[str, Any]:
    if endpoint == "embeddings":
        return {"model": model, "input": "Hello"}
    if endpoint == "completions":
        return {"model": model, "prompt": "Hello", "max_tokens": OUTPUT_TOKENS_MAX}
    # OpenAI's reasoning models refuse `max_tokens`; most others know nothing else.
    limit = "max_completion_tokens" if channel.provider in {"openai", "azure-openai"} else "max_tokens"
    return {"model": model, "messages": [{"role": "user", "content": "Say hello."}], limit: OUTPUT_TOKENS_MAX}


def _refusal(status: int, answer: bytes) -> str | None:
    """None: it is none."""
    if 200 <= status < 300:
        return None
    return f"The upstream answered with status {status}: {_message(answer)}"


def _message(answer: bytes) -> str:
    """The provider's own words, where it said them in a usual way; else the beginning of what it sent."""
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = None
    error = found.get("error", found) if isinstance(found, dict) else found
    words = error.get("message") if isinstance(error, dict) else error
    text = words if isinstance(words, str) else answer.decode(errors="replace")
    return text.strip()[:_WORDS_MAX]


def _without_secret(words: str, credential: Credential | None) -> str:
    return words if credential is None or not credential.secret else words.replace(credential.secret, "…")

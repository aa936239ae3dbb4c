"""One minimal call through one channel, for the operator who asks whether it works. Nobody's quota is charged."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from airouter.domain.catalogue import Catalogue, Channel
from airouter.gateway.relay import Relay
from airouter.providers.contract import Call
from airouter.services.channels import Probed
from airouter.upstream.contract import UpstreamError
from airouter.wire.endpoint import Endpoint
from airouter.wire.requests import read_request

OUTPUT_TOKENS_MAX: Final = 16
_WORDS_MAX: Final = 500


class ChannelProbe:
    """What `POST /admin/channels/{id}/test` does. Routing and the channel's health are left as they are."""

    def __init__(self, relay: Relay, catalogue: Callable[[], Catalogue], clock: Callable[[], float]) -> None:
        self._relay = relay
        self._catalogue = catalogue
        self._clock = clock

    async def __call__(self, channel: Channel, model: str, endpoint: Endpoint) -> Probed:
        """Asks for a word or two with the first credential. What goes wrong on the way is the result, not an error."""
        body = msgspec.json.encode(_question(channel, model, endpoint))
        call = Call(
            endpoint=endpoint,
            request=read_request(endpoint, body),
            body=body,
            upstream_model=channel.models[model],
            credential=channel.credentials[0].secret if channel.credentials else "",
            base_url=channel.base_url,
            options=channel.options,
        )
        began = self._clock()
        try:
            status, answer = await self._relay.probe(channel, call, self._catalogue())
        except UpstreamError as error:
            return Probed(status=None, latency_ms=self._since(began), error=_without_secrets(str(error), channel))
        words = None if 200 <= status < 300 else f"The upstream answered with status {status}: {_message(answer)}"
        return Probed(
            status=status,
            latency_ms=self._since(began),
            error=None if words is None else _without_secrets(words, channel),
        )

    def _since(self, began: float) -> int:
        return int((self._clock() - began) * 1000)


def _question(channel: Channel, model: str, endpoint: Endpoint) -> dict[str, Any]:
    if endpoint == "embeddings":
        return {"model": model, "input": "Hello"}
    if endpoint == "completions":
        return {"model": model, "prompt": "Hello", "max_tokens": OUTPUT_TOKENS_MAX}
    # OpenAI's reasoning models refuse `max_tokens`; most others know nothing else.
    limit = "max_completion_tokens" if channel.provider == "openai" else "max_tokens"
    return {"model": model, "messages": [{"role": "user", "content": "Say hello."}], limit: OUTPUT_TOKENS_MAX}


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


def _without_secrets(words: str, channel: Channel) -> str:
    for credential in channel.credentials:
        words = words.replace(credential.secret, "…")
    return words

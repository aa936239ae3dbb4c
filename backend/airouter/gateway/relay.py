"""Terms -> an open answer: try channels until one answers. Another is tried only while the client has seen nothing."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from airouter.domain.catalogue import Catalogue, Channel, Credential
from airouter.domain.errors import (
    DomainError,
    NoChannelAvailable,
    UpstreamFailed,
    UpstreamRefusedRequest,
    UpstreamRejected,
    UpstreamTimedOut,
)
from airouter.domain.ids import ChannelId
from airouter.domain.policy import Routing
from airouter.domain.usage import Attempt
from airouter.gateway.call import Call
from airouter.gateway.health import Health
from airouter.gateway.media import MediaFetcher
from airouter.gateway.route import Routes, choose
from airouter.providers.contract import Call as ProviderCall
from airouter.providers.contract import Headers, Outgoing, Prepared, Provider
from airouter.providers.scripted import Failures
from airouter.providers.translated import Providers, TranslatedProvider
from airouter.translation.links import with_data
from airouter.translation.support import NotTranslatable
from airouter.upstream.contract import (
    AnswerTooLarge,
    BrokenOff,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    Origin,
    PoolExhausted,
    Timeouts,
    UpstreamAnswer,
    UpstreamClient,
    UpstreamError,
    UpstreamRequest,
    split_url,
)
from airouter.wire.endpoint import Endpoint
from airouter.wire.http import is_event_stream

log = logging.getLogger("airouter.gateway")

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
REFUSAL_BYTES_MAX: Final = 256 * 1024
RETRY_AFTER_SECONDS_MAX: Final = 600
IN_PROCESS: Final = "http://in-process.invalid"
"""Stands for the address of an upstream that needs none."""
SCRIPTED_FAILURES: Final = Failures(
    first_byte_timeout=lambda: FirstByteTimeout("the script hangs"),
    idle_timeout=lambda is_first: IdleTimeout("the script fell silent", before_first_byte=is_first),
    broken_off=lambda is_first: BrokenOff("the script cut the connection", before_first_byte=is_first),
    too_large=AnswerTooLarge,
)
"""How the scripted upstream fails: like a connection."""


class Leg:
    """The way to one upstream, open: the head has arrived, and the whole body or the first bytes of the stream."""

    __slots__ = ("answer", "call", "channel", "data", "dropped", "is_stream", "provider")

    def __init__(
        self,
        channel: Channel,
        provider: Provider,
        call: ProviderCall,
        answer: UpstreamAnswer,
        dropped: tuple[str, ...] = (),
    ) -> None:
        self.channel = channel
        self.provider = provider
        self.call = call
        self.answer = answer
        self.is_stream = call.is_streaming and is_event_stream(answer.headers)
        self.data = b""
        self.dropped = dropped
        """What the client asked for and this provider's dialect cannot say."""


class _Refused(Exception):
    """The upstream answered with another status than success."""

    def __init__(self, status: int, body: bytes, retry_after_seconds: int | None) -> None:
        self.status = status
        self.body = body
        self.retry_after_seconds = retry_after_seconds


class Relay:
    """Sends calls to channels. `clients` are those of providers that need another than the usual one."""

    def __init__(
        self,
        *,
        client: UpstreamClient,
        providers: Providers,
        clients: Mapping[str, UpstreamClient],
        media: MediaFetcher,
        clock: Callable[[], float],
        draw: Callable[[], float],
    ) -> None:
        self._client = client
        self._providers = providers
        self._clients = clients
        self._media = media
        self._clock = clock
        self._draw = draw
        self._health = Health()
        self._addresses: dict[str, tuple[Origin, str]] = {}
        self._timeouts: tuple[Routing, Timeouts] | None = None

    async def open(self, call: Call, body: bytes, client_headers: Headers, routes: Routes) -> Leg:
        """The first channel that answers.

        Raises:
            NoChannelAvailable, UpstreamFailed, UpstreamTimedOut, UpstreamRejected: every channel that could be tried
            failed;
                this is how the last one did.
            UpstreamRefusedRequest: an upstream found fault with the request itself.
            InvalidRequest: it cannot be meant, or asks for what no channel's dialect can say.
        """
        tiers = routes.tiers(call.terms.group.name, call.terms.model.model)
        policy = routes.catalogue.policies.routing
        tried: set[ChannelId] = set()
        failure: DomainError = NoChannelAvailable(f"No channel serves {call.terms.model.model!r} for this group.")
        while len(tried) < policy.attempts_max:
            began = self._clock()
            channel = choose(tiers, tried, self._health.cooling(began), self._draw())
            if channel is None:
                break
            tried.add(channel.channel_id)
            call.channel = channel
            try:
                leg = await self._try(call, channel, body, client_headers, routes.catalogue)
            except NotTranslatable as refused:  # a channel that speaks the client's dialect may do
                failure = refused
                continue
            except (UpstreamError, _Refused) as error:
                failure = self._failed(call, channel, error, began, policy)
                if isinstance(failure, UpstreamRefusedRequest):
                    raise failure from None
                continue
            call.attempts.append(self._attempt(channel, began, status=leg.answer.status))
            self._health.worked(channel.channel_id)
            return leg
        raise failure

    async def probe(self, channel: Channel, call: ProviderCall, catalogue: Catalogue) -> tuple[int, bytes]:
        """One call through a channel, for its operator: status and body, whatever they are.

        Raises:
            UpstreamError: there was no answer.
        """
        provider = self._serving(channel, call.endpoint)
        return await self.fetch(channel, provider.outgoing(call), catalogue, REFUSAL_BYTES_MAX)

    async def fetch(self, channel: Channel, out: Outgoing, catalogue: Catalogue, bytes_max: int) -> tuple[int, bytes]:
        """What a channel's address answers to this: status and body, whatever they are.

        Raises:
            UpstreamError: there was no answer, or it is longer than `bytes_max`.
        """
        answer = await self._send(channel, out, catalogue)
        try:
            return answer.status, await answer.read(bytes_max)
        finally:
            answer.close()

    async def _try(
        self, call: Call, channel: Channel, body: bytes, client_headers: Headers, catalogue: Catalogue
    ) -> Leg:
        provider = self._serving(channel, call.door.endpoint)
        credential = call.credential = self._credential(channel)
        outgoing = ProviderCall(
            endpoint=call.door.endpoint,
            body=body,
            request=call.request,
            upstream_model=channel.models[call.request.model],
            options=channel.options,
            base_url=channel.base_url,
            credential=credential.secret if credential is not None else "",
            client_headers=client_headers,
            output_allowance=call.output_allowance // max(1, call.request.choices),
            request_id=call.request_id,
        )
        if isinstance(provider, TranslatedProvider):
            outgoing = msgspec.structs.replace(outgoing, prepared=await self._prepared(provider, outgoing))
        out = provider.outgoing(outgoing)
        answer = await self._send(channel, out, catalogue)
        try:
            if not 200 <= answer.status < 300:
                refusal = await answer.read(REFUSAL_BYTES_MAX)
                raise _Refused(answer.status, refusal, _retry_after(answer))  # noqa: TRY301
            leg = Leg(channel, provider, outgoing, answer, out.dropped)
            leg.data = await (answer.chunk() if leg.is_stream else answer.read(ANSWER_BYTES_MAX))
        except BaseException:
            answer.close()
            raise
        if not leg.is_stream:
            answer.close()
        return leg

    async def _prepared(self, provider: TranslatedProvider, call: ProviderCall) -> Prepared:
        """The request as the translation needs it, with what lies behind its links where the vendor takes data only."""
        prepared = provider.read(call)
        links = provider.links(prepared)
        if not links:
            return prepared
        found = await self._media.fetch(links)
        return msgspec.structs.replace(prepared, conversation=with_data(prepared.conversation, found))

    def _serving(self, channel: Channel, endpoint: Endpoint) -> Provider:
        """Raises NotTranslatable: this channel's provider can do nothing that means the same."""
        provider = self._providers.serving(channel.provider, endpoint)
        if provider is None:
            raise NotTranslatable(f"The provider of this model has nothing like {endpoint}.", field="model")
        return provider

    async def _send(self, channel: Channel, out: Outgoing, catalogue: Catalogue) -> UpstreamAnswer:
        address = self._addresses.get(channel.base_url)
        if address is None:
            address = self._addresses[channel.base_url] = split_url(channel.base_url or IN_PROCESS)
        origin, prefix = address
        request = UpstreamRequest(
            origin=origin, method=out.method, path=prefix + out.path, headers=out.headers, body=out.body
        )
        client = self._clients.get(channel.provider, self._client)
        return await client.send(request, self._timeouts_of(catalogue.policies.routing))

    def _timeouts_of(self, policy: Routing) -> Timeouts:
        if self._timeouts is None or self._timeouts[0] is not policy:
            timeouts = Timeouts(
                connect_seconds=policy.connect_seconds,
                first_byte_seconds=policy.first_byte_seconds,
                idle_seconds=policy.idle_seconds,
            )
            self._timeouts = policy, timeouts
        return self._timeouts[1]

    def _credential(self, channel: Channel) -> Credential | None:
        every = channel.credentials
        if len(every) < 2:
            return every[0] if every else None
        return every[int(self._draw() * len(every))]

    def _failed(
        self, call: Call, channel: Channel, error: UpstreamError | _Refused, began: float, policy: Routing
    ) -> DomainError:
        """What a failed attempt means: for the channel's health, for the operator's log, and for the caller if it was
        the last.
        """
        now = self._clock()
        if isinstance(error, _Refused):
            verdict = self._providers[channel.provider].refusal(error.status, error.body)
            call.attempts.append(self._attempt(channel, began, status=error.status, error=verdict))
            if verdict == "request":
                is_same_dialect = call.door.endpoint in self._providers[channel.provider].endpoints
                return UpstreamRefusedRequest(status=error.status, body=error.body, is_same_dialect=is_same_dialect)
            failure: DomainError
            if verdict == "channel":
                failure = UpstreamRejected()
            elif error.status == 429:
                failure = NoChannelAvailable(
                    "The provider is at its rate limit. Try again shortly.",
                    retry_after_seconds=error.retry_after_seconds or 1,
                )
            else:
                failure = UpstreamFailed(f"The provider answered with status {error.status}.")
            code: str = f"status {error.status}"
        else:
            code = error.code
            call.attempts.append(self._attempt(channel, began, error=code))
            failure = domain_error(error)
        cool_down = getattr(error, "retry_after_seconds", None) or policy.cool_down_seconds
        if not isinstance(error, PoolExhausted):  # our own bound is no fault of the channel
            self._health.failed(channel.channel_id, now, cool_down)
        log.warning("upstream.failed request=%s channel=%s error=%s", call.request_id, channel.name, code)
        return failure

    def _attempt(
        self, channel: Channel, began: float, *, status: int | None = None, error: str | None = None
    ) -> Attempt:
        latency_ms = int((self._clock() - began) * 1000)
        return Attempt(
            channel_id=channel.channel_id, channel=channel.name, status=status, error=error, latency_ms=latency_ms
        )


def domain_error(error: UpstreamError) -> DomainError:
    """How a failure of the network is told to a caller."""
    match error:
        case ConnectTimeout() | FirstByteTimeout() | IdleTimeout():
            return UpstreamTimedOut()
        case PoolExhausted():
            return NoChannelAvailable(
                "Every connection to the provider is busy. Try again shortly.", retry_after_seconds=1
            )
        case _:
            return UpstreamFailed()


def _retry_after(answer: UpstreamAnswer) -> int | None:
    """Seconds only; the date form is not used by the providers we know."""
    value = next((value for name, value in answer.headers if name == b"retry-after"), None)
    return min(int(value), RETRY_AFTER_SECONDS_MAX) if value is not None and value.isdigit() else None

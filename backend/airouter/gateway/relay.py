"""Terms -> an open answer: try channels until one answers. Another is tried only while the client has seen nothing.

In routing/: choose.py says who is next, health.py who rests, retry_budget.py how often, outcomes.py what it meant.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.catalogue import Catalogue, Channel
from airouter.domain.errors import ChannelsAtCapacity, DomainError, NoChannelAvailable, UpstreamRefusedRequest
from airouter.domain.ids import CredentialId
from airouter.domain.policy import Routing
from airouter.gateway.beginning import beginning
from airouter.gateway.call import Call, Pin
from airouter.gateway.dispatch import Dispatch
from airouter.gateway.media import MediaFetcher
from airouter.gateway.rates.limits import RateLimiter
from airouter.gateway.routing.affinity import conversation_of
from airouter.gateway.routing.choose import Chooser, Chosen, Spent
from airouter.gateway.routing.failures import Refused, check_sense
from airouter.gateway.routing.health import Health
from airouter.gateway.routing.outcomes import Outcomes
from airouter.gateway.routing.retry_budget import RetryBudget
from airouter.gateway.routing.route import Routes
from airouter.providers.contract import Answered, Headers, Outgoing, Prepared, Provider, StreamReader
from airouter.providers.contract import Call as ProviderCall
from airouter.providers.hosted_tools import ToolNotCounted, check_hosted
from airouter.providers.scripted import Failures
from airouter.providers.serving import TRANSLATIONS, Providers
from airouter.providers.translated import TranslatedProvider
from airouter.providers.translated_count import TranslatedCount
from airouter.translation.links import with_data
from airouter.translation.support import NotTranslatable
from airouter.upstream.contract import (
    AnswerTooLarge,
    BadAnswer,
    BrokenOff,
    ConnectFailed,
    FirstByteTimeout,
    IdleTimeout,
    Timeouts,
    UpstreamAnswer,
    UpstreamError,
    may_have_been_sent,
)
from airouter.wire.endpoint import Endpoint
from airouter.wire.http import is_encoded, is_event_stream

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_UNAUTHORIZED: Final = 401
REFUSAL_BYTES_MAX: Final = 256 * 1024
SCRIPTED_FAILURES: Final = Failures(
    first_byte_timeout=lambda: FirstByteTimeout("the script hangs"),
    idle_timeout=lambda is_first: IdleTimeout("the script fell silent", before_first_byte=is_first),
    broken_off=lambda is_first: BrokenOff("the script cut the connection", before_first_byte=is_first),
    too_large=AnswerTooLarge,
)
"""How the scripted upstream fails: like a connection."""


class Leg:
    """The way to one upstream, open: the head has arrived, and the whole body or the first bytes of the stream."""

    __slots__ = (
        "answer", "answered", "call", "channel", "data", "dropped", "has_ended", "is_stream", "provider", "reader",
    )  # fmt: skip

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
        """The whole body; of a stream, its beginning as the client is to see it."""
        self.reader: StreamReader | None = None
        """Of a stream; it has read the beginning."""
        self.has_ended = False
        """The stream was no longer than its beginning."""
        self.answered: Answered | None = None
        """The whole answer, read; None: a stream."""
        self.dropped = dropped
        """What the client asked for and this provider's dialect cannot say."""


class Relay:
    """Sends calls to channels: whom to try, and what came of it. dispatch.py knows the way there."""

    def __init__(
        self,
        *,
        dispatch: Dispatch,
        providers: Providers,
        media: MediaFetcher,
        rates: RateLimiter,
        clock: Callable[[], float],
        draw: Callable[[], float],
        disable: Callable[[CredentialId, str], None] = lambda _credential_id, _reason: None,
    ) -> None:
        self._dispatch = dispatch
        self._providers = providers
        self._media = media
        self._rates = rates
        self._clock = clock
        self._health = Health()
        self._outcomes = Outcomes(self._health, providers, clock, disable)
        self._chooser = Chooser(self._health, draw)
        self._budget = RetryBudget()

    async def open(
        self, call: Call, body: bytes, client_headers: Headers, routes: Routes, *, has_others: bool = False
    ) -> Leg:
        """The first channel that answers. One that failed is not asked again for the same call. `has_others`: another
        group or model would do (routing/fallback.py), so that nobody is asked who should be left alone.

        Raises:
            NoChannelAvailable, UpstreamFailed, UpstreamTimedOut, UpstreamRejected: every channel that could be tried
                failed; this is how the last one did.
            UpstreamRefusedRequest: an upstream found fault with the request itself.
            InvalidRequest: it cannot be meant, or asks for what no channel's dialect can say.
        """
        if call.pin is not None:
            return await self._open_pinned(call, call.pin, body, client_headers, routes.catalogue)
        candidates = routes.candidates(call.terms.group.name, call.terms.model.model)
        rules = routes.catalogue.policies.routing
        self._budget.calls += 1
        conversation = None
        if candidates.has_choice:
            conversation = conversation_of(call.caller.account_id, body, rules.affinity)
        spent: Spent | None = None
        failure: DomainError | None = None
        sent = 0
        while sent < rules.attempts_max:
            began = self._clock()
            chosen = self._chooser.choose(
                candidates,
                call.terms,
                rules,
                began,
                spent=spent,
                conversation=conversation,
                has_others=has_others,
            )
            if chosen is None or (sent and not self.may_retry(call, rules)):
                break
            if not self._health.is_calm:
                self._health.began(chosen.channel.channel_id, began)
            try:
                leg = await self._try(call, chosen, body, client_headers, routes.catalogue)
            except (UpstreamError, Refused) as error:
                sent += 1
                spent = spent or Spent()
                failure = self._outcomes.failed(call, chosen, error, rules, spent)
                if isinstance(failure, UpstreamRefusedRequest) or isinstance(error, AnswerTooLarge):
                    raise failure from None
            except (NotTranslatable, ToolNotCounted) as refused:  # a channel of another provider may do
                failure = failure or refused
                spent = spent or Spent()
                spent.channels.add(chosen.channel.channel_id)
                self._outcomes.untold(call, chosen, refused.code)
            except ChannelsAtCapacity as full:
                failure = failure or full
                spent = spent or Spent()
                spent.channels.add(chosen.channel.channel_id)
                self._outcomes.untold(call, chosen, "at_capacity")
            except BaseException:  # the client left, or a bug of ours
                self._outcomes.untold(call, chosen, "given_up")
                raise
            else:
                self._outcomes.worked(call, chosen, leg.answer.status)
                if candidates.preference == "latency":
                    self._chooser.took(chosen.channel, call.terms.model.model, self._clock() - began)
                return leg
        raise failure or NoChannelAvailable(f"No channel serves {call.terms.model.model!r} for this group.")

    async def _open_pinned(
        self, call: Call, pin: Pin, body: bytes, client_headers: Headers, catalogue: Catalogue
    ) -> Leg:
        """Where what the call refers to is kept: one attempt, and never anywhere else."""
        chosen = Chosen(self._clock(), pin.channel, pin.credential)
        try:
            leg = await self._try(call, chosen, body, client_headers, catalogue)
        except (UpstreamError, Refused) as error:
            raise self._outcomes.failed(call, chosen, error, catalogue.policies.routing, Spent()) from None
        except ChannelsAtCapacity:
            self._outcomes.untold(call, chosen, "at_capacity")
            raise
        except BaseException:
            self._outcomes.untold(call, chosen, "given_up")
            raise
        self._outcomes.worked(call, chosen, leg.answer.status)
        return leg

    def speaks(self, channel: Channel, endpoint: Endpoint) -> bool:
        """Whether its provider does this itself."""
        return endpoint in self._providers[channel.provider].endpoints

    def provider_of(self, channel: Channel) -> Provider:
        """Who reads what the channel says, in its own dialect."""
        return self._providers[channel.provider]

    async def ask(
        self, channel: Channel, call: ProviderCall, change: Callable[[Outgoing], Outgoing], catalogue: Catalogue
    ) -> UpstreamAnswer:
        """A request beside the usual ones, made by `change` from the one that the provider would write for `call`. The
        caller reads the answer, whatever its status, and closes it.

        Raises:
            UpstreamError: there was no answer.
        """
        timeouts = self._dispatch.timeouts(channel, catalogue.policies.routing)
        call = await self._with_bearer(channel, call, timeouts)
        return await self._dispatch.send(channel, change(self._providers[channel.provider].outgoing(call)), timeouts)

    async def _with_bearer(self, channel: Channel, call: ProviderCall, timeouts: Timeouts) -> ProviderCall:
        """For calls that are not routed: a token that is not to be had is no way to the provider."""
        if channel.provider not in self._dispatch.exchanging:
            return call
        try:
            bearer = await self._dispatch.bearer(channel, call.credential, timeouts)
        except Refused as refused:
            raise ConnectFailed(refused.body.decode()) from None
        return msgspec.structs.replace(call, bearer=bearer)

    def may_retry(self, call: Call, rules: Routing) -> bool:
        """Whether a call that failed once may be sent once more: in time, and within what the process may retry."""
        now = self._clock()
        return now - call.started_at < rules.total_seconds and self._budget.take(now, rules)

    def broke(self, call: Call, error: UpstreamError | Refused, rules: Routing) -> None:
        """An answer that had begun ended too early. Nobody else is asked, but it counts against whom it is about."""
        self._outcomes.broke(call, error, rules)

    def obey(self, catalogue: Catalogue) -> None:
        """Another catalogue is in force: what was known of channels and credentials that are gone is forgotten."""
        self._dispatch.obey(catalogue)
        if not self._health.is_calm:
            self._health.keep(_identities(catalogue))

    @property
    def health(self) -> Health:
        """Who is left alone at the moment."""
        return self._health

    def serves(self, channel: Channel, endpoint: Endpoint) -> bool:
        """Whether its provider can be asked for this, in whatever dialect."""
        return self._providers.serving(channel.provider, endpoint) is not None

    async def probe(self, channel: Channel, call: ProviderCall, catalogue: Catalogue) -> tuple[int, bytes]:
        """One call through a channel, for its operator: status and body, whatever they are.

        Raises:
            UpstreamError: there was no answer.
        """
        provider = self._serving(channel, call.endpoint)
        call = await self._with_bearer(channel, call, self._dispatch.timeouts(channel, catalogue.policies.routing))
        return await self.fetch(channel, provider.outgoing(call), catalogue, REFUSAL_BYTES_MAX)

    async def fetch(self, channel: Channel, out: Outgoing, catalogue: Catalogue, bytes_max: int) -> tuple[int, bytes]:
        """What a channel's address answers to this: status and body, whatever they are.

        Raises:
            UpstreamError: there was no answer, or it is longer than `bytes_max`.
        """
        timeouts = self._dispatch.timeouts(channel, catalogue.policies.routing)
        answer = await self._dispatch.send(channel, out, timeouts)
        try:
            return answer.status, await answer.read(bytes_max)
        finally:
            answer.close()

    async def _try(self, call: Call, chosen: Chosen, body: bytes, client_headers: Headers, catalogue: Catalogue) -> Leg:
        channel, credential = chosen.channel, chosen.credential
        call.channel_slot.leave()  # that of an attempt that failed
        if channel.options.caps is not None:
            call.channel_slot = await self._rates.enter_channel(channel, call.terms.ceiling)
        call.channel, call.credential, call.is_asked = channel, credential, False
        provider = self._serving(channel, call.door.endpoint)
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
            public_model=call.request.model,
        )
        timeouts = self._dispatch.timeouts(channel, catalogue.policies.routing)
        if call.attempts:
            timeouts = self._what_is_left(call, timeouts, catalogue.policies.routing)
        if isinstance(provider, TRANSLATIONS):
            outgoing = msgspec.structs.replace(outgoing, prepared=await self._prepared(provider, outgoing))
        elif call.door.writes:
            passes = channel.options.uncounted_tools
            check_hosted(channel.provider, call.request, body, passes_uncounted=passes)
        if channel.provider in self._dispatch.exchanging:
            bearer = await self._dispatch.bearer(channel, outgoing.credential, timeouts)
            outgoing = msgspec.structs.replace(outgoing, bearer=bearer)
        out = provider.outgoing(outgoing)
        call.is_asked = True
        try:
            answer = await self._dispatch.send(channel, out, timeouts)
        except asyncio.CancelledError as gone:
            call.is_asked = may_have_been_sent(gone)
            raise
        try:
            if not 200 <= answer.status < 300:
                refusal = await answer.read(REFUSAL_BYTES_MAX)
                if answer.status == _UNAUTHORIZED:
                    self._dispatch.token_refused(channel, outgoing.credential)
                raise Refused(answer.status, refusal, answer.headers)  # noqa: TRY301
            leg = Leg(channel, provider, outgoing, answer, out.dropped)
            if leg.is_stream:
                if is_encoded(answer.headers):  # nobody asked for that, and neither we nor the client could read it
                    raise BadAnswer("an encoded stream")  # noqa: TRY301
                leg.reader = provider.stream(outgoing)
                leg.data, leg.has_ended = await beginning(answer, leg.reader)
            else:
                leg.data = await answer.read(ANSWER_BYTES_MAX)
                leg.answered = provider.answer(outgoing, leg.data)
                if leg.answered.is_empty:
                    raise BadAnswer("status 200 with nothing in its answer")  # noqa: TRY301
                if not leg.answered.is_proper:
                    check_sense(leg.data, answer.headers)
        except BaseException:
            answer.close()
            raise
        if not leg.is_stream:
            answer.close()
        return leg

    async def _prepared(self, provider: TranslatedProvider | TranslatedCount, call: ProviderCall) -> Prepared:
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

    def _what_is_left(self, call: Call, timeouts: Timeouts, rules: Routing) -> Timeouts:
        """Of the call's time, for an attempt after its first."""
        left = max(0.05, rules.total_seconds - (self._clock() - call.started_at))
        return msgspec.structs.replace(
            timeouts,
            connect_seconds=min(timeouts.connect_seconds, left),
            first_byte_seconds=min(timeouts.first_byte_seconds, left),
        )


def _identities(catalogue: Catalogue) -> frozenset[UUID]:
    channels = {channel.channel_id for channel in catalogue.channels}
    return frozenset(channels | {one.credential_id for channel in catalogue.channels for one in channel.credentials})

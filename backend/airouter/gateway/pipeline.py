"""One request, top to bottom: authenticate, admit, hold, route and relay, meter, settle, last byte."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from airouter.domain.catalogue import Model
from airouter.domain.errors import DomainError, InsufficientQuota, OutOfQuota, Upstream, UpstreamFailed
from airouter.domain.ids import RequestId
from airouter.domain.key import Caller
from airouter.domain.pricing import Ceiling, token_price
from airouter.gateway import meter
from airouter.gateway.admit import Terms, admit, usable_group
from airouter.gateway.authenticate import Callers
from airouter.gateway.call import NO_HOLD, Call
from airouter.gateway.counting import Counting
from airouter.gateway.estimates import Estimates
from airouter.gateway.exchange import Exchange, Headers
from airouter.gateway.kept.background import Background
from airouter.gateway.kept.pins import Pins, group_of
from airouter.gateway.kept.things import About, Errand, KeptThings
from airouter.gateway.leases.credit import Credit, Hold
from airouter.gateway.meter import Metered
from airouter.gateway.rates.limits import RateLimiter
from airouter.gateway.reading import read_call
from airouter.gateway.relay import Leg, Relay
from airouter.gateway.routing.failures import domain_error, error_within
from airouter.gateway.routing.fallback import Fallback, admit_some
from airouter.gateway.routing.route import Routes
from airouter.gateway.settle import Settlement
from airouter.gateway.snapshot import Snapshot
from airouter.gateway.tokenizer import installed_tokenizer
from airouter.providers.contract import Headers as ProviderHeaders
from airouter.providers.contract import StreamReader
from airouter.upstream.contract import BrokenOff, UpstreamError
from airouter.wire.http import NO_BUFFERING, NO_STORE, forwarded
from airouter.world import now

EXTEND_SECONDS: Final = 0.5
"""How long a stream that outgrew its hold goes on while the books are asked for more."""
CONTENT_TYPE: Final = b"content-type"
DROPPED: Final = b"x-airouter-dropped"
"""Names what the client asked for and the provider's dialect cannot say."""
MODEL: Final = b"x-airouter-model"
"""Names the model that answers, where it is not the one asked for."""
STREAM_HEADERS: Final = (NO_STORE, NO_BUFFERING)


class Gateway:
    """Answers calls. Everything it needs to know is in memory; Postgres is asked only for keys and credit it has not
    met.
    """

    def __init__(
        self,
        *,
        callers: Callers,
        snapshot: Snapshot,
        credit: Credit,
        relay: Relay,
        rates: RateLimiter,
        pins: Pins,
        background: Background,
        kept: KeptThings,
        clock: Callable[[], float],
    ) -> None:
        self._callers = callers
        self._snapshot = snapshot
        self._credit = credit
        self._relay = relay
        self._pins = pins
        self._background = background
        self._kept = kept
        self._settlement = Settlement(credit, pins, lambda: snapshot.current.policies.limits.stored_days)
        self._estimates = Estimates(installed_tokenizer())
        self._counting = Counting(relay, self._estimates, pins)
        self._rates = rates
        self._fallback = Fallback(credit, rates, relay)
        self._clock = clock
        self._routes: Routes | None = None

    async def answer(self, exchange: Exchange, request_id: RequestId) -> None:
        """One call. It outlives its client: what was used is charged whether or not anybody still listens.

        Raises:
            DomainError: the call was refused or failed. Nothing is charged unless an answer had begun; the exchange
                says whether there is still a head to put the refusal into.
        """
        started_at = self._clock()
        caller = await self.caller(exchange.secret, exchange.address)
        routes = self._current_routes()
        request, body, left_out = read_call(exchange)
        asked = request
        request, body, terms = admit_some(routes.catalogue, caller, exchange.door, request, body)
        slot = self._rates.try_enter(caller, terms) or await self._rates.enter(caller, terms)
        try:
            keeps = exchange.door.keeps
            pin = await self._pins.of(caller, exchange.door.endpoint, request, terms, routes) if keeps else None
            if pin is not None:
                group = group_of(pin, caller, terms, routes.catalogue)
                if group is not terms.group:
                    terms = admit(routes.catalogue, caller, exchange.door, request, body, group=group)
                    slot.withdraw()
                    slot = self._rates.try_enter(caller, terms) or await self._rates.enter(caller, terms)
            is_background = keeps and getattr(request, "background", None) is True
            hold = NO_HOLD if is_background else await self._hold(caller, terms)
            call = Call(
                request_id=request_id,
                caller=caller,
                door=exchange.door,
                request=request,
                terms=terms,
                hold=hold,
                slot=slot,
                started_at=started_at,
                client_request_id=exchange.client_request_id,
            )
            call.requested_model, call.pin = None if request is asked else asked.model, pin
            if is_background:  # it may outlive this process, and is paid for in another way
                await self._background.answer(call, body, exchange, routes, partial(self._head, headers=slot.headers))
                slot.leave_counted()
                return
            exchange.when_gone(self._leaver(call, routes.catalogue.policies.limits.drain_seconds))
            try:
                leg = await self._open(call, body, exchange.dialect_headers, routes)
                if left_out:
                    leg.dropped = (*left_out, *leg.dropped)
                if leg.is_stream:
                    await self._stream(call, leg, exchange, call.slot.headers)
                else:
                    await self._whole(call, leg, exchange, call.slot.headers)
            except DomainError as error:
                await self._fail(call, error.code)
                raise
            except asyncio.CancelledError:  # the client left, and waiting longer is not worth it
                await self._settle(
                    call, meter.unanswered(call.door.endpoint, call.request) if call.is_asked else meter.failed()
                )
            finally:
                if not call.is_settled:  # a bug of ours: the customer does not pay for it
                    self._credit.release(call.hold)
                    call.leave_slots()
        finally:
            slot.leave()

    async def count(self, exchange: Exchange, request_id: RequestId) -> None:
        """One call at a door that runs nothing: limited and routed like any other, and free.

        Raises:
            DomainError: it was refused or failed.
        """
        started_at = self._clock()
        caller = await self.caller(exchange.secret, exchange.address)
        slot = await self._rates.enter_free(caller)
        try:
            routes, headers = self._current_routes(), slot.headers
            await self._counting.answer(exchange, request_id, caller, routes, headers=headers, started_at=started_at)
        finally:
            slot.leave()

    async def about(self, exchange: Exchange, request_id: RequestId, about: About) -> None:
        """One request about a response that a provider keeps: limited like any other, and free.

        Raises:
            DomainError: it was refused or failed.
        """
        caller = await self.caller(exchange.secret, exchange.address)
        slot = await self._rates.enter_free(caller)
        try:
            errand = Errand(exchange, about, request_id, slot.headers)
            await self._kept.answer(errand, caller, self._current_routes())
        finally:
            slot.leave()

    async def caller(self, secret: str | None, address: str) -> Caller:
        """Who presents this key, if it may be used at all, now, from there."""
        caller = self._callers.known(secret) or await self._callers.look_up(secret)
        caller.check(now(), address)
        return caller

    def models_of(self, caller: Caller) -> list[Model]:
        """What this key may call: priced, offered by its group, served by a channel, and on the key's own list if it
        has one.

        Raises:
            GroupNotAllowed: the key's group is not, or no longer, among the account's usable groups.
        """
        routes = self._current_routes()
        group = usable_group(routes.catalogue, caller)
        return [
            model
            for name, model in sorted(routes.catalogue.models.items())
            if (caller.models is None or name in caller.models)
            and any(
                routes.catalogue.offered(name, one) is not None and routes.tiers(one.name, name)
                for one in routes.catalogue.serving(group, name)
            )
        ]

    async def _hold(self, caller: Caller, terms: Terms) -> Hold:
        amount = terms.worst_case
        wallet, key, is_limited = caller.wallet_id, caller.key_id, caller.is_limited
        return self._credit.try_hold(wallet, key, is_limited, amount) or await self._credit.hold(
            wallet, key, is_limited, amount
        )

    async def _open(self, call: Call, body: bytes, client_headers: ProviderHeaders, routes: Routes) -> Leg:
        """An answer by what the call was admitted for, else by the groups and models that come after."""
        caller = call.caller
        has_others = bool(caller.fallback_models) or call.terms.group.name != caller.group
        try:
            return await self._relay.open(call, body, client_headers, routes, has_others=has_others)
        except Upstream as failure:
            return await self._fallback.open(call, body, client_headers, routes, failure)

    async def _whole(self, call: Call, leg: Leg, exchange: Exchange, headers: Headers) -> None:
        answered = leg.answered
        assert answered is not None, "it was read whole"
        if call.door.keeps:
            call.answering = answered
        call.first_byte_at = self._clock()
        error = None if answered.is_proper else UpstreamFailed.code
        await self._settle(call, meter.whole(answered, leg.call, is_gone=exchange.is_gone), error, answer=answered.body)
        exchange.send(leg.answer.status, self._head(call, leg, headers), answered.body)

    async def _stream(self, call: Call, leg: Leg, exchange: Exchange, headers: Headers) -> None:
        """Forwards what arrives, as it arrives. The journal is written before the bytes that complete the answer."""
        reader, out, answer = leg.reader, leg.data, leg.answer
        assert reader is not None, "it is a stream"
        if call.door.keeps:
            call.answering = reader
        try:
            while True:
                if reader.saw_done and not call.is_settled:
                    await self._finish(call, reader, exchange)
                if exchange.has_begun:
                    exchange.write(out)
                else:
                    call.first_byte_at = self._clock()
                    head = self._head(call, leg, headers, reader.content_type)
                    exchange.begin(answer.status, (*head, *STREAM_HEADERS), out)
                if not call.is_settled and reader.has_outgrown(call.output_allowance):
                    self._extend(call)
                if exchange.is_slow:
                    await exchange.drain()
                data = b"" if leg.has_ended else await answer.chunk()
                if not data:
                    break
                out = reader.feed(data)
            rest = b"" if leg.has_ended else reader.finish()
            if not call.is_settled:
                await self._finish(call, reader, exchange)
            exchange.write(rest)
        except UpstreamError as error:
            if not call.is_settled:  # what fails after the proper end of an answer is nobody's loss
                failure = domain_error(error)
                self._relay.broke(call, error, self._current_routes().catalogue.policies.routing)
                await self._settle(call, meter.broken_off(reader), failure.code)
                exchange.write(reader.close_event())
                raise failure from error
        except OutOfQuota as error:
            await self._settle(call, meter.cut(reader), error.code)
            exchange.write(reader.close_event())
            raise
        except asyncio.CancelledError:
            if not call.is_settled:
                await self._settle(call, meter.cancelled(reader))
        finally:
            answer.close()
        exchange.end()

    async def _finish(self, call: Call, reader: StreamReader, exchange: Exchange) -> None:
        """The provider ended the stream: with its answer, or with an error of its own, which the client has seen then.

        Raises:
            BrokenOff: with neither.
        """
        if not reader.is_complete:
            if not reader.has_error:
                raise BrokenOff("the stream ended before its answer", before_first_byte=False)
            error = error_within(reader.error)
            self._relay.broke(call, error, self._current_routes().catalogue.policies.routing)
            await self._settle(call, meter.finished(reader, is_gone=exchange.is_gone), UpstreamFailed.code)
            return
        await self._settle(call, meter.finished(reader, is_gone=exchange.is_gone))

    def _extend(self, call: Call) -> None:
        """The stream outgrew its hold: hold as much again. Where that is not to be had within a moment, policy
        `limits.on_exhausted` decides: go on at the operator's expense (up to the account's bound), or cut.

        Raises:
            InsufficientQuota: cut.
        """
        more = Ceiling(input_tokens=0, output_tokens=max(1, call.terms.ceiling.output_tokens))
        amount = token_price(more, call.terms.card, call.terms.multiplier_micros)
        if not self._credit.extend(call.hold, amount):
            now = self._clock()
            call.wanting_since = call.wanting_since or now
            if now - call.wanting_since < EXTEND_SECONDS:  # the books are being asked; the answer may be yes
                return
            if call.terms.limits.on_exhausted == "cut" or not self._credit.overdraw(call.hold, amount):
                raise InsufficientQuota("The balance is used up; the answer was cut here.")
        call.output_allowance += more.output_tokens
        call.wanting_since = None

    async def _fail(self, call: Call, code: str) -> None:
        """Nothing reached the client: recorded, and free."""
        if not call.is_settled:
            await self._settle(call, meter.failed(), code)

    async def _settle(
        self, call: Call, metered: Metered, error: str | None = None, *, answer: bytes | None = None
    ) -> None:
        if metered.guess is not None:  # nobody counted
            terms = call.terms
            is_wanted = terms.limits.estimates == "charge"
            metered = await self._estimates.settled(metered, terms.model.model, is_wanted=is_wanted, answer=answer)
        call.leave_slots(metered.quantities)
        await self._settlement.settle(call, metered, self._clock(), error)

    def _leaver(self, call: Call, drain_seconds: int) -> Callable[[], None]:
        """What to do when the client hangs up: stop at once where that stops the provider's billing, else read on for a
        while.
        """
        task = asyncio.current_task()

        def left() -> None:
            channel = call.channel
            is_cancelled = channel is not None and channel.options.on_disconnect == "cancel"
            if task is not None:
                task.get_loop().call_later(0 if is_cancelled else drain_seconds, task.cancel)

        return left

    def _head(self, call: Call, leg: Leg, headers: Headers, content_type: bytes | None = None) -> Headers:
        milliseconds = int((self._clock() - call.started_at) * 1000)
        theirs = forwarded(leg.answer.headers)
        if content_type is not None:
            theirs = [(CONTENT_TYPE, content_type), *(header for header in theirs if header[0] != CONTENT_TYPE)]
        if call.requested_model is not None:
            headers = (*headers, (MODEL, call.terms.model.model.encode()))
        if leg.dropped:
            headers = (*headers, (DROPPED, ",".join(leg.dropped).encode()))
        return (
            *theirs,
            *call.door.id_headers(call.request_id),
            (b"openai-processing-ms", b"%d" % milliseconds),
            *headers,
        )

    def _current_routes(self) -> Routes:
        catalogue = self._snapshot.current
        if self._routes is None or self._routes.catalogue is not catalogue:
            self._routes = Routes(catalogue)
        return self._routes

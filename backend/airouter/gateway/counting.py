"""The doors that count a request instead of running it: routed like a call, free, and never recorded.

A provider that can count is asked, in its own dialect; a channel whose provider cannot, or does not count this, is as
good as none. Where no channel of the model does, policy `limits.estimates` says whether our estimate is answered,
marked as one.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from airouter.domain.errors import NoChannelAvailable, NotOffered, UpstreamFailed
from airouter.domain.ids import RequestId
from airouter.domain.key import Caller
from airouter.gateway.call import NO_HOLD, Call
from airouter.gateway.estimates import Estimates
from airouter.gateway.exchange import Exchange, Headers
from airouter.gateway.kept.pins import Pins
from airouter.gateway.reading import read_call
from airouter.gateway.relay import Relay
from airouter.gateway.routing.fallback import admit_some
from airouter.gateway.routing.route import Routes
from airouter.wire import counting
from airouter.wire.http import JSON, NO_STORE

ESTIMATED: Final = (b"x-airouter-estimated", b"true")
"""Marks a count that no provider made."""
DROPPED: Final = b"x-airouter-dropped"


class Counting:
    """Answers counts."""

    def __init__(self, relay: Relay, estimates: Estimates, pins: Pins) -> None:
        self._relay = relay
        self._pins = pins
        self._estimates = estimates

    async def answer(
        self,
        exchange: Exchange,
        request_id: RequestId,
        caller: Caller,
        routes: Routes,
        *,
        headers: Headers,
        started_at: float,
    ) -> None:
        """One count, to its end. A client that leaves ends it.

        Raises:
            DomainError: the count was refused or failed.
        """
        door = exchange.door
        request, body, _ = read_call(exchange)
        request, body, terms = admit_some(routes.catalogue, caller, door, request, body)
        call = Call(
            request_id=request_id,
            caller=caller,
            door=door,
            request=request,
            terms=terms,
            hold=NO_HOLD,
            started_at=started_at,
            client_request_id=exchange.client_request_id,
        )
        if door.keeps:
            call.pin = await self._pins.of(caller, door.endpoint, request, terms, routes)
        headers = (JSON, NO_STORE, *door.id_headers(request_id), *headers)
        if not self._can_count(call, routes):
            await self._estimate(exchange, call, routes, headers)
            return
        exchange.when_gone(_leaver(asyncio.current_task()))
        try:
            leg = await self._relay.open(call, body, exchange.dialect_headers, routes)
        except NotOffered:
            if call.pin is not None:  # what is remembered elsewhere cannot be estimated
                raise
            await self._estimate(exchange, call, routes, headers)
            return
        except asyncio.CancelledError:
            if exchange.is_gone:
                return
            raise
        finally:
            call.channel_slot.leave()
        answered = leg.answered or leg.provider.answer(leg.call, leg.data)
        if not answered.is_proper:
            raise UpstreamFailed("The provider answered with something else than a count.")
        if leg.dropped:
            headers = (*headers, (DROPPED, ",".join(leg.dropped).encode()))
        exchange.send(200, headers, answered.body)

    async def _estimate(self, exchange: Exchange, call: Call, routes: Routes, headers: Headers) -> None:
        """Our own figure, marked. Raises NotOffered: the operator wants none."""
        endpoint, request = call.door.endpoint, call.request
        if routes.catalogue.policies.limits.estimates == "off":
            raise NotOffered(f"No provider of {request.model!r} counts tokens.", field="model")
        tokens = await self._estimates.input_tokens(endpoint, request)
        exchange.send(200, (*headers, ESTIMATED), counting.written_answer(endpoint, tokens))

    def _can_count(self, call: Call, routes: Routes) -> bool:
        """Raises NoChannelAvailable: the model is served by none."""
        group, model = call.terms.group.name, call.terms.model.model
        tiers = routes.tiers(group, model)
        if not tiers:
            raise NoChannelAvailable(f"No channel serves {model!r} for this group.")
        return any(self._relay.serves(channel, call.door.endpoint) for tier in tiers for channel in tier)


def _leaver(task: "asyncio.Task[None] | None") -> Callable[[], None]:
    def left() -> None:
        if task is not None:
            task.cancel()

    return left

"""Another group or model for a call that every channel of the first one failed: admitted anew, at its own price.

A key's group may stand for others in order, and a key may name fallback models. The order is: the model asked for in
each group, then each fallback model in each group. Only before anything was answered, and never where the request
itself was at fault. What is held and what limits count follows.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec

from airouter.domain.catalogue import Catalogue, Group
from airouter.domain.errors import (
    Invalid,
    ModelNotFound,
    NotAllowed,
    NotFound,
    OutOfQuota,
    TooMany,
    Unavailable,
    Upstream,
    UpstreamRefusedRequest,
)
from airouter.domain.key import Caller
from airouter.gateway.admit import Terms, admit, usable_group
from airouter.gateway.call import Call
from airouter.gateway.door import Door
from airouter.gateway.leases.credit import Credit
from airouter.gateway.rates.limits import RateLimiter
from airouter.gateway.relay import Leg, Relay
from airouter.gateway.routing.route import Routes
from airouter.providers.contract import Headers
from airouter.wire.members import with_model
from airouter.wire.requests import RequestHead


class Renamed(msgspec.Struct, frozen=True, kw_only=True):
    """A request for another model than the client's, and what it was admitted with."""

    request: RequestHead
    body: bytes
    terms: Terms


def admit_some(
    catalogue: Catalogue, caller: Caller, door: Door, request: RequestHead, body: bytes
) -> tuple[RequestHead, bytes, Terms]:
    """Admits the call as it is, or where its model is not there, for the first of the key's fallback models that is.

    Raises: as `admit`.
    """
    try:
        return request, body, admit(catalogue, caller, door, request, body)
    except ModelNotFound:
        for name in caller.fallback_models:
            found = _admitted(catalogue, caller, door, _renamed(request, body, name))
            if found is not None:
                return found.request, found.body, found.terms
        raise


class Fallback:
    """Goes on with a call elsewhere."""

    def __init__(self, credit: Credit, rates: RateLimiter, relay: Relay) -> None:
        self._credit = credit
        self._rates = rates
        self._relay = relay

    async def open(self, call: Call, body: bytes, client_headers: Headers, routes: Routes, failure: Upstream) -> Leg:
        """The first group and model after the call's own that answers; the call has its terms then.

        Raises:
            Upstream: `failure`, where there is no other, or they failed too.
        """
        catalogue, caller = routes.catalogue, call.caller
        if call.pin is None and not isinstance(failure, UpstreamRefusedRequest):
            asked = call.requested_model or call.terms.model.model
            request = call.request
            others = list(self._others(call, catalogue))
            was_said = bool(caller.fallback_models) or call.terms.group.name != caller.group
            if was_said and not others and not _was_sent(call):  # they were left alone in vain
                return await self._relay.open(call, body, client_headers, routes)
            for left, (name, group) in zip(range(len(others) - 1, -1, -1), others, strict=True):
                found = _admitted(catalogue, caller, call.door, _renamed(request, body, name), group)
                if found is None or (_was_sent(call) and not self._relay.may_retry(call, catalogue.policies.routing)):
                    continue
                try:
                    await self._move(call, found)
                    call.requested_model = asked if name != asked else None
                    return await self._relay.open(call, found.body, client_headers, routes, has_others=left > 0)
                except (Upstream, Invalid, OutOfQuota, TooMany, Unavailable):  # the first failure tells most
                    continue
        raise failure

    def _others(self, call: Call, catalogue: Catalogue) -> Iterator[tuple[str, Group]]:
        """What comes after the model and group that the call was admitted with."""
        caller = call.caller
        own = usable_group(catalogue, caller)
        if not own.members and not caller.fallback_models:
            return
        first = call.terms.model.model, call.terms.group.name
        is_after = False
        for name in dict.fromkeys((call.requested_model or first[0], *caller.fallback_models)):
            for group in catalogue.serving(own, name):
                if is_after:
                    yield name, group
                is_after = is_after or (name, group.name) == first

    async def _move(self, call: Call, found: Renamed) -> None:
        """The call's hold and its places within limits become those of other terms.

        Raises:
            OutOfQuota, QuotaInUse, LedgerUnavailable, ShuttingDown: they cost more than there is.
            RateLimitExceeded, RequestExceedsRateLimit
        """
        caller, terms, hold = call.caller, found.terms, call.hold
        call.slot.withdraw()  # one request counts once, and one call at once is not two
        slot = self._rates.try_enter(caller, terms) or await self._rates.enter(caller, terms)
        more = terms.worst_case - hold.amount
        try:
            if more > 0 and not self._credit.try_extend(hold, more):
                key, is_limited = caller.key_id, caller.is_limited
                call.hold = await self._credit.hold(caller.wallet_id, key, is_limited, terms.worst_case)
                self._credit.release(hold)
        except BaseException:
            slot.leave()
            raise
        call.slot, call.terms, call.request = slot, terms, found.request
        call.output_allowance = terms.ceiling.output_tokens


_UNSENT: Final = frozenset({"not_translatable", "tool_not_counted", "at_capacity"})
"""Why a channel was passed over without being asked."""


def _was_sent(call: Call) -> bool:
    """Some provider was asked: another attempt is one more."""
    return any(attempt.reason not in _UNSENT for attempt in call.attempts)


def _renamed(request: RequestHead, body: bytes, model: str) -> tuple[RequestHead, bytes]:
    """The same request for this model."""
    if model == request.model:
        return request, body
    head: Any = request
    return cast("RequestHead", msgspec.structs.replace(head, model=model)), with_model(body, model)


def _admitted(
    catalogue: Catalogue,
    caller: Caller,
    door: Door,
    renamed: tuple[RequestHead, bytes],
    group: Group | None = None,
) -> Renamed | None:
    """None: this one may not, or cannot, be used for this call."""
    request, body = renamed
    try:
        terms = admit(catalogue, caller, door, request, body, group=group)
    except (NotFound, NotAllowed, Invalid):
        return None
    return Renamed(request=request, body=body, terms=terms)

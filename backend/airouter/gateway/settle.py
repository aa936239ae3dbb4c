"""Usage -> Charge: price once, write the journal, let the rest of the hold go. Postgres hears of it with a sync."""

from airouter.domain import pricing
from airouter.domain.catalogue import Channel
from airouter.domain.errors import LedgerUnavailable
from airouter.domain.quota import MICROS, WALLET_MAX
from airouter.domain.usage import UsageRecord
from airouter.gateway.call import Call
from airouter.gateway.credit import Credit, JournalFailed
from airouter.gateway.meter import Metered


class Settlement:
    """Closes holds, each exactly once."""

    def __init__(self, credit: Credit) -> None:
        self._credit = credit

    async def settle(self, call: Call, metered: Metered, now: float, error: str | None = None) -> None:
        """Charges the call what it used. When this returns, the charge survives a crash: only then may the last byte
        leave.

        Raises:
            LedgerUnavailable: the charge could neither be written here nor be confirmed by Postgres in time.
        """
        call.is_settled = True
        record = _record(call, metered, now, error)
        try:
            self._credit.settle(call.hold, record)
        except JournalFailed:
            await self._confirmed(record)

    async def _confirmed(self, record: UsageRecord) -> None:
        """The disk refused the record; it is settled from memory, and the answer waits until Postgres has it."""
        try:
            await self._credit.confirmed(record)
        except JournalFailed as error:
            raise LedgerUnavailable("The charge of this call could not be recorded in time.") from error


def _record(call: Call, metered: Metered, now: float, error: str | None) -> UsageRecord:
    terms, caller, channel = call.terms, call.caller, call.channel
    cost, unpriced = (
        pricing.cost(metered.quantities, terms.card, terms.multiplier_micros, metered.service_tier, call.door.billed)
        if metered.quantities
        else (0, ())
    )
    return UsageRecord(
        request_id=call.request_id,
        account_id=caller.account_id,
        wallet_id=caller.wallet_id,
        key_id=caller.key_id,
        key_is_limited=caller.is_limited,
        model=terms.model.model,
        endpoint=call.door.billed,
        status=metered.status,
        usage_source=metered.source,
        quantities={**metered.quantities},  # a record's meters are names: it outlives the list of meters
        rate_card_id=terms.card.rate_card_id,
        multiplier_micros=terms.multiplier_micros,
        group=terms.group.name,
        service_tier=metered.service_tier,
        cost=cost,
        unpriced=unpriced,
        channel_id=channel.channel_id if channel else None,
        upstream_model=channel.models.get(terms.model.model) if channel else None,
        client_request_id=call.client_request_id,
        is_streaming=call.request.is_streaming,
        latency_ms=int((now - call.started_at) * 1000),
        first_token_ms=None if call.first_byte_at is None else int((call.first_byte_at - call.started_at) * 1000),
        error=error or metered.problem,
        attempts=tuple(call.attempts) if len(call.attempts) > 1 or error else (),
        provider_cost=_provider_cost(call, metered, channel) if channel and channel.costs else None,
    )


def _provider_cost(call: Call, metered: Metered, channel: Channel) -> int | None:
    """What the provider charges, or None: no rates of its own, nothing reported, or something that they leave out. A
    part of a cost would make a margin look better than it is.
    """
    card = channel.costs.get(call.terms.model.model)
    if card is None or not metered.quantities:
        return None
    cost, unpriced = pricing.cost(metered.quantities, card, MICROS, metered.service_tier, call.door.billed)
    return None if unpriced or cost > WALLET_MAX else cost

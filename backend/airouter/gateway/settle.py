"""Usage -> Charge: price once, write the journal, let the rest of the hold go. Postgres hears of it with a sync."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from airouter.domain import pricing
from airouter.domain.catalogue import Channel
from airouter.domain.errors import LedgerUnavailable
from airouter.domain.quota import MICROS, WALLET_MAX
from airouter.domain.usage import Quantities, UsageRecord
from airouter.gateway.call import Call
from airouter.gateway.kept.pins import Pins, names_minted
from airouter.gateway.leases.credit import Credit, JournalFailed
from airouter.gateway.meter import Metered
from airouter.services.stored_ids import minted_in

log = logging.getLogger("airouter.gateway")

KNOWN_SECONDS: Final = 2.0
"""How long an answer waits for its name to be known everywhere."""


class Settlement:
    """Closes holds, each exactly once."""

    def __init__(self, credit: Credit, pins: Pins, stored_days: Callable[[], int]) -> None:
        self._credit = credit
        self._pins = pins
        self._stored_days = stored_days

    async def settle(self, call: Call, metered: Metered, now: float, error: str | None = None) -> None:
        """Charges the call what it used. When this returns, the charge survives a crash: only then may the last byte
        leave. Where the provider keeps the answer, every node knows its name by then.

        Raises:
            LedgerUnavailable: the charge could neither be written here nor be confirmed by Postgres in time.
        """
        call.is_settled = True
        record = _record(call, metered, now, error)
        if call.answering is not None:
            record = self._with_names(call, record)
        try:
            self._credit.settle(call.hold, record)
        except JournalFailed:
            await self._confirmed(record)
        if record.minted:
            await self._known(record)

    def _with_names(self, call: Call, record: UsageRecord) -> UsageRecord:
        kept = None if call.answering is None else call.answering.kept
        minted = names_minted(call, kept, self._stored_days()) if kept is not None else ()
        return msgspec.structs.replace(record, minted=minted) if minted else record

    async def _known(self, record: UsageRecord) -> None:
        """The names travel with the charge; the last byte waits for them, but not for a Postgres that is away: then
        they are in the journal, and follow.
        """
        self._pins.remember(minted_in(record))
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                await self._credit.confirmed(record)
        except (JournalFailed, TimeoutError):
            log.warning("names.late request=%s", record.request_id)

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
        requested_model=call.requested_model,
        provider_cost=(
            provider_cost(channel, terms.model.model, metered.quantities, metered.service_tier, call.door.billed)
            if channel and channel.costs
            else None
        ),
    )


def provider_cost(
    channel: Channel, model: str, quantities: Quantities, service_tier: str | None, billed: str
) -> int | None:
    """What the provider charges, or None: no rates of its own, nothing reported, or something that they leave out. A
    part of a cost would make a margin look better than it is.
    """
    card = channel.costs.get(model)
    if card is None or not quantities:
        return None
    cost, unpriced = pricing.cost(quantities, card, MICROS, service_tier, billed)
    return None if unpriced or cost > WALLET_MAX else cost

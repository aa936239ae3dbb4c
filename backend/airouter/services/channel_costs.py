"""What channels cost the operator: rates like a rate card's, by channel and model, versioned, immutable, optional.

A call is never charged by them. Where one is in force when a call begins, its record says what the provider charges for
it; where none is, it says nothing.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from airouter.domain.errors import InvalidRequest, NotFound
from airouter.domain.ids import ChannelId, RateCardId
from airouter.domain.rate_card import RateCard
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.rate_cards import Rates, TierDraft, card_of_draft, has_passed
from airouter.storage import channel_costs as rows
from airouter.storage import channels
from airouter.storage.changes import announce
from airouter.storage.channel_costs import CostRow
from airouter.storage.channels import ChannelRow
from airouter.storage.database import Connection, Database
from airouter.world import new_id

_TIERS_MAX = 50


class CostDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the channel costs for a model from `effective_at` on; absent or null: from now on."""

    model: Annotated[str, Meta(max_length=200)]
    rates: Rates
    tiers: Annotated[list[TierDraft], Meta(max_length=_TIERS_MAX)] = []
    effective_at: datetime | None = None


class CostView(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `rates` null: from then on it is not known."""

    id: RateCardId
    model: str
    version: int
    rates: Rates | None
    tiers: list[TierDraft]
    effective_at: datetime
    created_at: datetime
    created_by: UUID | None


class CostsView(msgspec.Struct, frozen=True, kw_only=True):
    """What is in force, by model; and what will be."""

    items: list[CostView]
    upcoming: list[CostView]


class ChannelCosts:
    """The operator's verbs for what channels cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_channel(self, channel_id: ChannelId) -> CostsView:
        """Raises NotFound: there is no such channel."""
        async with self._database.transaction(is_read_only=True) as connection:
            if await channels.find_channel(connection, channel_id) is None:
                raise _no_channel()
            in_force = await rows.costs_of_channel(connection, channel_id)
            to_come = await rows.costs_to_come(connection, channel_id)
        return CostsView(
            items=[view_of_cost(row) for row in in_force if row.rates is not None],
            upcoming=[view_of_cost(row) for row in to_come],
        )

    async def put(self, channel_id: ChannelId, draft: CostDraft, actor: Actor = SYSTEM) -> CostView:
        """The next version for that model.

        Raises:
            NotFound: there is no such channel.
            InvalidRequest: the channel does not serve that model.
            InvalidRateCard: these rates say nothing, or are to hold in the past.
        """
        card = card_of_draft(draft)
        async with self._database.transaction() as connection:
            channel = await lock_channel(connection, channel_id)
            if draft.model not in channel.models:
                raise InvalidRequest(f"model: the channel does not serve {draft.model!r}.", field="model")
            return await add_cost(connection, channel_id, card, draft.effective_at, actor)

    async def end(self, channel_id: ChannelId, model: str, actor: Actor = SYSTEM) -> None:
        """From now on nobody knows what the channel costs for that model; what was recorded stays.

        Raises:
            NotFound: there is no such channel, or nothing is known of that model.
        """
        async with self._database.transaction() as connection:
            await lock_channel(connection, channel_id)
            known = {row.model for row in await rows.costs_of_channel(connection, channel_id) if row.rates is not None}
            if model not in known:
                raise NotFound("Nothing is known of what this channel costs for that model.")
            nothing = RateCard(rate_card_id=RateCardId(new_id()), model=model, version=0, rates={})
            await add_cost(connection, channel_id, nothing, None, actor)


async def lock_channel(connection: Connection, channel_id: ChannelId) -> ChannelRow:
    """The channel, held until the transaction ends: versions of its costs are counted under it. Raises NotFound."""
    channel = await channels.lock_channel(connection, channel_id)
    if channel is None:
        raise _no_channel()
    return channel


async def add_cost(
    connection: Connection, channel_id: ChannelId, card: RateCard, effective_at: datetime | None, actor: Actor
) -> CostView:
    """The next version, under the lock of the channel's row. A card without rates ends what was known.

    Raises:
        InvalidRateCard: it is to hold in the past.
    """
    row = await rows.insert_cost(connection, channel_id, card, effective_at=effective_at, created_by=actor.user_id)
    if row is None:
        raise await has_passed(connection)
    await announce(connection, "catalogue")
    view = view_of_cost(row)
    done = "channel_cost.ended" if row.rates is None else "channel_cost.set"
    await record(connection, actor, Act(action=done, subject="channel", subject_id=str(channel_id), after=view))
    return view


def view_of_cost(row: CostRow) -> CostView:
    """A row as an operator sees it."""
    return CostView(
        id=row.cost_id,
        model=row.model,
        version=row.version,
        rates=None if row.rates is None else msgspec.convert(row.rates, Rates),
        tiers=msgspec.convert(row.tiers, list[TierDraft]),
        effective_at=row.effective_at,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _no_channel() -> NotFound:
    return NotFound("There is no such channel.")

"""Rate cards: versioned, immutable prices. A new price is a new version; a past one can always be reproduced."""

from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.errors import InvalidRateCard, ModelNotFound, NotFound
from airouter.domain.ids import RateCardId
from airouter.domain.quota import WALLET_MAX
from airouter.domain.rate_card import Meter, RateCard, Tier, TierCondition, check_rates
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.storage import models
from airouter.storage import rate_cards as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.rate_cards import RateCardRow
from airouter.world import new_id

_TIERS_MAX = 50

Rate = Annotated[int, Meta(ge=0, le=WALLET_MAX)]


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Integer quota per 1 000 000 tokens or characters, or per single request, image, second, search or rerank unit.

    A meter without a rate falls back: cached_input, cache_write_5m, audio_input and image_input to input,
    cache_write_1h to cache_write_5m, reasoning, audio_output and image_output to output; the others to nothing.
    """

    input: Rate | UnsetType = UNSET
    cached_input: Rate | UnsetType = UNSET
    cache_write_5m: Rate | UnsetType = UNSET
    cache_write_1h: Rate | UnsetType = UNSET
    output: Rate | UnsetType = UNSET
    reasoning: Rate | UnsetType = UNSET
    audio_input: Rate | UnsetType = UNSET
    audio_output: Rate | UnsetType = UNSET
    image_input: Rate | UnsetType = UNSET
    image_output: Rate | UnsetType = UNSET
    character: Rate | UnsetType = UNSET
    request: Rate | UnsetType = UNSET
    image: Rate | UnsetType = UNSET
    second: Rate | UnsetType = UNSET
    search: Rate | UnsetType = UNSET
    rerank_unit: Rate | UnsetType = UNSET

    def by_meter(self) -> dict[Meter, int]:
        """Those that were given."""
        return msgspec.to_builtins(self)


class TierDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rates that replace those of the card for the whole call when every stated fact holds; the first match wins."""

    when: TierCondition
    rates: Rates


class RateCardDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new version. `effective_at` absent or null: now."""

    model: str
    rates: Rates
    effective_at: datetime | None = None
    tiers: Annotated[list[TierDraft], Meta(max_length=_TIERS_MAX)] = []


class RateCardView(msgspec.Struct, frozen=True, kw_only=True):
    """One version as an operator sees it."""

    id: RateCardId
    model: str
    version: int
    rates: Rates
    tiers: list[TierDraft]
    effective_at: datetime
    created_at: datetime
    created_by: UUID | None


class RateCards:
    """The operator's verbs for prices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, draft: RateCardDraft, actor: Actor = SYSTEM) -> RateCardView:
        """The next version of the model's rate card. Of two that are effective from the same moment the later counts.

        Raises:
            InvalidRateCard: it could not be charged, or is to hold in the past; `field` says what is wrong.
            ModelNotFound
        """
        card = card_of_draft(draft)
        async with self._database.transaction() as connection:
            if await models.lock_model(connection, draft.model) is None:
                raise ModelNotFound(f"There is no model {draft.model!r}.", field="model")
            return await add_card(connection, card, draft.effective_at, actor)

    async def page(self, model: str | None, after: tuple[datetime, UUID] | None, limit: int) -> list[RateCardView]:
        """Newest first, of one model or of all."""
        async with self._database.connection() as connection:
            return [view_of_card(row) for row in await rows.page_of_rate_cards(connection, model, after, limit)]

    async def get(self, rate_card_id: RateCardId) -> RateCardView:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            row = await rows.find_rate_card(connection, rate_card_id)
        if row is None:
            raise NotFound("There is no such rate card.")
        return view_of_card(row)


class CardDraft(Protocol):
    """What a price or a cost is drafted as."""

    @property
    def model(self) -> str: ...
    @property
    def rates(self) -> Rates: ...
    @property
    def tiers(self) -> list[TierDraft]: ...
    @property
    def effective_at(self) -> datetime | None: ...


def card_of_draft(draft: CardDraft) -> RateCard:
    """The card that a draft describes, checked; its version is decided where it is stored.

    Raises:
        InvalidRateCard
    """
    check_zone(draft.effective_at)
    card = RateCard(
        rate_card_id=RateCardId(new_id()),
        model=draft.model,
        version=0,
        rates=draft.rates.by_meter(),
        tiers=tuple(Tier(when=tier.when, rates=tier.rates.by_meter()) for tier in draft.tiers),
    )
    check_rates(card.rates, card.tiers)
    return card


async def add_card(connection: Connection, card: RateCard, effective_at: datetime | None, actor: Actor) -> RateCardView:
    """The next version of its model's rate card, under the lock of the model's row.

    Raises:
        InvalidRateCard: it is to hold in the past.
    """
    row = await rows.insert_rate_card(connection, card, effective_at, actor.user_id)
    if row is None:
        raise await has_passed(connection)
    await announce(connection, "catalogue")
    view = view_of_card(row)
    act = Act(action="rate_card.created", subject="rate_card", subject_id=str(view.id), after=view)
    await record(connection, actor, act)
    return view


def check_zone(effective_at: datetime | None) -> None:
    """Raises InvalidRateCard for a time without a zone."""
    if effective_at is not None and effective_at.tzinfo is None:
        raise InvalidRateCard("effective_at: say the zone, as in 2031-05-01T00:00:00Z.", field="effective_at")


async def has_passed(connection: Connection) -> InvalidRateCard:
    """The refusal of a time that lies in the past."""
    now = (await rows.clock(connection)).isoformat(timespec="seconds")
    return InvalidRateCard(
        f"effective_at: that has passed (it is {now} here); leave it out for a price that holds at once.",
        field="effective_at",
    )


def view_of_card(row: RateCardRow) -> RateCardView:
    """A row as an operator sees it."""
    return RateCardView(
        id=row.rate_card_id,
        model=row.model,
        version=row.version,
        rates=msgspec.convert(row.rates, Rates),
        tiers=msgspec.convert(row.tiers, list[TierDraft]),
        effective_at=row.effective_at,
        created_at=row.created_at,
        created_by=row.created_by,
    )

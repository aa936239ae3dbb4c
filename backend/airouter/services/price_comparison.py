"""What a list has to be compared with: the models that it could be of, and the prices that hold for them now."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from airouter.domain.ids import ChannelId, RateCardId
from airouter.domain.proposal import Conversion, Proposal, Skipped, card_of, change_of
from airouter.domain.rate_card import RateCard
from airouter.storage import channel_costs, rate_cards
from airouter.storage import price_imports as rows
from airouter.storage.database import Connection
from airouter.storage.price_imports import Base, LineRow

_NOT_STORED: Final = RateCardId(UUID(int=0))


def served(names: dict[str, str], proposals: Sequence[Proposal]) -> list[tuple[str, Proposal]]:
    """(public model, proposal) for every entry of a list that names what a channel serves.

    An entry belongs to a model when it has the upstream's name for it, or the public one, whole or after the vendor's
    prefix. Several may: the operator chooses, nothing is guessed.
    """
    wanted: dict[str, list[str]] = {}
    for public, upstream in names.items():
        for name in {public, upstream}:
            wanted.setdefault(name, []).append(public)
    found: list[tuple[str, Proposal]] = []
    for proposal in proposals:
        publics = wanted.get(proposal.name) or wanted.get(proposal.name.rpartition("/")[2]) or []
        found += [(public, proposal) for public in publics]
    return found


def cards_of(
    chosen: Sequence[tuple[str, Proposal]], conversion: Conversion
) -> tuple[list[tuple[Proposal, RateCard]], list[Skipped]]:
    """Each proposal as a card of its model, and what no card can hold."""
    cards: list[tuple[Proposal, RateCard]] = []
    too_large: list[Skipped] = []
    for model, proposal in chosen:
        card = card_of(proposal, model, conversion)
        if card is None:
            too_large.append(Skipped(name=proposal.name, reason="a rate is more than a rate card can hold"))
        else:
            cards.append((proposal, card))
    return cards, too_large


async def bases_of(connection: Connection, channel_id: ChannelId | None, cards: Sequence[RateCard]) -> list[Base]:
    """For each card what is in force for its model now."""
    names = sorted({card.model for card in cards})
    in_force: dict[str, RateCard] = {}
    if channel_id is None:
        versions = await rows.newest_versions(connection, names)
        in_force = {n: row.card() for n, row in (await rate_cards.cards_in_force_of(connection, names)).items()}
    else:
        versions = await channel_costs.newest_versions(connection, channel_id, names)
        for row in await channel_costs.costs_of_channel(connection, channel_id):
            card = row.card()
            if card is not None:
                in_force[row.model] = card
    return [
        Base(
            base_id=base.rate_card_id if base else None,
            base_version=versions.get(card.model, 0),
            change=change_of(base, card),
        )
        for card in cards
        for base in (in_force.get(card.model),)
    ]


async def bases_of_lines(connection: Connection, channel_id: ChannelId | None, lines: Sequence[LineRow]) -> list[Base]:
    """The same for lines that are stored."""
    return await bases_of(connection, channel_id, [line.card(_NOT_STORED) for line in lines])

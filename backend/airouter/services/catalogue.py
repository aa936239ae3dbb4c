"""Reading everything that is offered, whole and as of one moment.

Rows are checked one by one. A row that cannot be understood (edited by hand, or encrypted with a key that is no longer
configured) is logged and keeps the form it had in the catalogue before; without such a form it is left out. It never
takes the rest of the catalogue with it.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from airouter.domain.catalogue import Catalogue, Channel, ChannelOptions, Credential, Group, Model
from airouter.domain.errors import DomainError
from airouter.domain.ids import ChannelId
from airouter.domain.policy import TOPICS, Policies
from airouter.domain.rate_card import RateCard, check_rates
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import channel_costs, channel_credentials, channels, groups, models, policies, rate_cards
from airouter.storage.channel_costs import CostRow
from airouter.storage.channel_credentials import CredentialRow
from airouter.storage.channels import ChannelRow
from airouter.storage.database import Connection, Database, row_as
from airouter.storage.groups import GroupRow
from airouter.storage.models import ModelRow
from airouter.storage.rate_cards import RateCardRow

CREDENTIAL_PURPOSE: Final = "provider-credential"
CREDENTIAL_TABLE: Final = "channel_credentials"
PROXY_PURPOSE: Final = "channel-proxy"
PROXY_TABLE: Final = "channels"

Record = Any
Thing = TypeVar("Thing")

logger = logging.getLogger(__name__)


async def read_catalogue(
    database: Database, vault: Vault, now: datetime, *, previous: Catalogue | None = None
) -> Catalogue:
    """The catalogue as of one moment of Postgres' clock, which alone decides what card is in force.

    `now` is the same moment on the caller's clock: `next_change_at` is given by it, so that a clock that differs from
    Postgres' does no harm.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    async with database.transaction(is_read_only=True) as connection:
        raw = await _Raw.read(connection)
    cards = _each(raw.cards, "rate_cards", "model", _card)
    costs = _costs(raw.costs)
    return Catalogue(
        models=_models(raw.models, cards, previous),
        groups=_groups(raw.groups, previous),
        channels=_channels(raw.channels, raw.credentials, costs, vault, previous),
        policies=_policies(raw.policies, previous),
        next_change_at=None if raw.next_seconds is None else now + timedelta(seconds=raw.next_seconds),
    )


class _Raw(msgspec.Struct, frozen=True, kw_only=True):
    """Rows as they came, of one snapshot."""

    models: list[Record]
    cards: list[Record]
    groups: list[Record]
    channels: list[Record]
    credentials: list[Record]
    costs: list[Record]
    policies: list[Record]
    next_seconds: float | None

    @classmethod
    async def read(cls, connection: Connection) -> "_Raw":
        return cls(
            models=await connection.fetch(models.QUERIES.every_model),
            cards=await connection.fetch(rate_cards.QUERIES.cards_in_force),
            groups=await connection.fetch(groups.QUERIES.every_group),
            channels=await connection.fetch(channels.QUERIES.every_channel),
            credentials=await connection.fetch(channel_credentials.QUERIES.every_usable_credential),
            costs=await connection.fetch(channel_costs.QUERIES.costs_in_force),
            policies=await connection.fetch(policies.QUERIES.every_policy),
            next_seconds=_sooner(
                await rate_cards.seconds_until_next(connection), await channel_costs.seconds_until_next(connection)
            ),
        )


def _each(records: Iterable[Record], table: str, key: str, make: Callable[[Record], Thing]) -> dict[Any, Thing | None]:
    """By key, in the order of the rows; None where the row cannot be understood."""
    found: dict[Any, Thing | None] = {}
    for record in records:
        try:
            made = make(record)
        except (msgspec.ValidationError, DomainError, SecretUnreadable, TypeError, ValueError) as error:
            logger.error(  # noqa: TRY400 - a traceback says nothing that the row does not
                "catalogue.row_malformed", extra={"table": table, "row": str(record[key]), "why": str(error)}
            )
            made = None
        found[record[key]] = made
    return found


def _card(record: Record) -> RateCard:
    card = row_as(RateCardRow, record).card()
    check_rates(card.rates, card.tiers)
    return card


def _models(records: list[Record], cards: dict[str, RateCard | None], previous: Catalogue | None) -> dict[str, Model]:
    before = previous.models if previous else {}

    def make(record: Record) -> Model:
        row = row_as(ModelRow, record)
        card = cards.get(row.model)
        if (
            card is None and row.model in cards
        ):  # there is one in force, but it is malformed: never price without knowing
            card = before[row.model].card if row.model in before else None
        return Model(
            model=row.model,
            vendor=row.vendor,
            description=row.description,
            context_window=row.context_window,
            max_output_tokens=row.max_output_tokens,
            media_tokens_max=row.media_tokens_max,
            is_enabled=row.is_enabled,
            created_at_seconds=int(row.created_at.timestamp()),
            card=card,
            rate_limits=row.rate_limits.or_none,
        )

    return _or_before(_each(records, "models", "model", make), before)


def _groups(records: list[Record], previous: Catalogue | None) -> dict[str, Group]:
    def make(record: Record) -> Group:
        row = row_as(GroupRow, record)
        return Group(
            name=row.name,
            label=row.label,
            multiplier_micros=row.multiplier_micros,
            models=None if row.models is None else frozenset(row.models),
            is_public=row.is_public,
            usable_by=frozenset(row.usable_by),
            overrides=row.overrides,
            members=row.members,
            rate_limits=row.rate_limits.or_none,
        )

    return _or_before(_each(records, "groups", "name", make), previous.groups if previous else {})


def _costs(records: list[Record]) -> dict[ChannelId, dict[str, RateCard]]:
    """What each channel costs, by model. A row that cannot be understood is as good as none: a cost is not guessed."""
    found: dict[ChannelId, dict[str, RateCard]] = {}

    def read(record: Record) -> CostRow:
        row = row_as(CostRow, record)
        card = row.card()
        if card is not None:
            check_rates(card.rates, card.tiers)
            found.setdefault(row.channel_id, {})[row.model] = card
        return row

    _each(records, "channel_costs", "cost_id", read)
    return found


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((seconds for seconds in (one, other) if seconds is not None), default=None)


def _channels(
    records: list[Record],
    credentials: list[Record],
    costs: dict[ChannelId, dict[str, RateCard]],
    vault: Vault,
    previous: Catalogue | None,
) -> tuple[Channel, ...]:
    secrets: dict[ChannelId, list[CredentialRow]] = {}
    for record in credentials:
        secrets.setdefault(record["channel_id"], []).append(row_as(CredentialRow, record))

    def make(record: Record) -> Channel:
        row = row_as(ChannelRow, record)
        channel = channel_of(vault, row, tuple(open_credential(vault, one) for one in secrets.get(row.channel_id, ())))
        return msgspec.structs.replace(channel, costs=costs.get(row.channel_id, {}))

    before = {channel.channel_id: channel for channel in previous.channels} if previous else {}
    return tuple(_or_before(_each(records, "channels", "channel_id", make), before).values())


def channel_of(vault: Vault, row: ChannelRow, credentials: tuple[Credential, ...]) -> Channel:
    """A row as the gateway uses it. Raises msgspec.ValidationError for options that are none, SecretUnreadable."""
    return Channel(
        channel_id=row.channel_id,
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        models=row.models,
        groups=frozenset(row.groups),
        priority=row.priority,
        weight=row.weight,
        is_enabled=row.is_enabled,
        credentials=credentials,
        options=msgspec.convert(row.options, ChannelOptions),
        proxy=None if row.proxy is None else vault.decrypt(PROXY_PURPOSE, PROXY_TABLE, row.channel_id, row.proxy),
    )


def open_credential(vault: Vault, row: CredentialRow) -> Credential:
    """Raises SecretUnreadable."""
    secret = vault.decrypt(CREDENTIAL_PURPOSE, CREDENTIAL_TABLE, row.credential_id, row.ciphertext)
    return Credential(credential_id=row.credential_id, secret=secret)


def _policies(records: list[Record], previous: Catalogue | None) -> Policies:
    before = previous.policies if previous else Policies()
    known = [record for record in records if record["topic"] in TOPICS]
    topics = _each(known, "policies", "topic", lambda record: msgspec.convert(record["value"], TOPICS[record["topic"]]))
    return msgspec.structs.replace(
        Policies(), **_or_before(topics, {topic: getattr(before, topic) for topic in TOPICS})
    )


def _or_before(found: dict[Any, Thing | None], before: dict[Any, Thing]) -> dict[Any, Thing]:
    """What was understood; else the form of the same row before; else nothing."""
    return {
        key: thing if thing is not None else before[key]
        for key, thing in found.items()
        if thing is not None or key in before
    }

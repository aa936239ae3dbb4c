"""Referrals: codes, who brought whom, and the events that their orders leave."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from airouter.domain.ids import AccountId
from airouter.domain.policies.referral import Condition
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("referrals")


class Referrer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose code it is."""

    account_id: AccountId
    email: str


class Counted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many people count already: of a referrer in all and within 24 hours, and of an address range."""

    in_all: int
    in_a_day: int
    of_network: int


class NewReferral(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was brought, with the terms of the day."""

    referral_id: UUID
    referrer_account: AccountId
    invitee_account: AccountId
    identity: bytes
    network: str
    condition: Condition
    first_order_minimum: int
    verified_email_only: bool
    share_micros: int
    share_until: datetime | None
    share_orders_max: int | None


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A referral that nobody else works on now."""

    referral_id: UUID
    referrer_account: AccountId
    invitee_account: AccountId
    condition: Condition
    first_order_minimum: int
    share_micros: int
    share_until: datetime | None
    share_orders_max: int | None


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an order of the invitee stood."""

    event_id: int
    order_id: UUID
    credited: int
    taken: int
    created_at: datetime


class ReferralRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A referral as an operator sees it. `invitee_email` None: the person was deleted."""

    referral_id: UUID
    referrer_account: AccountId
    referrer_name: str
    invitee_account: AccountId
    invitee_name: str
    invitee_email: str | None
    network: str | None
    condition: Condition
    share_micros: int
    joined_at: datetime


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which referrals. None: all."""

    account_id: UUID | None = None
    state: str | None = None
    network: str | None = None
    text: str | None = None


async def code_of_account(connection: Connection, account_id: AccountId) -> str | None:
    return await connection.fetchval(QUERIES.code_of_account, account_id)


async def insert_code(connection: Connection, account_id: AccountId, code: str) -> bool:
    """False: the account has a code by now, or somebody else has this one."""
    return await connection.fetchval(QUERIES.insert_code, account_id, code) is not None


async def lock_referrer(connection: Connection, code: str) -> Referrer | None:
    """None: nobody who may refer has this code."""
    row = await connection.fetchrow(QUERIES.lock_referrer, code)
    return None if row is None else row_as(Referrer, row)


async def counted_before(connection: Connection, referrer: AccountId, network: str) -> Counted:
    """As of now, and until the transaction ends: others wait."""
    await connection.execute(QUERIES.lock_network, network)
    return row_as(Counted, await connection.fetchrow(QUERIES.counted_before, referrer, network))


async def identity_is_known(connection: Connection, identities: Sequence[bytes]) -> bool:
    return value_as(bool, await connection.fetchval(QUERIES.identity_is_known, list(identities)))


async def insert_referral(connection: Connection, referral: NewReferral) -> bool:
    """False: this account or mailbox was brought before."""
    return await connection.fetchval(QUERIES.insert_referral, *msgspec.structs.astuple(referral)) is not None


async def insert_event(
    connection: Connection, account_id: AccountId, order_id: UUID, *, credited: int, taken: int
) -> None:
    await connection.execute(QUERIES.insert_event, account_id, order_id, credited, taken)


async def referrals_with_events(connection: Connection, limit: int) -> list[UUID]:
    return [row["referral_id"] for row in await connection.fetch(QUERIES.referrals_with_events, limit)]


async def lock_referral(connection: Connection, referral_id: UUID) -> Terms | None:
    """None: another process is at it."""
    row = await connection.fetchrow(QUERIES.lock_referral, referral_id)
    return None if row is None else row_as(Terms, row)


async def events_of(connection: Connection, referral_id: UUID) -> list[OrderEvent]:
    """In the order in which they were told."""
    return [row_as(OrderEvent, row) for row in await connection.fetch(QUERIES.events_of, referral_id)]


async def drop_events(connection: Connection, events: Sequence[OrderEvent]) -> None:
    await connection.execute(QUERIES.drop_events, [event.event_id for event in events])


async def forget_networks(connection: Connection) -> None:
    """Where people came from is kept as long as it helps against farming."""
    await connection.execute(QUERIES.forget_networks)


async def referral_page(
    connection: Connection, filters: Filters, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[ReferralRow]:
    """Newest first."""
    chosen = msgspec.structs.astuple(filters)
    rows = await connection.fetch(QUERIES.referral_page, *chosen, after_time, after_id, limit)
    return [row_as(ReferralRow, row) for row in rows]

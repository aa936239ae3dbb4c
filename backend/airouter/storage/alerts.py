"""Alerts, what they were told about, and the webhooks that tell it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from airouter.domain.alert import AlertKind, DeliveryState
from airouter.domain.budget import Period
from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("alerts")


class AlertRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert as its account sees it. `fired_at`: when it told something that still holds."""

    alert_id: UUID
    kind: AlertKind
    threshold: int
    to_mail: bool
    webhook_url: str | None
    is_enabled: bool
    created_at: datetime
    fired_at: datetime | None


class FiredRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A crossing to be told: of the balance, or of a limit and what was spent of it."""

    alert_id: UUID
    subject: str
    fired_at: datetime
    account_id: AccountId
    kind: AlertKind
    threshold: int
    to_mail: bool
    webhook_url: str | None
    account_name: str
    figure: int
    quota_max: int | None
    period: Period | None
    key_id: KeyId | None
    key_name: str | None
    user_id: UserId | None
    user_email: str | None
    resets_at: datetime | None
    time_zone: str
    currency: str


class ReaderRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is told by mail."""

    email: str
    locale: str | None


class ClaimedDelivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook to send now. Without an address by now: its alert has none any more."""

    delivery_id: UUID
    alert_id: UUID
    event: str
    body: str
    attempts: int
    webhook_url: str | None
    secret_sealed: bytes | None


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How sending a webhook went so far. `due_at`: when it is tried next."""

    delivery_id: UUID
    alert_id: UUID
    event: str
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    created_at: datetime
    ended_at: datetime | None
    due_at: datetime | None


async def insert_alert(
    connection: Connection,
    alert_id: UUID,
    account_id: AccountId,
    *,
    kind: AlertKind,
    threshold: int,
    to_mail: bool,
    webhook_url: str | None,
    secret_sealed: bytes | None,
    created_by: UserId,
) -> bool:
    """False: there is one with this id already."""
    made = await connection.fetchval(
        QUERIES.insert_alert, alert_id, account_id, kind, threshold, to_mail, webhook_url, secret_sealed, created_by
    )
    return made is not None


async def count_alerts(connection: Connection, account_id: AccountId) -> int:
    """How many the account has; nobody makes it another until the transaction ends."""
    await connection.execute(QUERIES.hold_account, account_id)
    return value_as(int, await connection.fetchval(QUERIES.count_alerts, account_id))


async def alerts_of(
    connection: Connection, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[AlertRow]:
    """Oldest first."""
    rows = await connection.fetch(QUERIES.alerts_of, account_id, after_time, after_id, limit)
    return [row_as(AlertRow, row) for row in rows]


async def find_alert(connection: Connection, alert_id: UUID, account_id: AccountId) -> AlertRow | None:
    row = await connection.fetchrow(QUERIES.find_alert, alert_id, account_id)
    return row and row_as(AlertRow, row)


async def lock_alert(connection: Connection, alert_id: UUID, account_id: AccountId) -> AlertRow | None:
    """The row, held until the transaction ends; whether it fired is not said."""
    row = await connection.fetchrow(QUERIES.lock_alert, alert_id, account_id)
    return row and row_as(AlertRow, row)


async def change_alert(connection: Connection, alert: AlertRow, secret_sealed: bytes | None) -> None:
    """`secret_sealed` None: the one that it has stays."""
    await connection.execute(
        QUERIES.change_alert, alert.alert_id, alert.threshold, alert.to_mail, alert.webhook_url, alert.is_enabled,
        secret_sealed,
    )  # fmt: skip


async def delete_alert(connection: Connection, alert_id: UUID, account_id: AccountId) -> bool:
    await connection.execute(QUERIES.lock_alert, alert_id, account_id)
    await forget_firings_of(connection, alert_id)
    return await connection.fetchval(QUERIES.delete_alert, alert_id, account_id) is not None


async def delete_alerts_in(connection: Connection, accounts: Sequence[AccountId]) -> None:
    """Every alert of these accounts."""
    await connection.execute(QUERIES.lock_alerts_in, list(accounts))
    await connection.execute(QUERIES.forget_firings_in, list(accounts))
    await connection.execute(QUERIES.delete_alerts_in, list(accounts))


async def forget_firings_of(connection: Connection, alert_id: UUID) -> None:
    """It is armed again."""
    await connection.execute(QUERIES.forget_firings_of, alert_id)


async def rearm_alerts(connection: Connection) -> None:
    """What is well again may fire another time."""
    await connection.execute(QUERIES.rearm_alerts)


async def fire_alerts(connection: Connection) -> list[FiredRow]:
    """What has crossed a threshold since the last time, each once."""
    return [row_as(FiredRow, row) for row in await connection.fetch(QUERIES.fire_alerts)]


async def readers_of(connection: Connection, account_id: AccountId, roles: Sequence[str]) -> list[ReaderRow]:
    """Members with one of these roles."""
    return [row_as(ReaderRow, row) for row in await connection.fetch(QUERIES.readers_of, account_id, list(roles))]


async def insert_delivery(
    connection: Connection, delivery_id: UUID, alert_id: UUID, account_id: AccountId, *, event: str, body: str
) -> None:
    await connection.execute(QUERIES.insert_delivery, delivery_id, alert_id, account_id, event, body)


async def claim_deliveries(connection: Connection, count: int, patience: timedelta) -> list[ClaimedDelivery]:
    """So many that are due, for this process alone, for so long."""
    rows = await connection.fetch(QUERIES.claim_deliveries, count, patience)
    return [row_as(ClaimedDelivery, row) for row in rows]


async def end_delivery(
    connection: Connection,
    delivery_id: UUID,
    state: DeliveryState,
    *,
    status: int | None,
    error: str | None,
    pause: timedelta | None = None,
) -> None:
    """How an attempt went. `pause`: it is tried again after that."""
    await connection.execute(QUERIES.end_delivery, delivery_id, state, status, error, pause)


async def deliveries_of(
    connection: Connection, account_id: AccountId, *, after_time: datetime | None, after_id: UUID | None, limit: int
) -> list[DeliveryRow]:
    """Newest first."""
    rows = await connection.fetch(QUERIES.deliveries_of, account_id, after_time, after_id, limit)
    return [row_as(DeliveryRow, row) for row in rows]


async def forget_deliveries(connection: Connection) -> None:
    """Those that ended a month ago."""
    await connection.execute(QUERIES.forget_deliveries)

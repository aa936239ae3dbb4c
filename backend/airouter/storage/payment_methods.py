"""Payment methods, and their secrets (encrypted)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from airouter.domain.quote import BonusTier, Package
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("payment_methods")


class MethodRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way to pay, as the operator configured it."""

    method_id: str
    processor: str
    label: str
    text: str
    currency: str
    quota_per_minor_unit: int
    minimum: int | None
    maximum: int | None
    custom_amount: bool
    packages: tuple[Package, ...]
    bonus_tiers: tuple[BonusTier, ...]
    fee_fixed: int
    fee_micros: int
    groups: tuple[str, ...] | None
    order_minutes: int | None
    config: dict[str, Any]
    is_enabled: bool
    position: int
    created_at: datetime
    updated_at: datetime


class SecretRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An encrypted secret, and the one before while that is still accepted."""

    method_id: str
    field: str
    ciphertext: bytes
    set_at: datetime
    previous: bytes | None
    previous_accepted_until: datetime | None


async def every_method(connection: Connection) -> list[MethodRow]:
    """In the order in which they are shown."""
    return [row_as(MethodRow, record) for record in await connection.fetch(QUERIES.every_method)]


async def find_method(connection: Connection, method_id: str) -> MethodRow | None:
    row = await connection.fetchrow(QUERIES.find_method, method_id)
    return row and row_as(MethodRow, row)


async def lock_method(connection: Connection, method_id: str) -> MethodRow | None:
    row = await connection.fetchrow(QUERIES.lock_method, method_id)
    return row and row_as(MethodRow, row)


async def insert_method(connection: Connection, row: MethodRow) -> MethodRow:
    """The times are Postgres'."""
    return row_as(MethodRow, await connection.fetchrow(QUERIES.insert_method, *msgspec.structs.astuple(row)[:-2]))


async def update_method(connection: Connection, row: MethodRow) -> MethodRow:
    values = [row.method_id, *msgspec.structs.astuple(row)[2:-2]]
    return row_as(MethodRow, await connection.fetchrow(QUERIES.update_method, *values))


async def delete_method(connection: Connection, method_id: str) -> bool:
    """Its secrets go with it. False: there is none."""
    return await connection.fetchval(QUERIES.delete_method, method_id) is not None


async def has_open_orders(connection: Connection, method_id: str) -> bool:
    """Whether something may still be heard about orders of it soon."""
    return bool(await connection.fetchval(QUERIES.has_open_orders, method_id))


async def known_groups(connection: Connection, names: Sequence[str]) -> frozenset[str]:
    return frozenset(row["name"] for row in await connection.fetch(QUERIES.known_groups, list(names)))


async def secrets_of(connection: Connection, methods: Sequence[str]) -> dict[str, list[SecretRow]]:
    """By method; those without any have an empty list."""
    found: dict[str, list[SecretRow]] = {method_id: [] for method_id in methods}
    for record in await connection.fetch(QUERIES.secrets_of, list(methods)):
        row = row_as(SecretRow, record)
        found[row.method_id].append(row)
    return found


async def put_secret(
    connection: Connection, method_id: str, field: str, ciphertext: bytes, previous_for: timedelta
) -> None:
    """The one before is accepted for `previous_for`; zero: no longer."""
    await connection.execute(QUERIES.put_secret, method_id, field, ciphertext, previous_for)


async def delete_secret(connection: Connection, method_id: str, field: str) -> None:
    await connection.execute(QUERIES.delete_secret, method_id, field)

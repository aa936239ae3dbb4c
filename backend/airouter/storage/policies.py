"""Rows of policies, one a topic. A topic without a row has its defaults."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("policies")


class PolicyRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`value` as stored: the topic's struct decides what it may say."""

    topic: str
    value: dict[str, Any]
    updated_at: datetime
    updated_by: UUID | None


async def every_policy(connection: Connection) -> list[PolicyRow]:
    return [row_as(PolicyRow, row) for row in await connection.fetch(QUERIES.every_policy)]


async def find_policy(connection: Connection, topic: str) -> PolicyRow | None:
    row = await connection.fetchrow(QUERIES.find_policy, topic)
    return None if row is None else row_as(PolicyRow, row)


async def put_policy(connection: Connection, topic: str, value: object, updated_by: UUID | None) -> PolicyRow:
    """The whole topic, as it holds from now on."""
    return row_as(PolicyRow, await connection.fetchrow(QUERIES.put_policy, topic, value, updated_by))


class PolicyVersionRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a topic said at some time, and who made it say so."""

    topic: str
    version: int
    value: dict[str, Any]
    changed_at: datetime
    changed_by: UUID | None
    changed_by_email: str | None


async def keep_policy(connection: Connection, topic: str, value: object, changed_by: UUID | None) -> None:
    """In the transaction of `put_policy`, after it."""
    await connection.execute(QUERIES.keep_policy, topic, value, changed_by)


async def policy_history(
    connection: Connection, topic: str, *, before: int | None, limit: int
) -> list[PolicyVersionRow]:
    """Newest first."""
    found = await connection.fetch(QUERIES.policy_history, topic, before, limit)
    return [row_as(PolicyVersionRow, row) for row in found]


async def find_policy_version(connection: Connection, topic: str, version: int) -> PolicyVersionRow | None:
    row = await connection.fetchrow(QUERIES.find_policy_version, topic, version)
    return None if row is None else row_as(PolicyVersionRow, row)

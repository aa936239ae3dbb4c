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

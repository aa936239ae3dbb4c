"""Rows of groups."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from airouter.domain.rate_limit import RateLimits
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("groups")


class GroupRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group; `models` None: every model."""

    name: str
    label: str
    multiplier_micros: int
    models: tuple[str, ...] | None
    is_public: bool
    usable_by: tuple[str, ...]
    overrides: dict[str, int]
    members: tuple[str, ...]
    rate_limits: RateLimits
    created_at: datetime


async def page_of_groups(connection: Connection, after: str, limit: int) -> list[GroupRow]:
    """By name."""
    return [row_as(GroupRow, row) for row in await connection.fetch(QUERIES.page_of_groups, after, limit)]


async def find_group(connection: Connection, name: str) -> GroupRow | None:
    row = await connection.fetchrow(QUERIES.find_group, name)
    return None if row is None else row_as(GroupRow, row)


async def lock_group(connection: Connection, name: str, members: Sequence[str] = ()) -> GroupRow | None:
    """The row, held until the transaction ends, and so are those of the members that it is to have."""
    found = [row_as(GroupRow, row) for row in await connection.fetch(QUERIES.lock_groups, [name, *members])]
    return next((row for row in found if row.name == name), None)


async def insert_group(connection: Connection, row: GroupRow) -> GroupRow | None:
    """None: there is one of that name."""
    found = await connection.fetchrow(QUERIES.insert_group, *_columns(row))
    return None if found is None else row_as(GroupRow, found)


async def update_group(connection: Connection, row: GroupRow) -> GroupRow:
    return row_as(GroupRow, await connection.fetchrow(QUERIES.update_group, *_columns(row)))


def _columns(row: GroupRow) -> tuple[object, ...]:
    limits = msgspec.to_builtins(row.rate_limits)
    return (
        row.name, row.label, row.multiplier_micros, row.models, row.is_public, row.usable_by, row.overrides, limits,
        row.members,
    )  # fmt: skip


async def plain_groups(connection: Connection, names: Sequence[str]) -> set[str]:
    """Which of these are there and stand for themselves."""
    found = await connection.fetch(QUERIES.members_of_groups, names)
    return {value_as(str, row["name"]) for row in found if not row["stands_for_others"]}


async def is_member(connection: Connection, name: str) -> bool:
    """Some group stands for this one."""
    return value_as(bool, await connection.fetchval(QUERIES.is_member, name))


async def users_of_group(connection: Connection, name: str) -> list[str]:
    """The kinds of things that refer to the group."""
    row = await connection.fetchrow(QUERIES.users_of_group, name)
    assert row is not None, "a SELECT without FROM has one row"
    return [kind for kind, is_used in dict(row).items() if is_used]


async def delete_group(connection: Connection, name: str) -> None:
    """Raises asyncpg.ForeignKeyViolationError when an account or a key came to use it in the meantime."""
    await connection.execute(QUERIES.forget_group_in_deleted_keys, name)
    await connection.execute(QUERIES.delete_group, name)

"""Failure budgets: how often something was tried in the present window."""

from datetime import timedelta

import msgspec

from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("attempts")


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many tries the window has seen, this one included, and when the window ends."""

    failures: int
    seconds_left: int


async def take_attempt(connection: Connection, scope: str, subject: bytes, window: timedelta) -> AttemptRow:
    record = await connection.fetchrow(QUERIES.take_attempt, scope, subject, window)
    return row_as(AttemptRow, record)


async def give_attempt_back(connection: Connection, scope: str, subject: bytes) -> None:
    await connection.execute(QUERIES.give_attempt_back, scope, subject)


async def clear_attempts(connection: Connection, scope: str, subject: bytes) -> None:
    await connection.execute(QUERIES.clear_attempts, scope, subject)


async def forget_attempts(connection: Connection) -> None:
    await connection.execute(QUERIES.forget_attempts)

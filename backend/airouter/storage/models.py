"""Rows of models: the public names that callers ask for."""

from datetime import datetime

import msgspec

from airouter.domain.rate_limit import RateLimits
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("models")


class ModelRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model without its prices."""

    model: str
    vendor: str | None
    description: str | None
    context_window: int | None
    max_output_tokens: int | None
    media_tokens_max: int | None
    is_enabled: bool
    rate_limits: RateLimits
    created_at: datetime


async def page_of_models(connection: Connection, after: str, limit: int) -> list[ModelRow]:
    """By name."""
    return [row_as(ModelRow, row) for row in await connection.fetch(QUERIES.page_of_models, after, limit)]


async def find_model(connection: Connection, model: str) -> ModelRow | None:
    row = await connection.fetchrow(QUERIES.find_model, model)
    return None if row is None else row_as(ModelRow, row)


async def lock_model(connection: Connection, model: str) -> ModelRow | None:
    """The row, held until the transaction ends: versions of a model's rate card are counted under it."""
    row = await connection.fetchrow(QUERIES.lock_model, model)
    return None if row is None else row_as(ModelRow, row)


async def insert_model(connection: Connection, row: ModelRow) -> ModelRow | None:
    """None: there is one of that name."""
    found = await connection.fetchrow(QUERIES.insert_model, *_columns(row))
    return None if found is None else row_as(ModelRow, found)


async def update_model(connection: Connection, row: ModelRow) -> ModelRow:
    return row_as(ModelRow, await connection.fetchrow(QUERIES.update_model, *_columns(row)))


def _columns(row: ModelRow) -> tuple[object, ...]:
    return (
        row.model, row.vendor, row.description, row.context_window, row.max_output_tokens, row.media_tokens_max,
        row.is_enabled, msgspec.to_builtins(row.rate_limits),
    )  # fmt: skip


async def delete_model(connection: Connection, model: str) -> bool:
    """Whether there was one. Raises asyncpg.ForeignKeyViolationError for a model with rate cards."""
    return await connection.fetchrow(QUERIES.delete_model, model) is not None

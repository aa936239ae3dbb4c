"""Models: the public names that callers ask for. A figure that the operator did not set is None, never guessed."""

from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.errors import AlreadyExists, InUse, ModelNotFound
from airouter.domain.rate_limit import UNLIMITED, RateLimits
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.channels import ModelName
from airouter.services.rate_cards import RateCardView, view_of_card
from airouter.services.rate_limit_views import RateLimitsView, limits_view
from airouter.storage import models as rows
from airouter.storage import rate_cards
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.models import ModelRow
from airouter.world import now

Tokens = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Vendor = Annotated[str, Meta(max_length=120)]
Description = Annotated[str, Meta(max_length=4000)]


class ModelChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays, null takes a figure away. `rate_limits` hold for all accounts together and
    are replaced as a whole.
    """

    vendor: Vendor | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    context_window: Tokens | UnsetType | None = UNSET
    max_output_tokens: Tokens | UnsetType | None = UNSET
    media_tokens_max: Tokens | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET


class ModelDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model to be, or changes of the one with that name."""

    model: ModelName
    vendor: Vendor | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    context_window: Tokens | UnsetType | None = UNSET
    max_output_tokens: Tokens | UnsetType | None = UNSET
    media_tokens_max: Tokens | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET

    def changes(self) -> ModelChanges:
        """Everything but the name."""
        return ModelChanges(**{name: getattr(self, name) for name in ModelChanges.__struct_fields__})


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """A model as an operator sees it, with the rate card in force; without one it is refused to callers."""

    model: str
    vendor: str | None
    description: str | None
    context_window: int | None
    max_output_tokens: int | None
    media_tokens_max: int | None
    enabled: bool
    rate_limits: RateLimitsView
    created_at: datetime
    rate_card: RateCardView | None


class Models:
    """The operator's verbs for models."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: str, limit: int) -> list[ModelView]:
        """By name."""
        async with self._database.transaction(is_read_only=True) as connection:
            return await _views(connection, await rows.page_of_models(connection, after, limit))

    async def get(self, model: str) -> ModelView:
        """Raises ModelNotFound."""
        async with self._database.transaction(is_read_only=True) as connection:
            row = await rows.find_model(connection, model)
            if row is None:
                raise _nothing(model)
            return (await _views(connection, [row]))[0]

    async def save(
        self, draft: ModelDraft, *, create_only: bool = False, actor: Actor = SYSTEM
    ) -> tuple[ModelView, bool]:
        """The model of that name, made or changed; whether it is new.

        Raises:
            AlreadyExists: it is not new and was to be.
        """
        async with self._database.transaction() as connection:
            view = await add_model(connection, draft, actor)
            if view is not None:
                return view, True
            if create_only:
                raise AlreadyExists(f"There is a model {draft.model!r} already.", field="model")
            return await self._change(connection, draft.model, draft.changes(), actor), False

    async def change(self, model: str, changes: ModelChanges, actor: Actor = SYSTEM) -> ModelView:
        """Raises ModelNotFound."""
        async with self._database.transaction() as connection:
            return await self._change(connection, model, changes, actor)

    async def _change(self, connection: Connection, model: str, changes: ModelChanges, actor: Actor) -> ModelView:
        row = await rows.lock_model(connection, model)
        if row is None:
            raise _nothing(model)
        stored = await rows.update_model(connection, _merged(row, changes))
        await announce(connection, "catalogue")
        before, view = await _views(connection, [row, stored])
        await record(connection, actor, _act("changed", model, before=before, after=view))
        return view

    async def delete(self, model: str, actor: Actor = SYSTEM) -> None:
        """Gone, as if it had never been.

        Raises:
            ModelNotFound
            InUse: it has rate cards, by which receipts are recomputed; it can be disabled.
        """
        async with self._database.transaction() as connection:
            row = await rows.lock_model(connection, model)
            if row is None:
                raise _nothing(model)
            before = (await _views(connection, [row]))[0]
            try:
                is_gone = await rows.delete_model(connection, model)
            except asyncpg.ForeignKeyViolationError:
                raise InUse(
                    "The model has a price history, by which past calls can be recomputed. Disable it instead."
                ) from None
            if not is_gone:
                raise _nothing(model)
            await announce(connection, "catalogue")
            await record(connection, actor, _act("deleted", model, before=before))


async def add_model(connection: Connection, draft: ModelDraft, actor: Actor) -> ModelView | None:
    """A new model; None: there is one of that name, and nothing was changed."""
    stored = await rows.insert_model(connection, _merged(_blank(draft.model), draft.changes()))
    if stored is None:
        return None
    await announce(connection, "catalogue")
    view = (await _views(connection, [stored]))[0]
    await record(connection, actor, _act("created", draft.model, after=view))
    return view


def _act(done: str, model: str, *, before: ModelView | None = None, after: ModelView | None = None) -> Act:
    return Act(action=f"model.{done}", subject="model", subject_id=model, before=before, after=after)


def _nothing(model: str) -> ModelNotFound:
    return ModelNotFound(f"There is no model {model!r}.")


def _blank(model: str) -> ModelRow:
    return ModelRow(
        model=model,
        vendor=None,
        description=None,
        context_window=None,
        max_output_tokens=None,
        media_tokens_max=None,
        is_enabled=True,
        rate_limits=UNLIMITED,
        created_at=now(),  # Postgres writes its own
    )


def _merged(row: ModelRow, changes: ModelChanges) -> ModelRow:
    given = {name: getattr(changes, name) for name in ModelChanges.__struct_fields__}
    given["is_enabled"] = given.pop("enabled")
    if given["rate_limits"] is None:
        given["rate_limits"] = UNLIMITED
    return msgspec.structs.replace(row, **{name: value for name, value in given.items() if value is not UNSET})


async def _views(connection: Connection, found: list[ModelRow]) -> list[ModelView]:
    cards = await rate_cards.cards_in_force_of(connection, [row.model for row in found])
    return [
        ModelView(
            model=row.model,
            vendor=row.vendor,
            description=row.description,
            context_window=row.context_window,
            max_output_tokens=row.max_output_tokens,
            media_tokens_max=row.media_tokens_max,
            enabled=row.is_enabled,
            rate_limits=limits_view(row.rate_limits),
            created_at=row.created_at,
            rate_card=view_of_card(cards[row.model]) if row.model in cards else None,
        )
        for row in found
    ]

"""Groups: tiers of accounts and keys, with their multiplier, their models, and who else may use them."""

from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.catalogue import DEFAULT_GROUP
from airouter.domain.errors import AlreadyExists, InUse, InvalidRequest, NotFound
from airouter.domain.quota import MICROS
from airouter.domain.rate_limit import UNLIMITED, RateLimits
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.services.channels import ModelName
from airouter.services.rate_limit_views import RateLimitsView, limits_view
from airouter.storage import groups as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.groups import GroupRow
from airouter.world import now

GroupName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\s)")]
Multiplier = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Label = Annotated[str, Meta(max_length=120)]
ModelNames = Annotated[list[ModelName], Meta(max_length=5000)]
GroupNames = Annotated[list[GroupName], Meta(max_length=1000)]
Members = Annotated[list[GroupName], Meta(max_length=20)]


class GroupChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays. `models` null: every model. Multipliers are integer millionths.
    `rate_limits` hold for each account that uses the group, are replaced as a whole, and null takes them away.
    """

    label: Label | UnsetType = UNSET
    multiplier_micros: Multiplier | UnsetType = UNSET
    models: ModelNames | UnsetType | None = UNSET
    is_public: bool | UnsetType = UNSET
    usable_by: GroupNames | UnsetType = UNSET
    overrides: dict[GroupName, Multiplier] | UnsetType = UNSET
    members: Members | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET


class GroupDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group to be (then `multiplier_micros` is required, but for one with `members`), or changes of the one with that
    name.

    With `members` it stands for these groups: a call is served by the first of them that offers the model and has a
    channel for it, at that group's price; when all its channels fail before an answer began, by the next.
    """

    name: GroupName
    label: Label | UnsetType = UNSET
    multiplier_micros: Multiplier | UnsetType = UNSET
    models: ModelNames | UnsetType | None = UNSET
    is_public: bool | UnsetType = UNSET
    usable_by: GroupNames | UnsetType = UNSET
    overrides: dict[GroupName, Multiplier] | UnsetType = UNSET
    members: Members | UnsetType = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET

    def changes(self) -> GroupChanges:
        """Everything but the name."""
        return GroupChanges(**{name: getattr(self, name) for name in GroupChanges.__struct_fields__})


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A group as an operator sees it. `rate_limits` hold for each account that uses it."""

    name: str
    label: str
    multiplier_micros: int
    models: list[str] | None
    is_public: bool
    usable_by: list[str]
    overrides: dict[str, int]
    members: list[str]
    rate_limits: RateLimitsView
    created_at: datetime


class Groups:
    """The operator's verbs for groups."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: str, limit: int) -> list[GroupView]:
        """By name."""
        async with self._database.connection() as connection:
            return [_view(row) for row in await rows.page_of_groups(connection, after, limit)]

    async def get(self, name: str) -> GroupView:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            row = await rows.find_group(connection, name)
        if row is None:
            raise _nothing(name)
        return _view(row)

    async def save(
        self, draft: GroupDraft, *, create_only: bool = False, actor: Actor = SYSTEM
    ) -> tuple[GroupView, bool]:
        """The group of that name, made or changed; whether it is new.

        Raises:
            AlreadyExists: it is not new and was to be.
            InvalidRequest: it is new and has no multiplier; or a member that there is not, or that has members itself.
        """
        async with self._database.transaction() as connection:
            stored = await rows.lock_group(connection, draft.name, draft.members or ())
            before = stored and _view(stored)
            if stored is None:
                if draft.multiplier_micros is UNSET and not draft.members:
                    raise InvalidRequest(
                        "multiplier_micros: this field is required for a new group.", field="multiplier_micros"
                    )
                stored = await rows.insert_group(
                    connection, await _checked(connection, _blank(draft.name), draft.changes())
                )
                if stored is None:  # somebody else made it in this very moment
                    raise AlreadyExists(f"There is a group {draft.name!r} already.", field="name")
            elif create_only:
                raise AlreadyExists(f"There is a group {draft.name!r} already.", field="name")
            else:
                stored = await rows.update_group(connection, await _checked(connection, stored, draft.changes()))
            await announce(connection, "catalogue")
            view, done = _view(stored), "changed" if before else "created"
            await record(connection, actor, _act(done, draft.name, before=before, after=view))
        return view, before is None

    async def change(self, name: str, changes: GroupChanges, actor: Actor = SYSTEM) -> GroupView:
        """Raises NotFound, and InvalidRequest for a member that there is not, or that has members itself."""
        async with self._database.transaction() as connection:
            row = await rows.lock_group(connection, name, changes.members or ())
            if row is None:
                raise _nothing(name)
            view = _view(await rows.update_group(connection, await _checked(connection, row, changes)))
            await announce(connection, "catalogue")
            await record(connection, actor, _act("changed", name, before=_view(row), after=view))
        return view

    async def delete(self, name: str, actor: Actor = SYSTEM) -> None:
        """Gone.

        Raises:
            NotFound
            InUse: something refers to it, or it is the group that everything falls back to.
        """
        async with self._database.transaction() as connection:
            row = await rows.lock_group(connection, name)
            if row is None:
                raise _nothing(name)
            if name == DEFAULT_GROUP:
                raise InUse("The default group cannot be deleted: accounts start in it.")
            used_by = await rows.users_of_group(connection, name)
            if used_by:
                raise _in_use(used_by)
            try:
                await rows.delete_group(connection, name)
            except asyncpg.ForeignKeyViolationError:
                raise _in_use(["accounts or keys"]) from None
            await announce(connection, "catalogue")
            await record(connection, actor, _act("deleted", name, before=_view(row)))


def _act(done: str, name: str, *, before: GroupView | None = None, after: GroupView | None = None) -> Act:
    return Act(action=f"group.{done}", subject="group", subject_id=name, before=before, after=after)


def _in_use(used_by: list[str]) -> InUse:
    words = ", ".join(kind.replace("_", " ") for kind in used_by)
    return InUse(f"The group is still referred to by {words}.", used_by=used_by)


def _nothing(name: str) -> NotFound:
    return NotFound(f"There is no group {name!r}.")


def _blank(name: str) -> GroupRow:
    return GroupRow(
        name=name,
        label="",
        multiplier_micros=MICROS,
        models=None,
        is_public=False,
        usable_by=(),
        overrides={},
        members=(),
        rate_limits=UNLIMITED,
        created_at=now(),  # Postgres writes its own
    )


async def _checked(connection: Connection, row: GroupRow, changes: GroupChanges) -> GroupRow:
    """The row as it is to be. Raises InvalidRequest for members that would lead nowhere or in a circle."""
    new = _merged(row, changes)
    if changes.members is not UNSET and new.members:
        plain = await rows.plain_groups(connection, new.members)
        for number, member in enumerate(new.members):
            field = f"members[{number}]"
            if member == new.name or member not in plain:
                words = f"{field}: {member!r} is no other group, or one that stands for others itself."
                raise InvalidRequest(words, field=field)
        if await rows.is_member(connection, new.name):
            raise InvalidRequest("members: another group stands for this one.", field="members")
    return new


def _merged(row: GroupRow, changes: GroupChanges) -> GroupRow:
    given = {name: getattr(changes, name) for name in GroupChanges.__struct_fields__}
    new = msgspec.structs.replace(row, **{name: value for name, value in given.items() if value is not UNSET})
    return msgspec.structs.replace(
        new,
        models=None if new.models is None else tuple(dict.fromkeys(new.models)),
        usable_by=tuple(dict.fromkeys(new.usable_by)),
        members=tuple(dict.fromkeys(new.members)),
        rate_limits=new.rate_limits or UNLIMITED,
    )


def _view(row: GroupRow) -> GroupView:
    return GroupView(
        name=row.name,
        label=row.label,
        multiplier_micros=row.multiplier_micros,
        models=None if row.models is None else list(row.models),
        is_public=row.is_public,
        usable_by=list(row.usable_by),
        overrides=row.overrides,
        members=list(row.members),
        rate_limits=limits_view(row.rate_limits),
        created_at=row.created_at,
    )

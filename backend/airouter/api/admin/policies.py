"""Policies: what an operator edits while the gateway runs. One address a topic, each with the fields of its own."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.domain.policy import TOPICS
from airouter.services.audit_log import Actor
from airouter.services.policies import PolicyBook, struct_of
from airouter.services.step_up import StepUp

_PATH: Final = "/admin/policies"
_TAGS: Final = ["Admin"]
_PROVED: Final = frozenset({"sign_in"})
"""Topics that say when a fresh proof is asked for. They ask for one: else a session that lies open ends the asking."""


class PolicyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as it holds. `updated_at` null: nobody changed it, these are its defaults.

    `fields` says what each field may be, as JSON schema, and what it is by default.
    """

    topic: str
    value: dict[str, Any]
    fields: dict[str, Any]
    updated_at: datetime | None
    updated_by: UUID | None


class PolicyList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[PolicyLine]
    next_cursor: None


@get(
    _PATH,
    operation_id="listPolicies",
    permission="operator.read",
    summary="All policies",
    tags=_TAGS,
    responses=refusals(401, 403),
)
async def list_policies(operator: NamedDependency[Operator], policies: NamedDependency[PolicyBook]) -> PolicyList:
    del operator
    lines = [
        PolicyLine(
            topic=view.topic,
            value=msgspec.to_builtins(view.value),
            fields=_fields(TOPICS[view.topic]),
            updated_at=view.updated_at,
            updated_by=view.updated_by,
        )
        for view in await policies.all()
    ]
    return PolicyList(items=lines, next_cursor=None)


@get(
    f"{_PATH}/{{topic:str}}",
    operation_id="getOtherPolicy",
    permission="operator.read",
    summary="Any other topic",
    tags=_TAGS,
    responses=refusals(401, 403, 404, 422),
)
async def read_other(topic: FromPath[str], operator: NamedDependency[Operator]) -> None:
    """404 for a topic that does not exist, 422 `not_supported_yet` for one that is to come."""
    del operator
    struct_of(topic)


@put(
    f"{_PATH}/{{topic:str}}",
    operation_id="putOtherPolicy",
    permission="policies.write",
    summary="Any other topic",
    tags=_TAGS,
    responses=refusals(401, 403, 404, 422),
)
async def put_other(topic: FromPath[str], operator: NamedDependency[Operator]) -> None:
    """404 for a topic that does not exist, 422 `not_supported_yet` for one that is to come."""
    del operator
    struct_of(topic)


def _fields(struct: type[msgspec.Struct]) -> dict[str, Any]:
    schema = msgspec.json.schema(struct)["$defs"][struct.__name__]
    defaults = msgspec.to_builtins(struct())
    return {name: {**field, "default": defaults[name]} for name, field in schema["properties"].items()}


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What the topic said from `changed_at` on."""

    version: int
    value: dict[str, Any]
    changed_at: datetime
    changed_by: UUID | None
    changed_by_email: str | None


class PolicyHistory(msgspec.Struct, frozen=True, kw_only=True):
    items: list[PolicyVersion]
    next_cursor: None


class Restoration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


@get(
    f"{_PATH}/{{topic:str}}/history",
    operation_id="listPolicyVersions",
    permission="operator.read",
    summary="What a topic said before",
    tags=_TAGS,
    responses=refusals(401, 403, 404, 422),
)
async def policy_history(
    topic: FromPath[str],
    operator: NamedDependency[Operator],
    policies: NamedDependency[PolicyBook],
    before: Annotated[int | None, QueryParameter(ge=1, le=2**31 - 1, description="Only older ones")] = None,
) -> PolicyHistory:
    """The newest 50, newest first; the first is what holds. Empty where nobody changed anything."""
    del operator
    items = [
        PolicyVersion(
            version=row.version,
            value=row.value,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
            changed_by_email=row.changed_by_email,
        )
        for row in await policies.history(topic, before=before, limit=50)
    ]
    return PolicyHistory(items=items, next_cursor=None)


@post(
    f"{_PATH}/{{topic:str}}/restore",
    operation_id="restorePolicy",
    permission="policies.write",
    summary="Let a topic say again what it said before",
    tags=_TAGS,
    status_code=204,
    responses=refusals(401, 403, 404, 422),
)
async def restore_policy(
    *,
    topic: FromPath[str],
    data: JSONBody[Restoration],
    operator: NamedDependency[Operator],
    actor: NamedDependency[Actor],
    step_up: NamedDependency[StepUp],
    policies: NamedDependency[PolicyBook],
) -> None:
    """Topic `sign_in` needs a fresh proof of who one is."""
    if topic in _PROVED:
        await step_up.require(None, operator.person)
    await policies.restore(topic, data.version, actor)


def _reader(topic: str, struct: type[msgspec.Struct]) -> HTTPRouteHandler:
    async def read(operator: NamedDependency[Operator], policies: NamedDependency[PolicyBook]) -> Any:
        del operator
        return (await policies.get(topic)).value

    read.__annotations__["return"] = struct
    return get(
        f"{_PATH}/{topic}",
        operation_id=f"get{struct.__name__}Policy",
        permission="operator.read",
        summary=f"Policy {topic}",
        description=struct.__doc__,
        tags=_TAGS,
        responses=refusals(401, 403),
    )(read)


def _writer(topic: str, struct: type[msgspec.Struct]) -> HTTPRouteHandler:
    async def write(
        data: Any,
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        step_up: NamedDependency[StepUp],
        policies: NamedDependency[PolicyBook],
    ) -> Any:
        if topic in _PROVED:
            await step_up.require(None, operator.person)
        return (await policies.put(data, actor)).value

    write.__annotations__["data"] = JSONBody[struct]  # type: ignore[valid-type]
    write.__annotations__["return"] = struct
    return put(
        f"{_PATH}/{topic}",
        operation_id=f"put{struct.__name__}Policy",
        permission="policies.write",
        summary=f"Replace policy {topic}",
        description=f"{struct.__doc__} The whole topic: a field that is absent gets its default.",
        tags=_TAGS,
        responses=refusals(401, 403, 422),
    )(write)


POLICIES: Final[tuple[HTTPRouteHandler, ...]] = (
    list_policies,
    read_other,
    put_other,
    policy_history,
    restore_policy,
    *(make(topic, struct) for topic, struct in TOPICS.items() for make in (_reader, _writer)),
)
"""Every route of policies."""

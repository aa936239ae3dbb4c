"""Policies: what an operator edits while the gateway runs, one typed struct a topic."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from airouter.domain.errors import InvalidRequest, NotFound, NotSupportedYet
from airouter.domain.policy import TOPICS, SignInRules, SignUp, Teams, Topic
from airouter.services.audit_log import SYSTEM, Act, Actor, record
from airouter.storage import factors, groups, instance_secrets
from airouter.storage import policies as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database

PLANNED: Final = frozenset({"retention", "mail"})
"""Topics that are promised and not enforced yet."""

Policy = TypeVar("Policy", bound=Topic)

_TOPIC_OF: Final[dict[type[Topic], str]] = {struct: topic for topic, struct in TOPICS.items()}


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as it holds. `updated_at` None: nobody changed it, these are its defaults."""

    topic: str
    value: Any
    updated_at: datetime | None
    updated_by: UUID | None


class PolicyBook:
    """Reads and replaces policies, a whole topic at a time."""

    def __init__(self, database: Database, *, has_mail: bool = False, challenge_origin: str = "") -> None:
        self._database = database
        self._has_mail = has_mail
        self._challenge_origin = challenge_origin

    async def all(self) -> list[PolicyView]:
        """Every topic, those that nobody changed included."""
        async with self._database.transaction(is_read_only=True) as connection:
            stored = {row.topic: row for row in await rows.every_policy(connection)}
        return [_view(topic, stored.get(topic)) for topic in TOPICS]

    async def get(self, topic: str) -> PolicyView:
        """Raises NotFound, NotSupportedYet."""
        _supported(topic)
        async with self._database.connection() as connection:
            return _view(topic, await rows.find_policy(connection, topic))

    async def history(self, topic: str, *, before: int | None, limit: int) -> list[rows.PolicyVersionRow]:
        """What a topic said, newest first; the first is what holds. Raises NotFound, NotSupportedYet."""
        _supported(topic)
        async with self._database.connection() as connection:
            return await rows.policy_history(connection, topic, before=before, limit=limit)

    async def restore(self, topic: str, version: int, actor: Actor) -> PolicyView:
        """What a topic said in that version holds again, as a new version.

        Raises:
            NotFound, NotSupportedYet
            InvalidRequest: it cannot be followed any more.
        """
        struct = struct_of(topic)
        async with self._database.connection() as connection:
            kept = await rows.find_policy_version(connection, topic, version)
        if kept is None:
            raise NotFound
        try:
            policy = msgspec.convert(kept.value, struct)
        except msgspec.ValidationError as error:
            raise InvalidRequest(f"That version does not fit today's policy: {error}", field="version") from None
        return await self.put(policy, actor)

    async def put(self, policy: Topic, actor: Actor = SYSTEM) -> PolicyView:
        """This policy instead of what its topic said, everywhere within a second.

        Raises:
            InvalidRequest: it cannot be followed; `field` says where.
        """
        topic = _TOPIC_OF[type(policy)]
        policy.check()
        promise = policy.needs_mail()
        if promise is not None and not self._has_mail:
            raise InvalidRequest(
                f"{promise}: this takes a mail server. Set AIROUTER_MAIL_URL and AIROUTER_MAIL_FROM, and start again.",
                field=promise,
            )
        if isinstance(policy, SignUp):
            self._challenge_can_be_loaded(policy)
        async with self._database.transaction() as connection:
            if type(policy) in CHECKS:
                await CHECKS[type(policy)](connection, policy)
            before = _view(topic, await rows.find_policy(connection, topic)).value
            row = await rows.put_policy(connection, topic, policy, actor.user_id)
            await rows.keep_policy(connection, topic, policy, actor.user_id)
            await announce(connection, "catalogue")
            act = Act(action="policy.changed", subject="policy", subject_id=topic, before=before, after=policy)
            await record(connection, actor, act)
        return _view(topic, row)

    def _challenge_can_be_loaded(self, policy: SignUp) -> None:
        script = urlsplit(policy.turnstile_script_url or "")
        origin = f"{script.scheme}://{script.netloc}"
        if policy.challenge == "turnstile" and origin != self._challenge_origin:
            raise InvalidRequest(
                "turnstile_script_url: the console's pages may load no script from there. "
                f"Set AIROUTER_CHALLENGE_ORIGIN to {origin}, and start again.",
                field="turnstile_script_url",
            )


async def _sign_up_can_be_followed(connection: Connection, policy: SignUp) -> None:
    await _group_exists(connection, policy)
    if policy.challenge == "turnstile" and await instance_secrets.find_secret(connection, "turnstile") is None:
        raise InvalidRequest("challenge: an owner has to set the secret of turnstile first.", field="challenge")


async def _group_exists(connection: Connection, policy: SignUp | Teams) -> None:
    if await groups.find_group(connection, policy.group) is None:
        raise InvalidRequest(f"group: there is no group {policy.group!r}.", field="group")


async def _owners_can_sign_in(connection: Connection, policy: SignInRules) -> None:
    if not policy.password_enabled and await factors.owners_with_password_only(connection):
        raise InvalidRequest(
            "password_enabled: at least one owner has no other way in. Each needs a passkey or a linked identity.",
            field="password_enabled",
        )
    await announce(connection, "sessions")  # what is remembered of somebody says whether they lack a second factor


CHECKS: Final[dict[type[Topic], Callable[[Connection, Any], Awaitable[None]]]] = {
    SignUp: _sign_up_can_be_followed,
    Teams: _group_exists,
    SignInRules: _owners_can_sign_in,
}
"""What only Postgres can say about a topic. Each raises InvalidRequest with the `field`."""


def _supported(topic: str) -> None:
    if topic in PLANNED:
        raise NotSupportedYet(f"The policy {topic!r} is not supported yet.")
    if topic not in TOPICS:
        raise NotFound(f"There is no policy {topic!r}; there are {', '.join(sorted(TOPICS))}.")


def struct_of(topic: str) -> type[Topic]:
    """What a body for this topic has to be. Raises NotFound, NotSupportedYet."""
    _supported(topic)
    return TOPICS[topic]


async def policy_in_force(connection: Connection, struct: type[Policy]) -> Policy:
    """One topic as of this transaction."""
    row = await rows.find_policy(connection, _TOPIC_OF[struct])
    return struct() if row is None else msgspec.convert(row.value, struct)


def _view(topic: str, row: rows.PolicyRow | None) -> PolicyView:
    value = TOPICS[topic]() if row is None else msgspec.convert(row.value, TOPICS[topic])
    return PolicyView(
        topic=topic,
        value=value,
        updated_at=None if row is None else row.updated_at,
        updated_by=None if row is None else row.updated_by,
    )

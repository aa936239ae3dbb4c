"""The person who is signed in: who they are, their sessions, their password."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from airouter.api.callers import AccountHolder, Person
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.api.public.auth import Password
from airouter.domain.errors import NotFound
from airouter.domain.ids import SessionId
from airouter.domain.permission import TeamRole
from airouter.services.audit_log import Actor
from airouter.services.factors import Factors
from airouter.services.sessions import Sessions
from airouter.services.sign_ins import methods_of
from airouter.services.step_up import StepUp
from airouter.services.users import Users


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    email: str
    role: Literal["user", "operator", "owner"]
    locale: str | None


class CurrentAccount(msgspec.Struct, frozen=True, kw_only=True):
    """`permissions`: what this call's bearer may do there, and (for operators) on this instance."""

    id: UUID
    name: str
    group: str
    status: Literal["active", "paused"]
    kind: Literal["personal", "team"]
    team_role: TeamRole
    permissions: list[str]


class MemberAccount(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    name: str
    kind: Literal["personal", "team"]
    team_role: TeamRole


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """`account` is the one that this call acts for (`X-Account-Id`), `accounts` are all that one is a member of."""

    user: UserView
    account: CurrentAccount
    accounts: list[MemberAccount]


class MeChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    locale: Annotated[str, msgspec.Meta(examples=["zh-CN"])] | msgspec.UnsetType | None = msgspec.UNSET


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    current_password: Password
    new_password: Password


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str
    address: str | None
    method: Literal["password", "passkey", "identity", "link", "sign_up"]
    second_method: Literal["totp", "recovery_code", "passkey"] | None
    authenticated_at: datetime
    is_current: bool


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[SessionView]
    next_cursor: str | None


class MeController(Controller):
    """Below /me."""

    path = "/me"
    tags = ("Me",)

    @get(
        "/",
        operation_id="getMe",
        permission="me.read",
        summary="Who is signed in",
        responses=refusals(401, 404),
        sync_to_thread=False,
    )
    def me(self, holder: NamedDependency[AccountHolder]) -> Me:
        return _me(holder, holder.person.locale)

    @patch(
        "/",
        operation_id="updateMe",
        permission="me.write",
        summary="Change one's language",
        responses=refusals(401, 404, 422),
    )
    async def update(
        self, data: JSONBody[MeChanges], holder: NamedDependency[AccountHolder], users: NamedDependency[Users]
    ) -> Me:
        locale = holder.person.locale
        if data.locale is not msgspec.UNSET:
            locale = data.locale
            await users.set_locale(holder.user_id, locale)
        return _me(holder, locale)

    @post(
        "/password",
        operation_id="changePassword",
        permission="me.write",
        summary="Change one's password, which ends all other sessions",
        status_code=204,
        responses=refusals(401, 403, 422, 429),
    )
    async def change_password(
        self,
        *,
        data: JSONBody[PasswordChange],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        users: NamedDependency[Users],
        factors: NamedDependency[Factors],
        step_up: NamedDependency[StepUp],
    ) -> None:
        """Whoever has a second factor, or no password yet, needs a fresh proof of who they are."""
        ways = await factors.ways_in(person.user_id)
        if ways.password_hash is None or methods_of(ways):
            await step_up.require(None, person)
        await users.change_password(
            person.user_id,
            data.current_password,
            data.new_password,
            address=person.address,
            actor=actor,
        )

    @get(
        "/sessions",
        operation_id="listSessions",
        permission="me.write",
        summary="Where one is signed in",
        responses=refusals(401, 422),
    )
    async def sessions(
        self, person: NamedDependency[Person], paging: NamedDependency[Paging], sessions: NamedDependency[Sessions]
    ) -> SessionList:
        rows = await sessions.of(person.user_id, paging.after_time, paging.after_id, paging.rows_wanted)
        shown, last = paging.split(rows)
        return SessionList(
            items=[
                SessionView(
                    id=row.session_id,
                    created_at=row.created_at,
                    last_used_at=row.last_used_at,
                    expires_at=row.expires_at,
                    user_agent=row.user_agent,
                    address=row.address,
                    method=row.method,
                    second_method=row.second_method,
                    authenticated_at=row.authenticated_at,
                    is_current=row.session_id == person.session_id,
                )
                for row in shown
            ],
            next_cursor=last and cursor_of(last.created_at, last.session_id),
        )

    @delete(
        "/sessions",
        operation_id="endOtherSessions",
        permission="me.write",
        summary="Sign out everywhere else",
        responses=refusals(401),
    )
    async def end_others(
        self, person: NamedDependency[Person], actor: NamedDependency[Actor], sessions: NamedDependency[Sessions]
    ) -> None:
        await sessions.end_others(person.user_id, person.session_id, actor)

    @delete(
        "/sessions/{session_id:uuid}",
        operation_id="endSession",
        permission="me.write",
        summary="End one of one's sessions",
        responses=refusals(401, 404),
    )
    async def end(
        self,
        session_id: FromPath[UUID],
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        sessions: NamedDependency[Sessions],
    ) -> None:
        if not await sessions.end(person.user_id, SessionId(session_id), actor):
            raise NotFound


def _me(holder: AccountHolder, locale: str | None) -> Me:
    person = holder.person
    return Me(
        user=UserView(id=person.user_id, email=person.email, role=person.role, locale=locale),
        account=CurrentAccount(
            id=holder.account_id,
            name=holder.account_name,
            group=holder.group,
            status="paused" if holder.is_paused else "active",
            kind=holder.kind,
            team_role=holder.team_role,
            permissions=holder.permissions,
        ),
        accounts=[
            MemberAccount(id=m.account_id, name=m.name, kind=m.kind, team_role=m.team_role) for m in person.memberships
        ],
    )

"""People who sign in. Operators look them up and ban them; only an owner appoints, and touches operators."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from airouter.api.callers import Operator
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.domain.ids import UserId
from airouter.services.admin_accounts import People, PersonView
from airouter.services.audit_log import Actor
from airouter.services.lost_ways_in import LostWaysIn, PasswordLink
from airouter.services.step_up import StepUp
from airouter.storage.admin_accounts import Page
from airouter.storage.sessions import Role
from airouter.storage.users import UserStatus

Search = Annotated[str | None, QueryParameter(max_length=200, description="Part of a name or e-mail address")]


class PersonList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[PersonView]
    next_cursor: str | None


class PersonChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is absent stays."""

    role: Role | UnsetType = UNSET
    status: UserStatus | UnsetType = UNSET


class UserController(Controller):
    """Below /admin/users."""

    path = "/admin/users"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listUsers",
        permission="operator.read",
        summary="People, newest first",
        responses=refusals(401, 403, 422),
    )
    async def users(
        self,
        *,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        people: NamedDependency[People],
        q: Search = None,
        role: FromQuery[Role | None] = None,
        status: FromQuery[UserStatus | None] = None,
    ) -> PersonList:
        del operator
        found = await people.search(text=q, role=role, status=status, page=page_of(paging))
        shown, last = paging.split(found)
        return PersonList(items=shown, next_cursor=last and cursor_of(last.created_at, last.id))

    @get(
        "/{user_id:uuid}",
        operation_id="getUser",
        permission="operator.read",
        summary="Somebody",
        responses=refusals(401, 403, 404),
    )
    async def user(
        self, user_id: FromPath[UUID], operator: NamedDependency[Operator], people: NamedDependency[People]
    ) -> PersonView:
        del operator
        return await people.get(UserId(user_id))

    @patch(
        "/{user_id:uuid}",
        operation_id="updateUser",
        permission="users.write",
        summary="Appoint, dismiss, ban or let in again",
        responses=refusals(401, 403, 404, 422),
    )
    async def change(
        self,
        user_id: FromPath[UUID],
        data: JSONBody[PersonChanges],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        people: NamedDependency[People],
    ) -> PersonView:
        """Nobody does it to themselves, and only an owner (`operators.write`) touches roles and operators.
        A ban ends every session within a second, and stops the keys that the person is responsible for.
        """
        return await people.change(
            UserId(user_id),
            role=None if data.role is UNSET else data.role,
            status=None if data.status is UNSET else data.status,
            made_by=operator.user_id,
            may_touch_operators=operator.person.may("operators.write"),
            actor=actor,
        )

    @post(
        "/{user_id:uuid}/password-link",
        operation_id="makePasswordLink",
        permission="users.write",
        summary="Make a link with which somebody chooses a password, to hand it over",
        responses=refusals(401, 403, 404, 409, 422),
        opt={"secret_fields": ("link",)},
    )
    async def make_password_link(
        self,
        user_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        lost_ways_in: NamedDependency[LostWaysIn],
        step_up: NamedDependency[StepUp],
    ) -> PasswordLink:
        """Needs a fresh proof of who asks. For who has no password or forgot it, where no mail reaches them. It works
        once, within a day, in place of an earlier one, and not any more once their password, role or status has
        changed; a second factor is still asked for. They have a letter, where mail is sent. Nobody does it to
        themselves, and only an owner (`operators.write`) to operators.
        """
        await step_up.require(None, operator.person)
        return await lost_ways_in.password_link(
            UserId(user_id),
            made_by=operator.user_id,
            may_touch_operators=operator.person.may("operators.write"),
            actor=actor,
        )

    @delete(
        "/{user_id:uuid}/second-factor",
        operation_id="withdrawSecondFactor",
        permission="users.write",
        summary="Take away the second factor that somebody lost",
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def withdraw_second_factor(
        self,
        user_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        lost_ways_in: NamedDependency[LostWaysIn],
        step_up: NamedDependency[StepUp],
    ) -> None:
        """Needs a fresh proof of who asks. Authenticator app, passkeys and recovery codes are gone, every session has
        ended, and the person has a letter; who has none of them stays as they are. Nobody does it to themselves, and
        only an owner (`operators.write`) to operators. Refused where passkeys were all they could sign in with, as
        passwords are off (`last_way_in`).
        """
        await step_up.require(None, operator.person)
        await lost_ways_in.withdraw(
            UserId(user_id),
            made_by=operator.user_id,
            may_touch_operators=operator.person.may("operators.write"),
            actor=actor,
        )


def page_of(paging: Paging) -> Page:
    """The page that was asked for, as the services take it."""
    return Page(after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted)

"""One's own data: taking a copy of it, and leaving."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator, Person, Visitor
from airouter.api.deletions import DeletionBody, DeletionState, DeletionView, deletion_view
from airouter.api.documents import refusals
from airouter.api.public.cookies import Browsers
from airouter.domain.errors import RoleRequired
from airouter.domain.ids import UserId
from airouter.services.admin_accounts import People
from airouter.services.audit_log import Actor
from airouter.services.erasure import Erasure
from airouter.services.personal_data import PersonalExports
from airouter.services.step_up import StepUp
from airouter.storage.personal_data import ExportRow


class PersonalExportView(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of one's data. It can be fetched while it is `ready`, until `expires_at`."""

    id: UUID
    status: Literal["pending", "ready", "expired"]
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    size_bytes: int | None


class PersonalExportState(msgspec.Struct, frozen=True, kw_only=True):
    """`export` null: none was asked for."""

    export: PersonalExportView | None


class PersonalExportLink(msgspec.Struct, frozen=True, kw_only=True):
    """Works once, and replaces the link before it. Null in a replayed answer."""

    url: str | None


class PersonalDataController(Controller):
    """Below /me: what belongs to the person, not to an account."""

    path = "/me"
    tags = ("Me",)

    @get(
        "/export",
        operation_id="getPersonalExport",
        permission="me.write",
        summary="The state of the last copy of one's data that was asked for",
        responses=refusals(401, 403),
    )
    async def export(
        self, person: NamedDependency[Person], personal_exports: NamedDependency[PersonalExports]
    ) -> PersonalExportState:
        found = await personal_exports.latest(person.user_id)
        return PersonalExportState(export=found and _export(found))

    @post(
        "/export",
        operation_id="requestPersonalExport",
        permission="me.write",
        summary="Ask for a copy of one's data",
        status_code=202,
        responses=refusals(401, 403, 409, 422),
    )
    async def request_export(
        self,
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        personal_exports: NamedDependency[PersonalExports],
    ) -> PersonalExportView:
        """It is put together in the background and can be fetched for 24 hours. The one before it goes."""
        return _export(await personal_exports.request(person.user_id, actor))

    @post(
        "/export/link",
        operation_id="linkPersonalExport",
        permission="me.write",
        summary="Make a link to the copy of one's data; it works once",
        responses=refusals(401, 403, 404, 409, 422),
        opt={"secret_fields": ("url",)},
    )
    async def link(
        self,
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        personal_exports: NamedDependency[PersonalExports],
        browsers: NamedDependency[Browsers],
    ) -> PersonalExportLink:
        token = await personal_exports.link(person.user_id, actor)
        return PersonalExportLink(url=f"{browsers.api_url}/api/v1/me/export/file?token={token}")

    @get(
        "/export/file",
        operation_id="downloadPersonalExport",
        summary="The ZIP file behind a link",
        media_type="application/zip",
        responses=refusals(401, 422),
    )
    async def download(
        self,
        visitor: NamedDependency[Visitor],
        personal_exports: NamedDependency[PersonalExports],
        token: Annotated[str, QueryParameter(description="From the link", max_length=200)],
    ) -> Response[bytes]:
        del visitor
        return Response(
            await personal_exports.take(token),
            media_type="application/zip",
            headers={
                "content-disposition": 'attachment; filename="personal-data.zip"',
                "cache-control": "no-store",
            },
        )

    @get(
        "/deletion",
        operation_id="getDeletion",
        permission="me.write",
        summary="Whether one is about to leave",
        responses=refusals(401, 403),
    )
    async def deletion(self, person: NamedDependency[Person], erasure: NamedDependency[Erasure]) -> DeletionState:
        found = await erasure.pending(person.user_id)
        return DeletionState(deletion=found and deletion_view(found))

    @post(
        "/deletion",
        operation_id="requestDeletion",
        permission="me.write",
        summary="Leave: ask for the deletion of one's personal data",
        status_code=202,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def request_deletion(
        self,
        *,
        person: NamedDependency[Person],
        actor: NamedDependency[Actor],
        erasure: NamedDependency[Erasure],
        step_up: NamedDependency[StepUp],
        data: JSONBody[DeletionBody] = DeletionBody(),  # noqa: B008 - frozen
    ) -> DeletionView:
        """Needs a fresh proof of who one is. Carried out when policy `privacy` says; until then it can be cancelled.

        Refused while a team has no other owner (`teams_need_owner`), and where the installation does not take what is
        left in the wallets, until that is used (`balance_remains`).
        """
        await step_up.require(None, person)
        return deletion_view(await erasure.request(person.user_id, actor, ends_keys_now=data.end_keys_now))

    @delete(
        "/deletion",
        operation_id="cancelDeletion",
        permission="me.write",
        summary="Stay after all",
        responses=refusals(401, 403, 409),
    )
    async def cancel_deletion(
        self, person: NamedDependency[Person], actor: NamedDependency[Actor], erasure: NamedDependency[Erasure]
    ) -> None:
        """Keys that were ended do not come back. One that is due cannot be cancelled any more."""
        await erasure.cancel(person.user_id, actor)


class UserDeletionController(Controller):
    """Below /admin/users: on behalf of somebody who cannot sign in, or may not stay."""

    path = "/admin/users/{user_id:uuid}/deletion"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="getUserDeletion",
        permission="operator.read",
        summary="Whether somebody is about to leave",
        responses=refusals(401, 403, 404),
    )
    async def deletion(
        self, user_id: FromPath[UUID], operator: NamedDependency[Operator], erasure: NamedDependency[Erasure]
    ) -> DeletionState:
        del operator
        found = await erasure.pending(UserId(user_id))
        return DeletionState(deletion=found and deletion_view(found))

    @post(
        "/",
        operation_id="requestUserDeletion",
        permission="users.write",
        summary="Delete somebody's personal data when the grace period is over",
        status_code=202,
        responses=refusals(401, 403, 404, 409, 422),
    )
    async def request(
        self,
        *,
        user_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        erasure: NamedDependency[Erasure],
        people: NamedDependency[People],
        step_up: NamedDependency[StepUp],
        data: JSONBody[DeletionBody] = DeletionBody(),  # noqa: B008 - frozen
    ) -> DeletionView:
        """Needs a fresh proof of who asks. Those who run the place are deleted by owners only."""
        await step_up.require(None, operator.person)
        await _check_role(people, UserId(user_id), operator)
        return deletion_view(await erasure.request(UserId(user_id), actor, ends_keys_now=data.end_keys_now))

    @delete(
        "/",
        operation_id="cancelUserDeletion",
        permission="users.write",
        summary="Let somebody stay after all",
        responses=refusals(401, 403, 404, 409),
    )
    async def cancel(
        self,
        user_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        erasure: NamedDependency[Erasure],
        people: NamedDependency[People],
    ) -> None:
        await _check_role(people, UserId(user_id), operator)
        await erasure.cancel(UserId(user_id), actor)


async def _check_role(people: People, user_id: UserId, operator: Operator) -> None:
    if (await people.get(user_id)).role != "user" and not operator.person.may("operators.write"):
        raise RoleRequired("This needs the role owner.")


def _export(row: ExportRow) -> PersonalExportView:
    return PersonalExportView(
        id=row.export_id,
        status="pending" if row.is_pending else "ready" if row.is_ready else "expired",
        requested_at=row.requested_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
        size_bytes=row.size_bytes,
    )


PERSONAL_DATA: Final[tuple[Any, ...]] = (PersonalDataController, UserDeletionController)
"""Every route of personal data."""

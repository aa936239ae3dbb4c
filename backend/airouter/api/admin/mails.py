"""The outbox, and the secrets of the installation."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from airouter.api.callers import Operator, Owner
from airouter.api.documents import refusals
from airouter.api.paging import Paging, cursor_of
from airouter.services.audit_log import Actor
from airouter.services.instance_secrets import InstanceSecrets
from airouter.services.mailbox import Mailbox


class MailLine(msgspec.Struct, frozen=True, kw_only=True):
    """`letter` names what it is about; what it says is nobody's but the recipient's. `next_at`: the next try."""

    id: UUID
    to: str
    letter: str
    locale: str | None
    state: Literal["queued", "sending", "sent", "failed", "given_up"]
    attempts: int
    next_at: datetime | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None


class MailList(msgspec.Struct, frozen=True, kw_only=True):
    """`is_configured`: there is a mail server. `is_printed`: mail is printed instead, and can be read here."""

    items: list[MailLine]
    next_cursor: str | None
    is_configured: bool
    is_printed: bool


class MailText(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    text: str


class MailController(Controller):
    """Below /admin/mails."""

    path = "/admin/mails"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listMails",
        permission="operator.read",
        summary="Mail that went out, waits, or could not be sent",
        responses=refusals(401, 403, 422),
    )
    async def mails(
        self,
        operator: NamedDependency[Operator],
        paging: NamedDependency[Paging],
        mailbox: NamedDependency[Mailbox],
        mail_state: Annotated[
            Literal["queued", "sending", "sent", "failed", "given_up"] | None,
            QueryParameter(name="state", description="Only these"),
        ] = None,
    ) -> MailList:
        del operator
        rows = await mailbox.mails(
            state=mail_state, after_time=paging.after_time, after_id=paging.after_id, limit=paging.rows_wanted
        )
        shown, last = paging.split(rows)
        return MailList(
            items=[
                MailLine(
                    id=row.mail_id,
                    to=row.recipient,
                    letter=row.letter,
                    locale=row.locale,
                    state=row.state,
                    attempts=row.attempts,
                    next_at=row.next_at if row.state in {"queued", "failed"} else None,
                    error=row.last_error,
                    created_at=row.created_at,
                    finished_at=row.finished_at,
                )
                for row in shown
            ],
            next_cursor=last and cursor_of(last.created_at, last.mail_id),
            is_configured=mailbox.is_configured,
            is_printed=mailbox.is_printed,
        )

    @get(
        "/{mail_id:uuid}",
        operation_id="getMail",
        permission="operators.write",
        summary="Read a mail that a demo printed",
        responses=refusals(401, 403, 404),
    )
    async def read(
        self, mail_id: FromPath[UUID], owner: NamedDependency[Owner], mailbox: NamedDependency[Mailbox]
    ) -> MailText:
        """404 for every mail that a server took: its links are nobody else's."""
        del owner
        written = await mailbox.read(mail_id)
        return MailText(subject=written.subject, text=written.text)

    @post(
        "/{mail_id:uuid}/retry",
        operation_id="retryMail",
        permission="policies.write",
        summary="Try a waiting mail at once",
        status_code=204,
        responses=refusals(401, 403, 409),
    )
    async def retry(
        self,
        mail_id: FromPath[UUID],
        operator: NamedDependency[Operator],
        actor: NamedDependency[Actor],
        mailbox: NamedDependency[Mailbox],
    ) -> None:
        del operator
        await mailbox.retry(mail_id, actor)

    @post(
        "/test",
        operation_id="sendTestMail",
        permission="policies.write",
        summary="Have a test mail sent to oneself",
        status_code=204,
        responses=refusals(401, 403, 409),
    )
    async def test(self, operator: NamedDependency[Operator], mailbox: NamedDependency[Mailbox]) -> None:
        await mailbox.post_test(operator.person.email, operator.person.locale)


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    is_set: bool
    updated_at: datetime | None


class SecretList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[SecretView]
    next_cursor: None


class NewSecret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    secret: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class SecretController(Controller):
    """Below /admin/secrets. Nothing here is ever read back."""

    path = "/admin/secrets"
    tags = ("Admin",)

    @get(
        "/",
        operation_id="listSecrets",
        permission="operator.read",
        summary="Which secrets of the installation are set",
        responses=refusals(401, 403),
    )
    async def states(
        self, operator: NamedDependency[Operator], instance_secrets: NamedDependency[InstanceSecrets]
    ) -> SecretList:
        del operator
        items = [
            SecretView(name=state.name, is_set=state.is_set, updated_at=state.updated_at)
            for state in await instance_secrets.states()
        ]
        return SecretList(items=items, next_cursor=None)

    @put(
        "/{name:str}",
        operation_id="putSecret",
        permission="secrets.write",
        summary="Set a secret of the installation",
        responses=refusals(401, 403, 404, 422),
    )
    async def put(
        self,
        name: FromPath[str],
        data: JSONBody[NewSecret],
        owner: NamedDependency[Owner],
        actor: NamedDependency[Actor],
        instance_secrets: NamedDependency[InstanceSecrets],
    ) -> SecretView:
        del owner
        state = await instance_secrets.put(name, data.secret, actor)
        return SecretView(name=state.name, is_set=state.is_set, updated_at=state.updated_at)

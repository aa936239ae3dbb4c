"""The audit log: who did what, from where, and what it was before and after.

A row is written by the transaction of the act itself: what was rolled back leaves no row, and what was done has one.

    act = Act(action="channel.created", subject="channel", subject_id=str(channel_id), after=view)
    await audit_log.record(connection, actor, act)
"""

import base64
import csv
import io
import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from airouter.domain.errors import InvalidToken, NotFound
from airouter.domain.ids import AccountId, RequestId, SessionId, UserId
from airouter.services.vault import Vault
from airouter.storage import audit_log as rows
from airouter.storage.audit_log import ActFilters, ActRow, ExportFormat
from airouter.storage.database import Connection, Database
from airouter.world import new_id

EXPORT_LIFETIME: Final = timedelta(seconds=60)
_EXPORT_PAGE: Final = 500
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_PURPOSE: Final = "audit-export"
_SECRET_FIELDS: Final = frozenset({
    "password", "password_hash", "secret", "secrets", "client_secret", "webhook_secret", "private_key", "api_key",
    "token", "refresh_token", "access_token", "ciphertext", "secret_hash", "token_hash", "code", "codes",
    "recovery_codes",
})  # fmt: skip
"""Fields that never come here with what they hold. It is a second fence: acts are told without them."""


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at work. `user_id` None: a stranger, or (with no `address` either) the house itself."""

    user_id: UserId | None = None
    session_id: SessionId | None = None
    token_id: UUID | None = None
    address: str | None = None
    request_id: RequestId | None = None


SYSTEM: Final = Actor()
"""The house itself: jobs, commands, seeds."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. `action` is `noun.verb_in_the_past`; `before` and `after` are structs or objects without secrets.

    `before` None: it did not exist; `after` None: it is gone, or there is nothing more to say. With both, only the
    fields that differ are kept.
    """

    action: str
    subject: str
    subject_id: str
    account_id: UUID | None = None
    before: Any = None
    after: Any = None


async def record(connection: Connection, actor: Actor, act: Act) -> None:
    """Write an act down, within the transaction that does it."""
    before, after = _differing(_plain(act.before), _plain(act.after))
    await rows.insert_act(
        connection,
        rows.NewAct(
            act_id=new_id(),
            action=act.action,
            subject=act.subject,
            subject_id=act.subject_id,
            account_id=None if act.account_id is None else AccountId(act.account_id),
            user_id=actor.user_id,
            token_id=actor.token_id,
            address=actor.address,
            request_id=actor.request_id,
            before=before,
            after=after,
        ),
    )


def _plain(value: Any) -> Any:
    return _without_secrets(msgspec.to_builtins(value))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "…" if name in _SECRET_FIELDS and part else _without_secrets(part) for name, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(part) for part in value]
    return value


def _differing(before: Any, after: Any) -> tuple[Any, Any]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        return before, after
    names = [name for name in {**before, **after} if before.get(name, ...) != after.get(name, ...)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


class AuditLog:
    """Reads the log: operators all of it, an account's owner what concerns the account."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def page(
        self, filters: ActFilters, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[ActRow]:
        """Newest first."""
        async with self._database.connection() as connection:
            return await rows.page_of_acts(connection, filters, after_time, after_id, limit)

    async def page_of_account(
        self,
        account_id: AccountId,
        action: str | None,
        after_time: datetime | None,
        after_id: UUID | None,
        limit: int,
    ) -> list[ActRow]:
        """The same for an account's owner, who is not told which operator it was."""
        filters = ActFilters(account_id=account_id, action=action)
        return [
            row
            if row.is_member
            else msgspec.structs.replace(row, user_id=None, user_email=None, token_id=None, address=None)
            for row in await self.page(filters, after_time, after_id, limit)
        ]

    async def get(self, act_id: UUID) -> ActRow:
        """Raises NotFound."""
        async with self._database.connection() as connection:
            found = await rows.find_act(connection, act_id)
        if found is None:
            raise NotFound("There is no act with this id.")
        return found

    async def create_export(self, filters: ActFilters, file_format: ExportFormat, actor: Actor) -> str:
        """The token of a link that works once, within a minute. That somebody took the log away is an act, too."""
        token = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        async with self._database.transaction() as connection:
            await rows.put_audit_export(connection, self._hashes(token)[0], filters, file_format, EXPORT_LIFETIME)
            said = {name: value for name, value in msgspec.structs.asdict(filters).items() if value is not None}
            act = Act(
                action="audit_log.exported", subject="audit_log", subject_id="", after={"format": file_format, **said}
            )
            await record(connection, actor, act)
        return token

    async def open_export(self, token: str) -> tuple[ExportFormat, AsyncIterator[bytes]]:
        """The file behind a link, piece by piece.

        Raises:
            InvalidToken: the link is unknown, used, or too old.
        """
        async with self._database.transaction() as connection:
            export = await rows.use_audit_export(connection, self._hashes(token))
        if export is None or not export.is_open:
            raise InvalidToken
        return export.format, self._file(export.filters, export.format)

    async def _file(self, filters: ActFilters, file_format: ExportFormat) -> AsyncIterator[bytes]:
        """A page at a time, so that neither memory nor a connection is held while the client reads."""
        if file_format == "csv":
            yield _line(ActRow.__struct_fields__)
        after_time, after_id = None, None
        while True:
            page = await self.page(filters, after_time, after_id, _EXPORT_PAGE)
            if page:
                yield b"".join(
                    _cells(row) if file_format == "csv" else msgspec.json.encode(row) + b"\n" for row in page
                )
            if len(page) < _EXPORT_PAGE:
                return
            after_time, after_id = page[-1].created_at, page[-1].act_id

    def _hashes(self, token: str) -> tuple[bytes, ...]:
        return self._vault.macs(_PURPOSE, token.encode())


def _cells(row: ActRow) -> bytes:
    shown = msgspec.to_builtins(row)
    return _line([_cell(shown[name]) for name in ActRow.__struct_fields__])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _line(cells: Any) -> bytes:
    """One line of RFC 4180. A cell that a spreadsheet would run as a formula is made text."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["'" + cell if cell.startswith(_FORMULA) else cell for cell in cells])
    return buffer.getvalue().encode()

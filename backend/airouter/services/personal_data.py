"""What is held about a person, put together for them: asked for, made by a job, fetched once by a link."""

import base64
import io
import os
import zipfile
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from airouter.domain.errors import InvalidToken, NotFound
from airouter.domain.ids import AccountId, UserId
from airouter.services.audit_log import Act, Actor, record
from airouter.services.jobs import Job, Jobs
from airouter.services.mailbox import Mailbox
from airouter.services.vault import Vault
from airouter.storage import personal_data as rows
from airouter.storage.accounts import ledger_currency
from airouter.storage.database import Database
from airouter.storage.personal_data import ExportRow, OpenExportRow
from airouter.world import new_id, now

READY_FOR: Final = timedelta(hours=24)
JOB: Final = "personal_exports"
_LINK: Final = "personal-export-link"
_CONTENT: Final = "personal-export"
_TABLE: Final = "personal_exports"
_USAGE_PAGE: Final = 1000

README: Final = """What this installation holds about you, as of the moment named in about.json.

Each file *.json is a list of records: profile, sessions, passkeys, second_factors, identities, accounts, keys, tokens,
mails, invitations, transfers, redemptions, orders, referrals, rewards and audit_log.
usage.jsonl has one request a line, newest first. Amounts called quota, cost, charged or balance are integers:
1 000 000 000 of them are one unit of the currency in about.json. Passwords, keys and codes are not here, because
they are not kept: only their hashes are. Of teams you find what is your own.
"""


class PersonalExports:
    """The person's verbs, and the job behind them."""

    def __init__(self, database: Database, vault: Vault, jobs: Jobs, *, mailbox: Mailbox) -> None:
        self._database = database
        self._mailbox = mailbox
        self._vault = vault
        self._jobs = jobs
        jobs.add(Job(name=JOB, run=self.work, pause=timedelta(minutes=1)))

    async def request(self, user_id: UserId, actor: Actor) -> ExportRow:
        """Asks for one. While one is being put together, this is that one; a new one takes the place of the last."""
        async with self._database.transaction() as connection:
            if await rows.put_personal_export(connection, new_id(), user_id):
                act = Act(action="user.export_requested", subject="user", subject_id=str(user_id))
                await record(connection, actor, act)
            found = await rows.latest_personal_export(connection, user_id)
        assert found is not None, "it was put there just now"
        self._jobs.hurry(JOB)
        return found

    async def latest(self, user_id: UserId) -> ExportRow | None:
        """The state of the last one that was asked for."""
        async with self._database.connection() as connection:
            return await rows.latest_personal_export(connection, user_id)

    async def link(self, user_id: UserId, actor: Actor) -> str:
        """The token of a link that works once, as long as the export is there. It replaces the link before.

        Raises:
            NotFound: there is none, or its day is over.
        """
        token = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        async with self._database.transaction() as connection:
            if not await rows.link_personal_export(connection, user_id, self._hashes(token)[0]):
                raise NotFound("There is no export to fetch. Ask for one first.")
            act = Act(action="user.export_fetched", subject="user", subject_id=str(user_id))
            await record(connection, actor, act)
        return token

    async def take(self, token: str) -> bytes:
        """The ZIP file behind a link.

        Raises:
            InvalidToken: unknown, used, or its day is over.
        """
        async with self._database.transaction() as connection:
            taken = await rows.take_personal_export(connection, self._hashes(token))
        if taken is None:
            raise InvalidToken
        return base64.b64decode(self._vault.decrypt(_CONTENT, _TABLE, taken.export_id, taken.content))

    async def work(self) -> None:
        """Puts together what was asked for. Dying in the middle costs nothing: the next run begins it anew."""
        async with self._database.transaction() as connection:
            await rows.forget_personal_exports(connection)
            waiting = await rows.open_personal_exports(connection)
        for export in waiting:
            packed = await self._pack(export)
            sealed = self._vault.encrypt(_CONTENT, _TABLE, export.export_id, base64.b64encode(packed).decode())
            async with self._database.transaction() as connection:
                if not await rows.finish_personal_export(connection, export, READY_FOR, sealed, len(packed)):
                    continue
                await self._mailbox.post(
                    connection,
                    to=export.email,
                    locale=export.locale,
                    letter="export_ready",
                    facts={"link": f"{self._mailbox.console_url}/console/settings?section=data"},
                    once=f"export/{export.export_id}",
                )

    async def _pack(self, export: OpenExportRow) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("README.txt", README)
            async with self._database.transaction(is_read_only=True) as connection:
                about = {"export_id": export.export_id, "currency": await ledger_currency(connection)}
                archive.writestr("about.json", _pretty({**about, "requested_for": export.user_id, "as_of": now()}))
                for name in rows.CHAPTERS:
                    archive.writestr(f"{name}.json", _pretty(await rows.chapter(connection, name, export.user_id)))
                memberships = await rows.chapter(connection, "accounts", export.user_id)
            await self._pack_usage(archive, export.user_id, memberships)
        return buffer.getvalue()

    async def _pack_usage(self, archive: zipfile.ZipFile, user_id: UserId, memberships: list[dict[str, Any]]) -> None:
        """A page at a time: nobody's usage is too long for memory."""
        accounts = [AccountId(one["account_id"]) for one in memberships]
        personal = next((AccountId(one["account_id"]) for one in memberships if one["kind"] == "personal"), None)
        after: tuple[datetime, UUID] | None = None
        with archive.open("usage.jsonl", "w", force_zip64=True) as file:
            while True:
                async with self._database.connection() as connection:
                    page = await rows.usage_page(
                        connection, user_id, accounts=accounts, personal=personal, after=after, limit=_USAGE_PAGE
                    )
                file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in page))
                if len(page) < _USAGE_PAGE:
                    return
                after = page[-1]["created_at"], page[-1]["request_id"]

    def _hashes(self, token: str) -> tuple[bytes, ...]:
        return self._vault.macs(_LINK, token.encode())


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)

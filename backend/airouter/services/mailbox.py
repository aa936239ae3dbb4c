"""Mail that goes out: posted within the transaction of what it tells about, sent once that has committed.

    await mailbox.post(connection, to="a@example.com", locale=user.locale, letter="invitation",
                       facts={"link": link, "team": name}, once=f"invitation/{invitation_id}")

A letter is a file in each language (mail/letters.py says how). What stands in it is encrypted until it is sent and
wiped then. A mail leaves at least once: a process that dies after the server took it and before that was written down
sends it again, under the same Message-ID.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from airouter.domain.errors import Conflict, NotFound
from airouter.domain.policy import Display
from airouter.mail import letters
from airouter.mail.letters import Written
from airouter.mail.post_office import Mail, MailDelayed, MailRefused, PostOffice, Round
from airouter.services.audit_log import Act, Actor, record
from airouter.services.policies import policy_in_force
from airouter.services.vault import SecretUnreadable, Vault
from airouter.storage import changes
from airouter.storage import mails as rows
from airouter.storage.database import Connection, Database
from airouter.storage.mails import ClaimedMail, MailRow, MailState, NewMail
from airouter.world import new_id

logger = logging.getLogger(__name__)

JOB: Final = "mail"
LIFETIME: Final = timedelta(hours=24)
"""When a mail that could not be sent is given up, unless `post` says otherwise."""
PAUSES: Final = tuple(timedelta(seconds=s) for s in (15, 30, 60, 120, 300, 600, 1800, 3600))
"""Before the second try, the third, and so on; then always the last."""

_AT_ONCE: Final = 20
_PATIENCE: Final = timedelta(minutes=10)
_SEND_SECONDS: Final = 60
_PURPOSE: Final = "mail"
_TABLE: Final = "mails"


class Mailbox:
    """Posts mail, and has it sent. Without a post office nothing is posted: nobody could be told."""

    def __init__(self, database: Database, vault: Vault, office: PostOffice | None, console_url: str) -> None:
        self._database = database
        self._vault = vault
        self._office = office
        self._console_url = console_url

    @property
    def is_configured(self) -> bool:
        """Whether there is a mail server; in a demo, printing counts as one."""
        return self._office is not None

    @property
    def is_printed(self) -> bool:
        """Whether mail leaves the house for nobody: a demo prints it."""
        return self._office is not None and self._office.keeps_letters

    @property
    def console_url(self) -> str:
        """What every link in a mail begins with."""
        return self._console_url

    async def post(
        self,
        connection: Connection,
        *,
        to: str,
        locale: str | None,
        letter: str,
        facts: Mapping[str, str | int],
        once: str | None = None,
        lifetime: timedelta = LIFETIME,
    ) -> None:
        """Leave a mail for whoever sends; it goes when the transaction commits, or not at all.

        `once` names the occasion: a second mail about it is not sent. After `lifetime` it is of no use any more.

        Raises:
            LetterUnknown, FactMissing: our own mistakes, found here and not when it is too late.
        """
        letters.write(letter, locale, {"site": "", "console": "", **facts})
        if self._office is None:
            logger.warning("mail.not_configured", extra={"letter": letter})
            return
        mail_id = new_id()
        sealed = self._vault.encrypt(_PURPOSE, _TABLE, mail_id, msgspec.json.encode(dict(facts)).decode())
        mail = NewMail(
            mail_id=mail_id, recipient=to, locale=locale, letter=letter, facts=sealed, once=once, lifetime=lifetime
        )
        if await rows.insert_mail(connection, mail):
            await changes.announce_mail(connection)

    async def deliver(self) -> None:
        """Send what is due. Any number of processes may do so at once."""
        if self._office is None:
            return
        while True:
            async with self._database.transaction() as connection:
                claimed = await rows.claim_mails(connection, _AT_ONCE, _PATIENCE)
                display = await policy_in_force(connection, Display)
            if not claimed:
                return
            await self._deliver(self._office, claimed, display.name)

    async def _deliver(self, office: PostOffice, claimed: list[ClaimedMail], site: str) -> None:
        waiting = list(claimed)
        try:
            async with office.visit() as round_:
                while waiting:
                    is_open = await self._send(round_, waiting[0], site, keep_letter=office.keeps_letters)
                    del waiting[0]
                    if not is_open:
                        break
        except MailDelayed as delay:
            logger.warning("mail.server_away", extra={"error": str(delay), "waiting": len(waiting)})
            for mail in waiting:
                await self._failed(mail, str(delay))
            return
        for mail in waiting:
            await self._failed(mail, "the mail server hung up")

    async def _send(self, round_: Round, mail: ClaimedMail, site: str, *, keep_letter: bool) -> bool:
        """Whether the next one may be tried at once."""
        if mail.is_late:
            await self._give_up(mail, "too late to be of use")
            return True
        try:
            written = self._written(mail.mail_id, mail.letter, mail.locale, mail.facts, site)
            async with asyncio.timeout(_SEND_SECONDS):
                await round_.send(Mail(mail_id=mail.mail_id, to=mail.recipient, written=written))
        except (MailRefused, SecretUnreadable, letters.LetterUnknown, letters.FactMissing) as error:
            await self._give_up(mail, str(error))
        except TimeoutError:
            await self._failed(mail, "the mail server did not answer in time")
            return False
        except MailDelayed as delay:
            await self._failed(mail, str(delay))
            return not delay.is_for_all
        else:
            async with self._database.transaction() as connection:
                await rows.mail_is_sent(connection, mail.mail_id, keep_letter=keep_letter)
            logger.info("mail.sent", extra={"mail_id": str(mail.mail_id), "letter": mail.letter})
        return True

    async def _failed(self, mail: ClaimedMail, error: str) -> None:
        if mail.is_late:
            await self._give_up(mail, error)
            return
        logger.warning("mail.failed", extra={"mail_id": str(mail.mail_id), "attempts": mail.attempts})
        pause = PAUSES[min(mail.attempts, len(PAUSES)) - 1]
        async with self._database.transaction() as connection:
            await rows.mail_failed(connection, mail.mail_id, error, pause)

    async def _give_up(self, mail: ClaimedMail, error: str) -> None:
        logger.warning("mail.given_up", extra={"mail_id": str(mail.mail_id), "letter": mail.letter})
        async with self._database.transaction() as connection:
            await rows.mail_is_given_up(connection, mail.mail_id, error)

    def _written(self, mail_id: UUID, letter: str, locale: str | None, facts: bytes | None, site: str) -> Written:
        if facts is None:
            raise SecretUnreadable("what the mail said is wiped")
        said = msgspec.json.decode(self._vault.decrypt(_PURPOSE, _TABLE, mail_id, facts), type=dict[str, str | int])
        return letters.write(letter, locale, {"site": site, "console": self._console_url, **said})

    async def mails(
        self, *, state: MailState | None, after_time: datetime | None, after_id: UUID | None, limit: int
    ) -> list[MailRow]:
        """The outbox as an operator sees it, newest first: to whom and about what, never what it says."""
        async with self._database.connection() as connection:
            return await rows.mails(connection, state=state, after_time=after_time, after_id=after_id, limit=limit)

    async def read(self, mail_id: UUID) -> Written:
        """A mail that was only printed. Raises NotFound for every other."""
        if self._office is None or not self._office.keeps_letters:
            raise NotFound
        async with self._database.connection() as connection:
            kept = await rows.find_mail(connection, mail_id)
            display = await policy_in_force(connection, Display)
        if kept is None or kept.facts is None:
            raise NotFound
        return self._written(kept.mail_id, kept.letter, kept.locale, kept.facts, display.name)

    async def retry(self, mail_id: UUID, actor: Actor) -> None:
        """Try at once instead of after the pause. Raises NotFound, Conflict: it does not wait for a try."""
        async with self._database.transaction() as connection:
            if await rows.find_mail(connection, mail_id) is None:
                raise NotFound
            if not await rows.retry_mail(connection, mail_id):
                raise Conflict("This mail does not wait for another try.")
            await record(connection, actor, Act(action="mail.retried", subject="mail", subject_id=str(mail_id)))
            await changes.announce_mail(connection)

    async def post_test(self, to: str, locale: str | None) -> None:
        """A mail that says that mail works. Raises Conflict without a mail server."""
        if not self.is_configured:
            raise Conflict("No mail server is configured: set AIROUTER_MAIL_URL and AIROUTER_MAIL_FROM.")
        async with self._database.transaction() as connection:
            await self.post(connection, to=to, locale=locale, letter="test", facts={}, lifetime=timedelta(hours=1))

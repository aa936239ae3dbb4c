"""Handing mail over: to a server, or in a demo without one, to whoever reads what the process prints."""

import ssl
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final, Protocol
from uuid import UUID

import aiosmtplib
import msgspec

from airouter.mail.addresses import AddressUnusable, address_of
from airouter.mail.letters import Written
from airouter.mail.server import MailServer
from airouter.world import now

_SECONDS: Final = 20.0
"""For each step of the conversation."""
_PERMANENT: Final = 500


class MailRefused(Exception):
    """The server will never take this mail; trying again would change nothing."""


class MailDelayed(Exception):
    """The server is away, busy or wrongly configured: a later try may work. `is_for_all`: no other mail either."""

    def __init__(self, message: str, *, is_for_all: bool) -> None:
        super().__init__(message)
        self.is_for_all = is_for_all


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A letter on its way to somebody. A second try carries the same id, so that it can be recognised."""

    mail_id: UUID
    to: str
    written: Written


class Round(Protocol):
    """One visit to the post office."""

    async def send(self, mail: Mail) -> None:
        """Raises MailRefused, MailDelayed."""
        ...


class PostOffice(Protocol):
    """Takes mail. `keeps_letters`: what was handed over may be read again, because it left the house for nobody."""

    keeps_letters: bool

    def visit(self) -> AbstractAsyncContextManager[Round]:
        """Raises MailDelayed when the office is closed."""
        ...


class SmtpOffice:
    """A person's mail server. TLS as its URL says, and never less: what it asks for and does not get is an error."""

    keeps_letters = False

    def __init__(self, server: MailServer, sender: str, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._from = address_of(sender)
        self._tls = tls

    @asynccontextmanager
    async def visit(self) -> AsyncGenerator[Round]:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password or None,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            timeout=_SECONDS,
            tls_context=self._tls,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailDelayed(_words(error), is_for_all=True) from error
        try:
            yield _SmtpRound(client, self._from)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
            client.close()


class _SmtpRound:
    def __init__(self, client: aiosmtplib.SMTP, sender: Address) -> None:
        self._client = client
        self._from = sender

    async def send(self, mail: Mail) -> None:
        try:
            message = compose(mail, self._from)
        except AddressUnusable as error:
            raise MailRefused(str(error)) from error
        try:
            await self._client.send_message(message)
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            words = "; ".join(_words(refused) for refused in error.recipients)
            if all(code >= _PERMANENT for code in codes):
                raise MailRefused(words) from error
            raise MailDelayed(words, is_for_all=False) from error
        except aiosmtplib.SMTPDataError as error:
            if error.code >= _PERMANENT:
                raise MailRefused(_words(error)) from error
            raise MailDelayed(_words(error), is_for_all=False) from error
        except aiosmtplib.SMTPResponseException as error:  # of us or our address: an operator can set it right
            raise MailDelayed(_words(error), is_for_all=False) from error
        except (aiosmtplib.SMTPNotSupported, UnicodeError) as error:  # an address that this server cannot take
            raise MailRefused(_words(error)) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailDelayed(_words(error), is_for_all=True) from error


class PrintedOffice:
    """For a demo without a mail server: whoever watches the process reads everybody's mail."""

    keeps_letters = True

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    @asynccontextmanager
    async def visit(self) -> AsyncGenerator[Round]:
        yield self

    async def send(self, mail: Mail) -> None:
        rule = "-" * 72
        body = mail.written.text.rstrip()
        self._say(f"{rule}\nMail to {mail.to} (printed: this demo has no mail server)\n"
                  f"{mail.written.subject}\n\n{body}\n{rule}\n")  # fmt: skip


def post_office(server: MailServer | None, sender: str | None, *, is_demo: bool) -> PostOffice | None:
    """Who carries mail; None: no mail server is configured."""
    if server is not None and sender is not None:
        return SmtpOffice(server, sender)
    return PrintedOffice(_print) if is_demo else None


def _print(text: str) -> None:
    sys.stderr.write(text)  # a worker's other output goes nowhere
    sys.stderr.flush()


def compose(mail: Mail, sender: Address) -> EmailMessage:
    """The message as it travels.

    Raises:
        AddressUnusable
    """
    to = address_of(mail.to)
    message = EmailMessage(policy=SMTP if mail.to.isascii() else SMTPUTF8)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = mail.written.subject
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail.mail_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office replies stay away
    message.set_content(mail.written.text)
    message.add_alternative(mail.written.html, subtype="html")
    return message


def _words(error: BaseException) -> str:
    """What went wrong, for an operator; servers repeat addresses, never our letters."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"[:500]
    return (str(error) or type(error).__name__)[:500]

"""A new password for whoever reads the mail of an address, or was handed a link (services/lost_ways_in.py).

Second factors stay: they are asked for afterwards.
"""

from datetime import timedelta
from typing import Final

from airouter.domain.email_address import normal
from airouter.domain.errors import InvalidToken
from airouter.domain.sign_up_errors import MailNotConfigured
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import Act, record
from airouter.services.links import check_email
from airouter.services.mailbox import Mailbox
from airouter.services.mailed_tokens import MailedTokens
from airouter.services.passwords import Passwords
from airouter.services.sessions import Sessions
from airouter.services.sign_ins import Client, Opened, SignIns
from airouter.services.users import LINK_BY_ADDRESS, SIGN_IN_BY_EMAIL
from airouter.services.vault import Vault
from airouter.services.ways_in import refuse_where_passwords_are_off
from airouter.storage import registrations as rows
from airouter.storage import users
from airouter.storage.database import Database
from airouter.storage.registrations import MailedLinkRow, MailedPurpose

RESET_LIFETIME: Final = timedelta(hours=1)
RESET_BY_EMAIL: Final = Budget(scope="reset.email", failures_max=5, window=timedelta(hours=1))
RESET_BY_ADDRESS: Final = Budget(scope="reset.address", failures_max=20, window=timedelta(hours=1))
_PURPOSES: Final[tuple[MailedPurpose, ...]] = ("reset_password", "handed_password")
_MINUTES: Final = int(RESET_LIFETIME.total_seconds()) // 60


class PasswordReset:
    """Mails the link, and lets it be used once."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        passwords: Passwords,
        attempts: Attempts,
        sessions: Sessions,
        sign_ins: SignIns,
        mailbox: Mailbox,
    ) -> None:
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._sessions = sessions
        self._sign_ins = sign_ins
        self._mailbox = mailbox
        self._tokens = MailedTokens(vault, mailbox.console_url)

    async def check(self, email: str, client: Client) -> None:
        """Whether it may be asked for; nothing here depends on who has the address.

        Raises:
            InvalidRequest, MailNotConfigured, PasswordDisabled, TooManyAttempts
        """
        check_email(email)
        if not self._mailbox.is_configured:
            raise MailNotConfigured
        async with self._database.connection() as connection:
            await refuse_where_passwords_are_off(connection)
        await self._attempts.take(RESET_BY_ADDRESS, neighbourhood(client.address))
        await self._attempts.take(RESET_BY_EMAIL, normal(email))

    async def send(self, email: str, client: Client) -> None:
        """The mail, where somebody has the address: after the answer has gone, so that its time tells nothing."""
        token, token_hash = self._tokens.new()
        async with self._database.transaction() as connection:
            person = await users.find_user_by_email(connection, email)
            if person is None or person.status != "active":
                return
            link = MailedLinkRow(user_id=person.user_id, email=person.email, purpose="reset_password")
            await rows.put_mailed_link(connection, token_hash, link, RESET_LIFETIME)
            await self._mailbox.post(
                connection,
                to=person.email,
                locale=person.locale,
                letter="reset_password",
                facts={"link": self._tokens.link("reset", token), "address": client.address, "minutes": _MINUTES},
                lifetime=RESET_LIFETIME,
            )
            act = Act(action="user.password_reset_requested", subject="user", subject_id=str(person.user_id))
            await record(connection, client.actor(), act)

    async def confirm(self, token: str, password: str, client: Client) -> Opened:
        """The new password holds, every session and every other link has ended, and the person signs in (a second
        factor is asked for).

        Raises:
            InvalidToken, WeakPassword, TooManyAttempts
            PasswordDisabled: since the link was made.
        """
        network = neighbourhood(client.address)
        await self._attempts.take(LINK_BY_ADDRESS, network)
        hashes = self._tokens.hashes(token)
        async with self._database.connection() as connection:
            link = await rows.mailed_link(connection, hashes, *_PURPOSES)
        if link is None:  # before a password is hashed for nothing
            raise InvalidToken
        await self._attempts.give_back(LINK_BY_ADDRESS, network)
        await self._passwords.check_strength(password, link.email)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            person = await users.lock_user(connection, link.user_id)  # a person comes before their links
            link = await rows.use_mailed_link(connection, hashes, *_PURPOSES)
            if link is None or person is None or person.status != "active":
                raise InvalidToken
            await refuse_where_passwords_are_off(connection)
            await users.set_password(connection, person.user_id, password_hash)
            await rows.drop_mailed_links(connection, person.user_id)  # a stranger's change of address ends, too
            if link.purpose == "reset_password" and normal(link.email) == normal(person.email):
                await rows.verify_email(connection, person.user_id)
            await self._sessions.end_all(connection, person.user_id)
            await self._mailbox.post(
                connection,
                to=person.email,
                locale=person.locale,
                letter="password_changed",
                facts={"address": client.address, "link": f"{self._mailbox.console_url}/forgot"},
            )
            act = Act(action="user.password_reset", subject="user", subject_id=str(person.user_id))
            await record(connection, client.actor(person.user_id), act)
            opened = await self._sign_ins.open(connection, person.user_id, client, "link")
        await self._attempts.clear(SIGN_IN_BY_EMAIL, normal(person.email))
        return opened

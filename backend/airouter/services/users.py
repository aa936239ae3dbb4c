"""People: joining, signing in, and the one-time links that let the first operator in."""

import re
from datetime import timedelta
from typing import Final

import msgspec

from airouter.domain.catalogue import DEFAULT_GROUP
from airouter.domain.email_address import normal
from airouter.domain.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidRequest,
    InvalidToken,
    NotFound,
)
from airouter.domain.ids import AccountId, UserId
from airouter.domain.sign_up_errors import EmailNotVerified
from airouter.services.accounts import open_personal_account
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.links import Links, check_email
from airouter.services.mailbox import Mailbox
from airouter.services.passwords import Passwords
from airouter.services.sessions import Sessions
from airouter.services.sign_ins import Client, Opened, SignIns
from airouter.services.vault import Vault
from airouter.services.ways_in import adding_way_in, refuse_where_passwords_are_off
from airouter.storage import users as rows
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.registrations import drop_mailed_links, newest_registration
from airouter.storage.sessions import Role
from airouter.storage.users import NewUser
from airouter.world import new_id

SIGN_IN_BY_EMAIL: Final = Budget(scope="sign_in.email", failures_max=10, window=timedelta(minutes=15))
SIGN_IN_BY_ADDRESS: Final = Budget(scope="sign_in.address", failures_max=100, window=timedelta(minutes=15))
SIGN_UP_BY_ADDRESS: Final = Budget(scope="sign_up.address", failures_max=20, window=timedelta(hours=1))
LINK_BY_ADDRESS: Final = Budget(scope="link.address", failures_max=20, window=timedelta(hours=1))

_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """A new person and their account."""

    user_id: UserId
    account_id: AccountId


class Users:
    """Lets people in."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        passwords: Passwords,
        attempts: Attempts,
        sessions: Sessions,
        *,
        sign_ins: SignIns,
        mailbox: Mailbox | None = None,
    ) -> None:
        self._database = database
        self._sign_ins = sign_ins
        self._mailbox = mailbox
        self._links = Links(database, vault)
        self._passwords = passwords
        self._attempts = attempts
        self._sessions = sessions

    async def sign_in(self, email: str, password: str, client: Client) -> Opened:
        """A session for the right password, or the question for a second factor.

        An address that nobody has costs as much time as a wrong password, and says the same.

        Raises:
            PasswordDisabled: by policy `sign_in`.
            InvalidCredentials: unknown address, wrong password, or a banned person.
            EmailNotVerified: they asked to join with this password, and did not follow the link in their mail.
            TooManyAttempts: too many failures for this address or from this network.
        """
        network, subject = neighbourhood(client.address), normal(email)
        await self._attempts.take(SIGN_IN_BY_ADDRESS, network)
        act = Act(action="sign_in.budget_exhausted", subject="user", subject_id="", after={"email": subject})
        await self._attempts.take(SIGN_IN_BY_EMAIL, subject, actor=client.actor(), when_exhausted=act)
        async with self._database.connection() as connection:
            await refuse_where_passwords_are_off(connection)
            user = await rows.find_user_by_email(connection, email)
            pending = await newest_registration(connection, email) if user is None else None
        stored = user.password_hash if user is not None else pending and pending.password_hash
        fits = await self._passwords.verify(stored, password)
        if pending is not None and fits:
            raise EmailNotVerified
        if user is None or not fits or user.status != "active":
            raise InvalidCredentials
        await self._attempts.clear(SIGN_IN_BY_EMAIL, subject)
        await self._attempts.give_back(SIGN_IN_BY_ADDRESS, network)
        fresh = None
        if user.password_hash and self._passwords.is_outdated(user.password_hash):
            fresh = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            now = await rows.lock_user(connection, user.user_id)
            if now is None or now.status != "active":
                raise InvalidCredentials
            if now.password_hash == user.password_hash:
                if fresh:
                    await rows.set_password(connection, user.user_id, fresh)
                return await self._sign_ins.open(connection, user.user_id, client, "password")
        # Checking took a while, and it is another by now: a new password, or the same renewed by who came at once.
        return await self.sign_in(email, password, client)

    async def create(
        self, email: str, password: str, *, role: Role = "user", group_name: str = DEFAULT_GROUP
    ) -> Joined:
        """Somebody made by the house: a demo's operator, a test's person.

        Raises:
            EmailTaken, InvalidRequest
        """
        check_email(email)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            return await join(connection, email, password_hash, role=role, group_name=group_name)

    async def change_password(
        self,
        user_id: UserId,
        current: str,
        new: str,
        *,
        address: str,
        actor: Actor,
    ) -> None:
        """Ends every other session and every link on its way: whoever knew the old password is out. Somebody without
        one chooses their first: the caller has asked for a fresh proof of who they are.

        Raises:
            InvalidRequest: `current` is wrong, or not the password any more.
            WeakPassword, TooManyAttempts, SessionExpired
        """
        async with self._database.connection() as connection:
            user = await rows.find_user(connection, user_id)
        if user is None:
            raise NotFound
        subject = normal(user.email)
        await self._attempts.take(SIGN_IN_BY_EMAIL, subject)
        if user.password_hash is not None and not await self._passwords.verify(user.password_hash, current):
            raise _not_the_password()
        await self._attempts.clear(SIGN_IN_BY_EMAIL, subject)
        await self._passwords.check_strength(new, user.email)
        password_hash = await self._passwords.hash(new)
        async with self._database.transaction() as connection, adding_way_in(connection, actor) as now:
            if now.password_hash != user.password_hash:  # a reset came first, and holds
                raise _not_the_password()
            await rows.set_password(connection, user_id, password_hash)
            await drop_mailed_links(connection, user_id)
            await self._sessions.end_all(connection, user_id, but=actor.session_id)
            await record(connection, actor, _about(user_id, "password_changed"))
            if self._mailbox is not None:
                await self._mailbox.post(
                    connection,
                    to=user.email,
                    locale=user.locale,
                    letter="password_changed",
                    facts={"address": address, "link": f"{self._mailbox.console_url}/forgot"},
                )

    async def set_locale(self, user_id: UserId, locale: str | None) -> None:
        """The language that mail and pages use for this person. Raises InvalidRequest."""
        check_locale(locale)
        async with self._database.transaction() as connection:
            await rows.set_locale(connection, user_id, locale)
            await announce(connection, "sessions")
        self._sessions.forget()

    async def accept(self, token: str, password: str, client: Client) -> Opened:
        """The holder of an operator link chooses a password and is signed in as an operator.

        Somebody who has an account already becomes an operator, with this password from now on.

        Raises:
            InvalidToken, WeakPassword, TooManyAttempts
        """
        network = neighbourhood(client.address)
        await self._attempts.take(LINK_BY_ADDRESS, network)
        if not await self._links.is_open(token, "operator"):  # before a password is hashed for nothing
            raise InvalidToken
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            email = await self._links.use(connection, token, "operator")
            if email is None:
                raise InvalidToken
            await self._passwords.check_strength(password, email)
            user_id = await self._appoint(connection, email, password_hash, "operator", client)
            opened = await self._sign_ins.open(connection, user_id, client, "link")
        await self._attempts.give_back(LINK_BY_ADDRESS, network)
        return opened

    async def may_set_up(self, token: str) -> bool:
        """Whether this is the token in the log of an instance that nobody runs yet."""
        async with self._database.connection() as connection:
            if await rows.operators_exist(connection):
                return False
        return await self._links.is_open(token, "setup")

    async def set_up(self, token: str, email: str, password: str, client: Client) -> Opened:
        """The first owner of an instance, for whoever read the token in its log.

        Raises:
            NotFound: not this token, or somebody runs the place already. WeakPassword, InvalidRequest, TooManyAttempts
        """
        network = neighbourhood(client.address)
        await self._attempts.take(LINK_BY_ADDRESS, network)
        if not await self.may_set_up(token):
            raise NotFound
        check_email(email)
        await self._passwords.check_strength(password, email)
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            link = await self._links.use(connection, token, "setup")
            if link is None or await rows.operators_exist(connection):
                raise NotFound
            user_id = await self._appoint(connection, email, password_hash, "owner", client)
            opened = await self._sign_ins.open(connection, user_id, client, "link")
        await self._attempts.give_back(LINK_BY_ADDRESS, network)
        return opened

    async def _appoint(
        self, connection: Connection, email: str, password_hash: str, role: Role, client: Client
    ) -> UserId:
        known = await rows.find_user_by_email(connection, email)
        if known is None:
            user_id = (await join(connection, email, password_hash, role=role)).user_id
            await record(connection, client.actor(user_id), _about(user_id, "appointed_by_link", {"role": role}))
            return user_id
        said = {"role": role, "before": known.role}
        await record(connection, client.actor(known.user_id), _about(known.user_id, "appointed_by_link", said))
        await rows.set_password(connection, known.user_id, password_hash)
        await drop_mailed_links(connection, known.user_id)
        await rows.set_role(connection, known.user_id, "owner" if known.role == "owner" else role)
        await self._sessions.end_all(connection, known.user_id)
        await announce(connection, "keys")
        return known.user_id


async def join(
    connection: Connection,
    email: str,
    password_hash: str | None,
    *,
    role: Role = "user",
    locale: str | None = None,
    group_name: str = DEFAULT_GROUP,
) -> Joined:
    """A person and their personal account, or neither. Raises EmailTaken."""
    user = NewUser(user_id=UserId(new_id()), email=email.strip(), password_hash=password_hash, role=role, locale=locale)
    if not await rows.insert_user(connection, user):
        raise EmailTaken
    account_id = await open_personal_account(connection, user.user_id, user.email.partition("@")[0], group_name)
    return Joined(user_id=user.user_id, account_id=account_id)


def _about(user_id: UserId, done: str, after: object = None) -> Act:
    return Act(action=f"user.{done}", subject="user", subject_id=str(user_id), after=after)


def _not_the_password() -> InvalidRequest:
    return InvalidRequest("current_password: this is not your password.", field="current_password")


def check_locale(locale: str | None) -> None:
    """Raises InvalidRequest for what is no language tag."""
    if locale is not None and not _LOCALE.fullmatch(locale):
        raise InvalidRequest("locale: this is not a language tag such as en or zh-CN.", field="locale")

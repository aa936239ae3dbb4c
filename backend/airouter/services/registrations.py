"""Joining: what the operator asks of strangers, and the mail that proves an address.

Somebody who has to verify is no user until they did: nothing of theirs can be used, and nobody keeps an address from
its owner by naming it first. Each registration has its own link and password; the first that is followed wins.
"""

from datetime import timedelta
from typing import Final

import asyncpg
import msgspec

from airouter.domain.email_address import normal
from airouter.domain.errors import EmailTaken, InvalidToken, SignUpClosed
from airouter.domain.ids import UserId
from airouter.domain.policy import SignUp
from airouter.domain.sign_up_errors import EmailDomainRefused, InvitationRequired, MailNotConfigured
from airouter.services.attempts import Attempts, Budget, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.links import check_email
from airouter.services.mailbox import Mailbox
from airouter.services.mailed_tokens import MailedTokens
from airouter.services.passwords import Passwords
from airouter.services.policies import policy_in_force
from airouter.services.referrals import Referrals
from airouter.services.sessions import Sessions
from airouter.services.sign_ins import Client, Opened, SignIns
from airouter.services.sign_up_challenges import SignUpChallenges
from airouter.services.users import LINK_BY_ADDRESS, SIGN_UP_BY_ADDRESS, Joined, check_locale, join
from airouter.services.vault import Vault
from airouter.services.ways_in import adding_way_in, refuse_where_passwords_are_off
from airouter.services.welcome import welcome
from airouter.storage import registrations as rows
from airouter.storage import users
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.registrations import MailedLinkRow, RegistrationRow

VERIFY_LIFETIME: Final = timedelta(hours=24)
SIGN_UP_MAIL: Final = Budget(scope="sign_up.mail", failures_max=5, window=timedelta(hours=1))
CHANGE_MAIL: Final = Budget(scope="change_email.mail", failures_max=5, window=timedelta(hours=1))
_HOURS: Final = int(VERIFY_LIFETIME.total_seconds()) // 3600


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who would join. `challenge`: the answer to the one that the policy asks for."""

    email: str
    password: str
    locale: str | None = None
    referral_code: str | None = None
    challenge: str | None = None


class Registrations:
    """Lets strangers join."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        passwords: Passwords,
        attempts: Attempts,
        sessions: Sessions,
        sign_ins: SignIns,
        challenges: SignUpChallenges,
        referrals: Referrals,
        mailbox: Mailbox,
    ) -> None:
        self._database = database
        self._vault = vault
        self._passwords = passwords
        self._attempts = attempts
        self._sessions = sessions
        self._sign_ins = sign_ins
        self._challenges = challenges
        self._referrals = referrals
        self._mailbox = mailbox
        self._tokens = MailedTokens(vault, mailbox.console_url)

    async def register(self, draft: Draft, client: Client) -> Opened | None:
        """A new person with an account, signed in; None: they have mail, which says how it goes on.

        Where an address has to be verified, one that somebody has here gets the same answer, and its owner a mail.

        Raises:
            SignUpClosed, InvitationRequired, EmailDomainRefused, ChallengeRequired, ChallengeFailed
            ChallengeUnavailable, WeakPassword, InvalidRequest, TooManyAttempts
            PasswordDisabled: whoever is new comes with an identity.
            EmailTaken: where nothing is verified.
        """
        async with self._database.connection() as connection:
            policy = await policy_in_force(connection, SignUp)
            _check_open(policy)
            await refuse_where_passwords_are_off(connection)
        check_email(draft.email)
        check_locale(draft.locale)
        if not policy.takes(draft.email):
            raise EmailDomainRefused(field="email")
        await self._attempts.take(SIGN_UP_BY_ADDRESS, neighbourhood(client.address))
        await self._passwords.check_strength(draft.password, draft.email)
        await self._challenges.check(policy, "register", draft.challenge, client.address)
        if policy.verify_email:
            await self._attempts.take(SIGN_UP_MAIL, normal(draft.email))
        password_hash = await self._passwords.hash(draft.password)
        registration = RegistrationRow(
            email=draft.email.strip(),
            password_hash=password_hash,
            locale=draft.locale,
            referral_code=draft.referral_code,
        )
        async with self._database.transaction() as connection:
            if policy.verify_email:
                await self._ask_for_proof(connection, registration, client)
                return None
            joined = await self._join(connection, registration, policy, client)
            return await self._sign_ins.open(connection, joined.user_id, client, "sign_up")

    async def _ask_for_proof(self, connection: Connection, registration: RegistrationRow, client: Client) -> None:
        if not self._mailbox.is_configured:  # the policy was set when it was
            raise MailNotConfigured
        token, token_hash = self._tokens.new()
        known = await users.find_user_by_email(connection, registration.email)
        if known is not None:
            await self._mailbox.post(
                connection,
                to=known.email,
                locale=known.locale,
                letter="sign_up_exists",
                facts={"link": f"{self._mailbox.console_url}/sign-in"},
            )
            return
        await rows.insert_registration(connection, token_hash, registration, VERIFY_LIFETIME)
        await self._mail_proof(connection, registration, token, client)

    async def _mail_proof(
        self, connection: Connection, registration: RegistrationRow, token: str, client: Client
    ) -> None:
        await self._mailbox.post(
            connection,
            to=registration.email,
            locale=registration.locale,
            letter="verify_email",
            facts={"link": self._tokens.link("verify", token), "address": client.address, "hours": _HOURS},
            lifetime=VERIFY_LIFETIME,
        )

    async def send_again(self, email: str, client: Client) -> None:
        """Another link for the newest registration with this address; nothing where there is none, and no word of it.

        Raises:
            InvalidRequest, TooManyAttempts
        """
        check_email(email)
        await self._attempts.take(SIGN_UP_BY_ADDRESS, neighbourhood(client.address))
        await self._attempts.take(SIGN_UP_MAIL, normal(email))
        token, token_hash = self._tokens.new()
        async with self._database.transaction() as connection:
            registration = await rows.renew_registration(connection, email, token_hash, VERIFY_LIFETIME)
            if registration is not None:
                await self._mail_proof(connection, registration, token, client)

    async def verify(self, token: str, client: Client) -> Opened | None:
        """What a mailed link was for: somebody joined and is signed in, or (None) has another address.

        Raises:
            InvalidToken: unknown, used or too old; or the address is somebody's by now. TooManyAttempts
            SignUpClosed, InvitationRequired, EmailDomainRefused, PasswordDisabled: since it was asked for.
        """
        network = neighbourhood(client.address)
        await self._attempts.take(LINK_BY_ADDRESS, network)
        hashes = self._tokens.hashes(token)
        try:
            async with self._database.transaction() as connection:
                registration = await rows.use_registration(connection, hashes)
                if registration is None:
                    await self._finish_change(connection, hashes, client)
                    opened = None
                else:
                    policy = await policy_in_force(connection, SignUp)
                    _check_open(policy)
                    await refuse_where_passwords_are_off(connection)
                    if not policy.takes(registration.email):
                        raise EmailDomainRefused
                    joined = await self._join(connection, registration, policy, client, is_verified=True)
                    await rows.drop_registrations(connection, registration.email)
                    opened = await self._sign_ins.open(connection, joined.user_id, client, "sign_up")
        except (EmailTaken, asyncpg.UniqueViolationError):
            raise InvalidToken from None
        await self._attempts.give_back(LINK_BY_ADDRESS, network)
        return opened

    async def _join(
        self,
        connection: Connection,
        registration: RegistrationRow,
        policy: SignUp,
        client: Client,
        *,
        is_verified: bool = False,
    ) -> Joined:
        joined = await join(
            connection,
            registration.email,
            registration.password_hash,
            locale=registration.locale,
            group_name=policy.group,
        )
        if is_verified:
            await welcome(
                connection,
                self._vault,
                policy,
                user_id=joined.user_id,
                account_id=joined.account_id,
                email=registration.email,
            )
        await self._referrals.joined(connection, joined, registration.referral_code, client)
        act = Act(
            action="user.joined", subject="user", subject_id=str(joined.user_id), account_id=joined.account_id,
            after={"is_email_verified": is_verified},
        )  # fmt: skip
        await record(connection, client.actor(joined.user_id), act)
        return joined

    async def change_email(self, user_id: UserId, email: str, actor: Actor) -> None:
        """A mail to the new address; it takes the place of the old one when its link is followed.

        An address that somebody has gets a mail that says so; the answer is the same.

        Raises:
            InvalidRequest, MailNotConfigured, TooManyAttempts, SessionExpired
            EmailDomainRefused: nobody could join with it, either.
        """
        check_email(email)
        if not self._mailbox.is_configured:
            raise MailNotConfigured
        async with self._database.connection() as connection:
            if not (await policy_in_force(connection, SignUp)).takes(email):
                raise EmailDomainRefused(field="email")
        await self._attempts.take(CHANGE_MAIL, str(user_id))
        token, token_hash = self._tokens.new()
        async with self._database.transaction() as connection, adding_way_in(connection, actor) as person:
            act = Act(
                action="user.email_change_requested", subject="user", subject_id=str(user_id),
                before={"email": person.email}, after={"email": email.strip()},
            )  # fmt: skip
            await record(connection, actor, act)
            other = await users.find_user_by_email(connection, email)
            if other is not None and other.user_id != user_id:
                await self._mailbox.post(
                    connection,
                    to=other.email,
                    locale=other.locale,
                    letter="sign_up_exists",
                    facts={"link": f"{self._mailbox.console_url}/sign-in"},
                )
                return
            link = MailedLinkRow(user_id=user_id, email=email.strip(), purpose="change_email")
            await rows.put_mailed_link(connection, token_hash, link, VERIFY_LIFETIME)
            await self._mailbox.post(
                connection,
                to=email.strip(),
                locale=person.locale,
                letter="change_email",
                facts={"link": self._tokens.link("verify", token), "hours": _HOURS},
                lifetime=VERIFY_LIFETIME,
            )

    async def _finish_change(self, connection: Connection, hashes: tuple[bytes, ...], client: Client) -> None:
        link = await rows.mailed_link(connection, hashes, "change_email")
        person = link and await users.lock_user(connection, link.user_id)  # a person comes before their links
        link = await rows.use_mailed_link(connection, hashes, "change_email")
        if link is None or person is None or person.status != "active":
            raise InvalidToken
        if not (await policy_in_force(connection, SignUp)).takes(link.email):
            raise EmailDomainRefused
        if not await rows.change_email(connection, person.user_id, link.email):
            raise InvalidToken
        await rows.drop_mailed_links(connection, person.user_id)  # a reset that went to the old address opens nothing
        await announce(connection, "sessions")
        self._sessions.forget()
        await self._mailbox.post(
            connection, to=person.email, locale=person.locale, letter="email_changed", facts={"email": link.email}
        )
        act = Act(
            action="user.email_changed", subject="user", subject_id=str(person.user_id),
            before={"email": person.email}, after={"email": link.email},
        )  # fmt: skip
        await record(connection, client.actor(person.user_id), act)


def _check_open(policy: SignUp) -> None:
    if policy.mode == "invitation":
        raise InvitationRequired
    if policy.mode != "open":
        raise SignUpClosed

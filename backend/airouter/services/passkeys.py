"""Passkeys (WebAuthn level 3): a key pair in somebody's device, unlocked by them.

The device has verified its person (a finger, a face, a PIN), so a passkey alone is two factors; after a password it
serves as the second one. Whose it is, the credential says: nobody has to type an address.
"""

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from airouter.domain.errors import AlreadyExists, InvalidRequest, NotFound, NotSupportedYet
from airouter.domain.ids import UserId
from airouter.domain.sign_in_errors import PasskeyRefused
from airouter.services.attempts import Attempts, neighbourhood
from airouter.services.audit_log import Act, Actor, record
from airouter.services.passkey_challenges import LIFETIME_SECONDS, PasskeyChallenges
from airouter.services.recovery_codes import RecoveryCodes
from airouter.services.security_letters import SecurityLetters
from airouter.services.sign_ins import Client, FirstStep, Opened, SignIns
from airouter.services.users import SIGN_IN_BY_ADDRESS
from airouter.services.vault import Vault
from airouter.services.ways_in import adding_way_in, refuse_last_way_in
from airouter.storage import passkeys as rows
from airouter.storage import users
from airouter.storage.changes import announce
from airouter.storage.database import Connection, Database
from airouter.storage.passkeys import PasskeyRow
from airouter.world import new_id

COUNT_MAX: Final = 20
SIGN_IN: Final = "sign-in"
_TRANSPORTS: Final = frozenset(transport.value for transport in AuthenticatorTransport)

Credential = Mapping[str, Any]
"""What `PublicKeyCredential.toJSON()` gives in a browser."""


class RelyingParty(msgspec.Struct, frozen=True, kw_only=True):
    """Whom authenticators know us as. `id` is the console's host; pages of `origins` may ask."""

    id: str
    origins: tuple[str, ...]


def relying_party(console_url: str, origins: Sequence[str]) -> RelyingParty | None:
    """None where browsers offer no passkeys: the console is reached by an address in numbers, or without TLS."""
    url = urlsplit(console_url)
    host = url.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return None
    if url.scheme != "https" and host != "localhost" and not host.endswith(".localhost"):
        return None
    ours = [origin for origin in dict.fromkeys((console_url, *origins)) if _is_below(origin, host)]
    return RelyingParty(id=host, origins=tuple(ours))


def _is_below(origin: str, host: str) -> bool:
    found = urlsplit(origin).hostname or ""
    return found == host or found.endswith(f".{host}")


class Passkeys:
    """Adds them, signs in with them, takes them away."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        attempts: Attempts,
        sign_ins: SignIns,
        *,
        letters: SecurityLetters,
        party: RelyingParty | None,
    ) -> None:
        self._database = database
        self._attempts = attempts
        self._sign_ins = sign_ins
        self._letters = letters
        self._party = party
        self._challenges = PasskeyChallenges(vault)
        self._codes = RecoveryCodes(vault)

    @property
    def is_available(self) -> bool:
        """Whether browsers can use passkeys at the console's address."""
        return self._party is not None

    async def of(self, user_id: UserId) -> list[PasskeyRow]:
        """Oldest first."""
        async with self._database.connection() as connection:
            return await rows.passkeys_of(connection, user_id)

    async def creation_options(self, user_id: UserId, email: str, label: str) -> dict[str, Any]:
        """What the browser makes a passkey from (`PublicKeyCredential.parseCreationOptionsFromJSON`).

        Raises:
            NotSupportedYet: no browser would do it here. InvalidRequest: there are too many.
        """
        party = self._supported()
        known = await self.of(user_id)
        if len(known) >= COUNT_MAX:
            raise InvalidRequest(f"There are {COUNT_MAX} passkeys already. Remove one you do not use.")
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=label,
            user_id=user_id.bytes,
            user_name=email,
            challenge=self._challenges.make(_adding(user_id)),
            timeout=LIFETIME_SECONDS * 1000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[_descriptor(row) for row in known],
        )
        return options_to_json_dict(options)

    async def add(
        self, user_id: UserId, name: str, credential: Credential, actor: Actor
    ) -> tuple[PasskeyRow, list[str] | None]:
        """The new passkey; with a first second factor come recovery codes, which are not shown again.

        Raises:
            PasskeyRefused: made for another page, another person, or a challenge that was used.
            AlreadyExists, SessionExpired
        """
        party, challenge = self._supported(), _challenge_of(credential)
        if not self._challenges.is_ours(challenge, _adding(user_id)):
            raise PasskeyRefused
        try:
            made = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=list(party.origins),
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise PasskeyRefused from error
        passkey_id = new_id()
        async with self._database.transaction() as connection, adding_way_in(connection, actor):
            if not await self._challenges.spend(connection, challenge):
                raise PasskeyRefused
            new = rows.NewPasskey(
                passkey_id=passkey_id,
                user_id=user_id,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                transports=_transports(credential),
                is_backed_up=made.credential_backed_up,
                name=name,
            )
            if not await rows.insert_passkey(connection, new):
                raise AlreadyExists("This passkey is known already.")
            codes = await self._codes.make_if_none(connection, user_id)
            await announce(connection, "sessions")
            await record(connection, actor, _act("factor.added", user_id, name))
            await self._letters.factor_added(connection, user_id, f"passkey “{name}”")
            found = [row for row in await rows.passkeys_of(connection, user_id) if row.passkey_id == passkey_id]
        return found[0], codes

    async def rename(self, user_id: UserId, passkey_id: UUID, name: str) -> None:
        """Raises NotFound."""
        async with self._database.transaction() as connection:
            if not await rows.name_passkey(connection, passkey_id, user_id, name):
                raise NotFound

    async def remove(self, user_id: UserId, passkey_id: UUID, actor: Actor) -> None:
        """Raises NotFound, LastWayIn."""
        async with self._database.transaction() as connection:
            await users.lock_user(connection, user_id)
            name = await rows.remove_passkey(connection, passkey_id, user_id)
            if name is None:
                raise NotFound
            await refuse_last_way_in(connection, user_id)
            await self._codes.drop_if_idle(connection, user_id)
            await announce(connection, "sessions")
            await record(connection, actor, _act("factor.removed", user_id, name, is_gone=True))
            await self._letters.factor_removed(connection, user_id, f"passkey “{name}”")

    async def request_options(self, user_id: UserId | None, subject: str) -> dict[str, Any]:
        """What the browser asks its authenticators with; without a person, whoever has a passkey may answer.

        `subject` says what the answer is for: SIGN_IN, or a value that the caller checks it against.
        """
        party = self._supported()
        known = [] if user_id is None else await self.of(user_id)
        options = generate_authentication_options(
            rp_id=party.id,
            challenge=self._challenges.make(subject),
            timeout=LIFETIME_SECONDS * 1000,
            allow_credentials=[_descriptor(row) for row in known],
            user_verification=UserVerificationRequirement.REQUIRED
            if user_id is None
            else UserVerificationRequirement.PREFERRED,
        )
        return options_to_json_dict(options)

    async def sign_in(self, credential: Credential, client: Client) -> Opened:
        """A session for whoever holds a passkey and has unlocked it.

        Raises:
            PasskeyRefused, TooManyAttempts
        """
        network = neighbourhood(client.address)
        await self._attempts.take(SIGN_IN_BY_ADDRESS, network)
        async with self._database.transaction() as connection:
            passkey = await self.prove(connection, credential, SIGN_IN, is_alone=True)
            opened = await self._sign_ins.open(connection, passkey.user_id, client, "passkey")
        await self._attempts.give_back(SIGN_IN_BY_ADDRESS, network)
        return opened

    async def complete(self, first: FirstStep, credential: Credential, client: Client) -> Opened:
        """The session for whoever proves a passkey of theirs after the first step.

        Raises:
            PasskeyRefused, SignInExpired, InvalidCredentials, PasswordDisabled
        """
        async with self._database.transaction() as connection:
            await self._sign_ins.resume(connection, first)
            await self.prove(connection, credential, second_step(first), user_id=first.user_id)
            return await self._sign_ins.finish(connection, first, client, "passkey")

    async def prove(
        self,
        connection: Connection,
        credential: Credential,
        subject: str,
        *,
        user_id: UserId | None = None,
        is_alone: bool = False,
    ) -> PasskeyRow:
        """The passkey that answered, this once. `is_alone`: nothing else is asked, so it must have verified its person.

        Raises:
            PasskeyRefused: unknown, another person's, for another page or purpose, or used before.
        """
        party, challenge = self._supported(), _challenge_of(credential)
        if not self._challenges.is_ours(challenge, subject):
            raise PasskeyRefused
        found = await rows.find_passkey(connection, _bytes_of(credential.get("rawId")))
        if found is None or (user_id is not None and found.user_id != user_id):
            raise PasskeyRefused
        handle = _handle_of(credential)
        if handle is not None and handle != found.user_id.bytes:
            raise PasskeyRefused
        proved = await asyncio.to_thread(_verified, credential, challenge, party, found, is_alone=is_alone)
        is_used = await rows.use_passkey(
            connection, found.passkey_id, proved.new_sign_count, is_backed_up=proved.credential_backed_up
        )
        if not is_used or not await self._challenges.spend(connection, challenge):
            raise PasskeyRefused
        return found

    def _supported(self) -> RelyingParty:
        if self._party is None:
            raise NotSupportedYet(
                "Browsers offer passkeys only where the console has a name and TLS (or is localhost)."
            )
        return self._party


def second_step(first: FirstStep) -> str:
    """The subject of a challenge for this very sign-in."""
    return f"second-step:{first.user_id}:{first.token_hash.hex()}"


def _adding(user_id: UserId) -> str:
    return f"add:{user_id}"


def _act(action: str, user_id: UserId, name: str, *, is_gone: bool = False) -> Act:
    facts = {"factor": "passkey", "name": name}
    return Act(
        action=action,
        subject="user",
        subject_id=str(user_id),
        before=facts if is_gone else None,
        after=None if is_gone else facts,
    )


def _verified(
    credential: Credential, challenge: bytes, party: RelyingParty, passkey: PasskeyRow, *, is_alone: bool
) -> VerifiedAuthentication:
    try:
        return verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=is_alone,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyRefused from error


def _challenge_of(credential: Credential) -> bytes:
    """The challenge that the browser says it answers; the library checks that the signature covers it."""
    try:
        return parse_client_data_json(_bytes_of(_response(credential).get("clientDataJSON"))).challenge
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise PasskeyRefused from error


def _response(credential: Credential) -> Mapping[str, Any]:
    found = credential.get("response")
    return found if isinstance(found, dict) else {}


def _handle_of(credential: Credential) -> bytes | None:
    found = _response(credential).get("userHandle")
    return _bytes_of(found) if found else None


def _bytes_of(text: object) -> bytes:
    try:
        return base64url_to_bytes(text) if isinstance(text, str) else b""
    except ValueError as error:
        raise PasskeyRefused from error


def _transports(credential: Credential) -> list[str]:
    found = _response(credential).get("transports")
    return [one for one in found if one in _TRANSPORTS] if isinstance(found, list) else []


def _descriptor(row: PasskeyRow) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(one) for one in row.transports if one in _TRANSPORTS]
    return PublicKeyCredentialDescriptor(id=row.credential_id, transports=transports or None)

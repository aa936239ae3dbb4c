"""Rows of people who have to prove an address: those who would join, forgot a password, or move to another address."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from airouter.domain.email_address import normal
from airouter.domain.ids import UserId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("registrations")

MailedPurpose = Literal["reset_password", "handed_password", "change_email"]
"""`handed_password`: an operator has the link and gives it to the person; no mail brings it."""


class RegistrationRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who asked to join."""

    email: str
    password_hash: str
    locale: str | None
    referral_code: str | None


class MailedLinkRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose link it is, what for, and where it was sent."""

    user_id: UserId
    email: str
    purpose: MailedPurpose


async def insert_registration(
    connection: Connection, token_hash: bytes, registration: RegistrationRow, lifetime: timedelta
) -> None:
    await connection.execute(
        QUERIES.insert_registration,
        token_hash, registration.email, normal(registration.email), registration.password_hash, registration.locale,
        registration.referral_code, lifetime,
    )  # fmt: skip


async def use_registration(connection: Connection, token_hashes: tuple[bytes, ...]) -> RegistrationRow | None:
    """None: unknown, used, or too old."""
    await connection.execute(QUERIES.lock_registration, list(token_hashes))
    row = await connection.fetchrow(QUERIES.use_registration, list(token_hashes))
    return None if row is None else row_as(RegistrationRow, row)


async def newest_registration(connection: Connection, email: str) -> RegistrationRow | None:
    row = await connection.fetchrow(QUERIES.newest_registration, normal(email))
    return None if row is None else row_as(RegistrationRow, row)


async def renew_registration(
    connection: Connection, email: str, token_hash: bytes, lifetime: timedelta
) -> RegistrationRow | None:
    """The newest one for this address, which this token opens from now on; None: there is none."""
    row = await connection.fetchrow(QUERIES.renew_registration, normal(email), token_hash, lifetime)
    return None if row is None else row_as(RegistrationRow, row)


async def drop_registrations(connection: Connection, email: str) -> None:
    await connection.execute(QUERIES.drop_registrations, normal(email))


async def put_mailed_link(connection: Connection, token_hash: bytes, link: MailedLinkRow, lifetime: timedelta) -> None:
    """It replaces an earlier one of the same purpose and person."""
    await connection.execute(QUERIES.put_mailed_link, token_hash, link.purpose, link.user_id, link.email, lifetime)


async def mailed_link(
    connection: Connection, token_hashes: tuple[bytes, ...], *purposes: MailedPurpose
) -> MailedLinkRow | None:
    """What `use_mailed_link` would answer now."""
    row = await connection.fetchrow(QUERIES.mailed_link, list(token_hashes), list(purposes))
    return None if row is None else row_as(MailedLinkRow, row)


async def use_mailed_link(
    connection: Connection, token_hashes: tuple[bytes, ...], *purposes: MailedPurpose
) -> MailedLinkRow | None:
    """None: unknown, used, or too old. Used when the transaction commits, by one of those who come at once."""
    row = await connection.fetchrow(QUERIES.use_mailed_link, list(token_hashes), list(purposes))
    return None if row is None else row_as(MailedLinkRow, row)


async def drop_mailed_links(connection: Connection, user_id: UserId) -> None:
    """What was sent to an address or for a password that no longer hold."""
    await connection.execute(QUERIES.drop_mailed_links, user_id)


async def verify_email(connection: Connection, user_id: UserId) -> None:
    """They proved that they read what is sent to their address."""
    await connection.execute(QUERIES.verify_email, user_id)


async def change_email(connection: Connection, user_id: UserId, email: str) -> bool:
    """To one that they proved to read. False: somebody else has it."""
    return await connection.fetchval(QUERIES.change_email, user_id, email.strip(), normal(email)) is not None


async def welcome_identity(connection: Connection, hashes: tuple[bytes, ...]) -> bool:
    """False: it was welcomed before. `hashes`: under every key, the current one first."""
    return await connection.fetchval(QUERIES.welcome_identity, list(hashes)) is not None


async def spend_challenge(connection: Connection, challenge_hash: bytes, expires_at: datetime) -> bool:
    """False: it was used."""
    return await connection.fetchval(QUERIES.spend_challenge, challenge_hash, expires_at) is not None


async def forget_stale(connection: Connection) -> None:
    """Registrations, links and challenges that are too old to be of use."""
    await connection.execute(QUERIES.forget_registrations)
    await connection.execute(QUERIES.forget_mailed_links)
    await connection.execute(QUERIES.forget_challenges)

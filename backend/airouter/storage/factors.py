"""What people prove who they are with, besides a password: authenticator apps and recovery codes."""

from datetime import datetime

import msgspec

from airouter.domain.ids import UserId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("factors")


class WaysInRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody can sign in with."""

    password_hash: str | None
    has_totp: bool
    recovery_codes_left: int
    passkeys: int
    identities: int


class TotpRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`secret` is encrypted."""

    secret: bytes
    is_confirmed: bool


async def ways_in(connection: Connection, user_id: UserId) -> WaysInRow | None:
    """None: there is no such person."""
    record = await connection.fetchrow(QUERIES.ways_in, user_id)
    return record and row_as(WaysInRow, record)


async def owners_with_password_only(connection: Connection) -> bool:
    """Whether some owner could not come in without a password."""
    return value_as(bool, await connection.fetchval(QUERIES.owners_with_password_only))


async def owners_are_shut_out(connection: Connection) -> bool:
    """Whether passwords are off and some owner has nothing else."""
    return value_as(bool, await connection.fetchval(QUERIES.owners_are_shut_out))


async def begin_totp(connection: Connection, user_id: UserId, secret: bytes) -> bool:
    """False: one is in use."""
    return await connection.fetchval(QUERIES.begin_totp, user_id, secret) is not None


async def find_totp(connection: Connection, user_id: UserId) -> TotpRow | None:
    record = await connection.fetchrow(QUERIES.find_totp, user_id)
    return record and row_as(TotpRow, record)


async def confirm_totp(connection: Connection, user_id: UserId, secret: bytes, step: int) -> bool:
    """False: it was confirmed or replaced meanwhile."""
    return await connection.fetchval(QUERIES.confirm_totp, user_id, secret, step) is not None


async def use_totp_step(connection: Connection, user_id: UserId, step: int) -> bool:
    """False: a code of this step or a later one was used."""
    return await connection.fetchval(QUERIES.use_totp_step, user_id, step) is not None


async def remove_totp(connection: Connection, user_id: UserId) -> bool:
    return await connection.fetchval(QUERIES.remove_totp, user_id) is not None


async def drop_totp(connection: Connection, user_id: UserId) -> None:
    """One that was begun and never proved, too."""
    await connection.execute(QUERIES.drop_totp, user_id)


async def replace_recovery_codes(connection: Connection, user_id: UserId, code_hashes: list[bytes]) -> None:
    """These instead of all others."""
    await connection.execute(QUERIES.drop_recovery_codes, user_id)
    if code_hashes:
        await connection.execute(QUERIES.put_recovery_codes, user_id, code_hashes)


async def use_recovery_code(connection: Connection, user_id: UserId, code_hashes: tuple[bytes, ...]) -> bool:
    """False: unknown or used."""
    return await connection.fetchval(QUERIES.use_recovery_code, user_id, list(code_hashes)) is not None


async def spend_proof(connection: Connection, proof_hash: bytes, expires_at: datetime) -> bool:
    """False: it was used before."""
    return await connection.fetchval(QUERIES.spend_proof, proof_hash, expires_at) is not None


async def forget_spent_proofs(connection: Connection) -> None:
    await connection.execute(QUERIES.forget_spent_proofs)

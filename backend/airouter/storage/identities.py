"""Identity providers, and who is who there."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.email_address import normal
from airouter.domain.ids import UserId
from airouter.storage.database import Connection, row_as
from airouter.storage.queries import load

QUERIES = load("identities")

ProviderKind = Literal["oidc", "github"]


class ProviderRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`client_secret` is encrypted."""

    provider_id: str
    kind: ProviderKind
    label: str
    issuer: str
    client_id: str
    client_secret: bytes
    scopes: tuple[str, ...]
    allow_sign_up: bool
    allowed_domains: tuple[str, ...]
    trust_email: bool
    is_enabled: bool
    created_at: datetime
    identities: int

    def __repr__(self) -> str:
        return f"ProviderRow({self.provider_id!r})"


class OfferedProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the sign-in page shows."""

    provider_id: str
    kind: ProviderKind
    label: str


class IdentityRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody's identity at a provider."""

    identity_id: UUID
    provider_id: str
    kind: ProviderKind
    label: str
    name: str
    linked_at: datetime
    last_used_at: datetime | None
    is_enabled: bool


async def every_provider(connection: Connection) -> list[ProviderRow]:
    return [row_as(ProviderRow, record) for record in await connection.fetch(QUERIES.every_provider)]


async def find_provider(connection: Connection, provider_id: str) -> ProviderRow | None:
    record = await connection.fetchrow(QUERIES.find_provider, provider_id)
    return record and row_as(ProviderRow, record)


async def insert_provider(connection: Connection, row: ProviderRow) -> bool:
    """False: the id is taken."""
    return await connection.fetchval(QUERIES.insert_provider, *_values(row)) is not None


async def update_provider(connection: Connection, row: ProviderRow) -> None:
    await connection.execute(QUERIES.update_provider, *_values(row))


async def delete_provider(connection: Connection, provider_id: str) -> bool:
    """False: somebody has linked an identity of it, or it is not there."""
    return await connection.fetchval(QUERIES.delete_provider, provider_id) is not None


async def providers_on_offer(connection: Connection) -> list[OfferedProvider]:
    return [row_as(OfferedProvider, record) for record in await connection.fetch(QUERIES.providers_on_offer)]


async def identities_of(connection: Connection, user_id: UserId) -> list[IdentityRow]:
    return [row_as(IdentityRow, record) for record in await connection.fetch(QUERIES.identities_of, user_id)]


async def find_identity(connection: Connection, provider_id: str, subject: str) -> UserId | None:
    """Whose it is."""
    return await connection.fetchval(QUERIES.find_identity, provider_id, subject)


async def insert_identity(
    connection: Connection, identity_id: UUID, user_id: UserId, *, provider_id: str, subject: str, name: str
) -> bool:
    """False: somebody has it, or they have another one there."""
    inserted = await connection.fetchval(QUERIES.insert_identity, identity_id, user_id, provider_id, subject, name)
    return inserted is not None


async def use_identity(connection: Connection, provider_id: str, subject: str, name: str) -> None:
    await connection.execute(QUERIES.use_identity, provider_id, subject, name)


async def remove_identity(connection: Connection, identity_id: UUID, user_id: UserId) -> str | None:
    """The provider's label; None: they have no such identity."""
    return await connection.fetchval(QUERIES.remove_identity, identity_id, user_id)


async def find_verified_person(connection: Connection, email: str) -> UserId | None:
    """Whoever proved here that they read mail at this address."""
    return await connection.fetchval(QUERIES.find_verified_person, normal(email))


def _values(row: ProviderRow) -> list[object]:
    return [
        row.provider_id,
        row.kind,
        row.label,
        row.issuer,
        row.client_id,
        row.client_secret,
        list(row.scopes),
        row.allow_sign_up,
        list(row.allowed_domains),
        row.trust_email,
        row.is_enabled,
    ]

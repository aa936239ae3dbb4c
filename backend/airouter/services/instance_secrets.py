"""Secrets that an owner sets for the whole installation and nobody reads back: only what needs one opens it."""

from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from airouter.domain.errors import InvalidRequest, NotFound
from airouter.services.audit_log import Act, Actor, record
from airouter.services.vault import Vault
from airouter.storage import instance_secrets as rows
from airouter.storage.database import Database

SecretName = Literal["turnstile"]
NAMES: Final[tuple[SecretName, ...]] = get_args(SecretName)
_PURPOSE: Final = "instance-secret"
_TABLE: Final = "instance_secrets"


class SecretState(msgspec.Struct, frozen=True, kw_only=True):
    """What may be known of a secret."""

    name: str
    is_set: bool
    updated_at: datetime | None


class InstanceSecrets:
    """Keeps them encrypted."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def states(self) -> list[SecretState]:
        """Which are set, and since when."""
        async with self._database.connection() as connection:
            found = [(name, await rows.find_secret(connection, name)) for name in NAMES]
        return [
            SecretState(name=name, is_set=row is not None, updated_at=row and row.updated_at) for name, row in found
        ]

    async def put(self, name: str, secret: str, actor: Actor) -> SecretState:
        """Raises NotFound: nothing here needs a secret of this name. InvalidRequest: it is blank."""
        if name not in NAMES:
            raise NotFound
        if not secret.strip():
            raise InvalidRequest("secret: it is blank.", field="secret")
        ciphertext = self._vault.encrypt(_PURPOSE, _TABLE, name, secret.strip())
        async with self._database.transaction() as connection:
            row = await rows.put_secret(connection, name, ciphertext, actor.user_id)
            await record(connection, actor, Act(action="secret.set", subject="secret", subject_id=name))
        return SecretState(name=name, is_set=True, updated_at=row.updated_at)

    async def get(self, name: SecretName) -> str | None:
        """None: it is not set."""
        async with self._database.connection() as connection:
            row = await rows.find_secret(connection, name)
        return None if row is None else self._vault.decrypt(_PURPOSE, _TABLE, name, row.ciphertext)

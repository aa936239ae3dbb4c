"""Names that providers minted: found for the account they belong to, and forgotten with what they name."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from airouter.domain.ids import AccountId
from airouter.domain.stored_id import StoredId
from airouter.domain.usage import UsageRecord
from airouter.storage import stored_ids as rows
from airouter.storage.database import Connection, Database


class StoredIds:
    """What the gateway asks before it lets a request go where its name lives."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, account_id: AccountId, names: Collection[str], conversations_last: timedelta
    ) -> list[StoredId]:
        """Those that the account has and that still last. What another account has is unknown.

        A conversation that is asked for is in use: from now on it lasts for so long again.
        """
        async with self._database.transaction() as connection:
            await rows.renew_conversations(connection, account_id, names, conversations_last)
            return await rows.find_stored_ids(connection, account_id, names)

    async def keep(self, names: Sequence[StoredId]) -> None:
        """For names that no charged call brought: created ones are kept before their answer leaves."""
        async with self._database.connection() as connection:
            await rows.insert_stored_ids(connection, names)

    async def forget(self, account_id: AccountId, name: str) -> None:
        """The provider has deleted it."""
        async with self._database.connection() as connection:
            await rows.delete_stored_id(connection, account_id, name)


def minted_in(record: UsageRecord) -> list[StoredId]:
    """The names that a call brought, with where they live."""
    if record.channel_id is None:
        return []
    return [
        StoredId(
            account_id=record.account_id,
            name=minted.name,
            kind=minted.kind,
            key_id=record.key_id,
            channel_id=record.channel_id,
            credential_id=minted.credential_id,
            model=record.model,
            upstream_model=record.upstream_model,
            request_id=record.request_id,
            expires_at=minted.expires_at,
        )
        for minted in record.minted
    ]


async def keep_minted(connection: Connection, records: Sequence[UsageRecord]) -> None:
    """Within the transaction that settles these calls: a name is known exactly when its call is charged."""
    names = [name for record in records if record.minted for name in minted_in(record)]
    if names:
        await rows.insert_stored_ids(connection, names)

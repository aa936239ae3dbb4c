"""What a process of a race runs: it redeems one code as many people at once."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from airouter.domain.errors import DatabaseUnavailable, DomainError
from airouter.domain.ids import AccountId, UserId, WalletId
from airouter.services.attempts import Attempts
from airouter.services.redemptions import Redeemer, Redemptions
from airouter.services.vault import Vault
from airouter.storage.database import Database
from tests.settings import SECRET


def redeem(dsn: str, code: str, people: Sequence[tuple[UUID, int, UUID]]) -> list[str]:
    """`credited`, or the code of the refusal, for each (account, wallet, user)."""
    return asyncio.run(_redeem(dsn, code, people))


async def _redeem(dsn: str, code: str, people: Sequence[tuple[UUID, int, UUID]]) -> list[str]:
    database = await Database.open(dsn, size_max=len(people))
    vault = Vault([SECRET])
    redemptions = Redemptions(database, vault, Attempts(database, vault))

    async def one(account_id: UUID, wallet_id: int, user_id: UUID) -> str:
        who = Redeemer(
            account_id=AccountId(account_id),
            wallet_id=WalletId(wallet_id),
            account_group="default",
            user_id=UserId(user_id),
            address="203.0.113.5",
        )
        while True:
            try:
                await redemptions.redeem(who, code)
            except DatabaseUnavailable:  # busy for longer than a lock is waited for: 503, and the client comes again
                continue
            except DomainError as error:
                return error.code
            return "credited"

    try:
        return list(await asyncio.gather(*(one(*person) for person in people)))
    finally:
        await database.close()

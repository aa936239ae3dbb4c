"""Accounts with quota and keys, and the usage records of their calls, for the tests of the ledger."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg
import msgspec

from airouter.domain.ids import AccountId, KeyId, RateCardId, UserId, WalletId
from airouter.domain.usage import UsageRecord
from airouter.world import new_id

CARD = RateCardId(UUID("00000000-0000-7000-8000-000000000001"))
"""A rate card that charges one quota per `request`, so that a cost can be chosen."""


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """An account; the first of `keys` has no limit, the others those that were asked for."""

    account_id: AccountId
    user_id: UserId
    wallet_id: WalletId
    keys: tuple[KeyId, ...]

    @property
    def key(self) -> KeyId:
        return self.keys[0]

    def record(self, cost: int, key: KeyId | None = None) -> UsageRecord:
        """The record of a call that cost this much."""
        return UsageRecord(
            request_id=new_id(),
            account_id=self.account_id,
            wallet_id=self.wallet_id,
            key_id=key or self.key,
            model="ledger-test",
            endpoint="chat",
            status="ok" if cost else "failed",
            usage_source="provider" if cost else "none",
            quantities={"request": cost} if cost else {},
            rate_card_id=CARD,
            multiplier_micros=1_000_000,
            group="default",
            cost=cost,
        )


async def customer(dsn: str, quota: int, limits: Sequence[int | None] = ()) -> Customer:
    """A new account with this balance."""
    from airouter.services.wallets import Wallets  # noqa: PLC0415 - workers start faster without
    from airouter.storage.database import Database  # noqa: PLC0415
    from tests.builders import person  # noqa: PLC0415

    _, joined = await person(dsn)
    connection = await asyncpg.connect(dsn)
    database = await Database.open(dsn, size_max=1)
    try:
        await connection.execute(
            "INSERT INTO models (model) VALUES ('ledger-test') ON CONFLICT DO NOTHING",
        )
        await connection.execute(
            "INSERT INTO rate_cards (rate_card_id, model, version, rates, effective_at)"
            " VALUES ($1, 'ledger-test', 1, '{\"request\": 1}', now()) ON CONFLICT DO NOTHING",
            CARD,
        )
        wallet_id = await connection.fetchval(
            "SELECT wallet_id FROM wallets WHERE account_id = $1 AND kind = 'main'", joined.account_id
        )
        keys = []
        for limit in (None, *limits):
            keys.append(KeyId(new_id()))
            await connection.execute(
                "INSERT INTO keys (key_id, account_id, wallet_id, user_id, name, secret_hash, prefix, spend_limit)"
                " VALUES ($1, $2, $3, $4, 'key', $5, 'sk-', $6)",
                keys[-1], joined.account_id, wallet_id, joined.user_id, uuid4().bytes, limit,
            )  # fmt: skip
        if quota:
            await Wallets(database).grant(joined.account_id, quota, reference=f"first:{joined.account_id}")
    finally:
        await database.close()
        await connection.close()
    return Customer(
        account_id=joined.account_id, user_id=joined.user_id, wallet_id=WalletId(wallet_id), keys=tuple(keys)
    )

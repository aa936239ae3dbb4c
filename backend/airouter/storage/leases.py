"""Leases and the locked rows of purses. Callers hold the lock of the node's row, and lock purses once per
transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from airouter.domain.ids import KeyId, NodeId, WalletId
from airouter.domain.lease import UNLIMITED, Fund, PurseId
from airouter.storage.database import Connection
from airouter.storage.queries import load

QUERIES = load("leases")


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """Locked purses. A key without a limit has a fund as well, because its `spent` counts up."""

    wallets: dict[WalletId, Fund]
    keys: dict[KeyId, Fund]
    overruns: dict[WalletId, int]

    @property
    def funds(self) -> dict[PurseId, Fund]:
        return {**self.wallets, **self.keys}


async def lock(
    connection: Connection, wallets: Collection[WalletId], keys: Collection[KeyId], mine: Mapping[PurseId, int]
) -> Locked:
    """Lock these rows, wallets by id, then keys by id. What does not exist has a fund without anything in it."""
    locked = Locked(wallets={}, keys={}, overruns={})
    if wallets:
        for row in await connection.fetch(QUERIES.lock_wallets, sorted(wallets)):
            wallet_id = WalletId(row["wallet_id"])
            locked.wallets[wallet_id] = Fund(row["balance"] or 0, row["leased"], mine.get(wallet_id, 0))
            locked.overruns[wallet_id] = row["overrun"]
    if keys:
        for row in await connection.fetch(QUERIES.lock_keys, list(keys)):
            key_id, limit = KeyId(row["key_id"]), row["spend_limit"]
            locked.keys[key_id] = Fund(
                UNLIMITED if limit is None else limit - row["spent"],
                row["leased"],
                mine.get(key_id, 0),
                is_limited=limit is not None,
            )
    for missing in set(wallets) - set(locked.wallets):
        locked.wallets[missing] = Fund(0, 0, 0)
    for missing in set(keys) - set(locked.keys):
        locked.keys[missing] = Fund(0, 0, 0)
    return locked


async def write(connection: Connection, node_id: NodeId, locked: Locked, used_at: Mapping[KeyId, datetime]) -> None:
    """Bring what the plan did to the funds into their rows and into the node's lease rows."""
    wallets = [
        (wallet_id, fund.charged, fund.leased - fund.leased_before, fund.overrun)
        for wallet_id, fund in locked.wallets.items()
        if fund.charged or fund.overrun or fund.leased != fund.leased_before
    ]
    if wallets:
        await connection.execute(QUERIES.charge_wallets, *_columns(wallets))
    keys = [
        (key_id, fund.charged, fund.leased - fund.leased_before, used_at.get(key_id))
        for key_id, fund in locked.keys.items()
        if fund.charged or fund.leased != fund.leased_before or key_id in used_at
    ]
    if keys:
        await connection.execute(QUERIES.charge_keys, *_columns(keys))
    changed = [(wallet_id, fund.mine) for wallet_id, fund in locked.wallets.items() if fund.mine != fund.mine_before]
    if changed:
        await connection.execute(QUERIES.put_wallet_leases, node_id, *_columns(changed))
    changed_keys = [(key_id, fund.mine) for key_id, fund in locked.keys.items() if fund.mine != fund.mine_before]
    if changed_keys:
        await connection.execute(QUERIES.put_key_leases, node_id, *_columns(changed_keys))


async def leases_of(connection: Connection, node_id: NodeId) -> dict[PurseId, int]:
    """Everything the node has leased."""
    leases: dict[PurseId, int] = {
        WalletId(row["wallet_id"]): row["amount"] for row in await connection.fetch(QUERIES.wallet_leases_of, node_id)
    }
    for row in await connection.fetch(QUERIES.key_leases_of, node_id):
        leases[KeyId(row["key_id"])] = row["amount"]
    return leases


async def release_all(connection: Connection, node_id: NodeId) -> int:
    """Give everything the node has leased back to its purses, and answer how many there were."""
    leases = await leases_of(connection, node_id)
    wallets = sorted(purse_id for purse_id in leases if isinstance(purse_id, int))
    keys = [purse_id for purse_id in leases if not isinstance(purse_id, int)]
    if wallets:
        await connection.fetch(QUERIES.lock_wallets, wallets)
    if keys:
        await connection.fetch(QUERIES.lock_keys, keys)
    if wallets:
        await connection.execute(QUERIES.release_wallets, node_id)
    if keys:
        await connection.execute(QUERIES.release_keys, node_id)
    await forget(connection, node_id)
    return len(leases)


async def forget(connection: Connection, node_id: NodeId) -> None:
    """Drop the node's lease rows; the purses have been told."""
    await connection.execute(QUERIES.drop_wallet_leases, node_id)
    await connection.execute(QUERIES.drop_key_leases, node_id)


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]

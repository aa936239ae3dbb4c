"""Leases, the locked rows of purses, and the budgets above keys. Callers hold the lock of the node's row, and lock
purses once per transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from airouter.domain.budget import BudgetFund
from airouter.domain.ids import AccountId, KeyId, NodeId, UserId, WalletId
from airouter.domain.lease import UNLIMITED, Fund, PurseId
from airouter.storage.database import Connection
from airouter.storage.queries import load

QUERIES = load("leases")

Member = tuple[AccountId, UserId]


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """Locked purses. A key without a limit has a fund as well, because its `spent` counts up."""

    wallets: dict[WalletId, Fund]
    keys: dict[KeyId, Fund]
    overruns: dict[WalletId, int]
    users: dict[KeyId, UserId]
    """Who is responsible for each key."""
    budgets: list[BudgetFund] = []
    members: dict[KeyId, Member] = {}
    """Whose budgets count the keys that share one."""

    @property
    def funds(self) -> dict[PurseId, Fund]:
        return {**self.wallets, **self.keys}


class BudgetsAbove(msgspec.Struct, frozen=True):
    """Locked budgets, and which of them count each key."""

    locked: list[BudgetFund] = []
    of_key: dict[KeyId, list[BudgetFund]] = {}
    members: dict[KeyId, Member] = {}


async def lock(
    connection: Connection,
    wallets: Collection[WalletId],
    keys: Collection[KeyId],
    mine: Mapping[PurseId, int],
    *,
    newest: datetime | None = None,
) -> Locked:
    """Lock these rows, wallets by id, then keys by id, then their budgets by id, in the window of now or of
    the `newest` call. What does not exist has a fund without anything in it.
    """
    locked = Locked(wallets={}, keys={}, overruns={}, users={})
    if wallets:
        for row in await connection.fetch(QUERIES.lock_wallets, sorted(wallets)):
            wallet_id = WalletId(row["wallet_id"])
            locked.wallets[wallet_id] = Fund(row["balance"] or 0, row["leased"], mine.get(wallet_id, 0))
            locked.overruns[wallet_id] = row["overrun"]
    if keys:
        rows = await connection.fetch(QUERIES.lock_keys, list(keys))
        budgets = await lock_budgets(connection, rows, newest)
        locked.budgets.extend(budgets.locked)
        locked.members.update(budgets.members)
        for row in rows:
            key_id, limit = KeyId(row["key_id"]), row["spend_limit"]
            locked.users[key_id] = row["user_id"]
            above = budgets.of_key.get(key_id, ())
            locked.keys[key_id] = Fund(
                UNLIMITED if limit is None else limit - row["spent"],
                row["leased"],
                mine.get(key_id, 0),
                is_limited=limit is not None or bool(above),
                budgets=tuple(above),
            )
    for missing in set(wallets) - set(locked.wallets):
        locked.wallets[missing] = Fund(0, 0, 0)
    for missing in set(keys) - set(locked.keys):
        locked.keys[missing] = Fund(0, 0, 0)
    return locked


async def lock_budgets(
    connection: Connection, locked_keys: Sequence[asyncpg.Record], newest: datetime | None = None
) -> BudgetsAbove:
    """Lock the budgets above these rows of `lock_keys`. Keys that have none cost nothing here."""
    counted = [row for row in locked_keys if row["is_budgeted"]]
    if not counted:
        return BudgetsAbove()
    above = BudgetsAbove([], {}, {})
    by_member: dict[Member, list[BudgetFund]] = {}
    accounts, users = [row["account_id"] for row in counted], [row["user_id"] for row in counted]
    for row in await connection.fetch(
        QUERIES.lock_budgets, [row["key_id"] for row in counted], accounts, users, newest
    ):
        budget = BudgetFund(
            row["budget_id"],
            whose="member" if row["key_id"] is None else "key",
            period=row["period"],
            limit=row["quota_max"],
            spent=row["spent"],
            leased=row["leased"],
            excess=row["excess"],
            window_start=row["window_start"],
            window_end=row["window_end"],
        )
        budget.begin(row["starts"], row["ends"], row["moment"])
        above.locked.append(budget)
        if row["key_id"] is None:
            by_member.setdefault((row["account_id"], row["user_id"]), []).append(budget)
        else:
            above.of_key.setdefault(KeyId(row["key_id"]), []).append(budget)
    for row in counted:
        key_id, member = KeyId(row["key_id"]), (row["account_id"], row["user_id"])
        if shared := by_member.get(member):
            above.of_key.setdefault(key_id, []).extend(shared)
            above.members[key_id] = member
    return above


async def sharing(connection: Connection, locked: Locked, short: Sequence[PurseId]) -> list[PurseId]:
    """These purses, and the keys that have leased from the same member's budgets: whoever holds what is missing."""
    members = {member for key_id, member in locked.members.items() if key_id in short}
    if not members:
        return list(short)
    accounts, users = [account_id for account_id, _ in members], [user_id for _, user_id in members]
    rows = await connection.fetch(QUERIES.keys_leased_by_member, accounts, users)
    return list(dict.fromkeys([*short, *(KeyId(row["key_id"]) for row in rows)]))


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
    await write_budgets(connection, locked.budgets)
    changed = [(wallet_id, fund.mine) for wallet_id, fund in locked.wallets.items() if fund.mine != fund.mine_before]
    if changed:
        await connection.execute(QUERIES.put_wallet_leases, node_id, *_columns(changed))
    changed_keys = [(key_id, fund.mine) for key_id, fund in locked.keys.items() if fund.mine != fund.mine_before]
    if changed_keys:
        await connection.execute(QUERIES.put_key_leases, node_id, *_columns(changed_keys))


async def write_budgets(connection: Connection, budgets: Iterable[BudgetFund]) -> None:
    """Bring locked budgets back into their rows, where anything changed."""
    rows: list[tuple[UUID, int, int, int, datetime, datetime | None]] = [
        (b.budget_id, b.spent, b.leased, b.excess, b.window_start, b.window_end) for b in budgets if b.is_changed
    ]
    if rows:
        await connection.execute(QUERIES.put_budgets, *_columns(rows))


async def leases_of(connection: Connection, node_id: NodeId) -> dict[PurseId, int]:
    """Everything the node has leased."""
    leases: dict[PurseId, int] = {
        WalletId(row["wallet_id"]): row["amount"] for row in await connection.fetch(QUERIES.wallet_leases_of, node_id)
    }
    for row in await connection.fetch(QUERIES.key_leases_of, node_id):
        leases[KeyId(row["key_id"])] = row["amount"]
    return leases


async def key_lease_of(connection: Connection, node_id: NodeId, key_id: KeyId) -> int:
    """What the node has leased of one key."""
    return await connection.fetchval(QUERIES.key_lease_of, node_id, key_id) or 0


async def release_all(connection: Connection, node_id: NodeId) -> int:
    """Give everything the node has leased back to its purses, and answer how many there were."""
    leases = await leases_of(connection, node_id)
    wallets = sorted(purse_id for purse_id in leases if isinstance(purse_id, int))
    keys = [purse_id for purse_id in leases if not isinstance(purse_id, int)]
    if wallets:
        await connection.fetch(QUERIES.lock_wallets, wallets)
    if keys:
        budgets = await lock_budgets(connection, await connection.fetch(QUERIES.lock_keys, keys))
        for key_id, above in budgets.of_key.items():
            for budget in above:
                budget.lend(-leases[key_id])
        await write_budgets(connection, budgets.locked)
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

"""Between a gateway process and the books: register, sync, sweep, adopt. Each is one transaction.

Lock order everywhere: at most one row of `nodes`, then wallets by id, then keys by id, then the budgets above those
keys by id, each set locked by one statement and once per transaction. Budgets come last because only a locked key says
which they are. Settling first and releasing in a second round of locks deadlocks.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, Literal

import asyncpg
import msgspec

from airouter.domain.ids import KeyId, NodeId, RequestId, TransferId, WalletId
from airouter.domain.lease import Level, PurseId, Sync, SyncAnswer, Wish, charge, purse_name, regrant
from airouter.domain.ledger import OVERRUN, REVENUE
from airouter.domain.usage import UsageRecord
from airouter.services.stored_ids import keep_minted
from airouter.storage import changes, leases, nodes, usage_writes
from airouter.storage.database import AWAY, Connection, said_of
from airouter.storage.nodes import NodeState
from airouter.storage.usage_writes import UsageTransfer
from airouter.world import new_id

_REFUSES_CONTENT: Final = ("22", "23", "54", "P0")
"""Classes of SQLSTATE that blame what was sent: data, integrity, limits, a trigger's refusal."""


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a chunk: the node's state now, how many records were new, what the operator bears of them."""

    state: Literal["live", "dead", "closed", "unknown"]
    settled: int = 0
    unpaid: int = 0


class NodeRefused(Exception):
    """The node is not live at the expected seq: its book is over."""


class OutcomeUnknown(Exception):
    """The connection broke or timed out: the transaction may have committed, or may yet. Only the same content may
    follow.
    """


class NotCommitted(Exception):
    """Rolled back for a reason outside the content (deadlock, lock time-out, shutdown): try the same again."""


class ContentRefused(Exception):
    """Rolled back because of what was sent."""


class RecordsKnown(Exception):
    """Rolled back: some of the records stand in Postgres already."""


@asynccontextmanager
async def _outcome() -> AsyncGenerator[None]:
    """Every way a transaction can end, as one of the exceptions above."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        if said_of(error, "table_name").startswith("usage_records"):
            raise RecordsKnown(str(error)) from error
        raise ContentRefused(str(error)) from error
    except AWAY as error:
        if isinstance(error, ValueError):  # the driver could not encode a value: it never reached Postgres
            raise ContentRefused(str(error)) from error
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error
    except asyncpg.PostgresError as error:
        if said_of(error, "sqlstate").startswith(_REFUSES_CONTENT):
            raise ContentRefused(str(error)) from error
        raise NotCommitted(f"{type(error).__name__}: {error}") from error
    except OverflowError as error:
        raise ContentRefused(str(error)) from error


async def server_time(connection: Connection) -> datetime:
    """Postgres' wall clock, to compare ours with."""
    async with _outcome():
        return await nodes.server_time(connection)


async def register(connection: Connection, node_id: NodeId, host: str) -> None:
    """Make the node known. Idempotent.

    Raises:
        NodeRefused: it was swept or closed meanwhile.
    """
    async with _outcome():
        state = await nodes.register(connection, node_id, host)
    if state.state != "live":
        raise NodeRefused(f"node {node_id} is {state.state}")


async def live_nodes(connection: Connection) -> dict[NodeId, int]:
    """What an observer compares from second to second."""
    async with _outcome():
        return await nodes.live(connection)


async def sync(connection: Connection, request: Sync) -> SyncAnswer:
    """Heartbeat, settle, return and grant. The same request twice is applied once.

    Raises:
        NodeRefused, OutcomeUnknown, NotCommitted, ContentRefused, RecordsKnown
    """
    async with _outcome(), connection.transaction():
        if not await nodes.advance(connection, request.node_id, request.seq):
            state = await nodes.state_of(connection, request.node_id)
            if state == NodeState(state="live", seq=request.seq):
                return SyncAnswer(leases=await leases.leases_of(connection, request.node_id))
            if request.closes and state == NodeState(state="closed", seq=request.seq):
                return SyncAnswer(leases={})
            raise NodeRefused(f"node {request.node_id} stands at {state}, not at {request.seq - 1}")
        levels: Mapping[PurseId, Level] = request.levels
        if request.closes:  # everything is locked once, so what is given back belongs to the same plan
            levels = {purse_id: Level(0, 0) for purse_id, amount in request.mine.items() if amount}
        answer = await _post(
            connection,
            request.node_id,
            request.seq,
            request.records,
            wishes=() if request.closes else request.wishes,
            levels=levels,
            mine=request.mine,
            recalled_lately=request.recalled_lately,
        )
        if request.closes:
            await leases.forget(connection, request.node_id)
            await nodes.close(connection, request.node_id)
        return answer


async def _post(
    connection: Connection,
    node_id: NodeId,
    seq: int,
    records: Sequence[UsageRecord],
    *,
    wishes: Iterable[Wish],
    levels: Mapping[PurseId, Level],
    mine: Mapping[PurseId, int],
    recalled_lately: frozenset[PurseId] = frozenset(),
    reference: str | None = None,
) -> SyncAnswer:
    """Lock, plan in Python, write."""
    wallets, keys = _mentioned(records, levels)
    used_at = _used_at(records)
    locked = await leases.lock(connection, wallets, keys, mine, newest=max(used_at.values(), default=None))
    funds = locked.funds
    charges = charge(records, funds)
    balances = {wallet_id: fund.total for wallet_id, fund in locked.wallets.items()}
    short = [purse_id for purse_id in regrant(funds, wishes, levels) if purse_id not in recalled_lately]
    if records:
        transfers = _transfers(reference or f"{node_id}:{seq}", records, charges, balances)
        if transfers:
            await usage_writes.insert_transfers(connection, transfers)
        paid_by = {t.debit_wallet: t.transfer_id for t in transfers if t.kind == "usage"}
        await usage_writes.insert_usage(connection, records, charges, paid_by, locked.users)
        await keep_minted(connection, records)
    await leases.write(connection, node_id, locked, used_at)
    for purse_id in await leases.sharing(connection, locked, short):
        await changes.recall(connection, purse_name(purse_id))
    return SyncAnswer(
        leases={purse_id: fund.mine for purse_id, fund in funds.items() if fund.mine},
        totals={purse_id: fund.payable for purse_id, fund in funds.items()},
        bounds={key_id: bound for key_id, fund in locked.keys.items() if fund.budgets and (bound := fund.bound)},
        overruns={w: overrun + locked.wallets[w].overrun for w, overrun in locked.overruns.items()},
        unpaid=sum(fund.overrun for fund in locked.wallets.values()),
        recalled=tuple(short),
    )


def _used_at(records: Iterable[UsageRecord]) -> dict[KeyId, datetime]:
    """When each key was last used."""
    used_at: dict[KeyId, datetime] = {}
    for record in records:
        at, before = record.created_at, used_at.get(record.key_id)
        used_at[record.key_id] = at if before is None else max(before, at)
    return used_at


def _mentioned(records: Iterable[UsageRecord], levels: Iterable[PurseId]) -> tuple[set[WalletId], set[KeyId]]:
    wallets: set[WalletId] = set()
    keys: set[KeyId] = set()
    for record in records:
        wallets.add(record.wallet_id)
        keys.add(record.key_id)
    for purse_id in levels:
        if isinstance(purse_id, int):
            wallets.add(purse_id)
        else:
            keys.add(purse_id)
    return wallets, keys


def _transfers(
    reference: str, records: Sequence[UsageRecord], charges: Sequence[int], balances: Mapping[WalletId, int]
) -> list[UsageTransfer]:
    """One per wallet that paid anything, and one for what the operator bears."""
    paid: dict[WalletId, int] = {}
    unpaid = 0
    for record, charged in zip(records, charges, strict=True):
        paid[record.wallet_id] = paid.get(record.wallet_id, 0) + charged
        unpaid += record.cost - charged
    transfers = [
        UsageTransfer(
            transfer_id=TransferId(new_id()),
            kind="usage",
            reference=f"{reference}:{wallet_id}",
            debit_wallet=wallet_id,
            credit_wallet=REVENUE,
            amount=amount,
            debit_balance=balances[wallet_id],
        )
        for wallet_id, amount in paid.items()
        if amount
    ]
    if unpaid:
        transfers.append(
            UsageTransfer(
                transfer_id=TransferId(new_id()),
                kind="overrun",
                reference=reference,
                debit_wallet=OVERRUN,
                credit_wallet=REVENUE,
                amount=unpaid,
            )
        )
    return transfers


async def settle_alone(
    connection: Connection,
    node_id: NodeId,
    record: UsageRecord,
    *,
    reference: str,
    levels: Mapping[PurseId, Level],
    mine: Mapping[PurseId, int],
) -> None:
    """Charge one record outside of any sync, within the caller's transaction; `reference` names its transfer.

    The caller holds the lock of the node's row where `levels` change what the node has leased.
    """
    await _post(connection, node_id, 0, [record], wishes=(), levels=levels, mine=mine, reference=reference)


async def known_requests(connection: Connection, records: Sequence[UsageRecord]) -> set[RequestId]:
    """Which of these stand in Postgres already."""
    async with _outcome():
        return await usage_writes.known_requests(connection, records)


async def sweep(connection: Connection, node_id: NodeId, seq: int) -> bool:
    """Declare a node dead that was seen at `seq` for too long, and free its leases. False: it moved, or others did it.

    Its journal stays outstanding: `adopt` settles it when its machine comes back.
    """
    async with _outcome(), connection.transaction():
        if not await nodes.declare_dead(connection, node_id, seq):
            return False
        await leases.release_all(connection, node_id)
        return True


async def adopt(connection: Connection, node_id: NodeId, records: Sequence[UsageRecord], *, is_last: bool) -> Adopted:
    """Settle a chunk of the journal of a node whose process is gone; with the last one, close the node.

    The caller holds the lock of that journal: it is the proof that the owner is gone. Leases that were not swept pay
    in full; after a sweep free credit pays, and the operator the rest.
    """
    async with _outcome(), connection.transaction():
        node = await nodes.take_over(connection, node_id)
        if node is None:
            return Adopted(state="unknown")
        if node.state == "closed":
            return Adopted(state="closed")
        known = await usage_writes.known_requests(connection, records)
        fresh = _once(record for record in records if record.request_id not in known)
        mine = await leases.leases_of(connection, node_id)
        levels = {purse_id: Level(0, 0) for purse_id in mine} if is_last else {}
        posted = await _post(connection, node_id, node.seq, fresh, wishes=(), levels=levels, mine=mine)
        settled = Adopted(state=node.state, settled=len(fresh), unpaid=posted.unpaid)
        if not is_last:
            return settled
        await leases.forget(connection, node_id)
        await nodes.close(connection, node_id)
        return msgspec.structs.replace(settled, state="closed")


def _once(records: Iterable[UsageRecord]) -> list[UsageRecord]:
    """A record that was journaled again after a disk failure stands twice in the journal."""
    return list({record.request_id: record for record in records}.values())

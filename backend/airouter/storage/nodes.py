"""Rows of `nodes`: the registrations of gateway processes."""

from datetime import datetime
from typing import Literal

import msgspec

from airouter.domain.background import JOBS_NODE
from airouter.domain.ids import NodeId
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("nodes")

NodeStatus = Literal["live", "dead", "closed"]
"""live -> dead (swept: its leases are free, its journal outstanding) -> closed (journal settled); or live -> closed."""


class NodeState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a node stands."""

    state: NodeStatus
    seq: int


class DeadNode(msgspec.Struct, frozen=True, kw_only=True):
    """A swept node whose journal nobody has brought in."""

    node_id: NodeId
    host: str
    seen_at: datetime


async def register(connection: Connection, node_id: NodeId, host: str) -> NodeState:
    """Idempotent: the answer says whether the node is (still) live."""
    await connection.execute(QUERIES.register, node_id, host)
    state = await state_of(connection, node_id)
    assert state is not None  # rows are kept for ever
    return state


async def state_of(connection: Connection, node_id: NodeId) -> NodeState | None:
    row = await connection.fetchrow(QUERIES.state_of, node_id)
    return None if row is None else row_as(NodeState, row)


async def advance(connection: Connection, node_id: NodeId, seq: int) -> bool:
    """Lock the row and count up to `seq`; False when it does not stand at `seq - 1`, live."""
    return await connection.fetchval(QUERIES.advance, node_id, seq) is not None


async def take_over(connection: Connection, node_id: NodeId) -> NodeState | None:
    """Lock the row and count up, whatever its state; None: nobody ever registered it."""
    row = await connection.fetchrow(QUERIES.take_over, node_id)
    return None if row is None else row_as(NodeState, row)


async def declare_dead(connection: Connection, node_id: NodeId, seq: int) -> bool:
    """False: it has moved on, or is not live any more."""
    return await connection.fetchval(QUERIES.declare_dead, node_id, seq) is not None


async def close(connection: Connection, node_id: NodeId) -> None:
    await connection.execute(QUERIES.close, node_id)


async def live(connection: Connection) -> dict[NodeId, int]:
    """Every live node that is a process, and the seq it stands at."""
    return {NodeId(row["node_id"]): row["seq"] for row in await connection.fetch(QUERIES.live, JOBS_NODE)}


async def server_time(connection: Connection) -> datetime:
    """Postgres' wall clock."""
    return value_as(datetime, await connection.fetchval(QUERIES.server_time))


async def dead_for_long(connection: Connection) -> list[DeadNode]:
    """Swept more than a day ago and never adopted."""
    return [row_as(DeadNode, row) for row in await connection.fetch(QUERIES.dead_for_long)]


async def lock_node(connection: Connection, node_id: NodeId) -> None:
    """Lock the row of a node that is no process; made when it is first locked."""
    if await connection.fetchval(QUERIES.lock_node, node_id) is None:
        await connection.execute(QUERIES.register, node_id, "")
        await connection.fetchval(QUERIES.lock_node, node_id)

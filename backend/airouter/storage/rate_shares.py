"""Rows of `rate_shares`: how much of a limit each node may use."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.rate_limit import Holding, Verdict
from airouter.storage.database import Connection, row_as, value_as
from airouter.storage.queries import load

QUERIES = load("rate_shares")


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node holds of a subject, read at `moment`."""

    subject: str
    node_id: NodeId
    share: int
    missing: int
    missing_since: datetime | None
    answered_at: datetime | None
    until: datetime
    moment: datetime

    def holding(self) -> Holding:
        return Holding(
            node_id=self.node_id,
            share=self.share,
            missing=self.missing,
            missing_since=self.missing_since,
            answered_at=self.answered_at,
            until=self.until,
        )


async def renew(connection: Connection, node_id: NodeId, lease: timedelta) -> bool:
    """The node's lease runs for so long from now. False: it had ended, and others may have taken its shares."""
    return bool(await connection.fetchval(QUERIES.renew, node_id, lease))


async def lock_subjects(connection: Connection, subjects: Sequence[str]) -> None:
    """Nobody else changes a share of these until the transaction ends."""
    await connection.fetch(QUERIES.lock_subjects, subjects)


async def holdings(connection: Connection, subjects: Sequence[str]) -> tuple[dict[str, list[Holding]], datetime]:
    """What everybody holds, by subject, and the moment of the look."""
    rows = [row_as(HoldingRow, row) for row in await connection.fetch(QUERIES.holdings, subjects)]
    found: dict[str, list[Holding]] = {}
    for row in rows:
        found.setdefault(row.subject, []).append(row.holding())
    moment = rows[0].moment if rows else value_as(datetime, await connection.fetchval(QUERIES.moment))
    return found, moment


async def put_shares(connection: Connection, node_id: NodeId, verdicts: Iterable[Verdict]) -> None:
    """Writes what was decided; a row that says nothing goes."""
    kept, empty = [], []
    for verdict in verdicts:
        says_something = verdict.share or verdict.missing or verdict.answered_at
        (kept if says_something else empty).append(verdict)
    if empty:
        await drop_shares(connection, node_id, [verdict.subject for verdict in empty])
    if kept:
        await connection.execute(
            QUERIES.put_shares, node_id,
            [v.subject for v in kept], [v.share for v in kept], [v.missing for v in kept],
            [v.missing_since for v in kept], [v.answered_at for v in kept],
        )  # fmt: skip


async def drop_shares(connection: Connection, node_id: NodeId, subjects: Sequence[str]) -> None:
    await connection.execute(QUERIES.drop_shares, node_id, subjects)


async def wanted_of(connection: Connection, node_id: NodeId) -> list[str]:
    """What others miss, of all that the node holds and has not been asked for."""
    return [row["subject"] for row in await connection.fetch(QUERIES.wanted_of, node_id)]


async def end_lease(connection: Connection, node_id: NodeId) -> None:
    await connection.execute(QUERIES.end_lease, node_id)


async def forget_nodes(connection: Connection) -> None:
    """Those whose lease ended long ago, with all they held."""
    await connection.execute(QUERIES.forget_nodes)

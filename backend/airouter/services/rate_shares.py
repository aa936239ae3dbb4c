"""Dividing limits among nodes: one small transaction renews a node's lease, locks the subjects that it asks for, and
decides its shares from what everybody holds.
"""

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.rate_limit import Ask, Verdict, divide
from airouter.storage import rate_shares as rows
from airouter.storage.changes import announce_share
from airouter.storage.database import Database


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking."""

    verdicts: list[Verdict]
    was_running: bool
    """The lease had not ended before it was renewed."""
    wanted: list[str]
    """What others miss of all that the node holds; looked for only when nothing was asked."""


class RateShareRegister:
    """Where the nodes' shares stand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def exchange(self, node_id: NodeId, asks: Sequence[Ask], lease: timedelta) -> Exchanged:
        """Renews the lease and decides every ask. All of it holds, or nothing.

        Raises:
            DatabaseUnavailable: it is not known whether it holds.
        """
        verdicts: list[Verdict] = []
        wanted: list[str] = []
        async with self._database.transaction() as connection:
            was_running = await rows.renew(connection, node_id, lease)
            if asks:
                subjects = [ask.subject for ask in asks]
                await rows.lock_subjects(connection, subjects)
                held, moment = await rows.holdings(connection, subjects)
                verdicts = [
                    divide(ask, held.get(ask.subject, ()), node_id, moment, was_running=was_running) for ask in asks
                ]
                await rows.put_shares(connection, node_id, verdicts)
                if gone := [ask.subject for ask in asks if not ask.wanted]:
                    await rows.drop_shares(connection, node_id, gone)
                for verdict in verdicts:
                    if verdict.is_new_want:
                        await announce_share(connection, "want", node_id, verdict.subject)
                    if verdict.is_answered_want:
                        await announce_share(connection, "free", node_id, verdict.subject)
            else:
                wanted = await rows.wanted_of(connection, node_id)
        return Exchanged(verdicts=verdicts, was_running=was_running, wanted=wanted)

    async def leave(self, node_id: NodeId, used: Sequence[tuple[str, int]]) -> None:
        """The node ends: of each minute it keeps what it used, until that minute is over; everything else is free.

        Raises:
            DatabaseUnavailable
        """
        async with self._database.transaction() as connection:
            kept = [
                Verdict(
                    subject=subject, share=amount, others=0, missing=0, missing_since=None, answered_at=None,
                    is_final=False, is_new_want=False, is_answered_want=False, is_recalled=False,
                )
                for subject, amount in used
                if amount
            ]  # fmt: skip
            subjects = [subject for subject, _ in used]
            await rows.lock_subjects(connection, subjects)
            await rows.drop_shares(connection, node_id, subjects)
            await rows.put_shares(connection, node_id, kept)
            await rows.end_lease(connection, node_id)

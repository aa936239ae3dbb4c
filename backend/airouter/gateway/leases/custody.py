"""Looking after those that are gone: sweeps dead nodes, brings in the journals of ended processes, makes partitions.

Works on a connection of its own, so that a long adoption never delays the heartbeat.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from airouter.domain.ids import NodeId
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.clock import Clock
from airouter.gateway.leases.orphan import JournalLocked, Orphan, orphan_folders
from airouter.gateway.leases.settings import MILLISECOND, CreditSettings
from airouter.gateway.observer import Observer
from airouter.services import partitions, settlement
from airouter.services.settlement import ContentRefused, NotCommitted, OutcomeUnknown
from airouter.storage.database import AWAY, Connection, connect

log = logging.getLogger("airouter.custody")


class CustodyFigures(msgspec.Struct):
    """What happened since this process began."""

    sweeps: int = 0
    adoptions: int = 0
    adopted_records: int = 0
    adopted_unpaid: int = 0
    quarantined: int = 0


class Custody:
    """One per process, run as one task."""

    def __init__(
        self,
        *,
        dsn: str,
        journal_directory: Path,
        settings: CreditSettings,
        clock: Clock,
        own_node: Callable[[], NodeId],
    ) -> None:
        self.figures = CustodyFigures()
        self._dsn = dsn
        self._directory = journal_directory
        self._settings = settings
        self._clock = clock
        self._own_node = own_node
        self._observer = Observer(settings)
        self._connection: Connection | None = None
        self._hurry = asyncio.Event()
        self._adopted_at = self._partitioned_at = -(2**62)

    def hurry(self) -> None:
        """A journal of this process has just become an orphan."""
        self._adopted_at = -(2**62)
        self._hurry.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self.round()
                self._hurry.clear()
                with contextlib.suppress(TimeoutError):  # not wait_for: before 3.12 it can swallow a cancellation
                    async with asyncio.timeout(self._settings.beat_ms / 1000):
                        await self._hurry.wait()
        finally:
            await self._disconnect()

    async def round(self) -> None:
        """One look around. A Postgres that is away is nothing to report here: the credit loop does."""
        try:
            await self._observe()
            now = self._clock.now()
            if now - self._adopted_at >= self._settings.adopt_every_ms * MILLISECOND:
                self._adopted_at = now
                await self.adopt_orphans()
            if now - self._partitioned_at >= self._settings.partitions_every_ms * MILLISECOND:
                self._partitioned_at = now
                await self._make_partitions()
        except (OutcomeUnknown, *AWAY) as error:
            log.info("custody.interrupted error=%s", error)
            await self._disconnect()
        except NotCommitted as error:
            log.info("custody.postponed error=%s", error)
        except Exception:
            log.exception("custody.failed")
            await self._disconnect()

    async def _observe(self) -> None:
        connection = await self._connected()
        sent = self._clock.now()
        seqs = await settlement.live_nodes(connection)
        for node_id, seq in self._observer.read(seqs, sent, self._clock.now()):
            if node_id != self._own_node() and await settlement.sweep(connection, node_id, seq):
                self.figures.sweeps += 1
                log.warning("node.swept node=%s seq=%s", node_id, seq)

    async def adopt_orphans(self) -> int:
        """Try every lock on this machine; settle the journals of those that are gone. Answers how many were closed."""
        closed = 0
        for folder in orphan_folders(self._directory):
            try:
                orphan = Orphan.take(folder)
            except (JournalLocked, FileNotFoundError):
                continue
            try:
                closed += await self._adopt(orphan)
            finally:
                orphan.release()
        return closed

    async def _adopt(self, orphan: Orphan) -> bool:
        """The last chunk closes the node; an interruption before that leaves the rest for the next round."""
        chunk: list[UsageRecord] = []
        count = 0
        for following in orphan.chunks(self._settings.records_per_sync):
            if chunk and await self._settle(orphan, chunk, is_last=False) in ("closed", "unknown"):
                break
            chunk, count = following, count + len(following)
        state = await self._settle(orphan, chunk, is_last=True)
        if state == "unknown":
            if count:
                log.error("journal.unknown node=%s records=%s kept=%s", orphan.node_id, count, orphan.set_aside())
            else:
                orphan.remove()
            return False
        orphan.remove()
        self.figures.adoptions += 1
        log.info("node.adopted node=%s records=%s", orphan.node_id, count)
        return True

    async def _settle(self, orphan: Orphan, records: list[UsageRecord], *, is_last: bool) -> str:
        """One chunk. What Postgres refuses is halved until one record stands alone; that one is kept for a person."""
        connection = await self._connected()
        try:
            adopted = await settlement.adopt(connection, orphan.node_id, records, is_last=is_last)
        except ContentRefused as error:
            if not records:
                raise
            if len(records) == 1:
                self.figures.quarantined += 1
                kept = orphan.keep(records[0])
                log.error("record.quarantined node=%s kept=%s error=%s", orphan.node_id, kept, error)  # noqa: TRY400
                return await self._settle(orphan, [], is_last=is_last)
            half = len(records) // 2
            await self._settle(orphan, records[:half], is_last=False)
            return await self._settle(orphan, records[half:], is_last=is_last)
        self.figures.adopted_records += adopted.settled
        self.figures.adopted_unpaid += adopted.unpaid
        if adopted.unpaid:
            log.error("overrun.swept node=%s quota=%s", orphan.node_id, adopted.unpaid)
        return adopted.state

    async def _make_partitions(self) -> None:
        try:
            made = await partitions.make_partitions(self._dsn)
        except partitions.PartitionsMissing as error:
            log.error("partitions.missing error=%s", error)  # noqa: TRY400 - the cause is in the message
            return
        if made:
            log.info("partitions.made count=%s", len(made))

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, command_seconds=self._settings.sync_timeout_ms / 1000)
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

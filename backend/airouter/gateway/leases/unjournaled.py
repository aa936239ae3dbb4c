"""Records that the disk refused: settled from memory, while the last byte of their answers waits."""

import asyncio
from collections.abc import Iterable

from airouter.domain.ids import RequestId
from airouter.domain.usage import UsageRecord
from airouter.gateway.leases.hold import Hold
from airouter.gateway.leases.journal import JournalFailed


class Unjournaled:
    """Who waits until Postgres has a record."""

    def __init__(self, confirm_max_ms: int) -> None:
        self._confirm_max_seconds = confirm_max_ms / 1000
        self._awaited: dict[RequestId, asyncio.Future[None]] = {}

    def expect(self, record: UsageRecord) -> None:
        """From here on it may be confirmed at any time."""
        self._awaited[record.request_id] = asyncio.get_running_loop().create_future()

    async def settled(self, record: UsageRecord) -> None:
        """Wait until Postgres has it.

        Raises:
            JournalFailed: not in time.
        """
        future = self._awaited.setdefault(record.request_id, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(self._confirm_max_seconds):
                await asyncio.shield(future)
        except TimeoutError as error:
            raise JournalFailed(record, OSError("neither the journal nor Postgres took the record in time")) from error
        finally:
            self._awaited.pop(record.request_id, None)

    def tell(self, settled: Iterable[Hold]) -> None:
        """Postgres has the records of these calls."""
        if not self._awaited:
            return
        for hold in settled:
            future = None if hold.record is None else self._awaited.get(hold.record.request_id)
            if future is not None and not future.done():
                future.set_result(None)

"""The answer that is being read from an HTTP/1.1 connection."""

from airouter.upstream.connection import Http1Connection
from airouter.upstream.contract import AnswerTooLarge


class Http1Answer:
    """An answer being read from a connection; see `contract.UpstreamAnswer`."""

    __slots__ = ("_connection", "_idle_seconds", "headers", "status")

    def __init__(self, connection: Http1Connection, idle_seconds: float) -> None:
        self._connection: Http1Connection | None = connection
        self._idle_seconds = idle_seconds
        self.status = connection.status
        self.headers = connection.headers

    async def chunk(self) -> bytes:
        """See the contract."""
        connection = self._open_connection()
        if not connection.chunks:
            if connection.done:
                return b""
            deadline = connection.loop.time() + self._idle_seconds
            while not connection.chunks:
                if connection.done:
                    return b""
                if connection.error is not None:
                    raise connection.error
                connection.deadline = deadline
                try:
                    await connection.arrival()
                finally:
                    connection.stop_waiting()
        return connection.take()

    async def read(self, limit_bytes: int) -> bytes:
        """See the contract."""
        connection = self._open_connection()
        parts: list[bytes] = []
        size = 0
        while True:
            if connection.done and not parts and connection.chunks:
                data = connection.take()
                if len(data) > limit_bytes:
                    raise AnswerTooLarge(limit_bytes)
                return data
            data = await self.chunk()
            if not data:
                return b"".join(parts)
            size += len(data)
            if size > limit_bytes:
                raise AnswerTooLarge(limit_bytes)
            parts.append(data)

    def close(self) -> None:
        """See the contract."""
        connection = self._connection
        if connection is not None:
            self._connection = None
            connection.finish()

    def _open_connection(self) -> Http1Connection:
        if self._connection is None:
            raise RuntimeError("the answer was closed")
        return self._connection

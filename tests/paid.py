"""No door is free: whatever a door answered with success has a usage record, in every test that runs a server.

`FREE` lists the addresses that answer without one: lists of models, and doors that run nothing.
"""

from typing import Any, Final
from uuid import UUID

import asyncpg

from airouter.api.doors.asgi import AsgiExchange
from airouter.api.hot import HotCall
from tests.patience import until

FREE: Final = (
    "GET /v1/models",
    "GET /v1/models/{model}",
    "GET /v1beta/models",
    "GET /v1beta/models/{model}",
    "GET /v1/responses/{response_id}",
    "DELETE /v1/responses/{response_id}",
    "POST /v1/responses/{response_id}/cancel",
    "GET /v1/responses/{response_id}/input_items",
    "POST /v1/responses/input_tokens",
    "POST /v1/conversations",
    "GET /v1/conversations/{conversation_id}",
    "POST /v1/conversations/{conversation_id}",
    "DELETE /v1/conversations/{conversation_id}",
    "GET /v1/conversations/{conversation_id}/items",
    "POST /v1/conversations/{conversation_id}/items",
    "GET /v1/conversations/{conversation_id}/items/{item_id}",
    "DELETE /v1/conversations/{conversation_id}/items/{item_id}",
    "POST /v1/messages/count_tokens",
    "POST /v1beta/models/{model}:countTokens",
)


class Answered:
    """What the doors of this process answered with success since the server began."""

    def __init__(self) -> None:
        self.request_ids: dict[UUID, str] = {}
        self._under_way: dict[UUID, str] = {}

    def begun(self, exchange: Any, status: int) -> None:
        if 200 <= status < 300 and f"{exchange.door.method} {exchange.door.path}" not in FREE:
            self._under_way[UUID(str(exchange.request_id))] = exchange.door.operation_id

    def ended(self, exchange: Any) -> None:
        """A stream that a test walked away from may still be read when the server stops: it ends later, or never."""
        request_id = UUID(str(exchange.request_id))
        if request_id in self._under_way:
            self.request_ids[request_id] = self._under_way.pop(request_id)

    async def assert_all_recorded(self, dsn: str) -> None:
        """Every one of them stands in Postgres, sooner or later."""
        missing = dict(self.request_ids)
        connection = await asyncpg.connect(dsn)

        async def are_all_there() -> bool:
            rows = await connection.fetch(
                "SELECT request_id FROM usage_records WHERE request_id = ANY($1::uuid[])", list(missing)
            )
            for row in rows:
                missing.pop(row["request_id"], None)
            return not missing

        try:
            await until(are_all_there)
        except TimeoutError:
            raise AssertionError(f"doors answered without a usage record: {missing}") from None
        finally:
            await connection.close()


_WATCHED: list[Answered] = []


def watch() -> Answered:
    """Begin to note; `unwatch` when the server stops."""
    found = Answered()
    _WATCHED.append(found)
    return found


def unwatch(answered: Answered) -> None:
    _WATCHED.remove(answered)


def _watch_over(kind: type) -> None:
    """Every way in which an exchange answers goes by here first."""
    send, begin, end = kind.send, kind.begin, kind.end  # type: ignore[attr-defined]

    def noting_send(self: Any, status: int, *more: Any) -> None:
        for answered in _WATCHED:
            answered.begun(self, status)
            answered.ended(self)
        send(self, status, *more)

    def noting_begin(self: Any, status: int, *more: Any) -> None:
        for answered in _WATCHED:
            answered.begun(self, status)
        begin(self, status, *more)

    def noting_end(self: Any) -> None:
        for answered in _WATCHED:
            answered.ended(self)
        end(self)

    kind.send, kind.begin, kind.end = noting_send, noting_begin, noting_end  # type: ignore[attr-defined]


for _kind in (HotCall, AsgiExchange):
    _watch_over(_kind)

"""Lists, page by page. A cursor names the last line that was shown, so a page costs the same however deep it lies."""

import base64
import binascii
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from litestar.di import Provide
from litestar.params import QueryParameter

from airouter.domain.errors import InvalidRequest

LIMIT_MAX: Final = 200
LIMIT_DEFAULT: Final = 50
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT: Final = struct.Struct(">q16s")

Row = TypeVar("Row")


class After(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of the page before: lists are ordered by time and id, newest first."""

    created_at: datetime
    row_id: UUID


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """Which page. `after` None: the first."""

    limit: int = LIMIT_DEFAULT
    after: After | None = None

    @property
    def after_time(self) -> datetime | None:
        return self.after.created_at if self.after else None

    @property
    def after_id(self) -> UUID | None:
        return self.after.row_id if self.after else None

    @property
    def rows_wanted(self) -> int:
        """One more than is shown: whether it exists says whether there is a next page."""
        return self.limit + 1

    def split(self, rows: Sequence[Row]) -> tuple[list[Row], Row | None]:
        """What to show, and the last of it if more follows (its cursor is the next page's)."""
        shown = list(rows[: self.limit])
        return shown, shown[-1] if len(rows) > self.limit else None


def cursor_of(created_at: datetime, row_id: UUID) -> str:
    """Opaque to clients; it holds nothing but the place in the list, so nothing in it needs to be secret or signed."""
    micros = (created_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(_LAYOUT.pack(micros, row_id.bytes)).decode().rstrip("=")


def read_cursor(text: str) -> After:
    """The place in the list.

    Raises:
        InvalidRequest: it is no cursor of ours.
    """
    try:
        micros, row_id = _LAYOUT.unpack(base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True))
        return After(created_at=_EPOCH + timedelta(microseconds=micros), row_id=UUID(bytes=row_id))
    except (binascii.Error, struct.error, OverflowError, ValueError):
        raise InvalidRequest("cursor: this is no cursor that a list answered with.", field="cursor") from None


def _paging(
    cursor: Annotated[str | None, QueryParameter(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="Lines on a page")] = LIMIT_DEFAULT,
) -> Paging:
    return Paging(limit=limit, after=read_cursor(cursor) if cursor else None)


PROVIDERS: Final[dict[str, Any]] = {"paging": Provide(_paging, sync_to_thread=False)}
"""`paging: NamedDependency[Paging]` in a handler's signature."""

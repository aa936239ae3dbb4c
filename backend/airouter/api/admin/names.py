"""Paging through what is ordered by its name: the cursor is the last name that was shown."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from litestar.di import Provide
from litestar.params import QueryParameter

from airouter.api.paging import LIMIT_DEFAULT, LIMIT_MAX
from airouter.domain.errors import InvalidRequest

Thing = TypeVar("Thing")


class NamePaging(msgspec.Struct, frozen=True, kw_only=True):
    """Which page. `after` empty: the first."""

    limit: int
    after: str

    @property
    def rows_wanted(self) -> int:
        """One more than is shown: whether it exists says whether there is a next page."""
        return self.limit + 1

    def split(self, things: Sequence[Thing]) -> tuple[list[Thing], Thing | None]:
        """What to show, and the last of it if more follows."""
        shown = list(things[: self.limit])
        return shown, shown[-1] if len(things) > self.limit else None


def name_cursor(name: str) -> str:
    """Where the next page begins: after this name."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _name_paging(
    cursor: Annotated[str | None, QueryParameter(description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=LIMIT_MAX, description="Lines on a page")] = LIMIT_DEFAULT,
) -> NamePaging:
    try:
        after = base64.b64decode((cursor or "") + "=" * (-len(cursor or "") % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        after = "\0"
    if "\0" in after:
        raise InvalidRequest("cursor: this is no cursor that a list answered with.", field="cursor")
    return NamePaging(limit=limit, after=after)


PROVIDERS: Final[dict[str, Any]] = {"names": Provide(_name_paging, sync_to_thread=False)}
"""`names: NamedDependency[NamePaging]` in a handler's signature."""

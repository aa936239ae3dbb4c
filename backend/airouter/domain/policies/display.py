"""How amounts are shown to people."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from airouter.domain.errors import InvalidRequest
from airouter.domain.policies.topic import Link, Text, Topic


class Display(Topic, frozen=True, kw_only=True):
    """How amounts are shown to people; never used to price, sell or charge."""

    name: Annotated[str, Meta(min_length=1, max_length=120)] = "AI Router"
    symbol: Annotated[str, Meta(max_length=8)] | None = None
    """Currency symbol; None shows the ledger currency's code."""
    factor_micros: Annotated[int, Meta(ge=1, le=10**15)] = 1_000_000
    """Shown amount = quota / quota_per_unit x factor; other than x1 it is marked as approximate."""
    decimals: Annotated[int, Meta(ge=0, le=9)] = 2
    links: Annotated[dict[Text, Link], Meta(max_length=50)] = {}  # noqa: RUF012 - msgspec copies it

    def check(self) -> None:
        for name, link in self.links.items():
            if urlsplit(link).scheme not in {"http", "https", "mailto"}:  # it ends up in a page as a link
                raise InvalidRequest(f"links.{name}: a link begins with https://.", field=f"links.{name}")

"""The filters of every list of usage, as query parameters and as the body of an export."""

from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar.di import Provide
from litestar.params import QueryParameter

from airouter.domain.errors import InvalidRequest
from airouter.domain.ids import AccountId, KeyId, UserId
from airouter.domain.usage import UsageStatus
from airouter.storage.usage_reads import Filters


class UsageFilters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Which requests. `from` is included, `to` is not."""

    model: str | None = None
    key_id: UUID | None = None
    status: UsageStatus | None = None
    from_: datetime | None = None
    to: datetime | None = None

    def of(self, account_id: AccountId | None, only_user_id: UserId | None = None) -> Filters:
        """The same for one account, or for all.

        Raises:
            InvalidRequest: a time without its zone, or an end before the beginning.
        """
        for field, value in (("from", self.from_), ("to", self.to)):
            if value is not None and value.tzinfo is None:
                raise InvalidRequest(f"{field}: say the time zone, as in 2030-01-31T12:00:00Z.", field=field)
        if self.from_ is not None and self.to is not None and self.to < self.from_:
            raise InvalidRequest("to: this is before `from`.", field="to")
        return Filters(
            account_id=account_id,
            only_user_id=only_user_id,
            model=self.model,
            key_id=KeyId(self.key_id) if self.key_id else None,
            status=self.status,
            since=self.from_,
            until=self.to,
        )


def _filters(
    model: Annotated[str | None, QueryParameter(description="Only this model")] = None,
    key_id: Annotated[UUID | None, QueryParameter(description="Only this key")] = None,
    status: Annotated[UsageStatus | None, QueryParameter(description="Only this outcome")] = None,
    since: Annotated[datetime | None, QueryParameter(name="from", description="From this time on")] = None,
    until: Annotated[datetime | None, QueryParameter(name="to", description="Until before this time")] = None,
) -> UsageFilters:
    return UsageFilters(model=model, key_id=key_id, status=status, from_=since, to=until)


PROVIDERS: Final[dict[str, Any]] = {"usage_filters": Provide(_filters, sync_to_thread=False)}
"""`usage_filters: NamedDependency[UsageFilters]` in a handler's signature."""

"""What is asked of an API key: drafts and changes, as people send them and as they are kept."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from airouter.domain.errors import InvalidRequest
from airouter.domain.quota import WALLET_MAX
from airouter.domain.rate_limit import RateLimits
from airouter.services.budgets import Budget, BudgetList, check_periods
from airouter.storage.keys import KeyRow
from airouter.world import now

Name = Annotated[str, Meta(min_length=1, max_length=120, examples=["my laptop"])]
SpendLimit = Annotated[int, Meta(ge=0, le=WALLET_MAX, description="Quota", examples=[5_000_000_000])]
Models = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=1, max_length=1000)]
Fallbacks = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=1, max_length=5)]
Addresses = Annotated[list[str], Meta(min_length=1, max_length=200, examples=[["203.0.113.7", "2001:db8::/32"]])]
GroupName = Annotated[str, Meta(min_length=1, max_length=64)]


class KeyDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be. Null or absent: no limit of that kind. A budget for `total` is the `spend_limit` by another name.

    `fallback_models` answer, in this order and each at its own price, when no channel of the model asked for can.
    """

    name: Name
    spend_limit: SpendLimit | None = None
    expires_at: datetime | None = None
    models: Models | None = None
    fallback_models: Fallbacks | None = None
    allowed_ips: Addresses | None = None
    group: GroupName | None = None
    rate_limits: RateLimits | None = None
    budgets: BudgetList | None = None


class KeyChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is absent stays, null takes a limit away. `budgets` replaces those of a day, a week and a
    month; one for `total` is the `spend_limit` by another name.
    """

    name: Name | UnsetType = UNSET
    status: Literal["active", "disabled"] | UnsetType = UNSET
    spend_limit: SpendLimit | UnsetType | None = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    models: Models | UnsetType | None = UNSET
    fallback_models: Fallbacks | UnsetType | None = UNSET
    allowed_ips: Addresses | UnsetType | None = UNSET
    group: GroupName | UnsetType | None = UNSET
    rate_limits: RateLimits | UnsetType | None = UNSET
    budgets: BudgetList | UnsetType | None = UNSET


Asked = TypeVar("Asked", KeyDraft, KeyChanges)


def with_total(asked: Asked) -> Asked:
    """The same, with a budget for `total` moved to the spend limit that it means.

    Raises:
        InvalidRequest: a period stands twice, or both are given and differ.
    """
    if not asked.budgets:
        return asked
    check_periods(asked.budgets)
    total = next((budget.limit for budget in asked.budgets if budget.period == "total"), None)
    if total is None:
        return asked
    if asked.spend_limit is not None and asked.spend_limit is not UNSET and asked.spend_limit != total:
        raise InvalidRequest("budgets: the one for `total` is not the spend_limit.", field="spend_limit")
    return msgspec.structs.replace(asked, spend_limit=total, budgets=periodic(asked.budgets))


def periodic(budgets: Sequence[Budget]) -> list[Budget]:
    """Those that start anew."""
    return [budget for budget in budgets if budget.period != "total"]


def check_expiry(expires_at: datetime | None) -> None:
    """Raises InvalidRequest: without a zone, or over."""
    if expires_at is None:
        return
    if expires_at.tzinfo is None:
        raise InvalidRequest("expires_at: say the time zone, as in 2030-01-31T12:00:00Z.", field="expires_at")
    if expires_at <= now():
        raise InvalidRequest("expires_at: this time is over.", field="expires_at")


def applied(key: KeyRow, changes: KeyChanges) -> KeyRow:
    """The key as it is to be; its budgets are rows of their own."""
    given = {
        name: value
        for name in ("name", "status", "spend_limit", "expires_at")
        if (value := getattr(changes, name)) is not UNSET
    }
    if changes.models is not UNSET:
        given["models"] = unique(changes.models)
    if changes.fallback_models is not UNSET:
        given["fallback_models"] = unique(changes.fallback_models)
    if changes.allowed_ips is not UNSET:
        given["allowed_ips"] = networks(changes.allowed_ips)
    if changes.group is not UNSET:
        given["group_name"] = changes.group
    if changes.rate_limits is not UNSET:
        limits = changes.rate_limits or RateLimits()
        given |= msgspec.structs.asdict(limits)
    return msgspec.structs.replace(key, **given)


def check_fallbacks(models: Sequence[str] | None, fallback_models: Sequence[str] | None) -> None:
    """Raises InvalidRequest: one that the key may not use would never answer."""
    for number, model in enumerate(fallback_models or ()):
        if models is not None and model not in models:
            field = f"fallback_models[{number}]"
            raise InvalidRequest(f"{field}: {model!r} is not among the key's models.", field=field)


def unique(values: list[str] | None) -> tuple[str, ...] | None:
    """Each once, in the order given."""
    return None if values is None else tuple(dict.fromkeys(values))


def networks(values: list[str] | None) -> tuple[str, ...] | None:
    """Addresses and networks in their normal form."""
    if values is None:
        return None
    found: dict[str, None] = {}
    for number, value in enumerate(values):
        try:
            found[str(ip_network(value.strip(), strict=False))] = None
        except ValueError:
            field = f"allowed_ips[{number}]"
            raise InvalidRequest(f"{field}: {value!r} is no address and no network.", field=field) from None
    return tuple(found)

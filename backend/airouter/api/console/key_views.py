"""API keys and budgets as the management API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from airouter.domain.budget import Period
from airouter.services.rate_limit_views import RateLimitsView
from airouter.storage.budgets import KeyBudgetRow, MemberBudgetRow
from airouter.storage.keys import KeyRow
from airouter.world import now


class BudgetView(msgspec.Struct, frozen=True, kw_only=True):
    """`spent` is that of the running period, which ends at `resets_at`; null: never."""

    period: Period
    limit: int
    spent: int
    resets_at: datetime | None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """`prefix` is how its secret begins. `remaining` is the least that `spend_limit` and `budgets` leave; null where
    there are none. `fallback_models` answer when no channel of the model asked for can. `previous_secret_until`: how
    long the secret before the last rotation works yet.

    `user_id` is the responsible member; `is_orphaned`: they left the account, or were banned.
    """

    id: UUID
    name: str
    prefix: str
    status: Literal["active", "disabled", "expired"]
    group: str | None
    spend_limit: int | None
    spent: int
    remaining: int | None
    models: list[str] | None
    fallback_models: list[str] | None
    allowed_ips: list[str] | None
    rate_limits: RateLimitsView
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    user_id: UUID
    user_email: str
    is_orphaned: bool
    budgets: list[BudgetView]
    previous_secret_until: datetime | None


class KeyWithSecret(KeyView, frozen=True, kw_only=True):
    """`key` is shown only now; null when this answer is a replay."""

    key: str | None


def key_view(key: KeyRow, budgets: Sequence[KeyBudgetRow]) -> KeyView:
    """As the account sees it at this moment."""
    is_expired = key.expires_at is not None and key.expires_at <= now()
    return KeyView(
        id=key.key_id,
        name=key.name,
        prefix=key.prefix,
        status="expired" if is_expired and key.status == "active" else key.status,
        group=key.group_name,
        spend_limit=key.spend_limit,
        spent=key.spent,
        remaining=_remaining(key, budgets),
        models=None if key.models is None else list(key.models),
        fallback_models=None if key.fallback_models is None else list(key.fallback_models),
        allowed_ips=None if key.allowed_ips is None else list(key.allowed_ips),
        rate_limits=RateLimitsView(
            requests_per_minute=key.requests_per_minute,
            tokens_per_minute=key.tokens_per_minute,
            concurrency=key.concurrency,
        ),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        user_id=key.user_id,
        user_email=key.user_email,
        is_orphaned=key.is_orphaned,
        budgets=budget_views(budgets),
        previous_secret_until=key.previous_secret_until,
    )


def budget_views(budgets: Sequence[KeyBudgetRow | MemberBudgetRow]) -> list[BudgetView]:
    """As they stand in the running periods."""
    return [
        BudgetView(period=row.period, limit=row.quota_max, spent=row.spent, resets_at=row.resets_at) for row in budgets
    ]


def _remaining(key: KeyRow, budgets: Sequence[KeyBudgetRow]) -> int | None:
    left = [max(0, row.quota_max - row.spent) for row in budgets]
    if key.spend_limit is not None:
        left.append(key.spend_limit - key.spent)
    return min(left, default=None)

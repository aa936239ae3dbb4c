"""What a key has and has used, in the two shapes that chat programs ask for."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from airouter.api.callers import Visitor
from airouter.api.doors.service import Doors
from airouter.domain.quota import QUOTA_PER_UNIT
from airouter.services.compat import Compat, shown
from airouter.storage.compat import KeyPurse

_SUBSCRIPTION: Final = ["/v1/dashboard/billing/subscription", "/dashboard/billing/subscription"]
_USAGE: Final = ["/v1/dashboard/billing/usage", "/dashboard/billing/usage"]
_TOKEN_USAGE: Final = "/api/usage/token"  # noqa: S105 - an address
_UNIT_DIGITS: Final = len(str(QUOTA_PER_UNIT)) - 1


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Units of the ledger currency, whatever the names say."""

    object: str
    has_payment_method: bool
    soft_limit_usd: msgspec.Raw
    hard_limit_usd: msgspec.Raw
    system_hard_limit_usd: msgspec.Raw
    access_until: int


class BillingUsage(msgspec.Struct, frozen=True, kw_only=True):
    """`total_usage` is in hundredths of a unit."""

    object: str
    total_usage: msgspec.Raw


class TokenUsage(msgspec.Struct, frozen=True, kw_only=True):
    """On their scale."""

    object: str
    name: str
    total_granted: int
    total_used: int
    total_available: int
    unlimited_quota: bool
    model_limits: dict[str, bool]
    model_limits_enabled: bool
    expires_at: int


class TokenUsageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The one address of theirs whose envelope has a `code`."""

    code: bool
    message: str
    data: TokenUsage


def billing_routes(doors: Callable[[], Doors]) -> list[Any]:
    """Asked with an API key. A key that may not call may not look either."""

    async def purse_of(request: Request[Any, Any, Any], compat: Compat) -> KeyPurse:
        caller = await doors().caller(request.scope)
        return await compat.purse(caller.key_id)

    @get(_SUBSCRIPTION, include_in_schema=False)
    async def subscription(
        request: Request[Any, Any, Any], visitor: NamedDependency[Visitor], compat: NamedDependency[Compat]
    ) -> Subscription:
        del visitor
        purse = await purse_of(request, compat)
        limit = decimal(granted(purse), _UNIT_DIGITS)
        return Subscription(
            object="billing_subscription",
            has_payment_method=True,
            soft_limit_usd=limit,
            hard_limit_usd=limit,
            system_hard_limit_usd=limit,
            access_until=ends_at(purse),
        )

    @get(_USAGE, include_in_schema=False)
    async def usage(
        request: Request[Any, Any, Any], visitor: NamedDependency[Visitor], compat: NamedDependency[Compat]
    ) -> BillingUsage:
        del visitor
        purse = await purse_of(request, compat)
        return BillingUsage(object="list", total_usage=decimal(purse.spent, _UNIT_DIGITS - 2))

    @get(_TOKEN_USAGE, include_in_schema=False)
    async def token_usage(
        request: Request[Any, Any, Any], visitor: NamedDependency[Visitor], compat: NamedDependency[Compat]
    ) -> Response[TokenUsageAnswer]:
        del visitor
        purse = await purse_of(request, compat)
        left = granted(purse) - purse.spent
        data = TokenUsage(
            object="token_usage",
            name=purse.name,
            total_granted=shown(purse.spent) + shown(left),
            total_used=shown(purse.spent),
            total_available=shown(left),
            unlimited_quota=purse.spend_limit is None,
            model_limits=dict.fromkeys(purse.models or (), True),
            model_limits_enabled=purse.models is not None,
            expires_at=ends_at(purse),
        )
        return Response(TokenUsageAnswer(code=True, message="ok", data=data), headers={"cache-control": "no-store"})

    return [subscription, usage, token_usage]


def granted(purse: KeyPurse) -> int:
    """The key's limit; without one, what it has spent and what its account still has: what is left comes out right."""
    return purse.spend_limit if purse.spend_limit is not None else purse.spent + max(0, purse.balance)


def ends_at(purse: KeyPurse) -> int:
    """Seconds since 1970; 0: never."""
    return 0 if purse.expires_at is None else int(purse.expires_at.timestamp())


def decimal(value: int, digits: int) -> msgspec.Raw:
    """`value` / 10^`digits` as a JSON number, exactly."""
    sign, text = "-" if value < 0 else "", str(abs(value)).rjust(digits + 1, "0")
    whole, rest = text[:-digits], text[-digits:].rstrip("0")
    return msgspec.Raw(f"{sign}{whole}.{rest}".rstrip(".").encode())
